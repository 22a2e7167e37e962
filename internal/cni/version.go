package cni

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Version is a version of the VPC CNI. The zero Version is unknown. Versions may be compared with ==.
type Version struct {
	Major, Minor, Patch int
	Pre                 string // of a release candidate, as "rc1"; empty for a release
	Build               int    // N of "-eksbuild.N", from 1; 0 for none, as in a self-managed image
}

// Parse reads a version as EKS writes it ("v1.7.5-eksbuild.2") or as images are tagged ("v1.8.0", "1.9.0-rc1"). Everything
// else is unknown: "latest", digests, private suffixes, two numbers instead of three.
func Parse(s string) Version {
	// semver's grammar fits, strictly. Its order does not: it takes "eksbuild.1" for a pre-release, so that v1.8.0-eksbuild.1
	// were older than v1.8.0 and would miss exactly that floor, and it puts rc10 before rc9. Hence Compare and Satisfies.
	sv, err := semver.StrictNewVersion(strings.TrimPrefix(s, "v"))
	if err != nil || sv.Metadata() != "" || max(sv.Major(), sv.Minor(), sv.Patch()) > math.MaxInt32 {
		return Version{}
	}
	v := Version{Major: int(sv.Major()), Minor: int(sv.Minor()), Patch: int(sv.Patch())}
	suffix := sv.Prerelease()
	if suffix == "" {
		return v
	}
	if n, ok := numbered(suffix, "eksbuild."); ok && n > 0 {
		v.Build = n
		return v
	}
	if _, ok := numbered(suffix, "rc"); ok {
		v.Pre = suffix
		return v
	}
	return Version{}
}

// numbered reads the number after a prefix. It refuses what it would not write again itself, as "rc01".
func numbered(s, prefix string) (int, bool) {
	digits, ok := strings.CutPrefix(s, prefix)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n >= 0 && n <= math.MaxInt32 && strconv.Itoa(n) == digits
}

// Known reports whether this is a version at all.
func (v Version) Known() bool { return v != Version{} }

// String writes the version as EKS does, "v1.7.5-eksbuild.2", or "unknown".
func (v Version) String() string {
	if !v.Known() {
		return "unknown"
	}
	s := fmt.Sprintf("v%d.%d.%d", v.Major, v.Minor, v.Patch)
	if v.Pre != "" {
		s += "-" + v.Pre
	}
	if v.Build > 0 {
		s += "-eksbuild." + strconv.Itoa(v.Build)
	}
	return s
}

// MarshalText writes what String does, and nothing for an unknown version.
func (v Version) MarshalText() ([]byte, error) {
	if !v.Known() {
		return nil, nil
	}
	return []byte(v.String()), nil
}

// UnmarshalText reads what MarshalText writes. Unlike Parse it refuses other text: what a person or cniguard itself wrote is
// either a version or a mistake.
func (v *Version) UnmarshalText(text []byte) error {
	*v = Parse(string(text))
	if len(text) > 0 && !v.Known() {
		return fmt.Errorf("read version %q: want three numbers, as v1.8.0 or v1.8.0-eksbuild.1", text)
	}
	return nil
}

// Compare orders versions, negative when a is older: by major, minor and patch, a release candidate before its release, then
// by the number of the EKS build. Unknown is lowest; only equal versions compare as 0.
func Compare(a, b Version) int {
	switch {
	case a == b:
		return 0
	case !a.Known():
		return -1
	case !b.Known():
		return 1
	}
	return cmp.Or(compareCore(a, b), comparePre(a.Pre, b.Pre), cmp.Compare(a.Build, b.Build))
}

// compareCore orders by major.minor.patch alone.
func compareCore(a, b Version) int {
	return cmp.Or(cmp.Compare(a.Major, b.Major), cmp.Compare(a.Minor, b.Minor), cmp.Compare(a.Patch, b.Patch))
}

// comparePre orders release candidates by their number: the shorter text has the smaller one.
func comparePre(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// Satisfies reports whether the version is at or above a floor, by major.minor.patch only: v1.8.0-eksbuild.1 satisfies
// v1.8.0, and v1.8.0 satisfies v1.8.0-eksbuild.3. It is false when either is unknown.
func (v Version) Satisfies(floor Version) bool {
	return v.Known() && floor.Known() && compareCore(v, floor) >= 0
}
