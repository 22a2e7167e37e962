package guard_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

// Noon is on Monday, 2 March 2026.
func TestUpdatesWaitForTheirWindowAndForTheEndOfAFreeze(t *testing.T) {
	for name, c := range map[string]struct {
		windows policy.Windows
		freezes policy.Freezes
		gates   []string
		due     string // one minute after it opens
	}{
		"in a window":                               {"Mon 09:00-16:00 UTC", "", nil, ""},
		"after a freeze":                            {"", "2026-02-27 to 2026-03-01 UTC", nil, ""},
		"before a window":                           {"Mon 13:00-16:00 UTC", "", []string{"window"}, "2026-03-02T13:01:00Z"},
		"before a window of another zone":           {"Mon 13:00-16:00 America/New_York", "", []string{"window"}, "2026-03-02T18:01:00Z"},
		"after a window":                            {"Mon 09:00-12:00 UTC", "", []string{"window"}, "2026-03-09T09:01:00Z"},
		"in a freeze, and in a window":              {"Mon-Fri 09:00-16:00 UTC", "2026-03-02 to 2026-03-03 UTC", []string{"freeze"}, "2026-03-04T00:01:00Z"},
		"in a freeze, and in no window":             {"Mon-Fri 13:00-16:00 UTC", "2026-03-02 to 2026-03-03 UTC", []string{"freeze", "window"}, "2026-03-04T00:01:00Z"},
		"before windows, the next in a freeze":      {"Tue,Thu 09:00-16:00 UTC", "2026-03-03 to 2026-03-04 UTC", []string{"window"}, "2026-03-05T09:01:00Z"},
		"in windows that this process cannot read":  {"Mon-Sun 00:00-24:00 Mars/Olympus", "", []string{"window"}, ""},
		"in a freeze that this process cannot read": {"", "2020-01-01 to 2020-01-01 Mars/Olympus", []string{"freeze"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := outdated()
			in.Settings.Value.Windows, in.Settings.Value.Freezes = c.windows, c.freezes
			p := guard.Decide(in)
			if diff := cmp.Diff(c.gates, gates(p)); diff != "" {
				t.Errorf("shut gates, -want +got:\n%s", diff)
			}
			if starts := slices.Contains(actions(p), start); starts != (c.gates == nil) {
				t.Errorf("starts: %v", starts)
			}
			due := ""
			if !p.Due.IsZero() {
				due = p.Due.Format(time.RFC3339)
			}
			if due != c.due {
				t.Errorf("due at %q, want %q", due, c.due)
			}
			if slices.Contains(codes(p.Findings), guard.UpdateBlocked) {
				t.Error("people are told of a gate that opens by itself")
			}
		})
	}
}

// An approval is a word on the steps, not on when they may be taken.
func TestAnApprovalOpensNeitherWindowNorFreeze(t *testing.T) {
	in := outdated()
	in.Settings.Value.Mode = policy.Approve
	asked := guard.Decide(in)
	in.Settings.Value.Windows, in.Settings.Value.Freezes = "Mon 13:00-16:00 UTC", "2026-03-02 to 2026-03-02 UTC"
	in.Orders.Value = []guard.Order{{Kind: guard.Approval, By: "ann", At: noon.Add(-time.Hour), Until: noon.Add(guard.ApprovalValid), Steps: asked.Path, Keeps: asked.Keeps}}
	if diff := cmp.Diff([]string{"freeze", "window"}, gates(guard.Decide(in))); diff != "" {
		t.Errorf("shut gates, -want +got:\n%s", diff)
	}
}

// A step that is in flight when its window ends goes on: it cannot be cancelled, and what it needs is to be looked after.
func TestAStepInFlightOutlivesItsWindow(t *testing.T) {
	in := outdated()
	in.Record.Step = step("u-1")
	in.Seen.Addon.Value.Status, in.Seen.Of, in.Seen.Update = "UPDATING", "token", guard.Read(&guard.Update{ID: "u-1", Status: "InProgress"})
	in.Settings.Value.Windows = "Mon 09:00-12:00 UTC"
	p := guard.Decide(in)
	if p.Verdict.Change.Word != guard.InFlight || !p.Due.Equal(noon.Add(time.Minute)) {
		t.Errorf("%+v, due %s", p.Verdict.Change, p.Due)
	}
}

// Each of these gates is shut by itself where the policy could not be read, whatever another gate says.
func TestAPolicyThatCouldNotBeReadKeepsItsGatesShut(t *testing.T) {
	in := outdated()
	in.Settings.Fault = throttled("x:Y")
	for _, g := range guard.Gates() {
		if !slices.Contains([]string{"mode", "exemption", "freeze", "window"}, g.Name) {
			continue
		}
		if r := g.Shut(in, guard.Step{}); !r.Fault || r.Text != "the policy could not be read: x:Y: ThrottlingException" {
			t.Errorf("%s: %+v", g.Name, r)
		}
	}
}
