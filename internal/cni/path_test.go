package cni_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cni"
)

// The catalogues that people published, without the versions that are listed with empty compatibilities; the default has a star.
const (
	// dfds/infrastructure-modules #270, Kubernetes 1.21 in August 2021.
	kubernetes121 = "1.9.0-1 1.8.0-1 1.7.10-1 1.7.9-2 1.7.6-2 1.7.5-2* 1.6.3-2"
	// Of Kubernetes 1.20 only the default and the newest are known.
	kubernetes120 = "1.10.1-1 1.7.5-2*"
	// Kubernetes 1.29 in April 2024.
	kubernetes129 = "1.18.0-1 1.17.1-1 1.16.4-2 1.16.3-2 1.16.2-1 1.16.0-1* 1.15.5-1 1.15.4-1 1.14.1-1 1.13.4-1"
	// Kubernetes 1.35 at the end of August 2026, and after v1.23.1 became the default.
	kubernetes135 = "1.22.4-3* 1.22.3-1 1.22.2-1 1.22.1-2 1.21.2-2 1.21.1-8"
	september2026 = "1.23.1-1* 1.22.4-3 1.22.3-1 1.22.2-1 1.22.1-2 1.21.2-2 1.21.1-8"
)

// releases reads "1.7.5-2*" as v1.7.5-eksbuild.2, the default.
func releases(t testing.TB, text string) []cni.Release {
	t.Helper()
	var rs []cni.Release
	for _, word := range strings.Fields(text) {
		word, isDefault := strings.CutSuffix(word, "*")
		v := cni.Parse("v" + strings.Replace(word, "-", "-eksbuild.", 1))
		if !v.Known() {
			t.Fatalf("no version: %s", word)
		}
		rs = append(rs, cni.Release{Version: v, Default: isDefault})
	}
	return rs
}

func words(vs []cni.Version) string {
	texts := make([]string, 0, len(vs))
	for _, v := range vs {
		texts = append(texts, strings.Replace(strings.TrimPrefix(v.String(), "v"), "eksbuild.", "", 1))
	}
	return strings.Join(texts, " ")
}

// Facts 2.5/samples, 2.5/gaps, 3/one-minor, 7.3/known.
func TestPlanFindsThePath(t *testing.T) {
	tests := []struct {
		name      string
		from      string
		to        cni.Target
		catalogue string
		floor     string // "": v1.8.0
		want      string
		gaps      int
	}{
		{"1.21: the floor is one minor away", "v1.7.5-eksbuild.2", cni.ToFloor, kubernetes121, "", "1.8.0-1", 0},
		{"1.21: the latest goes through 1.8", "v1.7.5-eksbuild.2", cni.ToLatest, kubernetes121, "", "1.8.0-1 1.9.0-1", 0},
		{"1.21: 1.6 goes through the best 1.7, and 10 is better than 9", "v1.6.3-eksbuild.2", cni.ToFloor, kubernetes121, "", "1.7.10-1 1.8.0-1", 0},
		{"1.21: the default of the same minor is one step", "v1.7.1", cni.ToDefault, kubernetes121, "", "1.7.5-2", 0},
		{"1.21: a pin needs no build", "v1.7.5-eksbuild.2", "v1.7.9", kubernetes121, "", "1.7.9-2", 0},
		{"1.21: 1.5 is not listed, and still leads up", "v1.5.3", cni.ToFloor, kubernetes121, "", "1.6.3-2 1.7.10-1 1.8.0-1", 0},
		{"1.21: a floor between two releases is reached by the next minor", "v1.7.5-eksbuild.2", cni.ToFloor, kubernetes121, "v1.8.1", "1.8.0-1 1.9.0-1", 0},
		{"1.21: a floor within the minor keeps it", "v1.7.5-eksbuild.2", cni.ToFloor, kubernetes121, "v1.7.6", "1.7.10-1", 0},
		{"1.20: the next known minor is three away, a gap", "v1.7.5-eksbuild.2", cni.ToLatest, kubernetes120, "", "1.10.1-1", 1},
		{"1.29: from 1.7 the floor is behind a gap of five minors", "v1.7.5-eksbuild.2", cni.ToFloor, kubernetes129, "", "1.13.4-1", 1},
		{"1.29: the latest avoids 1.16.3", "v1.13.4-eksbuild.1", cni.ToLatest, kubernetes129, "", "1.14.1-1 1.15.5-1 1.16.4-2 1.17.1-1 1.18.0-1", 0},
		{"1.29: the default is no bad release, though notable", "v1.14.1-eksbuild.1", cni.ToDefault, kubernetes129, "", "1.15.5-1 1.16.0-1", 0},
		{"1.29: who is on 1.16.3 gets 1.16.4 at the floor", "v1.16.3-eksbuild.2", cni.ToFloor, kubernetes129, "", "1.16.4-2", 0},
		{"1.29: who is on 1.14.0 gets 1.14.1 at the floor", "v1.14.0-eksbuild.3", cni.ToFloor, kubernetes129, "", "1.14.1-1", 0},
		{"1.29: who is on 1.13.2 gets 1.13.4 at the floor", "v1.13.2-eksbuild.1", cni.ToFloor, kubernetes129, "", "1.13.4-1", 0},
		{"1.29: an unlisted 1.12 leads up", "v1.12.6-eksbuild.2", "v1.14.1-eksbuild.1", kubernetes129, "", "1.13.4-1 1.14.1-1", 0},
		{"1.35: 1.22.1 is no step", "v1.21.1-eksbuild.8", cni.ToDefault, kubernetes135, "", "1.22.4-3", 0},
		{"1.35: 1.22.1 is left for its best patch", "v1.22.1-eksbuild.2", cni.ToFloor, kubernetes135, "", "1.22.4-3", 0},
		{"1.35: from 1.19 there is a gap", "v1.19.3-eksbuild.1", cni.ToLatest, september2026, "", "1.21.2-2 1.22.4-3 1.23.1-1", 1},
		{"1.35: a later build of the same release is up", "v1.22.4-eksbuild.1", cni.ToDefault, kubernetes135, "", "1.22.4-3", 0},
		{"a pin without build is its highest build, the tenth above the ninth", "v1.21.1", "v1.21.2", "1.21.2-9 1.21.2-10 1.21.2-2", "", "1.21.2-10", 0},
		{"a pin with build is that build", "v1.21.1", "v1.21.2-eksbuild.9", "1.21.2-9 1.21.2-10", "", "1.21.2-9", 0},
		{"a bad release alone in its minor leads to the next minor", "v1.16.3-eksbuild.2", cni.ToFloor, "1.16.3-2 1.16.2-1 1.17.1-1 1.18.0-1", "", "1.17.1-1", 0},
		{"a minor of bad releases only is a gap", "v1.13.4", cni.ToLatest, "1.14.0-3 1.15.5-1", "", "1.15.5-1", 1},
		{"1.6 goes to 1.12 through the one 1.11", "v1.6.3", "v1.12.6", "1.11.4-1 1.12.6-1", "", "1.11.4-1 1.12.6-1", 1},
		{"of two defaults the higher counts", "v1.7.5", cni.ToDefault, "1.8.0-1* 1.9.0-1*", "", "1.8.0-1 1.9.0-1", 0},
		{"one of two equal entries may be the default", "v1.8.0", cni.ToDefault, "1.9.0-1 1.9.0-1*", "", "1.9.0-1", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			floor := cni.DefaultFloor()
			if tt.floor != "" {
				floor = cni.Parse(tt.floor)
			}
			got := cni.Plan(cni.Parse(tt.from), floor, tt.to, releases(t, tt.catalogue))
			if got.Code != cni.Found || words(got.Steps) != tt.want {
				t.Fatalf("%s to %s: %s, steps %q, want %q (%s)", tt.from, tt.to, got.Code, words(got.Steps), tt.want, got.Why)
			}
			if len(got.Gaps) != tt.gaps {
				t.Errorf("gaps %q, want %d", got.Gaps, tt.gaps)
			}
		})
	}
}

// Facts 2.5/absent, 2.5/no-path, 3/through-1.7.
func TestPlanSaysWhyThereIsNoPath(t *testing.T) {
	tests := []struct {
		name      string
		from      string
		floor     string
		to        cni.Target
		catalogue string
		code      cni.PathCode
		why       string
	}{
		{"an installed release at the floor stays", "v1.8.0-eksbuild.1", "v1.8.0", cni.ToFloor, kubernetes121, cni.Arrived, "v1.8.0-eksbuild.1 satisfies the floor v1.8.0"},
		{"an installed release at the floor needs no catalogue", "v1.18.0-eksbuild.1", "v1.8.0", cni.ToFloor, "", cni.Arrived, "v1.18.0-eksbuild.1 satisfies the floor v1.8.0"},
		{"one beyond the default does not go down", "v1.16.2-eksbuild.1", "v1.8.0", cni.ToDefault, kubernetes129, cni.Arrived, "v1.16.2-eksbuild.1 is at or beyond the target v1.16.0-eksbuild.1"},
		{"one beyond the latest listed does not go down", "v1.19.2-eksbuild.1", "v1.8.0", cni.ToLatest, kubernetes129, cni.Arrived, "v1.19.2-eksbuild.1 is at or beyond the target v1.18.0-eksbuild.1"},
		{"a build above the listed one does not go down (#3509)", "v1.20.4-eksbuild.2", "v1.8.0", "v1.20.4", "1.20.4-1*", cni.Arrived, "v1.20.4-eksbuild.2 is at or beyond the target v1.20.4-eksbuild.1"},
		{"nor to the default (#3509)", "v1.20.4-eksbuild.2", "v1.8.0", cni.ToDefault, "1.20.4-1*", cni.Arrived, "v1.20.4-eksbuild.2 is at or beyond the target v1.20.4-eksbuild.1"},
		{"one at its pin stays, also when it is not listed any more", "v1.15.3-eksbuild.1", "v1.8.0", "v1.15.3", kubernetes129, cni.Arrived, "v1.15.3-eksbuild.1 is at or beyond the target v1.15.3"},
		{"one beyond a bad pin stays", "v1.17.1-eksbuild.1", "v1.8.0", "v1.16.3", kubernetes129, cni.Arrived, "v1.17.1-eksbuild.1 is at or beyond the target v1.16.3-eksbuild.2"},
		{"an unknown version goes nowhere", "latest", "v1.8.0", cni.ToLatest, kubernetes129, cni.FromUnknown, "the installed version is unknown"},
		{"a floor that is unknown is no target", "v1.7.5", "", cni.ToFloor, kubernetes129, cni.TargetUnknown, "the floor is unknown"},
		{"a target that was not parsed is none", "v1.7.5", "v1.8.0", "newest", kubernetes129, cni.TargetUnknown, `"newest" is neither a target nor a version that EKS could offer`},
		{"a candidate is no target", "v1.7.5", "v1.8.0", "v1.9.0-rc1", kubernetes121, cni.TargetUnknown, `"v1.9.0-rc1" is neither a target nor a version that EKS could offer`},
		{"an empty catalogue leads to no floor", "v1.7.5", "v1.8.0", cni.ToFloor, "", cni.NoCatalogue, "EKS lists no release that is compatible with the cluster's Kubernetes version"},
		{"nor to a default", "v1.7.5", "v1.8.0", cni.ToDefault, "", cni.NoCatalogue, "EKS lists no release that is compatible with the cluster's Kubernetes version"},
		{"nor to a latest", "v1.7.5", "v1.8.0", cni.ToLatest, "", cni.NoCatalogue, "EKS lists no release that is compatible with the cluster's Kubernetes version"},
		{"nor to a pin", "v1.7.5", "v1.8.0", "v1.8.0", "", cni.NoCatalogue, "EKS lists no release that is compatible with the cluster's Kubernetes version"},
		{"there may be no default", "v1.7.5", "v1.8.0", cni.ToDefault, "1.8.0-1 1.9.0-1", cni.NoDefault, "EKS names no compatible release as the default"},
		{"a pin may not be listed", "v1.13.4", "v1.8.0", "v1.15.3", kubernetes129, cni.TargetNotCompatible, "v1.15.3 is not among the 10 releases that are compatible"},
		{"a pinned build may not be listed", "v1.13.4", "v1.8.0", "v1.16.4-eksbuild.1", kubernetes129, cni.TargetNotCompatible, "v1.16.4-eksbuild.1 is not among the 10 releases that are compatible"},
		{"nothing may reach the floor", "v1.7.5", "v1.10.2", cni.ToFloor, kubernetes121, cni.TargetNotCompatible, "no good compatible release above v1.7.5 reaches the floor v1.10.2"},
		{"nothing good may be above a bad release", "v1.16.3-eksbuild.1", "v1.8.0", cni.ToFloor, "1.16.2-1 1.16.3-2", cni.TargetNotCompatible, "no good compatible release above v1.16.3-eksbuild.1 reaches the floor v1.8.0"},
		{"nothing good may be listed", "v1.13.4", "v1.8.0", cni.ToLatest, "1.16.3-2 1.14.0-3", cni.TargetNotCompatible, "every compatible release is known bad"},
		{"a bad pin is refused, listed or not", "v1.13.4", "v1.8.0", "v1.14.0", kubernetes129, cni.TargetBad,
			"v1.14.0 is known bad: it brings the node agent, which crash-loops after an update from v1.13 (https://github.com/aws/amazon-vpc-cni-k8s/issues/2540)"},
		{"a bad default is refused", "v1.21.2-eksbuild.2", "v1.8.0", cni.ToDefault, "1.22.1-2* 1.22.2-1", cni.TargetBad,
			"v1.22.1-eksbuild.2 is known bad: it does not start where the role lacks ec2:DescribeSecurityGroups, which policies written for earlier releases do (https://github.com/aws/amazon-vpc-cni-k8s/issues/3705)"},
		{"one at its bad pin has not arrived", "v1.16.3-eksbuild.2", "v1.8.0", "v1.16.3", kubernetes129, cni.TargetBad,
			"v1.16.3-eksbuild.2 is known bad: it livelocks with the CPU at its limit on nodes that have all their interfaces (https://github.com/aws/amazon-vpc-cni-k8s/issues/2807)"},
		{"a bad release above its pin has not arrived either, and does not go down", "v1.16.3-eksbuild.2", "v1.8.0", "v1.15.5", kubernetes129, cni.NoPath, "v1.16.3-eksbuild.2 is known bad, and the target v1.15.5-eksbuild.1 is below it"},
		{"1.6 does not jump to 1.13", "v1.6.3-eksbuild.2", "v1.8.0", cni.ToFloor, kubernetes129, cni.NoPath,
			"v1.6.3-eksbuild.2 must go through v1.7 to v1.11 before v1.13.4-eksbuild.1, and no good release of those is compatible"},
		{"1.6 does not go to 1.12 through a bad 1.7", "v1.6.3", "v1.8.0", "v1.12.6", "1.7.0-1 1.12.6-1", cni.NoPath,
			"v1.6.3 must go through v1.7 to v1.11 before v1.12.6-eksbuild.1, and no good release of those is compatible"},
		{"another major version is not reached", "v1.23.1-eksbuild.1", "v1.8.0", cni.ToLatest, "1.23.1-1* 2.0.0-1", cni.NoPath,
			"v2.0.0-eksbuild.1 is another major version than v1.23.1-eksbuild.1: a person has to go there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := cni.Plan(cni.Parse(tt.from), cni.Parse(tt.floor), tt.to, releases(t, tt.catalogue))
			if diff := cmp.Diff(cni.Path{Code: tt.code, Why: tt.why}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Fact 2.5/gaps.
func TestPlanNamesGaps(t *testing.T) {
	got := cni.Plan(cni.Parse("v1.7.5"), cni.DefaultFloor(), cni.ToLatest, releases(t, "1.9.0-1 1.10.4-1 1.14.1-1"))
	want := cni.Path{
		Code:  cni.Found,
		Steps: []cni.Version{cni.Parse("v1.9.0-eksbuild.1"), cni.Parse("v1.10.4-eksbuild.1"), cni.Parse("v1.14.1-eksbuild.1")},
		Gaps: []string{
			"no good release of v1.8 is compatible: one step from v1.7.5 to v1.9.0-eksbuild.1",
			"no good release of v1.11 to v1.13 is compatible: one step from v1.10.4-eksbuild.1 to v1.14.1-eksbuild.1",
		},
		Why: "v1.7.5 reaches v1.14.1-eksbuild.1 in 3 steps",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// EKS offers neither unknown versions nor candidates; a stray one must not become a step.
func TestPlanPassesOverStrayEntries(t *testing.T) {
	stray := []cni.Release{{Version: cni.Version{}, Default: true}, {Version: cni.Parse("v1.9.0-rc1"), Default: true}}
	for to, want := range map[cni.Target]cni.PathCode{cni.ToFloor: cni.NoCatalogue, cni.ToDefault: cni.NoCatalogue, cni.ToLatest: cni.NoCatalogue} {
		if got := cni.Plan(cni.Parse("v1.7.5"), cni.DefaultFloor(), to, stray); got.Code != want {
			t.Errorf("%s: %+v, want %s", to, got, want)
		}
	}
}
