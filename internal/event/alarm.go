package event

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
)

// alarms are the changes of CloudWatch alarms; only cniguard's own are of interest. Any change of state asks for a check: one
// to OK ends what one to ALARM began. So does a change of configuration, which may have been made by hand: the check puts the
// alarm right. That an alarm was created asks for nothing, because cniguard did it a moment ago. That it was updated is a faint
// hint for the same reason: cniguard's own update comes back, and two deployments that want different alarms for one cluster
// would else answer each other for ever.
//
// Beside the clusters' alarms there is one that `cniguard doctor` makes for a moment: a change of its state asks for a note that the event
// arrived.
func alarms() family {
	return family{
		source: "aws.cloudwatch",
		types:  []string{"CloudWatch Alarm State Change", "CloudWatch Alarm Contributor State Change", configurationChange},
		read:   readAlarm,
		rules:  alarmRules,
	}
}

const configurationChange = "CloudWatch Alarm Configuration Change"

// alarmTime is how CloudWatch writes times in the detail: an offset without a colon, which RFC 3339 does not allow
// (CloudWatch user guide, "Alarm events and EventBridge").
const alarmTime = "2006-01-02T15:04:05.000-0700"

// change is an alarm's change of state: events/alarm-to-alarm.json; or of configuration: events/alarm-deleted.json, where the
// state is as old as it may be.
type change struct {
	Name      string `json:"alarmName"`
	Operation string `json:"operation"` // of a change of configuration: create, update, delete
	State     struct {
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
	if nonce, ours := alarm.Nonce(c.Name); ours && e.DetailType != configurationChange {
		return c.probed(nonce)
	}
	name, ours := alarm.Cluster(c.Name)
	if !ours {
		return skip("other alarm", c.Name), nil
	}
	if !cluster.IsName(name) {
		return Trigger{}, mistake("detail.alarmName", "the name of a cluster's alarm", c.Name)
	}
	id := cluster.ID{Account: e.Account, Region: e.Region, Name: name}
	if e.DetailType == configurationChange {
		return c.configured(id)
	}
	return c.changed(id)
}

// changed is what a change of state asks for.
func (c change) changed(id cluster.ID) (Trigger, error) {
	since, err := c.since()
	if err != nil {
		return Trigger{}, err
	}
	return Trigger{Kind: Check, Cluster: id, At: since, Rang: c.State.Value == string(alarm.InAlarm), Why: fmt.Sprintf("alarm is %.20q", c.State.Value)},
		c.agrees(id.Name)
}

// probed is what a change of state of the doctor's alarm asks for: events/alarm-probe.json.
func (c change) probed(nonce string) (Trigger, error) {
	since, err := c.since()
	if err != nil {
		return Trigger{}, err
	}
	return Trigger{Kind: Probe, Nonce: nonce, At: since, Why: fmt.Sprintf("doctor's alarm is %.20q", c.State.Value)}, nil
}

// since is when the alarm came into its state.
func (c change) since() (time.Time, error) {
	if c.State.Value == "" {
		return time.Time{}, mistake("detail.state.value", "an alarm's state", "")
	}
	return instant("detail.state.timestamp", alarmTime, c.State.Since)
}

// configured is what a change of configuration asks for. What the alarm watches now does not matter: if it is another cluster,
// the check puts that right too.
func (c change) configured(id cluster.ID) (Trigger, error) {
	switch c.Operation {
	case "":
		return Trigger{}, mistake("detail.operation", "what was done to the alarm", "")
	case "create":
		return skip("alarm created", c.Name), nil
	}
	return Trigger{Kind: Check, Cluster: id, Why: fmt.Sprintf("alarm's configuration: %.20q", c.Operation), Faint: c.Operation != "delete"}, nil
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
		Description: "Changes of state and of configuration of the alarms that cniguard keeps on its clusters",
		Target:      Urgent,
		Pattern: Pattern{
			"source":      Values{Exact: []string{f.source}},
			"detail-type": Values{Exact: f.types},
			"detail": Pattern{
				"alarmName": Values{Prefix: alarm.Prefix},
				"operation": Values{Exact: []string{"update", "delete"}, Absent: true},
			},
		},
	}}
}
