package guard_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

// waiting is a cluster at v1.7.5 that goes to the latest of these versions when somebody approves.
func waiting(versions ...string) guard.Input {
	in := outdated()
	in.Settings.Value.Mode, in.Settings.Value.Target = policy.Approve, cni.ToLatest
	in.Seen.Catalogue.Value = nil
	for _, v := range versions {
		in.Seen.Catalogue.Value = append(in.Seen.Catalogue.Value, cni.Release{Version: cni.Parse(v)})
	}
	return in
}

// consented is the approval by ann of what a plan for the input says, an hour ago.
func consented(t *testing.T, in guard.Input) guard.Order {
	t.Helper()
	o, err := guard.Consent(guard.Decide(in), "", "ann", "tested", noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func installed(in *guard.Input, version string) {
	in.Seen.Addon.Value.Version, in.Seen.Addon.Value.Raw = cni.Parse(version), version
}

func starts(p guard.Plan) bool { return slices.Contains(kinds(p), guard.StartUpdate) }

func kinds(p guard.Plan) (all []guard.ActionKind) {
	for _, a := range p.Actions {
		all = append(all, a.Kind)
	}
	return all
}

const (
	v17 = "v1.7.5-eksbuild.2"
	v18 = "v1.8.0-eksbuild.2"
	v19 = "v1.9.1-eksbuild.1"
)

func TestAnApprovalIsForThePlanThatItNames(t *testing.T) {
	listed := []string{v18, v19}
	for _, c := range []struct {
		name   string
		listed []string // now
		change func(*guard.Input, *guard.Order)
		why    string // of the approval's gate; empty: the step goes
	}{
		{"the plan that was approved goes", listed, nil, ""},
		{"a later build of an approved version takes its place", []string{"v1.8.0-eksbuild.3", v19}, nil, ""},
		{"so does a later patch, at every step", []string{"v1.8.1-eksbuild.1", "v1.9.3-eksbuild.1"}, nil, ""},
		{"an earlier build does not", []string{"v1.8.0-eksbuild.1", v19}, nil,
			"the plan is not the one that ann approved: approved was v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2, then v1.9.1-eksbuild.1, now it is v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1, then v1.9.1-eksbuild.1; it waits for a new approval"},
		{"nor an earlier patch, at a later step", []string{v18, "v1.9.0-eksbuild.5"}, nil,
			"the plan is not the one that ann approved: approved was v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2, then v1.9.1-eksbuild.1, now it is v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2, then v1.9.0-eksbuild.5; it waits for a new approval"},
		{"nor another minor version in between", []string{v18, v19, "v1.10.4-eksbuild.1"}, nil, ""}, // the approval ends before it
		{"a step that falls out is not jumped over", []string{v19}, nil,
			"the plan is not the one that ann approved: approved was v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2, then v1.9.1-eksbuild.1, now it is v1.7.5-eksbuild.2 to v1.9.1-eksbuild.1; it waits for a new approval"},
		{"nor is the first one that was not approved", []string{v19}, func(_ *guard.Input, o *guard.Order) { o.From, o.Steps = v18, []string{v19} },
			"the plan is not the one that ann approved: approved was v1.8.0-eksbuild.2 to v1.9.1-eksbuild.1, now it is v1.7.5-eksbuild.2 to v1.9.1-eksbuild.1; it waits for a new approval"},
		{"an add-on that was moved down is another plan", listed, func(in *guard.Input, _ *guard.Order) { installed(in, "v1.7.5-eksbuild.1") },
			"the plan is not the one that ann approved: approved was v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2, then v1.9.1-eksbuild.1, now it is v1.7.5-eksbuild.1 to v1.8.0-eksbuild.2, then v1.9.1-eksbuild.1; it waits for a new approval"},
		{"a step more is another plan", []string{v18, v19}, func(_ *guard.Input, o *guard.Order) { o.From, o.Steps = v17, []string{v19} },
			"the plan is not the one that ann approved: approved was v1.7.5-eksbuild.2 to v1.9.1-eksbuild.1, now it is v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2, then v1.9.1-eksbuild.1; it waits for a new approval"},
		{"what remains goes after the first step", listed, func(in *guard.Input, _ *guard.Order) { installed(in, v18) }, ""},
		{"also when the first step went to a later build", listed, func(in *guard.Input, _ *guard.Order) { installed(in, "v1.8.0-eksbuild.9") }, ""},
		{"what was approved and reached is used up", []string{v18, v19, "v1.9.2-eksbuild.1"}, func(in *guard.Input, _ *guard.Order) { installed(in, v19) },
			"what ann approved ended with v1.9.1-eksbuild.1, now it is v1.9.1-eksbuild.1 to v1.9.2-eksbuild.1; it waits for a new approval"},
		{"another role is named, and its value is not", listed, func(in *guard.Input, _ *guard.Order) {
			in.Seen.Addon.Value.Role = "arn:aws:iam::111122223333:role/other"
		},
			"the plan is not the one that ann approved: the add-on's service-account role changed since; it waits for a new approval"},
		{"so is another configuration", listed, func(in *guard.Input, _ *guard.Order) { in.Seen.Addon.Value.Config = `{"env":{"TOKEN":"sw0rdfish"}}` },
			"the plan is not the one that ann approved: the add-on's configuration changed since; it waits for a new approval"},
		{"all that differs is named", []string{v18}, func(in *guard.Input, o *guard.Order) {
			in.Seen.Addon.Value.Config, in.Seen.Addon.Value.Role = "", ""
		}, "the plan is not the one that ann approved: approved was v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2, then v1.9.1-eksbuild.1, now it is v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2; " +
			"the add-on's service-account role and configuration changed since; it waits for a new approval"},
		{"an order of an older cniguard holds", listed, func(_ *guard.Input, o *guard.Order) { o.From, o.Kept = "", nil }, ""},
		{"and is void too when something changed", listed, func(in *guard.Input, o *guard.Order) { o.Kept, in.Seen.Addon.Value.Config = nil, "{}" },
			"the plan is not the one that ann approved: the add-on's service-account role, configuration or conflict mode is another; it waits for a new approval"},
		{"the parts alone let nothing go", listed, func(_ *guard.Input, o *guard.Order) { o.Keeps = "" },
			"the plan is not the one that ann approved: the add-on's service-account role, configuration or conflict mode is another; it waits for a new approval"},
		{"of several approvals the newest is compared", listed, func(in *guard.Input, o *guard.Order) {
			old := *o
			old.By, old.At, old.Steps = "bob", noon.Add(-2*time.Hour), []string{"v1.30.0-eksbuild.1"}
			o.Steps = []string{v18, "v1.9.9-eksbuild.1"}
			in.Orders.Value = append(in.Orders.Value, old)
		}, "the plan is not the one that ann approved: approved was v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2, then v1.9.9-eksbuild.1, now it is v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2, then v1.9.1-eksbuild.1; it waits for a new approval"},
		{"an approval of nothing approves nothing", listed, func(_ *guard.Input, o *guard.Order) { o.Steps = nil },
			"the plan is not the one that ann approved: approved was v1.7.5-eksbuild.2 to nothing, now it is v1.7.5-eksbuild.2 to v1.8.0-eksbuild.2, then v1.9.1-eksbuild.1; it waits for a new approval"},
		{"seven days later it is over", listed, func(in *guard.Input, o *guard.Order) { o.At, o.Until = noon.Add(-guard.ApprovalValid), noon }, "it waits for an approval"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := consented(t, waiting(listed...))
			in := waiting(c.listed...)
			if c.change != nil {
				c.change(&in, &o)
			}
			in.Orders.Value = append(in.Orders.Value, o)
			if to, wanted := in.WantsConfiguration(); wanted {
				in.Seen.Preflight = preflight(to.String())
			}
			p := guard.Decide(in)
			if why := reasonOf(p, "approval"); why != c.why || starts(p) != (c.why == "") {
				t.Errorf("starts: %t, the gate says\n%q, want\n%q; held %+v", starts(p), why, c.why, p.Held)
			}
		})
	}
}

func reasonOf(p guard.Plan, gate string) string {
	for _, h := range p.Held {
		for _, r := range h.By {
			if r.Gate == gate {
				return r.Text
			}
		}
	}
	return ""
}
