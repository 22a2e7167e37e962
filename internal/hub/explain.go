package hub

import (
	"fmt"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/policy"
)

// Explanation is what cniguard knows of a cluster, and why it does what it does.
type Explanation struct {
	At       time.Time
	Cluster  cluster.ID
	Unseen   string           // why cniguard does not look at the cluster; then there is nothing more but Orders and Halt
	Known    bool             // it was checked; else the Record is empty
	Read     bool             // the cluster was read for this; else Plan is what the Record has of the last check's
	Record   guard.Record     // as the last check left it
	Plan     guard.Plan       // what a check would decide now
	Version  string           // the installed one, as it was read; empty: unknown
	Node     *guard.DaemonSet // the aws-node that EKS does not manage, as it was read last; nil: none is known
	Orders   []guard.Order    // what people ordered for the cluster
	Halt     *guard.Order     // nil: the fleet is not halted
	Settings []policy.Origin  // and which rule of the policy gave each
	Tagless  bool             // the cluster's tags could not be read, so that rules which select by tags are not in Settings
	Next     time.Time        // when it is looked at again at the latest; zero: a sweep will do
	By       event.Kind       // by which schedule: Tick or Sweep
}

// Answer says in one or two sentences why cniguard acts on the add-on, or why it does not.
func (x Explanation) Answer() string {
	v := x.Plan.Verdict
	switch {
	case x.Unseen != "":
		return "cniguard does not look at this cluster: " + x.Unseen + "."
	case v.Word == guard.Gone:
		return "The cluster is gone, and so is all that cniguard had to do with it."
	case x.Record.Step != nil:
		s := x.Record.Step
		return fmt.Sprintf("An update from %s to %s is in flight since %s (try %d).", s.From, s.To, s.Since.UTC().Format(instant), s.Try)
	}
	for _, h := range x.Plan.Held {
		if h.Action.Kind == guard.StartUpdate {
			return "cniguard wants to " + h.Action.String() + ", and does not: " + texts(h.By) + "."
		}
	}
	for _, a := range x.Plan.Actions {
		if a.Kind == guard.StartUpdate {
			return "At its next check cniguard starts to " + a.String() + ": " + a.Why + "."
		}
	}
	change, version := plain.Clean(v.Change.Because, plain.Text), plain.Clean(v.Version.Because, plain.Text)
	switch v.Install.Word {
	case guard.SelfManaged:
		return version + "; " + change + "."
	case guard.Unknown:
		version = plain.Clean(v.Install.Because, plain.Text)
	}
	return capital(change) + ": " + version + "."
}

// instant is how times are written for people, in UTC.
const instant = "2006-01-02 15:04"

func texts(by []guard.Reason) string {
	all := make([]string, len(by))
	for i, r := range by {
		all[i] = plain.Clean(r.Text, plain.Text)
	}
	return strings.Join(all, "; ")
}

func capital(text string) string {
	return strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):]
}
