package check_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
)

var (
	west  = event.Unit{Account: unit.Account, Region: "eu-west-1"}
	other = event.Unit{Account: "999988887777", Region: "eu-west-1"}
)

// gaps are gaps that all have names.
func gaps(some ...check.Gap) check.Gaps { return check.Gaps{Count: len(some), Some: some} }

func TestCover(t *testing.T) {
	throttled := check.Gap{What: named("c007").String(), Because: "throttled"}
	for name, c := range map[string]struct {
		units []event.Unit
		parts []check.Part
		want  check.Coverage // but for what all have
	}{
		"no part leaves every unit unfinished": {
			[]event.Unit{west, unit}, nil,
			check.Coverage{Units: 2, Unfinished: gaps(check.Gap{What: "111122223333/eu-central-1", Because: "its sweep did not finish"}, check.Gap{What: "111122223333/eu-west-1", Because: "its sweep did not finish"})},
		},
		"one part is a whole unit, also one without clusters": {
			[]event.Unit{unit, west}, []check.Part{{Unit: unit, Clusters: 3}, {Unit: west}}, check.Coverage{Units: 2, Clusters: 3, Checked: 3},
		},
		"the parts of a unit add up, in any order": {
			[]event.Unit{unit},
			[]check.Part{{Unit: unit, After: "c099", Clusters: 7}, {Unit: unit, Next: "c049", Clusters: 50, NotChecked: gaps(throttled)}, {Unit: unit, After: "c049", Next: "c099", Clusters: 50}},
			check.Coverage{Units: 1, Clusters: 107, Checked: 106, NotChecked: gaps(throttled)},
		},
		"a last part without those before it finishes nothing": {
			[]event.Unit{unit}, []check.Part{{Unit: unit, Next: "c049", Clusters: 50}, {Unit: unit, After: "c099", Clusters: 7}},
			check.Coverage{Units: 1, Clusters: 50, Checked: 50, Unfinished: gaps(check.Gap{What: "111122223333/eu-central-1", Because: "its sweep did not finish"})},
		},
		"parts of a chain that was done again over other clusters count once": {
			[]event.Unit{unit},
			[]check.Part{{Unit: unit, Next: "c048", Clusters: 50}, {Unit: unit, After: "c049", Clusters: 2}, {Unit: unit, After: "c048", Clusters: 3}},
			check.Coverage{Units: 1, Clusters: 53, Checked: 53},
		},
		"parts that lead back to where they began never end": {
			[]event.Unit{unit}, []check.Part{{Unit: unit, Next: "a", Clusters: 1}, {Unit: unit, After: "a", Next: "b", Clusters: 1}, {Unit: unit, After: "b", Next: "a", Clusters: 1}},
			check.Coverage{Units: 1, Clusters: 3, Checked: 3, Unfinished: gaps(check.Gap{What: "111122223333/eu-central-1", Because: "its sweep did not finish"})},
		},
		"a unit that was not expected is not counted": {
			[]event.Unit{unit}, []check.Part{{Unit: unit, Clusters: 1}, {Unit: other, Clusters: 9}}, check.Coverage{Units: 1, Clusters: 1, Checked: 1},
		},
		"a unit that could not be listed is named once, with its reason, and finished": {
			[]event.Unit{unit, west},
			[]check.Part{{Unit: unit, Clusters: 1}, {Unit: west, Next: "c049", Clusters: 50, NotListed: "denied"}, {Unit: west, After: "c049", Clusters: 1, NotListed: "denied again"}},
			check.Coverage{Units: 2, Clusters: 52, Checked: 52, NotListed: gaps(check.Gap{What: "111122223333/eu-west-1", Because: "denied"})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := check.Sweep{Run: "r", Begun: noon, Units: c.units}
			c.want.Run, c.want.Begun, c.want.Closed = "r", noon, noon.Add(time.Hour)
			got := s.Cover(c.parts, noon.Add(time.Hour))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Finished() != (len(c.want.Unfinished.Some) == 0) {
				t.Errorf("finished: %v", got.Finished())
			}
		})
	}
}

// A query reads the parts of all units, and the coverage is one item: names are few and short, numbers are whole.
func TestACoverageCountsAllGapsAndNamesFew(t *testing.T) {
	s := check.Sweep{Run: "r", Begun: noon}
	var parts []check.Part
	for i := range 300 {
		u := event.Unit{Account: fmt.Sprintf("%012d", i), Region: "eu-west-1"}
		s.Units = append(s.Units, u)
		p := check.Part{Unit: u, Clusters: 50, NotListed: strings.Repeat("long ", 200), NotChecked: check.Gaps{Count: 30, Some: []check.Gap{{What: "c", Because: strings.Repeat("long ", 200)}}}}
		if i%3 > 0 { // the others died
			parts = append(parts, p)
		}
	}
	c := s.Cover(parts, noon)
	counts := []int{c.Clusters, c.Checked, c.NotChecked.Count, c.NotListed.Count, c.Unfinished.Count}
	if diff := cmp.Diff([]int{10000, 4000, 6000, 200, 100}, counts); diff != "" {
		t.Errorf("clusters, checked, not checked, not listed, unfinished (-want +got):\n%s", diff)
	}
	for _, g := range []check.Gaps{c.NotChecked, c.NotListed, c.Unfinished} {
		if len(g.Some) != 20 || len([]rune(g.Some[0].Because)) > 300 {
			t.Errorf("%d are named, the first because of %d characters", len(g.Some), len(g.Some[0].Because))
		}
	}
}
