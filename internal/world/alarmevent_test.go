package world_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/world"
)

// An alarm that is made, changed and deleted is an event each time, in the shape of the sample; the product's rule takes the last two.
func TestAChangeOfAnAlarmsConfigurationIsAnEvent(t *testing.T) {
	s := set(t, 1, nil)
	var delivered []string
	s.Deploy(world.Function{Name: "urgent", Timeout: time.Minute, Rules: event.Rules(), Boot: func() world.Handler {
		return func(_ context.Context, raw []byte) error {
			trigger, err := event.Decode(raw)
			delivered = append(delivered, fmt.Sprint(trigger.Kind, " ", trigger.Cluster.Name, " ", trigger.Why, " ", trigger.Faint, " ", err))
			return nil
		}
	}})
	in := fullness("cniguard-prod-pod-subnets")
	in.AlarmDescription, in.TreatMissingData = aws.String("full"), aws.String("missing")
	s.alarm(0, in)
	higher := *in
	higher.Threshold, higher.AlarmActions = aws.Float64(99), []string{"arn:aws:sns:eu-central-1:111122223333:ops"}
	s.alarm(time.Minute, &higher)
	s.at(2*time.Minute, func(ctx context.Context, c *world.Client) {
		if _, err := c.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{*in.AlarmName}}); err != nil {
			t.Error(err)
		}
	})
	s.until(time.Hour)
	published := s.entries(world.Sent, "published")
	samples := []string{"alarm-created", "alarm-updated", "alarm-deleted"}
	if len(published) != len(samples) {
		t.Fatalf("%d events, want %d:\n%v", len(published), len(samples), published)
	}
	for i, sample := range samples {
		raw, err := os.ReadFile("../../events/" + sample + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(shape(t, raw), shape(t, published[i].Data.([]byte))); diff != "" {
			t.Errorf("%s (-sample +world):\n%s", sample, diff)
		}
	}
	var updated struct {
		Detail struct {
			Operation                            string
			State                                struct{ Value string }
			Configuration, PreviousConfiguration struct {
				Threshold    float64
				AlarmActions []string
				Timestamp    string
			}
		}
	}
	if err := json.Unmarshal(published[1].Data.([]byte), &updated); err != nil {
		t.Fatal(err)
	}
	want := "{update {INSUFFICIENT_DATA} {99 [arn:aws:sns:eu-central-1:111122223333:ops] 2026-11-23T12:01:00.000+0000} {80 [] 2026-11-23T12:00:00.000+0000}}"
	if got := fmt.Sprint(updated.Detail); got != want {
		t.Errorf("the update is\n%s; want\n%s", got, want)
	}
	if diff := cmp.Diff([]string{
		`check prod alarm's configuration: "update" true <nil>`,
		`check prod alarm's configuration: "delete" false <nil>`,
	}, delivered); diff != "" {
		t.Errorf("what the product's rules let through (-want +got):\n%s", diff)
	}
}

// The state of each of the alarms changes, which their topic hears, whatever becomes of the events.
func TestAnAlarmsEventMayNotReachTheHub(t *testing.T) {
	const alarms = 200
	for name, c := range map[string]struct {
		lost        float64
		least, most int
	}{
		"none is lost, though best-effort events are": {0, alarms, alarms},
		"a part is lost": {0.25, alarms * 6 / 10, alarms * 9 / 10},
		"all are lost":   {1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, func(spec *world.Spec) { spec.Behaviour.AlarmEventsLost, spec.Behaviour.EventsLost = c.lost, 1 })
			got := s.hear("aws.cloudwatch")
			s.publish(0, 90)
			s.publish(5*time.Minute, 90)
			for i := range alarms {
				in := fullness(fmt.Sprint("alarm-", i))
				in.AlarmActions, in.TreatMissingData = []string{"arn:aws:sns:eu-central-1:111122223333:ops"}, aws.String("ignore")
				s.alarm(time.Duration(i)*time.Second, in)
			}
			s.until(time.Hour)
			if n := len(*got); n < c.least || n > c.most {
				t.Errorf("%d events of %d arrived, want %d to %d", n, alarms, c.least, c.most)
			}
			changed, told := len(s.entries(world.Truth, "alarm")), len(s.entries(world.Published, ""))
			if changed != alarms || told != alarms {
				t.Errorf("%d alarms changed and %d were told of, want %d", changed, told, alarms)
			}
			for _, e := range s.entries(world.Sent, "lost") {
				if strings.Contains(e.Text, "State Change") && c.lost == 0 {
					t.Errorf("lost: %s", e.Text)
				}
			}
		})
	}
}

// shape is what a JSON object has: the path of each of its values, with its type.
func shape(t *testing.T, raw []byte) []string {
	t.Helper()
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, within := range v {
				walk(at+"."+key, within)
			}
		case []any:
			paths[at+" list"] = true
			for _, one := range v {
				if within, is := one.(map[string]any); is {
					walk(at, within)
				}
			}
		default:
			paths[fmt.Sprintf("%s %T", at, v)] = true
		}
	}
	walk("", value)
	return slices.Sorted(maps.Keys(paths))
}
