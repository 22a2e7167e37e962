package guard_test

import (
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/guard"
)

// Fact 2.3/update-status.
func TestEachStatusOfAnUpdateEndsItsStepOrDoesNot(t *testing.T) {
	for status, want := range map[string]struct {
		open  bool
		tries int
	}{
		"InProgress": {true, 0},
		"Successful": {false, 0},
		"Failed":     {false, 1},
		"Cancelled":  {false, 1},
		"Paused":     {true, 0}, // a status of a later day
	} {
		t.Run(status, func(t *testing.T) {
			l := &life{t: t, in: outdated()}
			l.check(guard.Outcome{ID: "u-1"})
			l.after(5 * time.Minute)
			l.in.Seen.Update = guard.Read(&guard.Update{ID: "u-1", Status: status})
			if status == "Successful" {
				l.in.Seen.Addon = guard.Read(addon("v1.8.0-eksbuild.1"))
			}
			rec := l.check()
			if (rec.Step != nil) != want.open || rec.Failed.Tries != want.tries {
				t.Errorf("step %+v, failed %+v; want it open: %t, and %d tries", rec.Step, rec.Failed, want.open, want.tries)
			}
		})
	}
}
