package emulator_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

func TestAPoisonEventEndsInTheFailureQueueAndTheFunctionGoesOn(t *testing.T) {
	t.Parallel()
	s := set(t)
	poison := sample(t, "malformed/name-missing.json")
	s.happens(poison)
	eventually(t, "it was tried", func() bool { return strings.Contains(s.logOf(event.Urgent), "event not understood") })
	s.invoke(event.Urgent, poison)
	var failed string
	eventually(t, "the failure queue has an event", func() bool {
		failed = s.cniguard(s.as(hub), "failed", "list")
		return !strings.Contains(failed, "empty")
	})
	if !strings.Contains(failed, "1 event in the failure queue") {
		t.Errorf("the emulator's EventBridge keeps failures by now, so invoke is not needed any more: %s", failed)
	}
	if !strings.Contains(failed, "RetriesExhausted after 3 tries") || !strings.Contains(failed, "want a cluster's name") {
		t.Errorf("a person does not see what is in the failure queue: %s", failed)
	}
	if tries := strings.Count(s.logOf(event.Urgent), "event not understood"); tries != 1+3 {
		t.Errorf("Lambda tried %d times, want 3", tries-1)
	}
	s.happens(sample(t, "update-addon.json"))
	eventually(t, "the next event is handled", func() bool { return s.alarm(prod) != nil })
	s.cniguard(s.as(hub), "failed", "drop", "--all", "--yes")
}

func TestATopicThatFailsLosesNoMessage(t *testing.T) {
	t.Parallel()
	s := set(t)
	topics, gone := sns.NewFromConfig(s.as(hub)), aws.String(topicARN("machine"))
	if _, err := topics.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: gone}); err != nil {
		t.Fatal(err)
	}
	s.invoke(event.Urgent, sample(t, "update-addon.json"))
	eventually(t, "a message waits for the topic", func() bool {
		return slices.Equal(s.waiting(), []string{"version-outdated: bus"}) && s.kept(prod).Record.Busy == guard.Busy{}
	})

	if _, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("cniguard-machine")}); err != nil {
		t.Fatal(err)
	}
	messages := s.subscribe("machine", "messages", `{}`)
	s.timePasses()
	s.wake(s.as(hub), event.Trigger{Kind: event.Tick})
	messages.next("version-outdated")
	eventually(t, "the message waits for nothing but the digest", func() bool { return slices.Equal(s.waiting(), []string{"version-outdated: bus, machine"}) })
}

func TestAFunctionThatIsKilledWhileItUpdatesDoesNoHarm(t *testing.T) {
	t.Parallel()
	s := set(t)
	messages := s.subscribe("machine", "messages", `{"finding": ["update-progress"]}`)
	s.readyToUpdate()
	started := s.front.keepBack()
	s.cniguard(s.person("approver"), "approve", prod.Name, "--because", "seen in staging")
	<-started
	s.killFunctions()
	s.invoke(event.Urgent, sample(t, "own-check.json")) // as Lambda tries again
	eventually(t, "the next try leaves the record to who has it", func() bool { r := s.kept(prod).Record; return r.Again && r.Step != nil })

	s.timePasses()
	s.wake(s.as(hub), event.Trigger{Kind: event.Tick})
	eventually(t, "the step is over", func() bool { r := s.kept(prod).Record; return r.Step == nil && r.Busy == guard.Busy{} })
	if updates := s.front.updatesOf(prod.Name); len(updates) != 1 {
		t.Errorf("%d updates were started, want one", len(updates))
	}
	if told := messages.take(); len(told) != 2 || !strings.Contains(told[0], `"news":"update started"`) || !strings.Contains(told[1], `"news":"updated"`) {
		t.Errorf("told %q, want that the update started and that it is done, each once", told)
	}
}

// killFunctions kills every process of the functions, as Lambda does at a time-out.
func (s *stage) killFunctions() {
	s.Helper()
	running := s.functions()
	if len(running) == 0 {
		s.Fatal("there is no process of a function")
	}
	for _, pid := range running {
		p, err := os.FindProcess(pid)
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			s.Fatal(err)
		}
	}
}

// timePasses brings what the record of prod waits for: the end of the time that a killed invocation had, or the next try.
func (s *stage) timePasses() {
	s.Helper()
	k, past := s.kept(prod), time.Now().Add(-time.Second)
	if k.Record.Due = past; k.Record.Busy != (guard.Busy{}) {
		k.Record.Busy.Until = past
	}
	if _, err := s.ledger.Save(s.Context(), k); err != nil {
		s.Fatal(err)
	}
}
