package world_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/world"
)

const (
	ok      = types.StateValueOk
	alarmed = types.StateValueAlarm
	noData  = types.StateValueInsufficientData
)

// The rows are the two tables of the CloudWatch user guide, "How alarm state is evaluated when data is missing", and what
// follows from them. Each is asked with every treatment of missing data, from every state.
func TestEvaluation(t *testing.T) {
	const keep = types.StateValue("")
	for _, c := range []struct {
		name                                     string
		seen                                     string
		points                                   int
		missing, ignore, breaching, notBreaching types.StateValue
	}{
		{"three of three with an older good point in place of a missing one is fine", "0 - X - X", 3, ok, ok, ok, ok},
		{"one old good point and no news is fine", "0 - - - -", 3, ok, ok, ok, ok},
		{"no data at all is what the alarm was told to make of it", "- - - - -", 3, noData, keep, alarmed, ok},
		{"three real breaching points count although one period between them is missing", "0 X X - X", 3, alarmed, alarmed, alarmed, alarmed},
		{"a lone breaching point as old as the points needed alarms when missing is missing", "- - X - -", 3, alarmed, keep, alarmed, ok},
		{"two of three reaches back over missing periods", "0 - X - X", 2, alarmed, alarmed, alarmed, alarmed},
		{"two of three with all data", "0 0 X 0 X", 2, alarmed, alarmed, alarmed, alarmed},
		{"two of three with one real breaching and one good point", "0 - X - -", 2, ok, ok, alarmed, ok},
		{"one good point alone", "- - - - 0", 2, ok, ok, alarmed, ok},
		{"a lone breaching point two periods old", "- - - X -", 2, alarmed, keep, alarmed, ok},

		{"a first breaching point does not alarm yet, the next could be good", "- - - - X", 2, keep, keep, alarmed, ok},
		{"one of three alarms at the first breaching point", "- - - - X", 1, alarmed, alarmed, alarmed, alarmed},
		{"two breaching points of two needed alarm whatever is missing", "- - - X X", 2, alarmed, alarmed, alarmed, alarmed},
		{"a full row of good points is fine", "0 0 0 0 0", 2, ok, ok, ok, ok},
		{"breaching points further back than the periods are not looked at", "X X 0 0 0", 1, ok, ok, ok, ok},
		{"recovery: two good points of three outweigh one breaching", "X X X 0 0", 2, ok, ok, ok, ok},
		{"no recovery while two of the last three breach", "X X X X 0", 2, alarmed, alarmed, alarmed, alarmed},
		{"a gap of two periods is made up from before", "0 0 0 - -", 2, ok, ok, ok, ok},
		{"a gap of three periods leaves one to fill", "0 0 - - -", 2, ok, ok, ok, ok},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen []world.Period
			for _, s := range strings.Fields(c.seen) {
				seen = append(seen, world.Period(s[0]))
			}
			for treat, want := range map[string]types.StateValue{
				"missing": c.missing, "ignore": c.ignore, "breaching": c.breaching, "notBreaching": c.notBreaching,
			} {
				for _, was := range []types.StateValue{ok, alarmed, noData} {
					want := want
					if want == keep {
						want = was
					}
					e := world.Evaluation{Periods: 3, Points: c.points, Missing: treat}
					if got := e.State(seen, was); got != want {
						t.Errorf("%s, missing is %s, was %s: %s, want %s", c.seen, treat, was, got, want)
					}
				}
			}
		})
	}
}
