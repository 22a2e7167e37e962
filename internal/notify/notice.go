package notify

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// Limits that CloudWatch has for its own alarms (API reference, PutMetricAlarm and MetricAlarm), in characters.
const (
	alarmNameLimit   = 255
	descriptionLimit = 1024
	reasonLimit      = 1023
)

// notice is what CloudWatch publishes to SNS when an alarm changes its state. Pagers know it: they open an incident on ALARM and
// resolve it on the OK of the same AlarmName. There is no such alarm in CloudWatch; its name stands for one finding of one
// cluster.
type notice struct {
	AlarmName               string
	AlarmDescription        string
	Account                 string `json:"AWSAccountId"`
	Configured              string `json:"AlarmConfigurationUpdatedTimestamp"`
	NewStateValue           string
	NewStateReason          string
	StateChangeTime         string
	Region                  string
	ARN                     string `json:"AlarmArn"`
	OldStateValue           string
	OKActions               []string
	AlarmActions            []string
	InsufficientDataActions []string
	Trigger                 trigger
}

// trigger is the alarm's metric. It stands for "there is such a finding"; pagers refuse an alarm without one.
type trigger struct {
	MetricName                       string
	Namespace                        string
	StatisticType                    string
	Statistic                        string
	Unit                             *string
	Dimensions                       []dimension
	Period                           int // seconds
	EvaluationPeriods                int
	ComparisonOperator               string
	Threshold                        float64
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
}

type dimension struct {
	Value string `json:"value"`
	Name  string `json:"name"`
}

// The states of an alarm, as CloudWatch names them.
const (
	stateAlarm   = "ALARM"
	stateOK      = "OK"
	stateNeither = "INSUFFICIENT_DATA"
)

// state is that of the alarm that stands for a message's finding. What nobody need be woken for, and the news of an update,
// neither opens an incident nor resolves one: an update that fails for good is a finding of its own.
func state(m guard.Message) string {
	switch {
	case ended(m.News):
		return stateOK
	case settled(m), m.Finding.Severity < guard.Warning:
		return stateNeither
	}
	return stateAlarm
}

// stateBefore is the state that the alarm had. A finding that is new, or was too small for an alarm, was in none.
func stateBefore(m guard.Message) string {
	switch {
	case state(m) == stateNeither:
		return stateNeither
	case m.News == guard.Opened:
		return stateOK
	}
	return stateAlarm
}

// subject is the headline, with the state in front where it is one that pagers act on: PagerDuty's integration for CloudWatch takes
// only a subject that begins with the state that the body has, and does not read on. So it stays a line for people.
func subject(m guard.Message, w words) string {
	line := headline(m, w, short(label(m.Cluster)))
	if s := state(m); s != stateNeither {
		return s + ": " + line
	}
	return line
}

// Headline is a subject without the state of an alarm, for those who want none.
func Headline(subject string) string {
	for _, s := range []string{stateAlarm, stateOK} {
		subject = strings.TrimPrefix(subject, s+": ")
	}
	return subject
}

func newNotice(m guard.Message, w words) notice {
	name := plain.Cut("cniguard "+string(m.Finding.Code)+" "+strings.TrimSuffix(m.Cluster.String(), "/"), alarmNameLimit, plain.Ellipsis)
	since := m.First
	if since.IsZero() {
		since = m.At
	}
	n := newAlarm(name, m.Cluster, string(m.Finding.Code))
	n.AlarmDescription, n.NewStateReason = described(m, w), plain.Cut(reasons(m, w), reasonLimit, plain.Ellipsis)
	n.OldStateValue, n.NewStateValue = stateBefore(m), state(m)
	n.Configured, n.StateChangeTime = alarmTime(since), alarmTime(m.At)
	if m.Cluster.Name != "" {
		n.Trigger.Dimensions = append(n.Trigger.Dimensions, dimension{Name: "ClusterName", Value: m.Cluster.Name})
	}
	return n
}

// newAlarm is an alarm of a name in a cluster's account and region, without a state.
func newAlarm(name string, in cluster.ID, metric string) notice {
	return notice{
		AlarmName: name, Account: in.Account, Region: in.Region,
		ARN:       "arn:" + cluster.PartitionOf(in.Region).Name + ":cloudwatch:" + in.Region + ":" + in.Account + ":alarm:" + name,
		OKActions: []string{}, AlarmActions: []string{}, InsufficientDataActions: []string{},
		Trigger: trigger{
			MetricName: metric, Namespace: "CNIGuard", StatisticType: "Statistic", Statistic: "MAXIMUM", Dimensions: []dimension{},
			Period: 300, EvaluationPeriods: 1, ComparisonOperator: "GreaterThanThreshold", TreatMissingData: "missing",
		},
	}
}

// described is what the finding means and what to do, and the console's page, which is never cut: where it does not fit, it is left out.
func described(m guard.Message, w words) string {
	page := " " + link(m.Cluster)
	if utf8.RuneCountInString(page) > descriptionLimit/2 { // of a name that no cluster has
		page = ""
	}
	said := strings.TrimSpace(w.means + " " + w.do)
	return plain.Cut(said, descriptionLimit-utf8.RuneCountInString(page), plain.Ellipsis) + page
}

// reasons is the headline with what was seen.
func reasons(m guard.Message, w words) string {
	line := headline(m, w, label(m.Cluster))
	for i, f := range m.Finding.Facts {
		line += map[bool]string{true: ". ", false: "; "}[i == 0] + f.Name + ": " + f.Value
	}
	return line
}

// alarmTime is how CloudWatch writes instants: "+0000" without a colon, which RFC 3339 does not allow.
func alarmTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }
