package event

import (
	"encoding/json"
	"fmt"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
)

// alarms are the changes of state of CloudWatch alarms; only cniguard's own are of interest. Any change asks for a check:
// one to OK ends what one to ALARM began.
func alarms() family {
	return family{
		source: "aws.cloudwatch",
		types:  []string{"CloudWatch Alarm State Change"},
		read:   readAlarm,
		rules:  alarmRules,
	}
}

// alarmTime is how CloudWatch writes times in the detail: an offset without a colon, which RFC 3339 does not allow
// (CloudWatch user guide, "Alarm events and EventBridge").
const alarmTime = "2006-01-02T15:04:05.000-0700"

// change is an alarm's change of state: events/alarm-to-alarm.json.
type change struct {
	Name  string `json:"alarmName"`
	State struct {
		Value string `json:"value"`
		Since string `json:"timestamp"`
	} `json:"state"`
	Configuration json.RawMessage `json:"configuration"` // read only of our own alarms: others come in other shapes
}

// configuration is what an alarm watches.
type configuration struct {
	Metrics []struct {
		Stat struct {
			Metric struct {
				Dimensions map[string]string `json:"dimensions"`
			} `json:"metric"`
		} `json:"metricStat"`
	} `json:"metrics"`
}

func readAlarm(e envelope) (Trigger, error) {
	c, err := object[change]("detail", e.Detail)
	if err != nil {
		return Trigger{}, err
	}
	if c.Name == "" {
		return Trigger{}, mistake("detail.alarmName", "an alarm's name", "")
	}
	name, ours := alarm.Cluster(c.Name)
	if !ours {
		return skip("other alarm", c.Name), nil
	}
	since, err := instant("detail.state.timestamp", alarmTime, c.State.Since)
	switch {
	case !cluster.IsName(name):
		return Trigger{}, mistake("detail.alarmName", "the name of a cluster's alarm", c.Name)
	case c.State.Value == "":
		return Trigger{}, mistake("detail.state.value", "an alarm's state", "")
	case err != nil:
		return Trigger{}, err
	}
	id := cluster.ID{Account: e.Account, Region: e.Region, Name: name}
	return Trigger{Kind: Check, Cluster: id, At: since, Why: fmt.Sprintf("alarm is %.20q", c.State.Value)}, c.agrees(name)
}

// agrees says where an alarm watches another cluster than the one it is named for.
func (c change) agrees(name string) error {
	if len(c.Configuration) == 0 {
		return nil
	}
	const field = "detail.configuration"
	watched, err := object[configuration](field, c.Configuration)
	if err != nil {
		return err
	}
	for _, m := range watched.Metrics {
		if have, ok := m.Stat.Metric.Dimensions[alarm.Dimension]; ok && have != name {
			return mistake(field+".metrics.metricStat.metric.dimensions."+alarm.Dimension, "the alarm's cluster "+name, have)
		}
	}
	return nil
}

func alarmRules() []Rule {
	f := alarms()
	return []Rule{{
		Name:        "ip-alarms",
		Description: "Changes of state of the alarms that cniguard keeps on its clusters",
		Target:      Urgent,
		Pattern: Pattern{
			"source":      Values{Exact: []string{f.source}},
			"detail-type": Values{Exact: f.types},
			"detail":      Pattern{"alarmName": Values{Prefix: alarm.Prefix}},
		},
	}}
}
