package emulator_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAMemberForwardsFromEveryRegionAndHasItsRolesOnce(t *testing.T) {
	t.Parallel()
	e := start(t)
	assembly := synthesized(t)
	rules := map[string][]string{}
	for _, at := range []string{region, "eu-west-1"} { // the first is the home region
		cfg := e.as(member)
		cfg.Region = at
		e.deployMember(cfg, assembly)
		for _, r := range e.rules(cfg, "default") {
			rules[at] = append(rules[at], *r.Name)
		}
	}
	if len(rules[region]) == 0 {
		t.Error("there are no rules")
	}
	if diff := cmp.Diff(rules[region], rules["eu-west-1"]); diff != "" {
		t.Errorf("rules of another region than the home region (-want +have):\n%s", diff)
	}
}
