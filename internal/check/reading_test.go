package check_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

func TestWithoutALedgerNothingIsDone(t *testing.T) {
	down := errors.New("dynamodb is down")
	for name, c := range map[string]struct {
		fails string
		want  []string
	}{
		"where the record cannot be loaded":         {"load", nil},
		"where the step cannot be saved beforehand": {"save", []string{"save"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, outdated())
			s.fails = failing(c.fails, down)
			_, err := s.engine("first").Check(t.Context(), prod)
			if !errors.Is(err, down) || !strings.Contains(err.Error(), prod.String()) {
				t.Errorf("error %v, want one of the ledger that names the cluster", err)
			}
			s.wantChanges(c.want...)
		})
	}
}

func TestWhatCannotBeReadHoldsTheUpdateAndNotTheAlarm(t *testing.T) {
	for _, what := range []string{"orders", "fleet"} {
		for name, err := range map[string]error{
			"a throttled":     &fault.Fault{Kind: fault.Retry, Op: "dynamodb:Query", Code: "ThrottlingException"},
			"an unclassified": errors.New("broken pipe"),
		} {
			t.Run(name+" reading of "+what, func(t *testing.T) {
				seen := outdated()
				spec := kept(prod)
				spec.Threshold = 42
				seen.Alarms = guard.Read([]alarm.Standing{{Spec: spec, State: alarm.OK, Since: noon}})
				s := newStage(t, seen)
				s.fails = failing(what, err)
				plan := s.run(s.engine("first"))
				if s.count("do update") != 0 || s.count("do put") != 1 {
					t.Errorf("changed %v", s.changes())
				}
				gate := map[string]string{"orders": "denial", "fleet": "halt"}[what]
				held := slices.ContainsFunc(plan.Held, func(h guard.Held) bool {
					return slices.ContainsFunc(h.By, func(r guard.Reason) bool { return r.Gate == gate && strings.Contains(r.Text, "could not be read") })
				})
				if !held {
					t.Errorf("no gate says that it could not be read: %+v", plan.Held)
				}
			})
		}
	}
}

func TestWithoutTheClustersTagsNoPolicyHolds(t *testing.T) {
	seen := outdated()
	seen.Cluster = guard.Hidden[*guard.Cluster](&fault.Fault{Kind: fault.Terminal, Op: "eks:DescribeCluster", Need: "eks:DescribeCluster"})
	s := newStage(t, seen)
	plan := s.run(s.engine("first"))
	if plan.Verdict.Word != guard.Unknown || s.count("do") != 0 {
		t.Errorf("the verdict is %s; changed %v", plan.Verdict.Word, s.changes())
	}
}

func TestTheTagsOfAClusterChooseItsSettings(t *testing.T) {
	seen := outdated()
	seen.Cluster.Value.Tags = map[string]string{"env": "frozen"}
	s := newStage(t, seen)
	var err error
	s.policy, err = policy.Compile(policy.Document{
		Version: 1, Fleet: []policy.Member{{Account: unit.Account, Regions: []string{unit.Region}}},
		Defaults: policy.Set{Mode: new("auto"), Owner: new("cniguard")},
		Rules:    []policy.Rule{{Name: "frozen", Match: policy.Match{Tags: map[string]string{"env": "frozen"}}, Set: policy.Set{Mode: new("observe")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.run(s.engine("first"))
	if s.count("do") != 0 {
		t.Errorf("changed %v", s.changes())
	}
}
