package answers_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/alarm"
)

// For ninety days clusters come and go, and a third of all events are lost: after each sweep the alarms are those of the clusters that are
// there, no more and no fewer, also where somebody leaves one behind that nobody knows.
func TestAlarmsComeAndGoWithTheirClusters(t *testing.T) {
	const clusters = 60
	r := rand.New(rand.NewPCG(4, 2))
	days := 90
	if testing.Short() {
		days = 15
	}
	world := strings.Builder{}
	world.WriteString("clusters:\n")
	for i := range clusters {
		created := r.IntN(days * 24 * 3 / 4)
		fmt.Fprintf(&world, "  - {name: c%02d, account: \"444455556666\", region: eu-central-1, kubernetes: \"1.21\", vpc: vpc-1, nodegroups: [{name: blue, subnets: [subnet-1]}], "+
			"addon: {version: v1.9.0-eksbuild.1}, createdAt: %dh, deletedAt: %dh}\n", i, created, created+2+r.IntN(days*24/2))
	}
	world.WriteString("behaviour: {eventsLost: 0.33}\n")
	run, _ := play(t, scene{policy: looks, world: world.String(), length: hour / 2})
	client := run.World.Client("arn:aws:iam::444455556666:role/somebody", "444455556666", "eu-central-1")
	most := 0
	for day := range days {
		if day%10 == 3 { // as of a record that was lost, or of another deployment
			run.World.Clock().Spawn(context.Background(), "somebody", 0, func(ctx context.Context) {
				_, err := client.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
					AlarmName: aws.String(fmt.Sprintf("cniguard-ghost-%d-pod-subnets", day)), AlarmDescription: aws.String("Made and kept by cniguard."), Namespace: aws.String("x"), MetricName: aws.String("x"),
					Statistic: types.StatisticMaximum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
					ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		run.For(24 * time.Hour) // four sweeps, the last of them half an hour ago
		var want []string
		for _, c := range run.World.Spec().Clusters {
			age, left := run.Now().Sub(run.World.Spec().Start)-c.CreatedAt, c.DeletedAt-run.Now().Sub(run.World.Spec().Start)
			if age > 7*hour && left > 0 {
				want = append(want, c.Name)
			}
			// What was created or deleted since the last sweep but one may have its alarm or not.
			if age > 0 && age <= 7*hour || left <= 0 && left > -7*hour {
				want = append(want, "?"+c.Name)
			}
		}
		var have []string
		for _, name := range run.World.AlarmNames("444455556666", "eu-central-1") {
			of, ours := alarm.Cluster(name)
			if !ours {
				t.Fatalf("alarm %s", name)
			}
			have = append(have, of)
		}
		for _, of := range have {
			if !slices.Contains(want, of) && !slices.Contains(want, "?"+of) {
				t.Errorf("day %d: the alarm of %s is an orphan", day+1, of)
			}
		}
		for _, of := range want {
			if of[0] != '?' && !slices.Contains(have, of) {
				t.Errorf("day %d: %s has no alarm", day+1, of)
			}
		}
		most = max(most, len(have))
	}
	if most < 10 {
		t.Errorf("at most %d alarms at a time: that shows nothing", most)
	}
}
