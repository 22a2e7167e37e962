package cni_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cni"
)

// Facts 7.1/plugin, 7.2/crash-loop.
func TestFloors(t *testing.T) {
	got := []string{cni.DefaultFloor().String(), cni.RecommendedFloor().String()}
	if diff := cmp.Diff([]string{"v1.8.0", "v1.10.2"}, got); diff != "" {
		t.Error(diff)
	}
	for _, floor := range []cni.Version{cni.DefaultFloor(), cni.RecommendedFloor()} {
		if note, bad := floor.Bad(); bad {
			t.Errorf("the floor %s is bad: %s", floor, note.Problem)
		}
	}
}

// Facts 7.1/plugin, 7.3/known, 7.3/kubernetes.
func TestNotes(t *testing.T) {
	const project = "https://github.com/aws/amazon-vpc-cni-k8s/issues/"
	tests := []struct {
		name, version string
		want          []string // the numbers of the notes; "bad " before those of bad releases
	}{
		{"the reference of the floor has the crash of the plugin, and the crash loop", "v1.7.5-eksbuild.2", []string{"1516", "1830", "2321", "2366", "1499"}},
		{"the default floor still has the crash loop", "v1.8.0-eksbuild.1", []string{"1516", "1830", "2321", "2366"}},
		{"1.5.4 deleted IP rules", "v1.5.4", []string{"1516", "1830", "2321", "2366", "1499", "bad 641"}},
		{"1.7.0 broke Calico", "v1.7.0", []string{"1516", "1830", "2321", "2366", "1499", "bad 1159"}},
		{"1.10.0 needed IMDSv1", "v1.10.0-eksbuild.1", []string{"1830", "2321", "2366", "bad 1743", "1725"}},
		{"the recommended floor leaks, but is not bad", "v1.10.2-eksbuild.1", []string{"2321", "2366", "1725", "1939"}},
		{"1.13.2 has two bad faults", "v1.13.2-eksbuild.1", []string{"bad 2436", "bad 2448"}},
		{"1.13.3 has none", "v1.13.3-eksbuild.1", nil},
		{"1.14.0 brought a crashing agent", "v1.14.0-eksbuild.3", []string{"bad 2540"}},
		{"1.16.0 was a default of EKS and is not bad", "v1.16.0-eksbuild.1", []string{"2757"}},
		{"every build of 1.16.3 is bad", "v1.16.3-eksbuild.2", []string{"bad 2807"}},
		{"1.16.4 is fine", "v1.16.4-eksbuild.2", nil},
		{"1.19.0 changed metrics", "v1.19.0-eksbuild.1", []string{"3147"}},
		{"1.22.1 needs another permission", "v1.22.1-eksbuild.2", []string{"bad 3705"}},
		{"1.22.2 is fine", "v1.22.2-eksbuild.1", nil},
		{"1.23.0 is a matter of its agent", "v1.23.0", []string{"3739"}},
		{"the newest is fine", "v1.23.1-eksbuild.1", nil},
		{"nothing is known of an unknown version", "latest", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := cni.Parse(tt.version)
			var got []string
			anyBad := false
			for _, n := range cni.Notes(v) {
				number, ok := strings.CutPrefix(n.URL, project)
				if !ok || n.Problem == "" {
					t.Errorf("a note without source or words: %+v", n)
				}
				if n.Bad {
					anyBad, number = true, "bad "+number
				}
				got = append(got, number)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("notes of %s (-want +got):\n%s", tt.version, diff)
			}
			if note, bad := v.Bad(); bad != anyBad || bad && !note.Bad {
				t.Errorf("Bad() = %+v, %t", note, bad)
			}
		})
	}
}

// What is said to be fixed must be above the range, and itself a release one can be sent to.
// Fact 7.3/fixes.
func TestFixesAreGoodReleases(t *testing.T) {
	seen := 0
	for minor := range 30 {
		for patch := range 12 {
			v := cni.Version{Major: 1, Minor: minor, Patch: patch}
			for _, n := range cni.Notes(v) {
				seen++
				if cni.Compare(n.First, n.Last) > 0 || !v.Satisfies(n.First) || !n.Last.Satisfies(v) {
					t.Errorf("%s is not in the range of %+v", v, n)
				}
				if _, bad := n.Fixed.Bad(); bad || n.Fixed.Known() && cni.Compare(n.Fixed, n.Last) <= 0 {
					t.Errorf("%s is no fix of %+v", n.Fixed, n)
				}
				if n.Fixed.Known() && slices.Contains(cni.Notes(n.Fixed), n) {
					t.Errorf("%s still has %+v", n.Fixed, n)
				}
				if n.Bad && !n.Fixed.Known() {
					t.Errorf("a bad release without a fix: %+v", n)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no notes at all")
	}
}

// Fact 7.3/known.
func TestReleasesWhoseDaemonDoesNotBecomeReady(t *testing.T) {
	for version, want := range map[string]bool{
		"v1.13.0-eksbuild.1": true, "v1.13.2-eksbuild.1": true, "v1.14.0-eksbuild.3": true, "v1.22.0-eksbuild.1": true, "v1.22.1-eksbuild.2": true,
		"v1.7.5-eksbuild.2": false, "v1.12.6-eksbuild.2": false, "v1.13.3-eksbuild.1": false, "v1.14.1-eksbuild.1": false,
		"v1.16.3-eksbuild.2": false, // it livelocks, and is ready
		"v1.22.2-eksbuild.1": false, "latest": false,
	} {
		if got := cni.Parse(version).Unready(); got != want {
			t.Errorf("%s: %t", version, got)
		}
	}
}
