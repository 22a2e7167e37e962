package answers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// The alarm of a cluster has the policy's topics in its region for actions, and tells them itself; cniguard's own messages go where
// they always go.
func TestAnAlarmTellsThePolicysTopics(t *testing.T) {
	const oncall, elsewhere = "arn:aws:sns:eu-central-1:444455556666:oncall", "arn:aws:sns:us-east-1:444455556666:oncall"
	full := `
  - {id: vpc-2, account: "444455556666", region: eu-central-1, subnets: [{id: subnet-2, cidr: 10.1.0.0/24, used: [
      {addresses: 10}, {at: 1h, addresses: 10}, {at: 61m, addresses: 220}, {at: 3h, addresses: 220}, {at: 181m, addresses: 10}]}]}
` + strings.NewReplacer("vpc-1", "vpc-2", "subnet-1", "subnet-2").Replace(cluster("addon: {version: v1.9.0-eksbuild.1}"))
	rules := fleetOf("eu-central-1, us-east-1") + "defaults: {alarmActions: [\"" + elsewhere + "\", \"" + oncall + "\"]}\n"
	for _, sdk := range []bool{false, true} {
		r, _ := play(t, scene{world: full, policy: rules, sdk: sdk})
		told := map[string][]string{}
		r.World.Watch(func(e world.Entry) {
			if in, is := e.Data.(*sns.PublishInput); is && e.Kind == world.Published {
				told[*in.TopicArn] = append(told[*in.TopicArn], strings.Fields(*in.Subject)[0])
			}
		})
		r.For(6 * hour)
		id := r.World.Clusters()[0]
		a, _ := r.World.Alarm(id.Account, id.Region, alarm.PodSubnets.Name(id))
		if diff := cmp.Diff([][]string{{oncall}, {oncall}}, [][]string{a.AlarmActions, a.OKActions}); diff != "" {
			t.Errorf("the actions on ALARM and on OK (-want +got):\n%s", diff)
		}
		want := map[string][]string{oncall: {"OK:", "ALARM:", "OK:"}, "arn:aws:sns:eu-central-1:111122223333:cniguard-oncall": {"ALARM:", "OK:"}}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("who was told (-want +got):\n%s", diff)
		}
		if sum := r.Summary(); sum.Alarms.Put != 1 || sum.Told[""] > 0 {
			t.Errorf("the alarm was put %d times; %d of its own messages are taken for cniguard's", sum.Alarms.Put, sum.Told[""])
		}
	}
}

// Each put of cniguard comes back as an event. It must not answer itself, and where somebody else wants the alarm otherwise the two
// must not answer each other as fast as events travel.
func TestAlarmsThatComeBackAsEventsAreNoStorm(t *testing.T) {
	byHand := func(r *simulate.Run, after time.Duration, do func(context.Context, *world.Client) error) {
		r.World.Clock().Spawn(t.Context(), "somebody", after, func(ctx context.Context) {
			if err := do(ctx, r.World.Client("arn:aws:iam::444455556666:role/somebody", "444455556666", "eu-central-1")); err != nil {
				t.Error(err)
			}
		})
	}
	remove := func(ctx context.Context, c *world.Client) error {
		_, err := c.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"cniguard-prod-pod-subnets"}})
		return err
	}
	raise := func(was *cloudwatch.PutMetricAlarmInput) func(context.Context, *world.Client) error {
		raised := *was
		raised.Threshold = aws.Float64(99)
		return func(ctx context.Context, c *world.Client) error { _, err := c.PutMetricAlarm(ctx, &raised); return err }
	}
	for _, c := range []struct {
		name   string
		answer func(r *simulate.Run, puts int, last *cloudwatch.PutMetricAlarmInput) // to each put of cniguard
		puts   [2]int                                                                // least and most
		checks int                                                                   // most
	}{
		{"left alone", func(*simulate.Run, int, *cloudwatch.PutMetricAlarmInput) {}, [2]int{1, 1}, 4},
		{"changed once", func(r *simulate.Run, puts int, last *cloudwatch.PutMetricAlarmInput) {
			if puts == 1 {
				byHand(r, hour, raise(last))
			}
		}, [2]int{2, 2}, 7},
		{"deleted once", func(r *simulate.Run, puts int, _ *cloudwatch.PutMetricAlarmInput) {
			if puts == 1 {
				byHand(r, hour, remove)
			}
		}, [2]int{2, 2}, 8},
		{"changed back at once, again and again", func(r *simulate.Run, _ int, last *cloudwatch.PutMetricAlarmInput) {
			byHand(r, time.Second, raise(last))
		}, [2]int{6, 6 * 12}, 6 * 14},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := play(t, scene{policy: looks, world: cluster("addon: {version: v1.9.0-eksbuild.1}")})
			puts := 0
			r.World.Watch(func(e world.Entry) {
				if e.Call == nil || !e.Call.Effect || !strings.HasSuffix(e.Call.Principal, "role/cniguard-observer") {
					return
				}
				if in, is := e.Call.In.(*cloudwatch.PutMetricAlarmInput); is {
					puts++
					c.answer(r, puts, in)
				}
			})
			r.For(6 * hour)
			if checks := r.Summary().Checks; puts < c.puts[0] || puts > c.puts[1] || checks > c.checks {
				t.Errorf("%d puts, want %d to %d; %d checks, want at most %d", puts, c.puts[0], c.puts[1], checks, c.checks)
			}
		})
	}
}
