package world_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cniguard/cniguard/internal/world"
)

const observer = "arn:aws:iam::111122223333:role/cniguard-observer"

// faults is house with faults.
func faults(fs ...world.Fault) func(*world.Spec) {
	return with(func(s *world.Spec) { s.Faults = fs })
}

// describe reads prod once and gives the outcome's code.
func describe(ctx context.Context, c *world.Client) string {
	_, err := c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
	return code(err)
}

func TestWhichCallsAFaultHits(t *testing.T) {
	denied := world.Fault{Code: "AccessDeniedException"}
	fault := func(change func(*world.Fault)) world.Fault { f := denied; change(&f); return f }
	tests := map[string]struct {
		fault world.Fault
		hit   bool
	}{
		"any, where it names nothing":   {denied, true},
		"its service":                   {fault(func(f *world.Fault) { f.Service = "eks" }), true},
		"no other service":              {fault(func(f *world.Fault) { f.Service = "ec2" }), false},
		"its operation":                 {fault(func(f *world.Fault) { f.Operation = "DescribeCluster" }), true},
		"no other operation":            {fault(func(f *world.Fault) { f.Operation = "DescribeAddon" }), false},
		"its account and region":        {fault(func(f *world.Fault) { f.Account, f.Region = hubAccount, hubRegion }), true},
		"no other account":              {fault(func(f *world.Fault) { f.Account = "444455556666" }), false},
		"no other region":               {fault(func(f *world.Fault) { f.Region = "eu-west-1" }), false},
		"its cluster":                   {fault(func(f *world.Fault) { f.Cluster = "prod" }), true},
		"no other cluster":              {fault(func(f *world.Fault) { f.Cluster = "pro" }), false},
		"its principal, by a part":      {fault(func(f *world.Fault) { f.Principal = "role/cnig" }), true},
		"no other principal":            {fault(func(f *world.Fault) { f.Principal = "updater" }), false},
		"from its beginning on":         {fault(func(f *world.Fault) { f.From = time.Hour }), true},
		"nothing before":                {fault(func(f *world.Fault) { f.From = time.Hour + 1 }), false},
		"nothing from its end on":       {fault(func(f *world.Fault) { f.Until = time.Hour }), false},
		"until its end":                 {fault(func(f *world.Fault) { f.Until = time.Hour + 1 }), true},
		"nothing by a minute chance":    {fault(func(f *world.Fault) { f.Chance = 1e-9 }), false},
		"the ledger only where named":   {fault(func(f *world.Fault) { f.Service = "ledger" }), false},
		"STS only where named, not EKS": {fault(func(f *world.Fault) { f.Service = "sts" }), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, faults(test.fault))
			s.at(time.Hour, func(ctx context.Context, c *world.Client) {
				want := map[bool]string{true: "403 AccessDeniedException", false: "ok"}[test.hit]
				if got := describe(ctx, c); got != want {
					t.Errorf("DescribeCluster gave %s; want %s", got, want)
				}
				if err := s.Through(ctx, caller, "ledger:Save", func() error { return nil }); (err != nil) != (test.fault.Service == "ledger") {
					t.Errorf("the ledger gave %v", err)
				}
			})
		})
	}
}

func TestFaultsHappenAsOftenAsTheySay(t *testing.T) {
	s := set(t, 1, faults(world.Fault{Operation: "DescribeCluster", Code: "ClientException", Times: 2}, world.Fault{Operation: "DescribeAddon", Code: "ClientException", Chance: 0.25}))
	s.at(0, func(ctx context.Context, c *world.Client) {
		var got []string
		for range 4 {
			got = append(got, describe(ctx, c))
		}
		if text := strings.Join(got, ", "); text != "400 ClientException, 400 ClientException, ok, ok" {
			t.Errorf("a fault of two times gave %s", text)
		}
		failed := 0.0
		for range 1000 {
			if _, err := c.DescribeAddon(ctx, &eks.DescribeAddonInput{ClusterName: cluster1, AddonName: vpcCNI}); err != nil {
				failed++
			}
		}
		if math.Abs(failed/1000-0.25) > 0.05 {
			t.Errorf("a chance of 0.25 hit %g of 1000", failed)
		}
	})
}

func TestTheErrorsOfFaults(t *testing.T) {
	tests := map[string]struct {
		fault world.Fault
		want  string
		tries int
		is    func(error) bool
	}{
		"EKS's own type is given": {world.Fault{Code: "InvalidRequestException", Message: "no"}, "400 InvalidRequestException", 1,
			func(err error) bool {
				var e *types.InvalidRequestException
				return errors.As(err, &e) && *e.Message == "no"
			}},
		"throttling is tried three times":         {world.Fault{Code: "ThrottlingException"}, "429 ThrottlingException", 3, exhausted},
		"a server error is tried three times":     {world.Fault{Code: "ServerException"}, "500 ServerException", 3, exhausted},
		"an outage is tried three times":          {world.Fault{Code: "ServiceUnavailableException"}, "503 ServiceUnavailableException", 3, exhausted},
		"a status decides over the code":          {world.Fault{Code: "Odd", Status: 502}, "502 Odd", 3, exhausted},
		"what is odd is not tried again":          {world.Fault{Code: "Odd"}, "400 Odd", 1, nil},
		"a cut connection is tried three times":   {world.Fault{Code: "ConnectionReset"}, "", 3, func(err error) bool { return strings.Contains(err.Error(), "connection reset by peer") }},
		"a refusal for a while is got over":       {world.Fault{Code: "ThrottlingException", Times: 2}, "ok", 3, nil},
		"latency alone is no error":               {world.Fault{Latency: time.Minute}, "ok", 1, nil},
		"a throttle that AWS draws is as any one": {world.Fault{Code: "TooManyRequestsException"}, "429 TooManyRequestsException", 3, exhausted},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, faults(test.fault))
			var err error
			s.at(0, func(ctx context.Context, c *world.Client) {
				_, err = c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
			})
			s.until(time.Hour)
			if got := code(err); test.want != "" && got != test.want {
				t.Errorf("DescribeCluster gave %s; want %s", got, test.want)
			}
			if test.is != nil && !test.is(err) {
				t.Errorf("DescribeCluster gave %v", err)
			}
			if calls := s.entries(world.Called, ""); len(calls) != test.tries {
				t.Errorf("%d tries; want %d", len(calls), test.tries)
			}
			if took := s.entries(world.Called, "")[0].Call.Took; took != test.fault.Latency {
				t.Errorf("the first try took %s; want %s", took, test.fault.Latency)
			}
		})
	}
}

func exhausted(err error) bool {
	var e *retry.MaxAttemptsError
	return errors.As(err, &e) && e.Attempt == 3
}

func TestRetriesWaitAsTheSDKDoes(t *testing.T) {
	var first, second time.Duration
	for seed := range uint64(200) {
		s := set(t, seed, faults(world.Fault{Code: "ThrottlingException"}))
		s.at(0, func(ctx context.Context, c *world.Client) { describe(ctx, c) })
		s.until(time.Hour)
		calls := s.entries(world.Called, "")
		a, b := calls[1].At.Sub(calls[0].At), calls[2].At.Sub(calls[1].At)
		if a >= 2*time.Second || b >= 4*time.Second {
			t.Fatalf("seed %d: waited %s and %s; want less than 2 s and 4 s", seed, a, b)
		}
		first, second = max(first, a), max(second, b)
	}
	if first < 1900*time.Millisecond || second < 3800*time.Millisecond {
		t.Errorf("the longest waits of 200 were %s and %s; want nearly 2 s and 4 s", first, second)
	}
}

func TestAnAnswerThatIsLostHasHadItsEffect(t *testing.T) {
	for name, test := range map[string]struct {
		after   bool
		updates int
	}{"before the effect": {false, 0}, "after the effect": {true, 1}} {
		s := set(t, 1, faults(world.Fault{Operation: "UpdateAddon", Code: "Odd", After: test.after}))
		s.at(0, func(ctx context.Context, c *world.Client) {
			if _, err := update(ctx, c, "v1.10.4-eksbuild.1"); code(err) != "400 Odd" {
				t.Errorf("%s: UpdateAddon gave %s", name, code(err))
			}
		})
		call := s.entries(world.Called, "")[0].Call
		if n := len(s.Updates(prod)); n != test.updates || call.Effect != test.after {
			t.Errorf("%s: %d updates, effect %t; want %d, %t", name, n, call.Effect, test.updates, test.after)
		}
	}
}

func TestACallWhoseTimeIsUpMayHaveHadItsEffect(t *testing.T) {
	started := 0
	for seed := range uint64(100) {
		s := set(t, seed, with(func(s *world.Spec) { s.Behaviour.Latency = world.Range{Min: time.Minute, Max: time.Minute} }))
		s.at(0, func(ctx context.Context, c *world.Client) {
			ctx, cancel := s.clock.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			_, err := update(ctx, c, "v1.10.4-eksbuild.1")
			var gone *aws.RequestCanceledError
			if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &gone) || !s.Now().Equal(noon.Add(10*time.Second)) {
				t.Errorf("at %s UpdateAddon gave %v; want a cancelled request at its deadline", s.Now(), err)
			}
		})
		s.until(time.Minute)
		started += len(s.Updates(prod))
		if calls := s.entries(world.Called, ""); len(calls) != 1 || calls[0].Call.Effect != (len(s.Updates(prod)) == 1) {
			t.Errorf("seed %d: the calls were %v", seed, calls)
		}
	}
	if started < 30 || started > 70 {
		t.Errorf("%d of 100 calls had their effect; want about half", started)
	}
}

// Fact 2.7/codes.
func TestServicesThrottleInTheirOwnWords(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Behaviour.Throttled = 1 }))
	s.at(0, func(ctx context.Context, c *world.Client) {
		_, eksErr := c.ListClusters(ctx, nil)
		_, ec2Err := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
		_, cwErr := c.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
		_, snsErr := c.Publish(ctx, &sns.PublishInput{Message: aws.String("m"), TopicArn: aws.String("arn:aws:sns:eu-central-1:111122223333:t")})
		_, ebErr := c.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: nil})
		_, stsErr := c.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(observer), RoleSessionName: aws.String("s")})
		for _, test := range []struct {
			err  error
			want string
		}{
			{eksErr, "429 ThrottlingException"}, {ec2Err, "503 RequestLimitExceeded"}, {cwErr, "400 Throttling"}, {snsErr, "400 Throttling"}, {stsErr, "ok"},
			{ebErr, "operation error EventBridge: PutEvents, 1 validation error(s) found.\n- missing required field, PutEventsInput.Entries.\n"},
		} {
			if got := code(test.err); got != test.want {
				t.Errorf("%q; want %q", got, test.want)
			}
		}
		if err := s.Through(ctx, caller, "ledger:Save", func() error { return nil }); err != nil {
			t.Errorf("the ledger was throttled: %v", err)
		}
	})
	s.until(time.Hour)
}

// Fact 2.9/pass-role.
func TestGrants(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Grants = []world.Grant{
			{Role: "cniguard", Actions: []string{"eks:DescribeCluster"}},
			{Role: "cniguard", Actions: []string{"eks:UpdateAddon"}},
			{Role: "passer", Actions: []string{"eks:UpdateAddon", "iam:PassRole"}},
		}
	}))
	withRole := func(in *eks.UpdateAddonInput) { in.ServiceAccountRoleArn = aws.String(role) }
	s.at(0, func(ctx context.Context, c *world.Client) {
		_, addon := c.DescribeAddon(ctx, &eks.DescribeAddonInput{ClusterName: cluster1, AddonName: vpcCNI})
		_, subnets := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
		_, alarms := c.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
		_, publish := c.Publish(ctx, &sns.PublishInput{Message: aws.String("m")})
		_, assume := c.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(observer), RoleSessionName: aws.String("s")})
		_, pass := update(ctx, c, "v1.10.4-eksbuild.1", withRole)
		_, plain := update(ctx, c, "v1.10.4-eksbuild.1")
		_, other := s.Client(observer, hubAccount, hubRegion).DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
		for what, test := range map[string]struct {
			err  error
			want string
		}{
			"what is granted":                   {code0(describe(ctx, c)), "ok"},
			"what another grant adds":           {plain, "ok"},
			"facts-aws 5.1: passing a role":     {pass, "403 AccessDeniedException"},
			"what is not granted, of EKS":       {addon, "403 AccessDeniedException"},
			"what is not granted, of EC2":       {subnets, "403 UnauthorizedOperation"},
			"what is not granted, of alarms":    {alarms, "403 AccessDenied"},
			"what is not granted, of SNS":       {publish, "403 AuthorizationError"},
			"what is not granted, of STS":       {assume, "403 AccessDenied"},
			"a principal that no grant is for":  {other, "ok"},
			"the ledger is none of IAM's there": {s.Through(ctx, caller, "ledger:Save", func() error { return nil }), "ok"},
		} {
			if got := code(test.err); got != test.want {
				t.Errorf("%s: %s; want %s", what, got, test.want)
			}
		}
		if !strings.Contains(addon.Error(), "User: "+caller+" is not authorized to perform: eks:DescribeAddon") {
			t.Errorf("the denial says %q", addon)
		}
	})
	s.until(time.Hour)
	s.at(2*time.Hour, func(ctx context.Context, c *world.Client) {
		if _, err := update(ctx, s.Client("arn:aws:iam::111122223333:role/path/passer", hubAccount, hubRegion), "v1.9.0-eksbuild.1", withRole); err != nil {
			t.Errorf("a caller that may pass roles: %v", err)
		}
	})
}

// code0 makes an error of a code.
func code0(c string) error {
	if c == "ok" {
		return nil
	}
	return errors.New(c)
}

func TestADeniedEffectIsNoEffect(t *testing.T) {
	for seed := range uint64(20) {
		s := set(t, seed, with(func(s *world.Spec) {
			s.Behaviour.Latency = world.Range{Min: time.Minute, Max: time.Minute}
			s.Grants = []world.Grant{{Role: "cniguard"}}
		}))
		s.at(0, func(ctx context.Context, c *world.Client) {
			ctx, cancel := s.clock.WithTimeout(ctx, time.Second)
			defer cancel()
			_, _ = update(ctx, c, "v1.10.4-eksbuild.1")
		})
		s.until(time.Hour)
		if len(s.Updates(prod)) > 0 {
			t.Fatal("a denied call had an effect")
		}
	}
}

func TestTheLedgerRunsTheGauntlet(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Behaviour.Latency = world.Range{Min: time.Second, Max: time.Second}
		s.Faults = []world.Fault{{Service: "ledger", Operation: "Save", Code: "Odd", Times: 1, After: true}}
	}))
	own := errors.New("conflict")
	s.at(0, func(ctx context.Context, _ *world.Client) {
		saved := 0
		save := func() error { saved++; return nil }
		if err := s.Through(ctx, caller, "ledger:Save", save); code(err) != "400 Odd" || saved != 1 {
			t.Errorf("a save whose answer is lost gave %v and was made %d times", err, saved)
		}
		if err := s.Through(ctx, caller, "ledger:Save", func() error { return own }); !errors.Is(err, own) {
			t.Errorf("a save with an error of its own gave %v", err)
		}
	})
	s.until(time.Minute)
	var got []string
	for _, e := range s.entries(world.Called, "") {
		got = append(got, fmt.Sprint(e.At.Sub(noon), " ", e.Call.Action(), " ", e.Call.Effect))
	}
	if text := strings.Join(got, ", "); text != "1s ledger:Save true, 2s ledger:Save false" {
		t.Errorf("the history has %s", text)
	}
}
