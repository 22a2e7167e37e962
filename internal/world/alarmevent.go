package world

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/internal/cluster"
)

// alarmTime is how CloudWatch writes instants in its events: "+0000" without a colon, which RFC 3339 does not allow.
const alarmTime = "2006-01-02T15:04:05.000-0700"

// alarmState is a state in an alarm's event.
type alarmState struct {
	Value     types.StateValue `json:"value"`
	Reason    string           `json:"reason,omitempty"`
	Timestamp string           `json:"timestamp"`
}

func stateOf(a *metricAlarm) alarmState {
	return alarmState{a.StateValue, aws.ToString(a.StateReason), a.StateUpdatedTimestamp.UTC().Format(alarmTime)}
}

// The configuration of an alarm in its event.
type (
	alarmConfiguration struct {
		Description string        `json:"description,omitempty"`
		Metrics     []alarmMetric `json:"metrics"`
	}
	alarmMetric struct {
		ID         string           `json:"id"`
		Expression string           `json:"expression,omitempty"`
		Label      string           `json:"label,omitempty"`
		MetricStat *alarmMetricStat `json:"metricStat,omitempty"`
		ReturnData bool             `json:"returnData"`
	}
	alarmMetricStat struct {
		Metric struct {
			Namespace  string            `json:"namespace"`
			Name       string            `json:"name"`
			Dimensions map[string]string `json:"dimensions"`
		} `json:"metric"`
		Period int32  `json:"period"`
		Stat   string `json:"stat"`
	}
)

// alarmSettings is the whole configuration, as the event of its change has it.
type alarmSettings struct {
	EvaluationPeriods       int32                    `json:"evaluationPeriods"`
	DatapointsToAlarm       *int32                   `json:"datapointsToAlarm,omitempty"`
	Threshold               float64                  `json:"threshold"`
	ComparisonOperator      types.ComparisonOperator `json:"comparisonOperator"`
	TreatMissingData        string                   `json:"treatMissingData"`
	AlarmName               string                   `json:"alarmName"`
	ActionsEnabled          bool                     `json:"actionsEnabled"`
	Timestamp               string                   `json:"timestamp"` // when it became so
	OKActions               []string                 `json:"okActions"`
	AlarmActions            []string                 `json:"alarmActions"`
	InsufficientDataActions []string                 `json:"insufficientDataActions"`
	alarmConfiguration
}

// watched is what an alarm watches. That of a formula is the list of queries as it was put: the user guide's sample of a metric math alarm.
func (a *metricAlarm) watched() alarmConfiguration {
	c := alarmConfiguration{Description: aws.ToString(a.AlarmDescription)}
	for _, q := range a.Metrics {
		c.Metrics = append(c.Metrics, alarmMetric{*q.Id, aws.ToString(q.Expression), aws.ToString(q.Label), statIn(q.MetricStat), q.ReturnData == nil || *q.ReturnData})
	}
	if len(c.Metrics) == 0 {
		m := types.MetricStat{
			Metric: &types.Metric{Namespace: a.Namespace, MetricName: a.MetricName, Dimensions: a.Dimensions},
			Period: a.Period, Stat: aws.String(string(a.Statistic)),
		}
		c.Metrics = []alarmMetric{{ID: "m1", MetricStat: statIn(&m), ReturnData: true}}
	}
	return c
}

// statIn is a metric and its statistic in an event.
func statIn(m *types.MetricStat) *alarmMetricStat {
	if m == nil {
		return nil
	}
	stat := &alarmMetricStat{Period: *m.Period, Stat: *m.Stat}
	stat.Metric.Namespace, stat.Metric.Name = *m.Metric.Namespace, *m.Metric.MetricName
	stat.Metric.Dimensions = map[string]string{}
	for _, d := range m.Metric.Dimensions {
		stat.Metric.Dimensions[*d.Name] = *d.Value
	}
	return stat
}

func (a *metricAlarm) settings() *alarmSettings {
	list := func(actions []string) []string { return append([]string{}, actions...) }
	return &alarmSettings{
		EvaluationPeriods: *a.EvaluationPeriods, DatapointsToAlarm: a.DatapointsToAlarm, Threshold: *a.Threshold,
		ComparisonOperator: a.ComparisonOperator, TreatMissingData: a.rule.Missing, AlarmName: *a.AlarmName, ActionsEnabled: *a.ActionsEnabled,
		Timestamp: a.AlarmConfigurationUpdatedTimestamp.UTC().Format(alarmTime),
		OKActions: list(a.OKActions), AlarmActions: list(a.AlarmActions), InsufficientDataActions: list(a.InsufficientDataActions),
		alarmConfiguration: a.watched(),
	}
}

// changed is the event of a change of state: CloudWatch user guide, "Alarm events and EventBridge".
func (a *metricAlarm) changed(was alarmState) envelope {
	return a.event("CloudWatch Alarm State Change", struct {
		AlarmName     string             `json:"alarmName"`
		Configuration alarmConfiguration `json:"configuration"`
		Previous      alarmState         `json:"previousState"`
		State         alarmState         `json:"state"`
	}{*a.AlarmName, a.watched(), was, stateOf(a)})
}

// configured is the event of a change of configuration, by an operation that is "create", "update" or "delete"; was is the alarm
// that an update replaces. The user guide guarantees the delivery of changes of state, and says nothing of these. Nor does it say
// whether a put that changes nothing has an event; here each put has one.
func (a *metricAlarm) configured(operation string, was *metricAlarm) envelope {
	state := stateOf(a)
	state.Reason = ""
	var previous *alarmSettings
	if was != nil {
		previous = was.settings()
	}
	return a.event("CloudWatch Alarm Configuration Change", struct {
		AlarmName     string         `json:"alarmName"`
		Operation     string         `json:"operation"`
		State         alarmState     `json:"state"`
		Configuration *alarmSettings `json:"configuration"`
		Previous      *alarmSettings `json:"previousConfiguration,omitempty"`
	}{*a.AlarmName, operation, state, a.settings(), previous})
}

func (a *metricAlarm) event(detailType string, detail any) envelope {
	return envelope{
		DetailType: detailType, Source: "aws.cloudwatch", Account: a.account, Region: a.region,
		Resources: []string{*a.AlarmArn}, Detail: encode(detail),
	}
}

// checkActions holds an alarm's actions against its region and partition, in the words that people saw
// (cds-snc/notification-terraform #128, aws-samples/amazon-cloudwatch-auto-alarms #61).
func checkActions(region string, in *cloudwatch.PutMetricAlarmInput) error {
	partition := cluster.PartitionOf(region).Name
	for _, action := range slices.Concat(in.AlarmActions, in.OKActions, in.InsufficientDataActions) {
		switch p := strings.Split(action, ":"); {
		case len(p) < 6 || p[0] != "arn":
			return invalid("Invalid arn syntax: %s", action)
		case p[1] != partition:
			return invalid("Invalid partition %s specified. Only %s is supported.", p[1], partition)
		case p[3] != region:
			return invalid("Invalid region %s specified. Only %s is supported.", p[3], region)
		}
	}
	return nil
}

// tell publishes a change of state to the topics among the actions of the new state. Other actions are not simulated.
func (w *World) tell(a *metricAlarm, was alarmState) {
	actions := map[types.StateValue][]string{
		types.StateValueOk: a.OKActions, types.StateValueAlarm: a.AlarmActions, types.StateValueInsufficientData: a.InsufficientDataActions,
	}[a.StateValue]
	if len(actions) == 0 || !*a.ActionsEnabled {
		return
	}
	message := encode(map[string]any{
		"AlarmName": *a.AlarmName, "AlarmDescription": a.AlarmDescription, "AlarmArn": *a.AlarmArn, "AWSAccountId": a.account, "Region": a.region,
		"NewStateValue": a.StateValue, "NewStateReason": *a.StateReason, "OldStateValue": was.Value,
		"StateChangeTime": a.StateUpdatedTimestamp.UTC().Format(alarmTime),
	})
	for _, action := range actions {
		if isTopic(action) && (w.spec.Topics == nil || slices.Contains(w.spec.Topics, action)) {
			w.told("cloudwatch.amazonaws.com", &sns.PublishInput{
				TopicArn: aws.String(action), Message: aws.String(string(message)),
				Subject: aws.String(fmt.Sprintf("%s: %.60q in %s", a.StateValue, *a.AlarmName, a.region)),
			})
		}
	}
}
