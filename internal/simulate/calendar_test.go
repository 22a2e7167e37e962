package simulate_test

import (
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/simulate"
)

// The tick wakes a cluster when what holds it ends: within minutes, and hours before the next sweep. In the demo's world the add-on of batch is updated
// by itself, soon after the beginning on a Monday at 08:00 UTC.
func TestAnUpdateStartsWithinMinutesOfItsTime(t *testing.T) {
	const exempt = "exemptions: [{match: {clusters: [batch]}, owner: batch, because: month end, until: 2025-03-03}]\n"
	set := func(settings string) string {
		return "  - {name: later, match: {clusters: [\"*\"]}, set: {" + settings + "}}\n"
	}
	for name, c := range map[string]struct{ rules, more, opens string }{
		"nothing holds it":              {"", "", "2025-03-03T08:00:00Z"},
		"a window of the night":         {set(`windows: ["Mon-Sun 22:00-04:00 Europe/Berlin"]`), "", "2025-03-03T21:00:00Z"},
		"a freeze of the day":           {set(`freezes: ["2025-03-03 America/New_York"]`), "", "2025-03-04T05:00:00Z"},
		"a freeze that ends in a night": {set(`windows: ["Mon-Sun 22:00-04:00 Europe/Berlin"], freezes: ["2025-03-03 Europe/Berlin"]`), "", "2025-03-03T23:00:00Z"},
		"an exemption":                  {"", exempt, "2025-03-04T00:00:00Z"},
		"an exemption, and a window":    {set(`windows: ["Tue 09:00-09:10"]`), exempt, "2025-03-04T09:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			policy := string(read(t, demo+"policy.yaml"))
			r, lines := start(t, demoWorld(t), rules(t, policy+c.rules+c.more), simulate.Options{Seed: 1})
			r.For(day + 6*hour)
			opens, err := time.Parse(time.RFC3339, c.opens)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range *lines {
				if l.What == simulate.UpdateStarted && l.Cluster == demoCluster("batch").String() {
					if late := l.At.Sub(opens); late < 0 || late > 10*time.Minute {
						t.Errorf("started at %s, want soon after %s", l.At.Format(time.RFC3339), c.opens)
					}
					return
				}
			}
			t.Errorf("it did not start in a day, want soon after %s", c.opens)
		})
	}
}
