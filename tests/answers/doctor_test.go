package answers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/world"
)

// The doctor's alarm goes the whole way: CloudWatch's event, the rule, the function, the ledger. Nothing else comes of it.
func TestTheDoctorsRoundTripGoesTheWayOfEveryAlarm(t *testing.T) {
	const denied = "  - {service: cloudwatch, operation: %s, code: AccessDenied, principal: role/ops}\n"
	for _, c := range []struct {
		name, world, want string
		calls             []string // of the function, which tries again after a minute
	}{
		{"it arrives", "", "ok: an alarm's event arrived after 6 s", []string{"ledger:Arrive"}},
		{"it arrives late", "behaviour: {eventsDelayedMax: 1m}\n", "ok: an alarm's event arrived after 42 s", []string{"ledger:Arrive"}},
		{"it comes twice", "behaviour: {eventsDoubled: 1}\n", "ok: an alarm's event arrived after 2 s", []string{"ledger:Arrive", "ledger:Arrive"}},
		{"the ledger cannot be written", "faults:\n  - {service: ledger, operation: Arrive, code: AccessDeniedException}\n",
			"problem: the alarm's event did not arrive within 2 minutes", []string{"ledger:Arrive", "ledger:Arrive"}},
		{"no alarm may be made", "faults:\n" + fmt.Sprintf(denied, "PutMetricAlarm"), "unknown: cloudwatch:PutMetricAlarm: AccessDenied: This fault was injected.", nil},
		{"no state may be set", "faults:\n" + fmt.Sprintf(denied, "SetAlarmState"), "unknown: cloudwatch:SetAlarmState: AccessDenied: This fault was injected.", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := play(t, scene{world: prod("") + c.world, policy: looks, length: time.Hour + time.Second})
			place, clock := r.World.Spec().Hub, r.World.Clock()
			person := r.World.Client("arn:aws:iam::"+place.Account+":role/ops", place.Account, place.Region)
			d := hub.Doctor{
				Hub:   hub.Hub{Ledger: r.Ledger.(hub.Ledger), Clock: clock, Now: r.Now()},
				Place: event.Unit{Account: place.Account, Region: place.Region}, Wait: 2 * time.Minute,
				Probe: cloud.NewProbe(person, clock),
			}
			var calls []string
			var found hub.Diagnosis
			r.World.Watch(func(e world.Entry) {
				if e.Call != nil && strings.HasSuffix(e.Call.Principal, ":role/cniguard-urgent") {
					calls = append(calls, e.Call.Action())
				}
			})
			clock.Spawn(context.Background(), "doctor", 0, func(ctx context.Context) {
				found = d.RoundTrip(ctx)
				left, err := person.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("cniguard-doctor-")})
				if err != nil || len(left.MetricAlarms) > 0 {
					t.Errorf("alarms are left: %+v, %v", left, err)
				}
			})
			r.For(3 * time.Minute)
			if diff := cmp.Diff(c.want, string(found.Health)+": "+found.Text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.calls, calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}
