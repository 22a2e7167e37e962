package notify_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

func TestStateAndActionSayWhatStandsAndWhatIsExpected(t *testing.T) {
	held := func(gates ...string) []guard.Reason {
		var all []guard.Reason
		for _, g := range gates {
			all = append(all, guard.Reason{Gate: g, Text: "because", ByApproval: slices.Contains([]string{"approval", "gap"}, g)})
		}
		return all
	}
	for name, c := range map[string]struct {
		code          guard.Code
		news          guard.News
		held          []guard.Reason
		state, action string
	}{
		"a finding that is new":                            {guard.CapacityLow, guard.Opened, nil, "open", "act"},
		"one that changed":                                 {guard.CapacityLow, guard.Changed, nil, "open", "act"},
		"one that lasts":                                   {guard.CapacityLow, guard.Reminded, nil, "open", "act"},
		"one that is over":                                 {guard.CapacityLow, guard.Recovered, nil, "resolved", "none"},
		"one whose cluster is gone":                        {guard.CapacityLow, guard.Closed, nil, "resolved", "none"},
		"an update that starts":                            {guard.UpdateProgress, guard.Started, nil, "news", "none"},
		"one that is complete":                             {guard.UpdateProgress, guard.Updated, nil, "news", "none"},
		"one that failed":                                  {guard.UpdateProgress, guard.NotDone, nil, "news", "act"},
		"a version that cniguard updates itself":           {guard.VersionOutdated, guard.Opened, nil, "open", "none"},
		"a version that waits for an approval":             {guard.VersionOutdated, guard.Opened, held("approval"), "open", "approve"},
		"a version that also waits for room":               {guard.VersionOutdated, guard.Opened, held("room", "approval"), "open", "approve"},
		"a version that cniguard may not touch":            {guard.VersionOutdated, guard.Opened, held("mode"), "open", "act"},
		"a full subnet where an update waits too":          {guard.CapacityLow, guard.Opened, held("approval"), "open", "act"},
		"what is set aside until somebody approves":        {guard.UpdateAside, guard.Opened, held("set aside"), "open", "approve"},
		"an update that EKS does not take":                 {guard.UpdateBlocked, guard.Opened, nil, "open", "act"},
		"an update that is over although a gate was shut ": {guard.VersionOutdated, guard.Recovered, held("approval"), "resolved", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			m := sample(c.code, guard.Warning, "to", "v1.8.0-eksbuild.1")
			m.News, m.Held = c.news, c.held
			s := notify.Render(m)
			if s.Attributes["state"] != c.state || s.Attributes["action"] != c.action {
				t.Errorf("state %s, action %s; want %s and %s", s.Attributes["state"], s.Attributes["action"], c.state, c.action)
			}
			var said struct{ State, Expected string }
			if err := json.Unmarshal([]byte(s.JSON), &said); err != nil || said.State != c.state || said.Expected != c.action {
				t.Errorf("the JSON says %+v (%v)", said, err)
			}
		})
	}
}

func TestTheOwnerIsSaidWhereThereIsOne(t *testing.T) {
	m := sample(guard.CapacityLow, guard.Warning)
	m.Owner = "pay\nments"
	s := notify.Render(m)
	if s.Attributes["owner"] != "pay ments" {
		t.Errorf("the attribute is %q", s.Attributes["owner"])
	}
	m.Owner = ""
	if owner, has := notify.Render(m).Attributes["owner"]; has {
		t.Errorf("nobody owns it, and the attribute is %q", owner)
	}
	m.Lane = guard.InDigest
	for lane, want := range map[guard.Lane]string{guard.AtOnce: "at once", guard.InDigest: "digest"} {
		m.Lane = lane
		var said struct{ Lane, Owner string }
		if err := json.Unmarshal([]byte(notify.Render(m).JSON), &said); err != nil || said.Lane != want || said.Owner != "" {
			t.Errorf("lane %q: %+v, %v", lane, said, err)
		}
	}
}
