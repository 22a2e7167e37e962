package cni_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/cni"
)

// Facts 2.6/unknown, 3/no-build.
func TestParse(t *testing.T) {
	tests := []struct {
		name, in string
		want     cni.Version
	}{
		{"an add-on version has a build", "v1.7.5-eksbuild.2", cni.Version{Major: 1, Minor: 7, Patch: 5, Build: 2}},
		{"a build may have two digits", "v1.21.1-eksbuild.10", cni.Version{Major: 1, Minor: 21, Patch: 1, Build: 10}},
		{"a self-managed image has none", "v1.8.0", cni.Version{Major: 1, Minor: 8}},
		{"the v may be missing", "1.22.4", cni.Version{Major: 1, Minor: 22, Patch: 4}},
		{"a release candidate is one", "v1.9.0-rc1", cni.Version{Major: 1, Minor: 9, Pre: "rc1"}},
		{"a candidate without a v is one", "1.9.0-rc12", cni.Version{Major: 1, Minor: 9, Pre: "rc12"}},
		{"latest is unknown", "latest", cni.Version{}},
		{"nothing is unknown", "", cni.Version{}},
		{"a v alone is unknown", "v", cni.Version{}},
		{"a digest is unknown", "sha256:8c0135371030c6513e05f472dd66aaf7c722459781647150286618f054a4c782", cni.Version{}},
		{"a tag with a digest is unknown", "v1.8.0@sha256:8c0135371030", cni.Version{}},
		{"a private suffix is unknown", "v1.7.5-acme.3", cni.Version{}},
		{"a suffix behind the build is unknown", "v1.7.5-eksbuild.2-acme", cni.Version{}},
		{"a suffix that starts like a build is unknown", "v1.7.5-eksbuild.2.1", cni.Version{}},
		{"build metadata is unknown", "v1.8.0+acme", cni.Version{}},
		{"build metadata behind a build is unknown", "v1.8.0-eksbuild.1+acme", cni.Version{}},
		{"a build without a number is unknown", "v1.8.0-eksbuild.", cni.Version{}},
		{"a build of zero is unknown", "v1.8.0-eksbuild.0", cni.Version{}},
		{"a signed build is unknown", "v1.8.0-eksbuild.+1", cni.Version{}},
		{"a negative build is unknown", "v1.8.0-eksbuild.-1", cni.Version{}},
		{"a build with a leading zero is unknown", "v1.8.0-eksbuild.01", cni.Version{}},
		{"a candidate with a leading zero is unknown", "v1.8.0-rc01", cni.Version{}},
		{"a candidate without a number is unknown", "v1.8.0-rc", cni.Version{}},
		{"two numbers are unknown", "v1.8", cni.Version{}},
		{"four numbers are unknown", "v1.8.0.1", cni.Version{}},
		{"a leading zero is unknown", "v1.08.0", cni.Version{}},
		{"two v are unknown", "vv1.8.0", cni.Version{}},
		{"a capital V is unknown", "V1.8.0", cni.Version{}},
		{"space is unknown", " v1.8.0", cni.Version{}},
		{"a line break is unknown", "v1.8.0\n", cni.Version{}},
		{"a number too large for an int is unknown", "v1.18446744073709551615.0", cni.Version{}},
		{"a number too large for 32 bits is unknown", "v1.8.2147483648", cni.Version{}},
		{"a build too large for 32 bits is unknown", "v1.8.0-eksbuild.2147483648", cni.Version{}},
		{"0.0.0 was never released", "v0.0.0", cni.Version{}},
		{"a very long text is unknown", "v1.8.0-rc" + strings.Repeat("1", 300), cni.Version{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := cni.Parse(tt.in)
			if got != tt.want {
				t.Fatalf("Parse(%q) = %+v, want %+v", tt.in, got, tt.want)
			}
			if got.Known() != (tt.want != cni.Version{}) {
				t.Errorf("Known() = %t", got.Known())
			}
			text := "v" + strings.TrimPrefix(tt.in, "v")
			if !got.Known() {
				text = "unknown"
			}
			if got.String() != text {
				t.Errorf("String() = %q, want %q", got, text)
			}
		})
	}
}

func TestVersionIsTextInJSON(t *testing.T) {
	type doc struct {
		Floor cni.Version `json:"floor"`
		None  cni.Version `json:"none"`
	}
	in := doc{Floor: cni.Parse("1.7.5-eksbuild.2")}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"floor":"v1.7.5-eksbuild.2","none":""}`; string(text) != want {
		t.Fatalf("got %s, want %s", text, want)
	}
	out := doc{None: cni.Parse("v1.0.0")}
	if err := json.Unmarshal(text, &out); err != nil || out != in {
		t.Errorf("got %+v, %v, want %+v", out, err, in)
	}
	err = json.Unmarshal([]byte(`{"floor":"v1.8"}`), &out)
	if err == nil || !strings.Contains(err.Error(), `read version "v1.8": want three numbers, as v1.8.0`) {
		t.Errorf("a floor of two numbers: %v", err)
	}
}

// Fact 2.6/build.
func TestCompareOrders(t *testing.T) {
	ordered := []string{"latest", "v0.1.0", "v1.7.5", "v1.7.5-eksbuild.1", "v1.7.5-eksbuild.9", "v1.7.5-eksbuild.10", "v1.7.10",
		"v1.8.0-rc2", "v1.8.0-rc10", "v1.8.0", "v1.8.0-eksbuild.1", "v1.9.0-rc1", "v1.10.0", "v1.22.4-eksbuild.3", "v2.0.0"}
	for i, a := range ordered {
		for j, b := range ordered {
			got, want := cni.Compare(cni.Parse(a), cni.Parse(b)), i-j
			if (got < 0) != (want < 0) || (got > 0) != (want > 0) {
				t.Errorf("Compare(%s, %s) = %d, want the sign of %d", a, b, got, want)
			}
		}
	}
}

// An order is total when it is antisymmetric and transitive; sorting by it then gives the same whatever came first.
func TestCompareIsATotalOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	few := func() cni.Version {
		v := cni.Version{Major: r.IntN(2), Minor: r.IntN(3), Patch: r.IntN(3), Build: r.IntN(12)}
		if v.Build == 0 {
			v.Pre = []string{"", "rc1", "rc2", "rc10"}[r.IntN(4)]
		}
		return v
	}
	for range 20000 {
		a, b, c := few(), few(), few()
		ab, ba, bc, ac := cni.Compare(a, b), cni.Compare(b, a), cni.Compare(b, c), cni.Compare(a, c)
		if ab != -ba || (ab == 0) != (a == b) {
			t.Fatalf("Compare(%s, %s) = %d, the other way %d", a, b, ab, ba)
		}
		if ab <= 0 && bc <= 0 && ac > 0 {
			t.Fatalf("%s ≤ %s ≤ %s, but not %s ≤ %s", a, b, c, a, c)
		}
	}
}

// Fact 2.6/floor.
func TestSatisfies(t *testing.T) {
	tests := []struct {
		name, version, floor string
		want                 bool
	}{
		{"a build of the floor satisfies it, though semver calls it a pre-release", "v1.8.0-eksbuild.1", "v1.8.0", true},
		{"the build of a floor does not count", "v1.8.0-eksbuild.1", "v1.8.0-eksbuild.3", true},
		{"an image without a build satisfies a floor with one", "v1.8.0", "v1.8.0-eksbuild.3", true},
		{"a candidate counts by its numbers", "v1.8.0-rc1", "v1.8.0", true},
		{"a higher patch satisfies", "v1.8.1", "v1.8.0", true},
		{"a higher minor of a lower patch satisfies", "v1.10.0", "v1.8.3", true},
		{"a higher major satisfies", "v2.0.0", "v1.8.0", true},
		{"the release before does not", "v1.7.10-eksbuild.1", "v1.8.0", false},
		{"a lower patch does not", "v1.10.1-eksbuild.3", "v1.10.2", false},
		{"numbers are no text: 1.9 is below 1.10", "v1.9.3", "v1.10.0", false},
		{"an unknown version does not", "latest", "v1.8.0", false},
		{"an unknown floor is not satisfied", "v1.8.0", "", false},
		{"unknown does not satisfy unknown", "latest", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := cni.Parse(tt.version).Satisfies(cni.Parse(tt.floor)); got != tt.want {
				t.Errorf("%s satisfies %s: %t", tt.version, tt.floor, got)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"v1.7.5-eksbuild.2", "v1.8.0", "1.9.0-rc1", "latest", "v1.7.5-acme.3", "v1.8.0+x", "v1.8.0-eksbuild.01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := cni.Parse(s)
		if !v.Known() {
			return
		}
		if back := cni.Parse(v.String()); back != v {
			t.Errorf("Parse(%q) = %s comes back as %s", s, v, back)
		}
		if v.String() != s && v.String() != "v"+s {
			t.Errorf("Parse(%q) = %s: something was dropped", s, v)
		}
		if min(v.Major, v.Minor, v.Patch, v.Build) < 0 || cni.Compare(cni.Version{}, v) >= 0 || !v.Satisfies(v) {
			t.Errorf("Parse(%q) = %+v", s, v)
		}
	})
}
