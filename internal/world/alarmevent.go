package world

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// alarmTime is how CloudWatch writes instants in its events: "+0000" without a colon, which RFC 3339 does not allow.
const alarmTime = "2006-01-02T15:04:05.000-0700"

// alarmState is a state in an alarm's event.
type alarmState struct {
	Value     types.StateValue `json:"value"`
	Reason    string           `json:"reason"`
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
		ID         string          `json:"id"`
		MetricStat alarmMetricStat `json:"metricStat"`
		ReturnData bool            `json:"returnData"`
	}
	alarmMetricStat struct {
		Metric struct {
			Namespace  string            `json:"namespace"`
			Name       string            `json:"name"`
			Dimensions map[string]string `json:"dimensions"`
		} `json:"metric"`
		Period int32           `json:"period"`
		Stat   types.Statistic `json:"stat"`
	}
)

// changed is the event of a change of state: CloudWatch user guide, "Alarm events and EventBridge".
func (a *metricAlarm) changed(was alarmState) envelope {
	stat := alarmMetricStat{Period: *a.Period, Stat: a.Statistic}
	stat.Metric.Namespace, stat.Metric.Name = *a.Namespace, *a.MetricName
	stat.Metric.Dimensions = map[string]string{}
	for _, d := range a.Dimensions {
		stat.Metric.Dimensions[*d.Name] = *d.Value
	}
	detail := encode(struct {
		AlarmName     string             `json:"alarmName"`
		Configuration alarmConfiguration `json:"configuration"`
		Previous      alarmState         `json:"previousState"`
		State         alarmState         `json:"state"`
	}{*a.AlarmName, alarmConfiguration{aws.ToString(a.AlarmDescription), []alarmMetric{{"m1", stat, true}}}, was, stateOf(a)})
	return envelope{
		DetailType: "CloudWatch Alarm State Change", Source: "aws.cloudwatch", Account: a.account, Region: a.region,
		Resources: []string{*a.AlarmArn}, Detail: detail,
	}
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
		if strings.HasPrefix(action, "arn:") && strings.Split(action, ":")[2] == "sns" {
			w.told("cloudwatch.amazonaws.com", &sns.PublishInput{
				TopicArn: aws.String(action), Message: aws.String(string(message)),
				Subject: aws.String(fmt.Sprintf("%s: %.60q in %s", a.StateValue, *a.AlarmName, a.region)),
			})
		}
	}
}
