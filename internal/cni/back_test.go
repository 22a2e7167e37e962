package cni_test

import (
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/cni"
)

// Facts 3/down, 7.3/down, 7.3/kubernetes.
func TestTheWayBackIsShutWhereItHarmsOrCannotBeGone(t *testing.T) {
	for _, c := range []struct {
		name, from, to, kubernetes string
		prefixes                   bool
		listed                     string // besides to; "no": to is not listed
		why                        string // part of it; empty: the way is open
	}{
		{"one minor version down", "v1.21.2-eksbuild.2", "v1.20.4-eksbuild.1", "1.33", false, "", ""},
		{"a patch down", "v1.18.5-eksbuild.1", "v1.18.1-eksbuild.3", "1.29", false, "", ""},
		{"a build down", "v1.21.1-eksbuild.8", "v1.21.1-eksbuild.3", "1.33", false, "", ""},
		{"to what EKS no longer lists", "v1.21.2-eksbuild.2", "v1.20.4-eksbuild.2", "1.34", false, "no", "EKS does not list v1.20.4-eksbuild.2 as compatible with Kubernetes 1.34"},
		{"another build is listed", "v1.21.2-eksbuild.2", "v1.20.4-eksbuild.2", "1.34", false, "v1.20.4-eksbuild.1", "EKS does not list"},
		{"to a release that is known bad", "v1.17.1-eksbuild.1", "v1.16.3-eksbuild.2", "1.29", false, "", "v1.16.3-eksbuild.2 is known bad: it livelocks"},
		{"two minor versions down", "v1.20.4-eksbuild.1", "v1.18.5-eksbuild.1", "1.29", false, "", "more than one minor version below"},
		{"a major version down", "v2.0.0-eksbuild.1", "v1.30.0-eksbuild.1", "1.40", false, "", "more than one minor version below"},
		{"below v1.12.0 on Kubernetes 1.26", "v1.12.0-eksbuild.2", "v1.11.5-eksbuild.1", "1.26", false, "", "crashes on Kubernetes 1.26"},
		{"below v1.12.0 on Kubernetes 1.25", "v1.12.0-eksbuild.2", "v1.11.5-eksbuild.1", "1.25", false, "", ""},
		{"below v1.12.0 on a Kubernetes that is not known", "v1.12.0-eksbuild.2", "v1.11.5-eksbuild.1", "", false, "", "crashes on Kubernetes"},
		{"from v1.12.1 to v1.12.0", "v1.12.1-eksbuild.1", "v1.12.0-eksbuild.2", "1.24", false, "", "cannot delete pods that v1.12.1 or later created"},
		{"from v1.12.5 to v1.11.5", "v1.12.5-eksbuild.2", "v1.11.5-eksbuild.1", "1.24", false, "", "cannot delete pods"},
		{"from v1.12.5 to v1.12.1", "v1.12.5-eksbuild.2", "v1.12.1-eksbuild.2", "1.24", false, "", ""},
		{"below v1.9.0 with prefixes", "v1.9.0-eksbuild.1", "v1.8.0-eksbuild.2", "1.21", true, "", "nodes take /28 prefixes here"},
		{"below v1.9.0 without prefixes", "v1.9.0-eksbuild.1", "v1.8.0-eksbuild.2", "1.21", false, "", ""},
		{"below v1.9.0 from below, with prefixes that cannot be", "v1.8.0-eksbuild.2", "v1.7.5-eksbuild.2", "1.21", true, "", ""},
		{"to v1.9.0 with prefixes", "v1.10.4-eksbuild.1", "v1.9.3-eksbuild.1", "1.24", true, "", ""},
		{"to a version that cannot be compared", "v1.20.4-eksbuild.1", "latest", "1.33", false, "", "not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := cni.Retreat{From: cni.Parse(c.from), To: cni.Parse(c.to), Kubernetes: c.kubernetes, Prefixes: c.prefixes}
			if c.listed != "no" {
				r.Catalogue = []cni.Release{{Version: cni.Parse(c.from)}, {Version: cni.Parse(c.to)}}
			}
			if c.listed != "" && c.listed != "no" {
				r.Catalogue[1].Version = cni.Parse(c.listed)
			}
			if why := r.Shut(); (why == "") != (c.why == "") || !strings.Contains(why, c.why) {
				t.Errorf("%q, want %q", why, c.why)
			}
		})
	}
}

func TestWhatToMindOnTheWayBack(t *testing.T) {
	for _, c := range []struct {
		name, from, to, floor string
		want                  string
	}{
		{"nothing", "v1.19.0-eksbuild.1", "v1.18.5-eksbuild.1", "v1.8.0", ""},
		{"that it is below the floor", "v1.8.0-eksbuild.1", "v1.7.5-eksbuild.2", "v1.8.0", "v1.7.5-eksbuild.2 is below the floor v1.8.0"},
		{"pods with several network cards", "v1.20.4-eksbuild.1", "v1.19.2-eksbuild.1", "v1.8.0", "where pods use several network cards, v1.19.2-eksbuild.1 cannot look after them"},
		{"no floor is known", "v1.8.0-eksbuild.1", "v1.7.5-eksbuild.2", "", ""},
	} {
		r := cni.Retreat{From: cni.Parse(c.from), To: cni.Parse(c.to), Floor: cni.Parse(c.floor)}
		if got := strings.Join(r.Mind(), "; "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
