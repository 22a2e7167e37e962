package alarm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/plain"
)

// Wish is what the alarms of a cluster depend on.
type Wish struct {
	Cluster  cluster.ID
	Warning  float64  // percent
	DaysLeft int      // of the days-left alarm
	HelperID string   // the CLUSTER_ID of cni-metrics-helper, of the node-capacity alarm
	Actions  []string // ARNs in the cluster's region, ordered
	Owner    string   // of the cluster, for a tag
}

// Runbook is where people read what to do about an alarm: this, and the alarm's kind.
const Runbook = "https://github.com/cniguard/cniguard/blob/main/docs/runbook.md#"

// Want is the alarm of a kind as it should be.
func (w Wish) Want(k Kind) Spec {
	owner := label(w.Owner)
	s := Spec{
		Name:       k.Name(w.Cluster),
		Namespace:  Namespace,
		Metric:     k.Metric(),
		Dimensions: map[string]string{Dimension: w.Cluster.Name},
		Statistic:  "Maximum",
		Period:     Period,
		Evaluation: Evaluation,
		Points:     Points,
		Comparison: "GreaterThanOrEqualToThreshold",
		Threshold:  w.Warning,
		Missing:    "missing",
		Actions:    w.Actions,
		Tags:       map[string]string{"made-by": "cniguard", "cluster": w.Cluster.Name, "owner": owner},
	}
	switch k {
	case DaysLeft:
		s.Comparison, s.Threshold = "LessThanThreshold", float64(w.DaysLeft)
	case NodeCapacity:
		// Nodes that the helper does not reach lower both terms; Sum would count each point of a minute.
		s.Namespace, s.Dimensions = HelperNamespace, map[string]string{HelperDimension: w.HelperID}
		s.Expression = "IF(limit > 0, 100 * assigned / limit, 0)"
		s.Terms = map[string]string{"assigned": HelperAssigned, "limit": HelperMax}
	}
	s.Tags["policy"] = s.digest()
	s.Description = fmt.Sprintf("%s What to do: cniguard explain %s, and %s%s. Owner: %s. %s for policy %s; "+
		"changes by hand are undone.", w.about(k), w.Cluster, Runbook, k, owner, mark, s.Tags["policy"])
	return s
}

// mark is in the description of every alarm that cniguard made, since its first version.
const mark = "Made and kept by cniguard"

// Kept reports whether an alarm with this description was made by cniguard: its name alone anybody could have chosen.
func Kept(description string) bool { return strings.Contains(description, mark) }

// digest names what the policy calls for in an alarm: eight hexadecimal digits of the SHA-256 of its definition.
func (s Spec) digest() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q %d %d %d %q %v %q %q", s.Namespace, s.Metric, s.Expression, s.Terms, s.Dimensions, s.Statistic,
		s.Period, s.Evaluation, s.Points, s.Comparison, s.Threshold, s.Missing, s.Actions))
	return hex.EncodeToString(sum[:4])
}

// label is a text as the value of a tag: other characters than those that are allowed in general become low lines (EKS user guide, "Tagging
// your resources": a cluster's own tags may have more).
func label(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune(" +-=._:/@", r) {
			return r
		}
		return '_'
	}, plain.Clean(text, longestTag))
}

// longestTag is how many characters the value of a tag has (CloudWatch API reference, Tag).
const longestTag = 256

// about is what an alarm watches and what it means, in two sentences.
func (w Wish) about(k Kind) string {
	percent := strconv.FormatFloat(w.Warning, 'f', -1, 64)
	switch k {
	case FreeBlocks:
		return fmt.Sprintf("A subnet that pods of EKS cluster %s take prefixes from has %s %% of its /28 blocks in use or more. When none is left, "+
			"new pods hang in ContainerCreating, however many single addresses are free.", w.Cluster.Name, percent)
	case DaysLeft:
		return fmt.Sprintf("The fullest subnet that pods of EKS cluster %s take addresses from is forecast to be full in less than %d days. "+
			"Then new pods hang in ContainerCreating.", w.Cluster.Name, w.DaysLeft)
	case NodeCapacity:
		return fmt.Sprintf("Pods have %s %% or more of the addresses that the nodes of EKS cluster %s can hold, as cni-metrics-helper says. "+
			"Pods beyond that hang in ContainerCreating until there are more nodes.", percent, w.Cluster.Name)
	}
	return fmt.Sprintf("The fullest subnet that pods of EKS cluster %s take addresses from is %s %% used or more. When it is full, "+
		"new pods hang in ContainerCreating.", w.Cluster.Name, percent)
}

// What cni-metrics-helper publishes (amazon-vpc-cni-k8s, pkg/publisher and cmd/cni-metrics-helper/metrics).
const (
	HelperNamespace = "Kubernetes"
	HelperDimension = "CLUSTER_ID"
	HelperAssigned  = "assignIPAddresses"
	HelperTotal     = "totalIPAddresses"
	HelperMax       = "maxIPAddresses"
)
