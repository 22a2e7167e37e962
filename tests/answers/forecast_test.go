package answers_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
)

// pods is a world whose one pod subnet has 251 addresses, of which so many percent are in use at each hour.
func pods(hours int, percent func(hour int) float64) string {
	points := make([]string, hours)
	for h := range points {
		points[h] = fmt.Sprintf("{at: %dh, addresses: %d}", h, int(percent(h)*2.51))
	}
	return "\n  - {id: vpc-2, account: \"444455556666\", region: eu-central-1, subnets: [{id: subnet-0, cidr: 10.2.0.0/24, used: [" + strings.Join(points, ", ") + "]}]}\n" +
		strings.NewReplacer("vpc: vpc-1", "vpc: vpc-2", "[subnet-1]", "[subnet-0]").Replace(cluster("addon: {version: v1.9.0-eksbuild.1}"))
}

// A forecast is told before it happens: each world is at no time above the warning threshold of 80 %.
func TestPeopleHearOfAFullSubnetBeforeItIs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	grows := func(from, slope float64) func(int) float64 {
		return func(h int) float64 { return from + slope*float64(h)/24 }
	}
	for name, c := range map[string]struct {
		days    int
		policy  string
		percent func(hour int) float64
		told    bool
	}{
		"it grows by 4 points a day":                     {13, fleet, grows(26, 4), true},
		"it grows by 3 points a day, ten days are asked": {12, fleet + "defaults: {daysLeft: 10}\n", grows(43, 3), true},
		"it grows, and falls each night": {14, fleet, func(h int) float64 {
			if h%24 < 8 {
				return 10
			}
			return 22 + 4*float64(h)/24
		}, true},
		"it grows, and nobody wants to know":  {13, fleet + "defaults: {daysLeft: off}\n", grows(26, 4), false},
		"it grows, and there are weeks left":  {13, fleet, grows(26, 2), false},
		"it goes up and down by chance":       {16, fleet, func(int) float64 { return 50 + 25*r.Float64() }, false},
		"it goes up and down by the hour":     {16, fleet, func(h int) float64 { return 40 + float64(h%24) }, false},
		"it made a step":                      {14, fleet, func(h int) float64 { return 30 + 40*float64(h/(9*24)) }, false},
		"it grew, and has not for a week now": {16, fleet, func(h int) float64 { return 26 + 4*min(9, float64(h)/24) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, lines := play(t, scene{policy: c.policy, length: time.Duration(c.days) * day, world: pods(c.days*24, c.percent)})
			told := slices.Concat(only(lines, simulate.ForDigest), only(lines, simulate.Told))
			told = slices.DeleteFunc(told, func(l simulate.Line) bool { return l.Finding == guard.DigestCode }) // they say the same once more
			if i := slices.IndexFunc(told, func(l simulate.Line) bool { return l.Finding != guard.CapacitySoon }); i >= 0 {
				t.Fatalf("told %+v", told[i])
			}
			if got := len(told) > 0; got != c.told {
				t.Errorf("told %v, want %v: %v", got, c.told, deeds(told))
			}
			if len(told) > 1 {
				t.Errorf("it is told once: %v", deeds(told))
			}
		})
	}
}
