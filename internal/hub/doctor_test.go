package hub_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/ledger"
)

// account is AWS with what a test says of it, and nothing else.
type account struct {
	policy string // of the key
	state  kmstypes.KeyState
	pages  [][]string // of subscriptions' ARNs
}

func (a account) ListSubscriptionsByTopic(_ context.Context, in *sns.ListSubscriptionsByTopicInput, _ ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error) {
	page := len(aws.ToString(in.NextToken))
	out := &sns.ListSubscriptionsByTopicOutput{}
	if page >= len(a.pages) {
		return out, nil
	}
	for _, arn := range a.pages[page] {
		out.Subscriptions = append(out.Subscriptions, snstypes.Subscription{SubscriptionArn: &arn, Protocol: aws.String("email"), Endpoint: aws.String("ops")})
	}
	if page+1 < len(a.pages) {
		out.NextToken = aws.String("xxxxxxxxxx"[:page+1])
	}
	return out, nil
}

func (a account) DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	return &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{KeyState: a.state}}, nil
}

func (a account) GetKeyPolicy(context.Context, *kms.GetKeyPolicyInput, ...func(*kms.Options)) (*kms.GetKeyPolicyOutput, error) {
	return &kms.GetKeyPolicyOutput{Policy: &a.policy}, nil
}

func (account) GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error) {
	return &lambda.GetFunctionConfigurationOutput{State: "Active"}, nil
}

func (account) GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	return &sqs.GetQueueUrlOutput{}, nil
}

func (account) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	return &sqs.GetQueueAttributesOutput{}, nil
}

func (account) DescribeTrails(context.Context, *cloudtrail.DescribeTrailsInput, ...func(*cloudtrail.Options)) (*cloudtrail.DescribeTrailsOutput, error) {
	return &cloudtrail.DescribeTrailsOutput{}, nil
}

func (account) GetTrailStatus(context.Context, *cloudtrail.GetTrailStatusInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetTrailStatusOutput, error) {
	return &cloudtrail.GetTrailStatusOutput{}, nil
}

func (account) GetEventSelectors(context.Context, *cloudtrail.GetEventSelectorsInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetEventSelectorsOutput, error) {
	return &cloudtrail.GetEventSelectorsOutput{}, nil
}

// examined is what the doctor says of one thing, with its health before it.
func examined(t *testing.T, what string, a account, kept ...check.Kept) string {
	t.Helper()
	l := ledger.NewMemory()
	for _, k := range kept {
		k.Version = 0
		if _, err := l.Save(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	d := hub.Doctor{
		Hub: hub.Hub{Ledger: l, Now: noon}, Place: event.Unit{Account: "111122223333", Region: "eu-central-1"},
		SNS: a, KMS: a, Lambda: a, Queue: a, Trails: func(string) hub.Trails { return a },
		Fleet: []event.Unit{{Account: "111122223333", Region: "eu-central-1"}},
	}
	all := d.Examine(t.Context())
	i := slices.IndexFunc(all, func(d hub.Diagnosis) bool { return d.What == what })
	if i < 0 {
		t.Fatalf("there is nothing on %s in %+v", what, all)
	}
	if all[i].Health == hub.Problem && all[i].Do == "" {
		t.Errorf("%s is a problem, and nobody knows what to do", what)
	}
	return string(all[i].Health) + ": " + all[i].Text
}

func TestTheDoctorJudgesTheLedger(t *testing.T) {
	with := func(rec guard.Record, change func(*guard.Record)) guard.Record { change(&rec); return rec }
	fresh, old := standing(guard.Fine, noon.Add(-time.Hour)), standing(guard.Fine, noon.Add(-13*time.Hour))
	gone := with(old, func(r *guard.Record) { r.Gone = true })
	const member = "member 111122223333 in eu-central-1"
	for _, c := range []struct {
		name, what string
		kept       []check.Kept
		want       string
	}{
		{"nothing was checked", "ledger", nil, "unknown: no cluster was checked yet"},
		{"only what is gone", "ledger", []check.Kept{kept("a", gone)}, "unknown: no cluster was checked yet"},
		{"a cluster", "ledger", []check.Kept{kept("a", fresh), kept("", fresh)}, "ok: clusters that are known: 1"},
		{"nothing was looked at", "schedules", nil, "unknown: nothing was looked at yet"},
		{"all in time", "schedules", []check.Kept{kept("a", fresh), kept("b", gone)}, "ok: nothing is overdue; the newest look was at 2026-03-02 11:00"},
		{"due for three ticks", "schedules", []check.Kept{kept("a", with(fresh, func(r *guard.Record) { r.Due = noon.Add(-15 * time.Minute) }))},
			"ok: nothing is overdue; the newest look was at 2026-03-02 11:00"},
		{"due for longer", "schedules", []check.Kept{kept("a", with(fresh, func(r *guard.Record) { r.Due = noon.Add(-16 * time.Minute) }))},
			"problem: clusters due for more than 15 minutes, which the tick should look at: 1"},
		{"no sweep came", "schedules", []check.Kept{kept("a", fresh), kept("b", old)}, "problem: clusters not looked at for 12 hours, which the sweep should look at: 1"},
		{"a member without clusters", member, []check.Kept{kept("a", gone), kept("", standing(guard.Fine, noon.Add(-time.Hour)))}, "unknown: no cluster was seen there, and no fault either"},
		{"a member that works", member, []check.Kept{kept("a", fresh), kept("b", gone)}, "ok: the last look was at 2026-03-02 11:00"},
		{"a member that cannot be entered", member, []check.Kept{kept("a", fresh), kept("", standing(guard.Unknown, noon))}, "problem: it is unknown"},
		{"a member that nobody comes to", member, []check.Kept{kept("a", old)}, "problem: nothing was looked at there since 2026-03-01 23:00"},
		{"a member whose role lacks something", member, []check.Kept{kept("a", with(fresh, func(r *guard.Record) {
			r.Told = map[guard.Code]guard.Told{guard.Unreadable: {Print: "faults;eks:DescribeAddon;ec2:DescribeSubnets"}}
		})), kept("b", with(fresh, func(r *guard.Record) { r.Told = map[guard.Code]guard.Told{guard.Unreadable: {Print: "faults;"}} }))},
			"problem: not everything can be read of a (needs eks:DescribeAddon, ec2:DescribeSubnets), b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, examined(t, c.what, account{}, c.kept...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheDoctorJudgesTheKey(t *testing.T) {
	statement := func(effect, principal, actions string) string {
		return `{"Statement": [{"Effect": "` + effect + `", "Principal": ` + principal + `, "Action": ` + actions + `}]}`
	}
	const alarms, both = `{"Service": "cloudwatch.amazonaws.com"}`, `["kms:Decrypt", "kms:GenerateDataKey*"]`
	const lacks = "problem: the policy of alias/cniguard does not let cloudwatch.amazonaws.com "
	for name, c := range map[string]struct {
		state  kmstypes.KeyState
		policy string
		want   string
	}{
		"as it is deployed":                  {"Enabled", statement("Allow", alarms, both), "ok: alias/cniguard is enabled, and CloudWatch may use it"},
		"all of KMS":                         {"Enabled", statement("Allow", `{"Service": ["sns.amazonaws.com", "cloudwatch.amazonaws.com"]}`, `"kms:*"`), "ok: alias/cniguard is enabled, and CloudWatch may use it"},
		"it is about to be deleted":          {"PendingDeletion", statement("Allow", alarms, both), "problem: alias/cniguard is PendingDeletion"},
		"half of it":                         {"Enabled", statement("Allow", alarms, `"kms:Decrypt"`), lacks + "kms:GenerateDataKey"},
		"of another service":                 {"Enabled", statement("Allow", `{"Service": "sns.amazonaws.com"}`, both), lacks + "kms:Decrypt"},
		"it is forbidden":                    {"Enabled", statement("Deny", alarms, both), lacks + "kms:Decrypt"},
		"for everybody, which is no service": {"Enabled", statement("Allow", `"*"`, both), lacks + "kms:Decrypt"},
		"no policy":                          {"Enabled", "", lacks + "kms:Decrypt"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, examined(t, "key", account{state: c.state, policy: c.policy})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheDoctorReadsAllSubscriptions(t *testing.T) {
	const yes, no = "arn:aws:sns:eu-central-1:111122223333:cniguard-oncall:1", "PendingConfirmation"
	for name, c := range map[string]struct {
		pages [][]string
		want  string
	}{
		"one":                                  {[][]string{{yes}}, "ok: confirmed: email ops"},
		"none":                                 {nil, "problem: nobody is subscribed to cniguard-oncall"},
		"pending":                              {[][]string{{no}}, "problem: not confirmed: email ops"},
		"pending on another page":              {[][]string{{yes}, {yes, no}}, "problem: not confirmed: email ops"},
		"one that was taken back":              {[][]string{{"Deleted"}}, "problem: not confirmed: email ops"},
		"confirmed on the last of three pages": {[][]string{{}, {}, {yes}}, "ok: confirmed: email ops"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, examined(t, "subscriptions", account{pages: c.pages})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
