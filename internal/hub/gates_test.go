package hub_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
)

func TestEveryGateHasSomebodyWhoCanOpenIt(t *testing.T) {
	gates := []string{"reading"}
	for _, g := range guard.Gates() {
		gates = append(gates, g.Name)
		if hub.Opens(guard.Reason{Gate: g.Name}, "prod") == "" {
			t.Errorf("nobody opens %s", g.Name)
		}
	}
	for _, g := range gates {
		if opens := hub.Opens(guard.Reason{Gate: g, Text: "x", Fault: true}, "prod"); !strings.HasPrefix(opens, "by itself, at a check that can read it") {
			t.Errorf("%s: %s", g, opens)
		}
		if opens := hub.Opens(guard.Reason{Gate: g, Until: noon}, "prod"); !strings.HasSuffix(opens, "by itself, at 2026-03-02 12:00") {
			t.Errorf("%s: %s", g, opens)
		}
	}
	if opens := hub.Opens(guard.Reason{Gate: "configuration", ByApproval: true}, "1/2/prod"); opens != "a person: cniguard approve 1/2/prod --because WHY" {
		t.Error(opens)
	}
}

func TestStillShutAreTheGatesThatAnApprovalDoesNotOpen(t *testing.T) {
	update := guard.Action{Kind: guard.StartUpdate}
	held := []guard.Held{
		{Action: guard.Action{Kind: guard.PutAlarm}, By: []guard.Reason{{Gate: "reading"}}},
		{Action: update, By: []guard.Reason{
			{Gate: "mode"}, {Gate: "alarm"}, {Gate: "gap", ByApproval: true}, {Gate: "approval", ByApproval: true}, {Gate: "soak", Until: noon},
			{Gate: "configuration", ByApproval: true}, {Gate: "configuration", Text: "the schema could not be read: x", Fault: true},
		}},
	}
	var left []string
	for _, r := range hub.StillShut(guard.Plan{Held: held}) {
		left = append(left, strings.TrimSpace(r.Gate+" "+r.Text))
	}
	if diff := cmp.Diff([]string{"mode", "alarm", "soak", "configuration the schema could not be read: x"}, left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
