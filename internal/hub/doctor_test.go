package hub_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/ledger"
)

const keyARN = "arn:aws:kms:eu-central-1:111122223333:key/k"

// account is AWS with what a test says of it, and nothing else.
type account struct {
	policy string // of the key
	state  kmstypes.KeyState
	pages  [][]string        // of subscriptions' ARNs
	locks  map[string]string // topics' keys
	trails []trail
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
	return &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{KeyState: a.state, KeyId: aws.String("k"), Arn: aws.String(keyARN)}}, nil
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

func (a account) GetTopicAttributes(_ context.Context, in *sns.GetTopicAttributesInput, _ ...func(*sns.Options)) (*sns.GetTopicAttributesOutput, error) {
	_, topic, _ := strings.Cut(aws.ToString(in.TopicArn), ":cniguard-")
	if key := a.locks[topic]; key != "" {
		return &sns.GetTopicAttributesOutput{Attributes: map[string]string{"KmsMasterKeyId": key}}, nil
	}
	return &sns.GetTopicAttributesOutput{}, nil
}

func (a account) DescribeTrails(context.Context, *cloudtrail.DescribeTrailsInput, ...func(*cloudtrail.Options)) (*cloudtrail.DescribeTrailsOutput, error) {
	out := &cloudtrail.DescribeTrailsOutput{}
	for _, t := range a.trails {
		out.TrailList = append(out.TrailList, trailtypes.Trail{
			Name: aws.String(t.arn[strings.LastIndexByte(t.arn, '/')+1:]), TrailARN: &t.arn, IsOrganizationTrail: &t.whole,
		})
	}
	return out, nil
}

// trailed is the trail of an ARN; false where the call for its settings fails.
func (a account) trailed(arn *string) (trail, error) {
	i := slices.IndexFunc(a.trails, func(t trail) bool { return t.arn == *arn })
	if t := a.trails[i]; t.code == "" {
		return t, nil
	}
	return trail{}, &smithy.GenericAPIError{Code: a.trails[i].code, Message: "it is refused"}
}

func (a account) GetTrailStatus(_ context.Context, in *cloudtrail.GetTrailStatusInput, _ ...func(*cloudtrail.Options)) (*cloudtrail.GetTrailStatusOutput, error) {
	t, err := a.trailed(in.Name)
	return &cloudtrail.GetTrailStatusOutput{IsLogging: aws.Bool(!t.off)}, err
}

func (a account) GetEventSelectors(_ context.Context, in *cloudtrail.GetEventSelectorsInput, _ ...func(*cloudtrail.Options)) (*cloudtrail.GetEventSelectorsOutput, error) {
	_, err := a.trailed(in.TrailName)
	return &cloudtrail.GetEventSelectorsOutput{EventSelectors: []trailtypes.EventSelector{{IncludeManagementEvents: aws.Bool(true)}}}, err
}

// trail is one that records management events when it is on.
type trail struct {
	arn        string
	whole, off bool   // of the organisation; not logging
	code       string // of the error with which more is refused
}

// examined is what the doctor says of one thing, with its health before it.
func examined(t *testing.T, what string, a account, kept ...check.Kept) string {
	t.Helper()
	return says(t, what, doctorOf(a, &bell{Memory: ledger.NewMemory()}, kept...).Examine(t.Context()))
}

// doctorOf is a doctor at a hub whose ledger has these records, with a policy of one account and region.
func doctorOf(a account, b *bell, kept ...check.Kept) hub.Doctor {
	for _, k := range kept {
		k.Version = 0
		if _, err := b.Save(context.Background(), k); err != nil {
			panic(err) // each is saved once
		}
	}
	return hub.Doctor{
		Hub: hub.Hub{Ledger: b, Now: noon}, Place: event.Unit{Account: "111122223333", Region: "eu-central-1"},
		SNS: a, KMS: a, Lambda: a, Queue: a, Trails: func(string) hub.Trails { return a }, Probe: b,
		Fleet: []event.Unit{{Account: "111122223333", Region: "eu-central-1"}},
	}
}

// says is what is said of one thing, with its health before it.
func says(t *testing.T, what string, all []hub.Diagnosis) string {
	t.Helper()
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
		{"a member that works", member, []check.Kept{kept("a", fresh), kept("b", gone)}, "ok: the observer role works, and looked last at 2026-03-02 11:00; the updater role was not tried"},
		{"a member whose updater works", member, []check.Kept{kept("a", fresh), kept("b", with(fresh, func(r *guard.Record) { r.Proved.At = old.Seen }))},
			"ok: the observer role works, and looked last at 2026-03-02 11:00; the updater role works, and has updated b"},
		{"a member with its first update in flight", member, []check.Kept{kept("a", with(fresh, func(r *guard.Record) { r.Step = &guard.Step{ID: "u"} }))},
			"ok: the observer role works, and looked last at 2026-03-02 11:00; the updater role was tried, and no update of its is proved yet"},
		{"a member with an update that nobody has called yet", member, []check.Kept{kept("a", with(fresh, func(r *guard.Record) { r.Step = &guard.Step{} }))},
			"ok: the observer role works, and looked last at 2026-03-02 11:00; the updater role was not tried"},
		{"a member whose update failed", member, []check.Kept{kept("a", with(fresh, func(r *guard.Record) { r.Failed.Tries = 1 }))},
			"ok: the observer role works, and looked last at 2026-03-02 11:00; the updater role was tried, and no update of its is proved yet"},
		{"nothing to tell", "messages", []check.Kept{kept("a", fresh)}, "ok: none waits to be published for long"},
		{"a message that waits for the tick", "messages", []check.Kept{kept("a", with(fresh, func(r *guard.Record) { r.Outbox = []guard.Message{{At: noon.Add(-15 * time.Minute)}} }))},
			"ok: none waits to be published for long"},
		{"a message that waits for longer, of an account and region", "messages", []check.Kept{kept("", with(fresh, func(r *guard.Record) { r.Outbox = []guard.Message{{At: noon.Add(-16 * time.Minute)}} }))},
			"problem: could not be published: 1, of 111122223333/eu-central-1 (1 since 2026-03-02 11:44)"},
		{"messages that failed", "messages", []check.Kept{kept("a", with(fresh, func(r *guard.Record) {
			r.Outbox = []guard.Message{{At: noon.Add(-time.Minute), Tries: 1}, {At: noon.Add(-time.Hour), Tries: 4}, {At: noon}}
		})), kept("b", with(gone, func(r *guard.Record) { r.Outbox = []guard.Message{{At: noon, Tries: 1}} }))},
			"problem: could not be published: 3, of 111122223333/eu-central-1/a (2 since 2026-03-02 11:00), 111122223333/eu-central-1/b (1 since 2026-03-02 12:00)"},
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
	const works = "ok: alias/cniguard is enabled, CloudWatch may use it, and no topic has another"
	const lacks = "problem: the policy of alias/cniguard does not let cloudwatch.amazonaws.com "
	for name, c := range map[string]struct {
		state  kmstypes.KeyState
		policy string
		want   string
	}{
		"as it is deployed":                  {"Enabled", statement("Allow", alarms, both), works},
		"all of KMS":                         {"Enabled", statement("Allow", `{"Service": ["sns.amazonaws.com", "cloudwatch.amazonaws.com"]}`, `"kms:*"`), works},
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

func TestTheDoctorJudgesTheTopicsKeys(t *testing.T) {
	const policy = `{"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "kms:*"}]}`
	const works = "ok: alias/cniguard is enabled, CloudWatch may use it, and no topic has another"
	for name, c := range map[string]struct {
		locks map[string]string
		want  string
	}{
		"its ARN, its id and its alias":  {map[string]string{"oncall": keyARN, "chat": "k", "machine": "alias/cniguard"}, works},
		"its alias in full":              {map[string]string{"oncall": "arn:aws:kms:eu-central-1:111122223333:alias/cniguard"}, works},
		"no key, with which all arrives": {nil, works},
		"another":                        {map[string]string{"oncall": keyARN, "machine": "alias/aws/sns"}, "problem: topic cniguard-machine is encrypted with another key: alias/aws/sns"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, examined(t, "key", account{state: "Enabled", policy: policy, locks: c.locks})); diff != "" {
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
