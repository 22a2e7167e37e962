package answers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/world"
)

// A sample goes the whole way: the person's event, the rule, the function with its role, the topic or the bus, and the outcome back over
// the ledger. No record is touched by it.
func TestASampleGoesTheWayOfEveryMessage(t *testing.T) {
	const topics = `topics: ["arn:aws:sns:eu-central-1:111122223333:cniguard-oncall", "arn:aws:sns:eu-central-1:111122223333:cniguard-machine"]` + "\n"
	fault := func(fields string) string {
		return "faults:\n  - {" + fields + ", principal: role/cniguard-urgent, from: 1h}\n"
	}
	for _, c := range []struct {
		name, world string
		want        []string // of each channel
		told        []string // by topic, and on the bus
	}{
		{"all is well", topics, []string{"oncall taken", "chat absent", "machine taken", "bus taken"}, []string{"bus", "cniguard-machine", "cniguard-oncall"}},
		{"each event comes twice", topics + "behaviour: {eventsDoubled: 1, eventsDelayedMax: 10s}\n",
			[]string{"oncall taken", "chat absent", "machine taken", "bus taken"}, []string{"bus", "cniguard-machine", "cniguard-oncall"}},
		{"a topic is gone", `topics: ["arn:aws:sns:eu-central-1:111122223333:cniguard-machine"]` + "\n",
			[]string{"oncall sns:Publish: NotFound", "chat absent", "machine taken", "bus taken"}, []string{"bus", "cniguard-machine"}},
		{"SNS denies it", topics + fault("service: sns, code: AuthorizationError, status: 403"),
			[]string{"oncall sns:Publish: AuthorizationError", "chat absent", "machine sns:Publish: AuthorizationError", "bus taken"}, []string{"bus"}},
		{"the key denies it", topics + fault("service: sns, code: KMSAccessDenied"),
			[]string{"oncall sns:Publish: KMSAccessDenied", "chat absent", "machine sns:Publish: KMSAccessDenied", "bus taken"}, []string{"bus"}},
		{"the bus denies it", topics + fault("service: events, code: AccessDeniedException, status: 403"),
			[]string{"oncall taken", "chat absent", "machine taken", "bus events:PutEvents: AccessDeniedException"}, []string{"cniguard-machine", "cniguard-oncall"}},
		{"the outcome cannot be noted", topics + "faults:\n  - {service: ledger, operation: Report, code: AccessDeniedException}\n",
			[]string{"oncall nothing", "chat nothing", "machine nothing", "bus nothing"}, []string{"bus", "cniguard-machine", "cniguard-oncall"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := play(t, scene{world: prod("") + c.world, policy: looks, length: time.Hour + time.Second})
			place, clock := r.World.Spec().Hub, r.World.Clock()
			person := r.World.Client("arn:aws:iam::"+place.Account+":role/ops", place.Account, place.Region)
			h := hub.Hub{Ledger: r.Ledger.(hub.Ledger), Waker: app.NewWaker(person, "default", clock), Clock: clock, Now: r.Now()}
			told := map[string]bool{}
			twice := ""
			tell := func(where string) {
				// Lambda tries again what could not be noted, and two copies of an event may come at one moment.
				if told[where] && !strings.Contains(c.name, "cannot be noted") && !strings.Contains(c.name, "comes twice") {
					twice += " " + where
				}
				told[where] = true
			}
			r.World.Watch(func(e world.Entry) {
				if e.Kind == world.Sent && e.What == "published" && strings.HasPrefix(e.Text, "cniguard.news, Test,") {
					tell("bus")
				}
				if e.Kind == world.Published {
					in := e.Data.(*sns.PublishInput)
					if aws.ToString(in.MessageAttributes["news"].StringValue) == "test" {
						tell((*in.TopicArn)[strings.LastIndexByte(*in.TopicArn, ':')+1:])
					}
				}
			})
			var got []string
			clock.Spawn(context.Background(), "person", 0, func(ctx context.Context) {
				samples, err := h.Try(ctx, []string{"oncall", "chat", "machine", "bus"}, "Ops/ana", 30*time.Second)
				if err != nil {
					t.Error(err)
				}
				for _, s := range samples {
					outcome := "nothing"
					switch {
					case s.Taken():
						outcome = "taken"
					case s.Absent():
						outcome = "absent"
					case s.Trial != nil:
						outcome = s.Trial.Fault.Op + ": " + s.Trial.Fault.Code
					}
					got = append(got, s.Channel+" "+outcome)
				}
			})
			r.For(time.Minute)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			for _, where := range c.told {
				if !told[where] {
					t.Errorf("%s was not told", where)
				}
				delete(told, where)
			}
			if len(told) > 0 || twice != "" {
				t.Errorf("told as well: %v; told twice:%s", told, twice)
			}
		})
	}
}
