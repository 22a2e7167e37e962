package cni

import "fmt"

// Target says where an update leads: to the floor, to the default, to the latest release, or to the version it is, with or
// without "-eksbuild.N". The zero Target is the floor. Make one with ParseTarget.
type Target string

// The targets that are not a version.
const (
	ToFloor   Target = ""        // the lowest minor version that reaches the floor, at its best patch
	ToDefault Target = "default" // what EKS installs when no version is asked for
	ToLatest  Target = "latest"  // the newest release that is not known bad
)

// ParseTarget reads "floor", "default", "latest" or a version. An empty text is the floor. It refuses release candidates,
// because EKS offers none.
func ParseTarget(s string) (Target, error) {
	switch s {
	case "", ToFloor.String():
		return ToFloor, nil
	case string(ToDefault), string(ToLatest):
		return Target(s), nil
	}
	if v := Parse(s); v.Known() && v.Pre == "" {
		return Target(v.String()), nil
	}
	return "", fmt.Errorf("read target %q: want floor, default, latest, or a version as v1.18.5 or v1.18.5-eksbuild.1", s)
}

// String writes what ParseTarget reads.
func (t Target) String() string {
	if t == ToFloor {
		return "floor"
	}
	return string(t)
}

// MarshalText writes what String does.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what ParseTarget does.
func (t *Target) UnmarshalText(text []byte) error {
	parsed, err := ParseTarget(string(text))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}
