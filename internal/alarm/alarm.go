// Package alarm says which CloudWatch alarms a cluster should have, and what differs from those it has. It is pure; package
// cloud reads and writes them.
package alarm

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// The metrics that the meter publishes for a cluster, and alarms watch.
const (
	Namespace = "CNIGuard"
	Dimension = "ClusterName"
	// Subnets is the utilisation of a cluster's fullest pod subnet, in percent of its usable addresses.
	Subnets = "WorstPodSubnetUtilization"
	// Blocks is the share of the /28 blocks in use in the pod subnet that has the fewest left, in percent. It is published where the policy
	// wants the alarm.
	Blocks = "WorstPodSubnetBlockUtilization"
	// Days is how many days are left until the fullest pod subnet is full, by forecast; 30 stands for more, or for no growth. It is
	// published where the policy wants the alarm.
	Days = "DaysLeft"
)

// Kind is what an alarm watches. It ends the alarm's name.
type Kind string

// The alarms that a cluster may have. PodSubnets is the one that every cluster has; the others are for the policy to choose.
const (
	PodSubnets   Kind = "pod-subnets"
	FreeBlocks   Kind = "free-blocks"
	DaysLeft     Kind = "days-left"
	NodeCapacity Kind = "node-capacity"
)

// Kinds are all of them, in the order in which they are made.
func Kinds() []Kind { return []Kind{PodSubnets, FreeBlocks, DaysLeft, NodeCapacity} }

// Metric is the metric that the meter publishes for an alarm of this kind; empty: it watches what others publish.
func (k Kind) Metric() string {
	return map[Kind]string{PodSubnets: Subnets, FreeBlocks: Blocks, DaysLeft: Days}[k]
}

// USD is the price of an alarm of this kind and of the metric that cniguard publishes for it, a month at list prices of us-east-1: 0.10 for
// each metric that an alarm watches, 0.30 for a custom metric (CloudWatch pricing, November 2026).
func (k Kind) USD() float64 {
	if k == NodeCapacity {
		return 2 * 0.10
	}
	return 0.10 + 0.30
}

// Prefix begins the name of every alarm that cniguard makes. Alarms without it are never touched.
const Prefix = "cniguard-"

// The evaluation of the alarm. The meter publishes one point in five minutes, each stamped with the tick's time, so every
// period of 300 s holds one point. Two of three points above the threshold put the alarm into ALARM: a crossing right after
// a tick is measured 5 minutes later, and again 5 minutes after that; with CloudWatch's own delay of about a minute the alarm
// stands 6 to 11 minutes after the crossing.
const (
	Period     = 300 // seconds
	Evaluation = 3   // periods
	Points     = 2   // of them above the threshold
)

// Value is a value of one of the metrics that the meter publishes.
type Value struct {
	Cluster string // name
	Metric  string
	Value   float64 // percent, or days
}

// Spec is one alarm as it should be, or as it is: on one metric, or on an expression over several.
type Spec struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Namespace   string            `json:"namespace"`
	Metric      string            `json:"metric,omitempty"`     // empty: Expression tells
	Expression  string            `json:"expression,omitempty"` // metric math over Terms, by their ids
	Terms       map[string]string `json:"terms,omitempty"`      // metrics by id
	Dimensions  map[string]string `json:"dimensions"`
	Statistic   string            `json:"statistic"`
	Period      int               `json:"period"` // seconds
	Evaluation  int               `json:"evaluation"`
	Points      int               `json:"points"`
	Comparison  string            `json:"comparison"`
	Threshold   float64           `json:"threshold"` // percent, or days
	Missing     string            `json:"missing"`
	Actions     []string          `json:"actions,omitempty"` // ARNs told on ALARM and on OK, ordered; usually none: the event does it
	// Tags are those that it is to have. CloudWatch does not show them where it describes an alarm: what they are made of is in the
	// description too, so that they are written anew when it changes.
	Tags map[string]string `json:"tags,omitempty"`
}

// State is CloudWatch's word for how an alarm stands.
type State string

// The states of a CloudWatch alarm.
const (
	OK               State = "OK"
	InAlarm          State = "ALARM"
	InsufficientData State = "INSUFFICIENT_DATA"
)

// Standing is an alarm that exists.
type Standing struct {
	Spec  Spec      `json:"spec"`
	State State     `json:"state"`
	Since time.Time `json:"since"` // when the state was last updated
}

// Name is the name of a cluster's alarm.
func (k Kind) Name(id cluster.ID) string { return Prefix + id.Name + "-" + string(k) }

// ARN is that of an alarm in a cluster's account and region.
func ARN(id cluster.ID, name string) string {
	return "arn:" + cluster.PartitionOf(id.Region).Name + ":cloudwatch:" + id.Region + ":" + id.Account + ":alarm:" + name
}

// Names are the names of all alarms that a cluster may have.
func Names(id cluster.ID) []string {
	names := make([]string, 0, len(Kinds()))
	for _, k := range Kinds() {
		names = append(names, k.Name(id))
	}
	return names
}

// Cluster is the cluster's name in the name of one of cniguard's alarms; false for an alarm that is not one of them.
func Cluster(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, Prefix)
	if !ok {
		return "", false
	}
	for _, k := range Kinds() {
		if of, ok := strings.CutSuffix(rest, "-"+string(k)); ok {
			return of, of != ""
		}
	}
	return "", false
}

// probe begins the name of an alarm that tells of no cluster, but that alarms' events arrive. Such a name ends in capital letters and
// digits, so that it is never that of a cluster's alarm, whatever the cluster is called.
const probe = Prefix + "doctor-"

// Probe is the name of the alarm that `cniguard doctor` makes for a moment. The nonce, as crypto/rand.Text makes them, tells its event
// from those of all others.
func Probe(nonce string) string { return probe + nonce }

// Nonce is the nonce in the name of such an alarm; false for any other alarm.
func Nonce(name string) (string, bool) {
	nonce, ok := strings.CutPrefix(name, probe)
	return nonce, ok && len(nonce) == 26 && strings.Trim(nonce, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// Differs names the fields in which two alarms differ, in a fixed order; none: they are the same alarm. Tags are not compared.
func Differs(a, b Spec) []string {
	var fields []string
	note := func(name string, same bool) {
		if !same {
			fields = append(fields, name)
		}
	}
	note("description", a.Description == b.Description)
	note("metric", a.Namespace == b.Namespace && a.Metric == b.Metric && a.Expression == b.Expression && maps.Equal(a.Terms, b.Terms))
	note("dimensions", maps.Equal(a.Dimensions, b.Dimensions))
	note("statistic", a.Statistic == b.Statistic)
	note("period", a.Period == b.Period)
	note("evaluation", a.Evaluation == b.Evaluation && a.Points == b.Points)
	note("threshold", a.Comparison == b.Comparison && a.Threshold == b.Threshold)
	note("missing data", a.Missing == b.Missing)
	note("actions", slices.Equal(a.Actions, b.Actions))
	return fields
}
