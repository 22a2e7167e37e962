package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/world"
)

// The subnet has more than half of its addresses free, and at least one in use in each of its /28 blocks.
func TestAClusterWhoseNodesFindNoMorePrefixesGetsItsSecondAlarmAndIsTold(t *testing.T) {
	t.Parallel()
	s := set(t, func(spec *world.Spec) {
		spec.VPCs[0].CIDRs = []string{"10.0.0.0/16"}
		spec.VPCs[0].Subnets = []world.Subnet{
			{ID: "subnet-1", CIDR: "10.0.0.0/22", Zone: "eu-central-1a", Layout: world.Scattered, Used: []world.Point{{Addresses: 400}}},
			{ID: "subnet-2", CIDR: "10.0.8.0/22", Zone: "eu-central-1b"},
		}
		spec.Clusters[0].Tags = map[string]string{"Owner": "team & co"}
		spec.Clusters[0].Instances = []world.Instance{
			{ID: "i-1", Subnets: []string{"subnet-1"}, Prefixes: []int{2}}, {ID: "i-2", Subnets: []string{"subnet-2"}, Prefixes: []int{2}},
		}
	})
	rules := observing + "  furtherAlarms: [free-blocks]\n"
	urgent, bulk := s.function(event.Urgent, rules, nil), s.function(event.Bulk, rules, nil)
	urgent.succeeds(sample(t, "update-addon.json"))

	want := alarm.Wish{Cluster: prod, Warning: 80, Owner: "team & co"}.Want(alarm.FreeBlocks)
	s.aws.With(func(w *world.World) {
		if a, found := w.Alarm(prod.Account, prod.Region, want.Name); !found || aws.ToString(a.MetricName) != alarm.Blocks || aws.ToString(a.AlarmDescription) != want.Description {
			t.Errorf("the alarm is %+v, want %+v", a, want)
		}
		if diff := cmp.Diff(want.Tags, w.AlarmTags(prod.Account, prod.Region, want.Name)); diff != "" {
			t.Errorf("its tags (-want +have):\n%s", diff)
		}
	})
	for range 3 {
		bulk.succeeds(s.scheduled(event.Meter))
		s.deliver(map[event.Target]*function{event.Bulk: bulk, event.Urgent: urgent})
		s.pass(5 * time.Minute)
	}
	s.deliver(map[event.Target]*function{event.Bulk: bulk, event.Urgent: urgent})
	s.aws.With(func(w *world.World) {
		if a, _ := w.Alarm(prod.Account, prod.Region, want.Name); a.StateValue != "ALARM" {
			t.Errorf("the alarm is %s after three meters: %s", a.StateValue, aws.ToString(a.StateReason))
		}
	})
	text := s.toldOnce(guard.BlocksLow)
	for _, word := range []string{"free /28 blocks  0 of 62", "free addresses   619 of 1019", "what helps       "} {
		if !strings.Contains(text, word) {
			t.Errorf("the message lacks %q:\n%s", word, text)
		}
	}
}

func TestTheEventOfAnAlarmThatWentOffLeadsToTheMessage(t *testing.T) {
	t.Parallel()
	s := set(t, func(spec *world.Spec) {
		spec.VPCs[0].Subnets[0].Used = []world.Point{{Addresses: 51}, {At: 20 * time.Minute, Addresses: 51}, {At: 21 * time.Minute, Addresses: 210}}
	})
	urgent, bulk := s.function(event.Urgent, observing, nil), s.function(event.Bulk, observing, nil)
	s.watch(bulk)
	for range 4 {
		s.pass(5 * time.Minute)
		bulk.succeeds(s.scheduled(event.Meter))
		s.deliver(map[event.Target]*function{event.Bulk: bulk})
	}
	s.pass(5 * time.Minute)
	if state := s.alarm(); state != "ALARM" {
		t.Fatalf("the alarm's state is %q", state)
	}
	if n := s.messages(guard.CapacityLow); len(n) > 0 {
		t.Fatalf("told before the alarm's event came: %q", n)
	}
	if rung := s.kept().Rung; !rung.Last.IsZero() {
		t.Fatalf("an alarm's event is recorded at %s before one came", rung.Last)
	}
	urgent.succeeds(s.event("CloudWatch Alarm State Change", `"value":"ALARM"`))
	if text := s.toldOnce(guard.CapacityLow); !strings.Contains(text, "free          41 addresses") {
		t.Errorf("the message is\n%s", text)
	}
	if rung := s.kept().Rung; rung.Last.IsZero() {
		t.Error("that the alarm's event came is not recorded")
	}
}

// messages are those about a finding that people were told, as subscribers of every protocol get them.
func (s *stage) messages(about guard.Code) (texts []string) {
	s.Helper()
	for _, m := range s.toldTo(oncall) {
		if attribute(m, "finding") == string(about) {
			texts = append(texts, s.text(m))
		}
	}
	return texts
}

func (s *stage) text(m *sns.PublishInput) string {
	s.Helper()
	var byProtocol map[string]string
	if err := json.Unmarshal([]byte(aws.ToString(m.Message)), &byProtocol); err != nil {
		s.Fatal(err)
	}
	return byProtocol["default"]
}

// toldOnce is the only message about a finding.
func (s *stage) toldOnce(about guard.Code) string {
	s.Helper()
	texts := s.messages(about)
	if len(texts) != 1 {
		s.Fatalf("%d messages about %s, want one; told %q", len(texts), about, s.subjects(oncall))
	}
	return texts[0]
}

// event is the last one for the urgent function that is of a type and has a text in it.
func (s *stage) event(detailType, text string) []byte {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, raw := range slices.Backward(s.woken[event.Urgent]) {
		if strings.Contains(string(raw), detailType) && strings.Contains(string(raw), text) {
			return raw
		}
	}
	s.Fatalf("none of %d events is a %s with %s", len(s.woken[event.Urgent]), detailType, text)
	return nil
}
