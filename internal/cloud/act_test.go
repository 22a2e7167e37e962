package cloud_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

var step = guard.Step{To: cni.Version{Major: 1, Minor: 20, Build: 1}, Token: "token-1", Since: start}

// Facts 2.1/role-dropped, 2.1/pod-identities, 2.1/configuration, 2.1/resolve.
func TestAnUpdateSendsBackWhatTheAddonHas(t *testing.T) {
	config := `{"env":{"WARM_IP_TARGET":"5"}}`
	base := eks.UpdateAddonInput{ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni"), AddonVersion: aws.String("v1.20.0-eksbuild.1"),
		ClientRequestToken: aws.String("token-1"), ResolveConflicts: types.ResolveConflictsPreserve}
	with := base
	with.ServiceAccountRoleArn, with.ConfigurationValues = aws.String("arn:role"), &config
	for name, c := range map[string]struct {
		keep guard.Keep
		want eks.UpdateAddonInput
	}{
		"the role and the configuration, letter by letter": {guard.Keep{Role: "arn:role", Config: config}, with},
		"no role and no configuration, not empty ones":     {guard.Keep{}, base},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			action := guard.Action{Kind: guard.StartUpdate, Step: step, Keep: c.keep}
			got := f.cloud().Do(t.Context(), prod, action)
			if diff := cmp.Diff(guard.Outcome{Action: action, ID: "update-1", At: start.Add(time.Second)}, got); diff != "" {
				t.Errorf("outcome (-want +got)\n%s", diff)
			}
			in := sent[*eks.UpdateAddonInput](f, "UpdateAddon")
			if diff := cmp.Diff([]*eks.UpdateAddonInput{&c.want}, in, cmpopts.IgnoreUnexported(eks.UpdateAddonInput{})); diff != "" {
				t.Errorf("input (-want +got)\n%s", diff)
			}
			if in[0].PodIdentityAssociations != nil {
				t.Error("an empty list of pod identities deletes those that exist")
			}
		})
	}
}

func TestOnlyAnUpdateIsMadeByTheUpdater(t *testing.T) {
	f := healthy(t)
	c := f.cloud()
	c.Observe(t.Context(), prod)
	c.Settle(t.Context(), prod, step)
	for _, kind := range []guard.ActionKind{guard.PutAlarm, guard.DropAlarm, guard.StartUpdate} {
		c.Do(t.Context(), prod, guard.Action{Kind: kind, Step: step, Alarm: kept(prod), Retag: true})
	}
	if len(f.calls) < 11 {
		t.Fatalf("only %d operations were called", len(f.calls))
	}
	for op, calls := range f.calls {
		want := access.Observer
		if op == "UpdateAddon" {
			want = access.Updater
		}
		for _, c := range calls {
			if c.role != want {
				t.Errorf("%s is called by %s; want %s", op, c.role, want)
			}
		}
	}
}

func TestAnUpdateIsTriedOnceSoThatItsAnswerIsClear(t *testing.T) {
	f := healthy(t)
	f.cloud().Do(t.Context(), prod, guard.Action{Kind: guard.StartUpdate, Step: step})
	var o eks.Options
	for _, set := range f.calls["UpdateAddon"][0].opts.([]func(*eks.Options)) {
		set(&o)
	}
	if o.RetryMaxAttempts != 1 {
		t.Errorf("%d tries; want 1", o.RetryMaxAttempts)
	}
}

func TestAFailedChangeSaysWhetherItIsInDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		kind guard.ActionKind
		op   string
		err  error
		want *fault.Fault
	}{
		"an update that timed out": {guard.StartUpdate, "UpdateAddon", context.DeadlineExceeded,
			&fault.Fault{Kind: fault.Retry, Op: "eks:UpdateAddon", InDoubt: true, Text: "context deadline exceeded"}},
		"an update that the server broke on": {guard.StartUpdate, "UpdateAddon", code("ServerException"),
			&fault.Fault{Kind: fault.Retry, Op: "eks:UpdateAddon", Code: "ServerException", InDoubt: true, Text: "because"}},
		"an update that was throttled": {guard.StartUpdate, "UpdateAddon", code("ThrottlingException"),
			&fault.Fault{Kind: fault.Retry, Op: "eks:UpdateAddon", Code: "ThrottlingException", Text: "because"}},
		"an update while another is in flight": {guard.StartUpdate, "UpdateAddon", code("ResourceInUseException"),
			&fault.Fault{Kind: fault.Retry, Op: "eks:UpdateAddon", Code: "ResourceInUseException", Text: "because"}},
		"an update that EKS does not accept": {guard.StartUpdate, "UpdateAddon", code("InvalidParameterException"),
			&fault.Fault{Kind: fault.Terminal, Op: "eks:UpdateAddon", Code: "InvalidParameterException", Text: "because"}},
		"an update that is denied": {guard.StartUpdate, "UpdateAddon", code("AccessDeniedException"),
			&fault.Fault{Kind: fault.Terminal, Op: "eks:UpdateAddon", Code: "AccessDeniedException", Need: "eks:UpdateAddon", Text: "because"}},
		"an alarm that is denied": {guard.PutAlarm, "PutMetricAlarm", code("AccessDenied"),
			&fault.Fault{Kind: fault.Terminal, Op: "cloudwatch:PutMetricAlarm", Code: "AccessDenied", Need: "cloudwatch:PutMetricAlarm", Text: "because"}},
		"a deletion that is denied": {guard.DropAlarm, "DeleteAlarms", code("AccessDenied"),
			&fault.Fault{Kind: fault.Terminal, Op: "cloudwatch:DeleteAlarms", Code: "AccessDenied", Need: "cloudwatch:DeleteAlarms", Text: "because"}},
		"an alarm that is already gone is dropped": {guard.DropAlarm, "DeleteAlarms", code("ResourceNotFound"), nil},
		"a change that nobody knows":               {"reboot", "", nil, &fault.Fault{Kind: fault.Terminal, Text: "there is no change of the kind reboot"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			f.fails[c.op] = c.err
			got := f.cloud().Do(t.Context(), prod, guard.Action{Kind: c.kind, Step: step, Alarm: kept(prod)})
			if diff := cmp.Diff(c.want, got.Fault); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got.ID != "" {
				t.Errorf("a failed change has the ID %q", got.ID)
			}
		})
	}
}

func TestAnUpdateWhoseAnswerIsEmptyIsInDoubt(t *testing.T) {
	f := healthy(t)
	got := cloudOf(empty{client{fake: f}}, f.clock).Do(t.Context(), prod, guard.Action{Kind: guard.StartUpdate, Step: step})
	if got.Fault == nil || got.Fault.Kind != fault.Retry || !got.Fault.InDoubt {
		t.Errorf("got %+v", got.Fault)
	}
}

func TestAnAlarmIsPutAsItsSpecSays(t *testing.T) {
	f := healthy(t)
	spec := kept(prod)
	spec.Actions = []string{"arn:topic"}
	f.cloud().Do(t.Context(), prod, guard.Action{Kind: guard.PutAlarm, Alarm: spec})
	want := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("cniguard-prod-pod-subnets"), AlarmDescription: &spec.Description,
		Namespace: aws.String("CNIGuard"), MetricName: aws.String("WorstPodSubnetUtilization"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}},
		Statistic:  cwtypes.StatisticMaximum, Period: aws.Int32(300), EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(2),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, Threshold: aws.Float64(80), TreatMissingData: aws.String("missing"),
		ActionsEnabled: aws.Bool(true), AlarmActions: []string{"arn:topic"}, OKActions: []string{"arn:topic"},
		Tags: tagsOf(spec),
	}
	if diff := cmp.Diff([]*cloudwatch.PutMetricAlarmInput{want}, sent[*cloudwatch.PutMetricAlarmInput](f, "PutMetricAlarm"), serde()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// still is a clock that stands, and notes how long it was asked to wait.
type still struct {
	clock.Real
	mu    sync.Mutex
	waits []time.Duration
}

func (*still) Now() time.Time { return start }

func (*still) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, start.Add(d))
}

func (s *still) Sleep(ctx context.Context, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = append(s.waits, d)
	return ctx.Err()
}

func TestAlarmsArePutOneASecondInAnAccountAndRegion(t *testing.T) {
	f, hands := healthy(t), &still{}
	f.clock = hands
	c := f.cloud()
	elsewhere := prod
	elsewhere.Region = "us-east-1"
	for _, id := range []cluster.ID{prod, prod, elsewhere, prod, elsewhere} {
		if o := c.Do(t.Context(), id, guard.Action{Kind: guard.PutAlarm, Alarm: kept(id)}); o.Fault != nil {
			t.Fatal(o.Fault)
		}
		c.Do(t.Context(), id, guard.Action{Kind: guard.DropAlarm, Alarm: kept(id)}) // has limits of its own
	}
	if diff := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, time.Second}, hands.waits); diff != "" {
		t.Errorf("waits (-want +got)\n%s", diff)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if o := c.Do(over, prod, guard.Action{Kind: guard.PutAlarm, Alarm: kept(prod)}); o.Fault == nil || o.Fault.Kind != fault.Retry || o.Fault.InDoubt {
		t.Errorf("an alarm whose turn did not come in time: %+v", o.Fault)
	}
}

func TestAnAlarmIsDroppedByName(t *testing.T) {
	f := healthy(t)
	f.cloud().Do(t.Context(), prod, guard.Action{Kind: guard.DropAlarm, Alarm: alarm.Spec{Name: alarm.PodSubnets.Name(prod)}})
	want := []*cloudwatch.DeleteAlarmsInput{{AlarmNames: []string{"cniguard-prod-pod-subnets"}}}
	if diff := cmp.Diff(want, sent[*cloudwatch.DeleteAlarmsInput](f, "DeleteAlarms"), cmpopts.IgnoreUnexported(cloudwatch.DeleteAlarmsInput{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
