package check_test

import (
	"slices"
	"testing"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/policy"
)

const schemaRead = "configuration of prod for v1.8.0-eksbuild.1"

func TestWhatOnlyAnUpdateNeedsIsReadForAnUpdateOnly(t *testing.T) {
	s := newStage(t, fine())
	s.run(s.engine("first"))
	if s.count("configuration") != 0 {
		t.Errorf("a healthy check reads %v", s.calls)
	}
	s = newStage(t, outdated())
	s.run(s.engine("first"))
	if !slices.Contains(s.calls, schemaRead) || s.count("do") != 1 {
		t.Errorf("one that updates does %v", s.calls)
	}
}

func TestASchemaThatCannotBeReadHoldsTheUpdate(t *testing.T) {
	s := newStage(t, outdated())
	s.fails = func(_ int, kind string) error {
		if kind == "configuration" {
			return &fault.Fault{Kind: fault.Retry, Op: "eks:DescribeAddonConfiguration", Code: "ThrottlingException"}
		}
		return nil
	}
	plan := s.run(s.engine("first"))
	if s.count("do") != 0 || len(plan.Held) != 1 || plan.Held[0].By[0].Gate != "configuration" {
		t.Errorf("held by %+v after %v", plan.Held, s.calls)
	}
}

func TestUpdatesAreLookedAtOnlyWhereNothingElseHoldsTheStep(t *testing.T) {
	s := newStage(t, outdated())
	s.policy = policyOf(t, policy.Set{Mode: new("approve")})
	s.run(s.engine("first"))
	if !slices.Contains(s.calls, schemaRead) || s.count("open") != 0 {
		t.Errorf("one that waits for an approval does %v", s.calls)
	}
	s = newStage(t, outdated())
	s.run(s.engine("first"))
	if s.count("open") != 1 || s.count("do") != 1 {
		t.Errorf("one that updates does %v", s.calls)
	}
}
