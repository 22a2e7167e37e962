// Package alarm says which CloudWatch alarms a cluster should have, and what differs from those it has. It is pure; package
// cloud reads and writes them.
package alarm

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// The metric that the meter publishes and the alarm watches: the utilisation of a cluster's worst pod subnet in percent.
const (
	Namespace = "CNIGuard"
	Metric    = "WorstPodSubnetUtilization"
	Dimension = "ClusterName"
)

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

// Spec is one alarm as it should be, or as it is.
type Spec struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Namespace   string            `json:"namespace"`
	Metric      string            `json:"metric"`
	Dimensions  map[string]string `json:"dimensions"`
	Statistic   string            `json:"statistic"`
	Period      int               `json:"period"` // seconds
	Evaluation  int               `json:"evaluation"`
	Points      int               `json:"points"`
	Comparison  string            `json:"comparison"`
	Threshold   float64           `json:"threshold"` // percent
	Missing     string            `json:"missing"`
	Actions     []string          `json:"actions,omitempty"` // ARNs told on ALARM and on OK, ordered; usually none: the event does it
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

// Name is the name of the pod-subnet alarm of a cluster.
func Name(id cluster.ID) string { return Prefix + id.Name + "-pod-subnets" }

// Cluster is the cluster's name in the name of one of cniguard's alarms; false for an alarm that is not one of them.
func Cluster(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, Prefix)
	if !ok {
		return "", false
	}
	rest, ok = strings.CutSuffix(rest, "-pod-subnets")
	return rest, ok && rest != ""
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

// Want is the pod-subnet alarm of a cluster with a warning threshold in percent. Actions are ARNs in the cluster's region, ordered.
func Want(id cluster.ID, warning float64, actions ...string) Spec {
	return Spec{
		Name: Name(id),
		Description: fmt.Sprintf("The fullest subnet that pods of EKS cluster %s take addresses from is more than %s %% used. "+
			"When it is full, new pods hang in ContainerCreating. Made and kept by cniguard; changes by hand are undone.",
			id.Name, strconv.FormatFloat(warning, 'f', -1, 64)),
		Namespace:  Namespace,
		Metric:     Metric,
		Dimensions: map[string]string{Dimension: id.Name},
		Statistic:  "Maximum",
		Period:     Period,
		Evaluation: Evaluation,
		Points:     Points,
		Comparison: "GreaterThanOrEqualToThreshold",
		Threshold:  warning,
		Missing:    "missing",
		Actions:    actions,
	}
}

// Differs names the fields in which two alarms differ, in a fixed order; none: they are the same alarm.
func Differs(a, b Spec) []string {
	var fields []string
	note := func(name string, same bool) {
		if !same {
			fields = append(fields, name)
		}
	}
	note("description", a.Description == b.Description)
	note("metric", a.Namespace == b.Namespace && a.Metric == b.Metric)
	note("dimensions", maps.Equal(a.Dimensions, b.Dimensions))
	note("statistic", a.Statistic == b.Statistic)
	note("period", a.Period == b.Period)
	note("evaluation", a.Evaluation == b.Evaluation && a.Points == b.Points)
	note("threshold", a.Comparison == b.Comparison && a.Threshold == b.Threshold)
	note("missing data", a.Missing == b.Missing)
	note("actions", slices.Equal(a.Actions, b.Actions))
	return fields
}
