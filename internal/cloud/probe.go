package cloud

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/fault"
)

// AlarmState is what Probe uses of Amazon CloudWatch.
type AlarmState interface {
	DeleteAlarms(context.Context, *cloudwatch.DeleteAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DeleteAlarmsOutput, error)
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
	PutMetricAlarm(context.Context, *cloudwatch.PutMetricAlarmInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricAlarmOutput, error)
	SetAlarmState(context.Context, *cloudwatch.SetAlarmStateInput, ...func(*cloudwatch.Options)) (*cloudwatch.SetAlarmStateOutput, error)
}

// Probe is an alarm that watches nothing, in the account and region of its client: whoever waits for the event of its change of state
// sees whether such events arrive. Its errors are faults.
type Probe struct {
	client AlarmState
	clock  clock.Clock
}

// NewProbe returns a Probe. It makes no call.
func NewProbe(client AlarmState, c clock.Clock) *Probe { return &Probe{client, c} }

// ProbeFromConfig is a Probe with the SDK's own client.
func ProbeFromConfig(cfg aws.Config, c clock.Clock) *Probe {
	return NewProbe(cloudwatch.NewFromConfig(cfg), c)
}

// Make makes the alarm: on a metric that nobody publishes, without actions, and with the state that it has for as long as there is no data
// (CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data": ignore).
func (p *Probe) Make(ctx context.Context, name string) error {
	_, f := call(p.clock, "cloudwatch:PutMetricAlarm", p.client.PutMetricAlarm)(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName:          &name,
		AlarmDescription:   aws.String("Made by cniguard doctor for a moment, to see whether its event arrives; it can be deleted."),
		Namespace:          aws.String(alarm.Namespace),
		MetricName:         aws.String("DoctorProbe"),
		Statistic:          types.StatisticMaximum,
		Period:             aws.Int32(alarm.Period),
		EvaluationPeriods:  aws.Int32(1),
		ComparisonOperator: types.ComparisonOperatorGreaterThanOrEqualToThreshold,
		Threshold:          aws.Float64(1),
		TreatMissingData:   aws.String("ignore"),
		ActionsEnabled:     aws.Bool(false),
	})
	return orNone(f)
}

// Ring has the alarm change to ALARM, of which CloudWatch sends an event.
func (p *Probe) Ring(ctx context.Context, name string) error {
	_, f := call(p.clock, "cloudwatch:SetAlarmState", p.client.SetAlarmState)(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName: &name, StateValue: types.StateValueAlarm, StateReason: aws.String("cniguard doctor looks whether this event arrives"),
	})
	return orNone(f)
}

// Remove deletes the alarm. That there is none is no error.
func (p *Probe) Remove(ctx context.Context, name string) error {
	_, f := call(p.clock, "cloudwatch:DeleteAlarms", p.client.DeleteAlarms)(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}})
	if absent(f) {
		return nil
	}
	return orNone(f)
}

// Old are the names of all probes in the account and region that were made before an instant.
func (p *Probe) Old(ctx context.Context, before time.Time) ([]string, error) {
	var names []string
	in := &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String(alarm.Probe(""))}
	for out, f := range pages(ctx, p.clock, "cloudwatch:DescribeAlarms", cloudwatch.NewDescribeAlarmsPaginator(p.client, in)) {
		if f != nil {
			return nil, f
		}
		for _, a := range out.MetricAlarms {
			name := aws.ToString(a.AlarmName)
			if _, is := alarm.Nonce(name); is && aws.ToTime(a.AlarmConfigurationUpdatedTimestamp).Before(before) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// orNone is a fault as an error; nil for none.
func orNone(f *fault.Fault) error {
	if f == nil {
		return nil
	}
	return f
}
