package cni_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/cniguard/cniguard/internal/cni"
)

// question is one call of Plan.
type question struct {
	from, floor cni.Version
	to          cni.Target
	catalogue   []cni.Release
}

func (q question) ask() cni.Path { return cni.Plan(q.from, q.floor, q.to, q.catalogue) }

func (q question) String() string {
	return fmt.Sprintf("from %s, floor %s, to %s, catalogue %v", q.from, q.floor, q.to, q.catalogue)
}

// draw draws a question from a world that is dense with bad releases, gaps, repetitions and builds.
func draw(r *rand.Rand) question {
	version := func() cni.Version {
		v := cni.Version{Major: 1, Minor: 5 + r.IntN(13), Patch: r.IntN(5), Build: r.IntN(12)}
		if r.IntN(60) == 0 {
			v.Major = 2
		}
		return v
	}
	q := question{from: version(), floor: cni.Version{Major: 1, Minor: 7 + r.IntN(5), Patch: r.IntN(3)}}
	for range r.IntN(30) {
		q.catalogue = append(q.catalogue, cni.Release{Version: version(), Default: r.IntN(12) == 0})
	}
	if len(q.catalogue) > 0 && r.IntN(3) == 0 {
		q.from = q.catalogue[r.IntN(len(q.catalogue))].Version
	}
	switch pin := version(); r.IntN(6) {
	case 0:
		q.to = cni.ToDefault
	case 1:
		q.to = cni.ToLatest
	case 2:
		q.to = cni.Target(pin.String())
	case 3:
		if len(q.catalogue) > 0 {
			pin = q.catalogue[r.IntN(len(q.catalogue))].Version
		}
		if r.IntN(2) == 0 {
			pin.Build = 0
		}
		q.to = cni.Target(pin.String())
	}
	return q
}

func bad(v cni.Version) bool { _, is := v.Bad(); return is }

func sameMinor(a, b cni.Version) bool { return a.Major == b.Major && a.Minor == b.Minor }

// usable says that a release may be a step: it is in the catalogue and not bad.
func (q question) usable(v cni.Version) bool {
	return !bad(v) && slices.ContainsFunc(q.catalogue, func(r cni.Release) bool { return r.Version == v })
}

// best says that no usable release of the same minor version is higher.
func (q question) best(v cni.Version) bool {
	return q.usable(v) && !slices.ContainsFunc(q.catalogue, func(r cni.Release) bool {
		return sameMinor(r.Version, v) && q.usable(r.Version) && cni.Compare(r.Version, v) > 0
	})
}

// is says that v is what the target names.
func (q question) is(v cni.Version) bool {
	none := func(better func(cni.Release) bool) bool { return !slices.ContainsFunc(q.catalogue, better) }
	switch q.to {
	case cni.ToFloor:
		return v.Satisfies(q.floor) && q.best(v) && none(func(r cni.Release) bool {
			o := r.Version
			return q.usable(o) && o.Satisfies(q.floor) && cni.Compare(o, q.from) > 0 && cni.Compare(o, v) < 0 && !sameMinor(o, v)
		})
	case cni.ToDefault:
		return slices.Contains(q.catalogue, cni.Release{Version: v, Default: true}) &&
			none(func(r cni.Release) bool { return r.Default && cni.Compare(r.Version, v) > 0 })
	case cni.ToLatest:
		return q.usable(v) && none(func(r cni.Release) bool { return q.usable(r.Version) && cni.Compare(r.Version, v) > 0 })
	}
	pin := cni.Parse(string(q.to))
	if pin.Build > 0 {
		return v == pin
	}
	return v.Satisfies(pin) && pin.Satisfies(v) && none(func(r cni.Release) bool {
		return r.Version.Satisfies(pin) && pin.Satisfies(r.Version) && r.Version.Build > v.Build
	})
}

// checkFound states what holds of a path that was found.
func checkFound(q question, p cni.Path) error {
	at, gaps := q.from, 0
	for i, step := range p.Steps {
		final := i == len(p.Steps)-1
		switch {
		case cni.Compare(at, step) >= 0:
			return fmt.Errorf("%s to %s is not up", at, step)
		case step.Major != at.Major:
			return fmt.Errorf("%s to %s is another major version", at, step)
		case !q.usable(step):
			return fmt.Errorf("%s is bad, or not in the catalogue", step)
		case !final && !q.best(step):
			return fmt.Errorf("%s is not the best patch of its minor version", step)
		case sameMinor(at, step) && len(p.Steps) > 1:
			return fmt.Errorf("%s to %s stays in the minor version on the way to another", at, step)
		}
		for _, r := range q.catalogue {
			if q.usable(r.Version) && r.Version.Major == at.Major && at.Minor < r.Version.Minor && r.Version.Minor < step.Minor {
				return fmt.Errorf("%s to %s passes over %s", at, step, r.Version)
			}
		}
		if step.Major == 1 && at.Minor < 7 && step.Minor >= 12 {
			return fmt.Errorf("%s to %s passes over v1.7", at, step)
		}
		if step.Minor > at.Minor+1 {
			gaps++
		}
		at = step
	}
	if len(p.Steps) == 0 || !q.is(at) {
		return fmt.Errorf("the path ends at %s, which is not the target", at)
	}
	if gaps != len(p.Gaps) {
		return fmt.Errorf("%d gaps, told %q", gaps, p.Gaps)
	}
	return nil
}

// checkEnded states what must be true of the world for a search to end without a path.
func checkEnded(q question, p cni.Path) error {
	var above []cni.Version // what the target names, usable and above
	names := 0
	for _, r := range q.catalogue {
		if q.is(r.Version) {
			names++
			if q.usable(r.Version) && cni.Compare(r.Version, q.from) > 0 {
				above = append(above, r.Version)
			}
		}
	}
	pin := cni.Parse(string(q.to))
	var holds bool
	switch p.Code {
	case cni.Arrived:
		holds = !bad(q.from) && (len(above) == 0 || q.to == cni.ToFloor && q.from.Satisfies(q.floor))
	case cni.NoCatalogue:
		holds = len(q.catalogue) == 0
	case cni.NoDefault:
		holds = q.to == cni.ToDefault && names == 0
	case cni.TargetNotCompatible:
		holds = len(above) == 0 && q.to != cni.ToDefault
	case cni.TargetBad:
		holds = len(above) == 0 && (q.to == cni.ToDefault || pin.Known())
	case cni.NoPath:
		goesDown := len(above) == 0 && bad(q.from)
		jumps := len(above) > 0 && q.from.Major == 1 && q.from.Minor < 7 && above[0].Minor >= 12 && !slices.ContainsFunc(q.catalogue, func(r cni.Release) bool {
			return q.usable(r.Version) && r.Version.Major == 1 && 7 <= r.Version.Minor && r.Version.Minor < 12
		})
		strays := pin.Major > q.from.Major || len(above) > 0 && above[0].Major > q.from.Major
		holds = goesDown || jumps || strays
	}
	if !holds || len(p.Steps) > 0 || len(p.Gaps) > 0 || p.Why == "" {
		return fmt.Errorf("%+v does not hold; above: %s", p, above)
	}
	return nil
}

// Facts 3/one-minor, 3/through-1.7, 3/down.
func TestPlanKeepsItsLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	seen := map[cni.PathCode]int{}
	long := 0
	for range 10000 {
		q := draw(r)
		before := slices.Clone(q.catalogue)
		p := q.ask()
		seen[p.Code]++
		check := checkEnded
		if p.Code == cni.Found {
			check = checkFound
		}
		if err := check(q, p); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		if !slices.Equal(before, q.catalogue) {
			t.Fatalf("%s: the catalogue was changed from %v", q, before)
		}

		shuffled := q
		shuffled.catalogue = append(slices.Clone(q.catalogue), q.catalogue...)
		r.Shuffle(len(shuffled.catalogue), func(i, j int) {
			c := shuffled.catalogue
			c[i], c[j] = c[j], c[i]
		})
		if other := shuffled.ask(); !reflect.DeepEqual(p, other) {
			t.Fatalf("%s: another order and repetitions change %+v to %+v", q, p, other)
		}

		if p.Code == cni.Found { // who took the first step is on the same way, or there
			long = max(long, len(p.Steps))
			next := q
			next.from = p.Steps[0]
			rest := next.ask()
			if !slices.Equal(p.Steps[1:], rest.Steps) || len(p.Steps) == 1 && rest.Code != cni.Arrived {
				t.Fatalf("%s: after the first of %s the rest is %+v", q, words(p.Steps), rest)
			}
		}
	}
	for _, code := range []cni.PathCode{cni.Found, cni.Arrived, cni.NoCatalogue, cni.NoDefault, cni.TargetNotCompatible, cni.TargetBad, cni.NoPath} {
		if seen[code] < 20 {
			t.Errorf("only %d questions ended with %q: the draw does not test it", seen[code], code)
		}
	}
	if long < 5 {
		t.Errorf("the longest path had %d steps", long)
	}
}

func BenchmarkPlan(b *testing.B) {
	catalogue := releases(b, kubernetes129)
	from := cni.Parse("v1.7.5-eksbuild.2")
	b.ReportAllocs()
	for b.Loop() {
		if p := cni.Plan(from, cni.DefaultFloor(), cni.ToLatest, catalogue); len(p.Steps) != 6 {
			b.Fatal(p)
		}
	}
}
