package emulator_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

func TestAnEventLeadsToAnAlarmARecordAndAMessageToPrograms(t *testing.T) {
	t.Parallel()
	s := set(t)
	warnings := s.subscribe("machine", "warnings", `{"severity": ["warning"], "cluster": ["prod"]}`)
	criticals := s.subscribe("machine", "criticals", `{"severity": ["critical"]}`)
	people, chat := s.subscribe("oncall", "people", `{}`), s.subscribe("chat", "chat", `{}`)
	s.happens(sample(t, "update-addon.json"))

	var told struct{ Schema, Cluster, Finding, Severity, News string }
	if err := json.Unmarshal([]byte(warnings.next()), &told); err != nil {
		t.Fatal(err)
	}
	if told.Schema != "cniguard.message/1" || told.Cluster != prod.Name || told.Finding != "version-outdated" || told.Severity != "warning" || told.News != "opened" {
		t.Errorf("told %+v", told)
	}
	if others := criticals.take(); len(others) > 0 {
		t.Errorf("who asked for critical findings got %q", others)
	}
	s.checkAlarm(alarm.Wish{Cluster: prod, Warning: 80, Owner: hub}.Want(alarm.PodSubnets))
	eventually(t, "the record says that programs were told, and the message waits for the digest", func() bool {
		r := s.kept(prod).Record
		return r.Verdict.Word == guard.Outdated && r.Told[guard.VersionOutdated].Times == 1 && slices.Equal(s.waiting(), []string{"version-outdated: bus, machine"})
	})
	if at := append(people.take(), chat.take()...); len(at) > 0 {
		t.Errorf("people were told at once what can wait: %q", at)
	}
	if now := aws.ToString(s.addon().AddonVersion); now != "v1.18.5-eksbuild.1" {
		t.Errorf("the add-on is at %s: nobody approved an update", now)
	}
}

func TestWhatCanWaitComesToPeopleInOneDigest(t *testing.T) {
	t.Parallel()
	s := set(t)
	people, chat := s.subscribe("oncall", "people", `{}`), s.subscribe("chat", "chat", `{}`)
	digests := s.subscribe("oncall", "digests", `{"news": ["digest"]}`)
	s.happens(sample(t, "update-addon.json"))
	eventually(t, "a message waits for the digest", func() bool { return slices.Equal(s.waiting(), []string{"version-outdated: bus, machine"}) })

	nine := time.Now().UTC().Add(-9 * time.Hour).Truncate(24 * time.Hour).Add(9 * time.Hour) // the last one, where a policy says nothing else
	s.wake(s.as(hub), event.Trigger{Kind: event.Digest, At: nine})
	digests.next("DIGEST: ")
	eventually(t, "the work is done", func() bool { return s.woken(event.Bulk, event.Digest) == 1 })
	if left := s.waiting(); len(left) > 0 {
		t.Errorf("after the digest these messages wait: %q", left)
	}

	s.wake(s.as(hub), event.Trigger{Kind: event.Digest, At: nine})
	eventually(t, "the same is asked for again, and done", func() bool { return s.woken(event.Bulk, event.Digest) == 2 })
	for topic, told := range map[string][]string{"oncall": people.take(), "chat": chat.take()} {
		if len(told) != 1 || !hasAll(told[0], []string{"DIGEST: ", "v1.18.5-eksbuild.1", "is older than the floor"}) {
			t.Errorf("%s was told %q, want one digest", topic, told)
		}
	}
}

func TestAnAlarmThatGoesOffLeadsToAMessageAtOnce(t *testing.T) {
	t.Parallel()
	s := set(t)
	messages := s.subscribe("machine", "messages", `{"finding": ["capacity-low"]}`)
	people, chat := s.subscribe("oncall", "people", `{"finding": ["capacity-low"]}`), s.subscribe("chat", "chat", `{}`)
	s.readyToUpdate()
	s.grow(prod, "10.0.8.0/21")
	if _, err := cloudwatch.NewFromConfig(s.as(hub)).SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String(alarm.PodSubnets.Name(prod)), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("2 of 3 datapoints"),
	}); err != nil {
		t.Fatal(err)
	}
	s.happens(sample(t, "alarm-to-alarm.json"))
	messages.next(`"news":"opened"`, `"severity":"warning"`, "10.0.8.0/21")
	people.next("prod: a pod subnet is running out of IP addresses, 87.7 % used")
	chat.next(`"source":"custom"`, "a pod subnet is running out of IP addresses")
	eventually(t, "the record says that the alarm rang", func() bool { return !s.kept(prod).Record.Rung.Last.IsZero() })
}

func TestAnApprovalLeadsToAnUpdateThatIsToldWhenItIsProved(t *testing.T) {
	t.Parallel()
	s := set(t)
	messages := s.subscribe("machine", "messages", `{"cluster": ["prod"]}`)
	s.readyToUpdate()
	messages.next("it waits for an approval")
	s.cniguard(s.person("approver"), "approve", prod.Name, "--because", "seen in staging")
	messages.next(`"news":"update started"`, "v1.19.0-eksbuild.1")
	s.happens(sample(t, "addon-detail-only.json"))
	messages.next(`"news":"updated"`, "v1.19.0-eksbuild.1")

	a := s.addon()
	have := []string{aws.ToString(a.AddonVersion), aws.ToString(a.ServiceAccountRoleArn), aws.ToString(a.ConfigurationValues)}
	if diff := cmp.Diff([]string{"v1.19.0-eksbuild.1", podRole, configuration}, have); diff != "" {
		t.Errorf("add-on (-want +have):\n%s", diff)
	}
	eventually(t, "the record says that all is fine", func() bool {
		r := s.kept(prod).Record
		return r.Verdict.Word == guard.Fine && r.Step == nil
	})
}

// An approval is an item of the ledger, written with the person's own credentials. It holds for the whole path, and the next step comes when the
// one before it was proved and watched.
func TestAnApprovalOfTwoStepsLeadsToBothOneAfterTheOther(t *testing.T) {
	t.Parallel()
	s := setAt(t, "v1.17.1-eksbuild.1")
	messages := s.subscribe("machine", "messages", `{"finding": ["update-progress"]}`)
	s.readyToUpdate()
	s.cniguard(s.person("approver"), "approve", prod.Name, "--because", "seen in staging")
	for i, version := range []string{"v1.18.5-eksbuild.1", "v1.19.0-eksbuild.1"} {
		messages.next(`"news":"update started"`, version)
		if updates := s.front.updatesOf(prod.Name); len(updates) != i+1 {
			t.Fatalf("%d updates were started when the one to %s was told", len(updates), version)
		}
		s.happens(sample(t, "addon-detail-only.json"))
		messages.next(`"news":"updated"`, version)
		if have := aws.ToString(s.addon().AddonVersion); have != version {
			t.Errorf("%s is told, and the add-on is at %s", version, have)
		}
		s.soaks()
	}
	eventually(t, "the record says that all is fine", func() bool {
		r := s.kept(prod).Record
		return r.Verdict.Word == guard.Fine && r.Step == nil && r.Proved.Version == "v1.19.0-eksbuild.1"
	})
	if r, err := s.ledger.Rollout(t.Context()); err != nil || len(r.InFlight) != 0 || len(r.Started) != 2 {
		t.Errorf("the fleet's updates: %+v, %v", r, err)
	}
}

// soaks has the last proved update be as old as a soak, and the tick look at what is due.
func (s *stage) soaks() {
	s.Helper()
	eventually(s.T, "the update is over in the record", func() bool { r := s.kept(prod).Record; return r.Step == nil && r.Busy == guard.Busy{} })
	k := s.kept(prod)
	k.Record.Proved.At = time.Now().Add(-guard.Soak - time.Minute)
	k.Record.Due = time.Now().Add(-time.Second)
	if _, err := s.ledger.Save(s.Context(), k); err != nil {
		s.Fatal(err)
	}
	s.wake(s.as(hub), event.Trigger{Kind: event.Tick})
}

// readyToUpdate has prod wait for nothing but an approval: it is known, and its alarm has seen metrics.
func (s *stage) readyToUpdate() {
	s.Helper()
	s.happens(sample(s.T, "create-cluster.json"))
	eventually(s.T, "prod is known", func() bool { return s.kept(prod).Record.Path != nil })
	s.wake(s.as(hub), event.Trigger{Kind: event.Meter})
	eventually(s.T, "the alarm is OK", func() bool { return s.alarm(prod).StateValue == cwtypes.StateValueOk })
}

// checkAlarm holds prod's alarm on its pod subnets against what it should be, its tags included.
func (s *stage) checkAlarm(want alarm.Spec) {
	s.Helper()
	a := s.alarm(prod)
	if a == nil {
		s.Fatal("there is no alarm")
	}
	have := alarm.Spec{
		Name: aws.ToString(a.AlarmName), Description: aws.ToString(a.AlarmDescription), Namespace: aws.ToString(a.Namespace), Metric: aws.ToString(a.MetricName),
		Dimensions: map[string]string{}, Statistic: string(a.Statistic), Period: int(aws.ToInt32(a.Period)), Evaluation: int(aws.ToInt32(a.EvaluationPeriods)),
		Points: int(aws.ToInt32(a.DatapointsToAlarm)), Comparison: string(a.ComparisonOperator), Threshold: aws.ToFloat64(a.Threshold),
		Missing: aws.ToString(a.TreatMissingData), Actions: slices.Concat(a.AlarmActions, a.OKActions, a.InsufficientDataActions), Tags: map[string]string{},
	}
	for _, d := range a.Dimensions {
		have.Dimensions[*d.Name] = *d.Value
	}
	out, err := cloudwatch.NewFromConfig(s.as(prod.Account)).ListTagsForResource(s.Context(), &cloudwatch.ListTagsForResourceInput{
		ResourceARN: aws.String(alarm.ARN(prod, want.Name)),
	})
	if err != nil {
		s.Fatal(err)
	}
	for _, tag := range out.Tags {
		have.Tags[*tag.Key] = *tag.Value
	}
	if diff := cmp.Diff(want, have, cmpopts.EquateEmpty()); diff != "" {
		s.Errorf("alarm (-want +have):\n%s", diff)
	}
	if !aws.ToBool(a.ActionsEnabled) || a.Unit != "" || len(a.Metrics) > 0 {
		s.Errorf("the alarm is %+v", a)
	}
}
