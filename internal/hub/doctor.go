package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
)

// Health is how something stands that cniguard needs.
type Health string

// The three ways. Unknown is what these credentials, or this account, cannot say.
const (
	OK      Health = "ok"
	Problem Health = "problem"
	Unknown Health = "unknown"
)

// Diagnosis is what the doctor found of one thing.
type Diagnosis struct {
	What   string `json:"what"`
	Health Health `json:"health"`
	Text   string `json:"text"`         // texts of others may be in it
	Do     string `json:"do,omitempty"` // what a person can do about it
}

// Doctor looks whether everything is in place that cniguard needs of AWS. It changes nothing, but makes an alarm for RoundTrip, and
// removes those that earlier ones left.
type Doctor struct {
	Hub
	Place  event.Unit   // the hub's account and region
	Fleet  []event.Unit // the policy's; none: those that the ledger knows
	SNS    Topics
	KMS    Keys
	Lambda Functions
	Queue  Depth
	Trails func(region string) Trails
	Probe  Probe
	Wait   time.Duration // how long RoundTrip waits for its event; 0: it does not try
}

// Examine makes every diagnosis, in a fixed order. What one thing lacks keeps nobody from looking at the others.
func (d Doctor) Examine(ctx context.Context) []Diagnosis {
	known, err := d.Ledger.All(ctx)
	kept, left := within(known, d.Fleet)
	all := []Diagnosis{d.ledger(kept, err)}
	all = append(all, d.functions(ctx)...)
	if err == nil {
		all = append(all, d.fleet(ctx), d.rhythm(kept), d.messages(kept))
	}
	all = append(all, d.failed(ctx), d.subscription(ctx), d.key(ctx))
	units := d.units(kept)
	all = append(all, d.trails(ctx, units)...)
	if err == nil {
		all = append(append(all, d.members(kept, units)...), d.inside(kept))
	}
	if len(left) > 0 {
		all = append(all, fine("former members", fmt.Sprintf("no longer in the policy's fleet: %d, as %s", len(left), strings.Join(left, ", "))))
	}
	return append(all, d.abandoned(ctx), d.RoundTrip(ctx))
}

// units are the fleet's accounts and regions, as the policy has them, or else as the ledger does.
func (d Doctor) units(kept []check.Kept) []event.Unit {
	units := slices.Clone(d.Fleet)
	if len(units) == 0 {
		for _, k := range kept {
			units = append(units, event.Unit{Account: k.Cluster.Account, Region: k.Cluster.Region})
		}
	}
	slices.SortFunc(units, func(a, b event.Unit) int {
		return cluster.Compare(cluster.ID{Account: a.Account, Region: a.Region}, cluster.ID{Account: b.Account, Region: b.Region})
	})
	return slices.Compact(units)
}

// arn is the ARN of something of the hub.
func (d Doctor) arn(service, resource string) string {
	return strings.Join([]string{"arn", cluster.PartitionOf(d.Place.Region).Name, service, d.Place.Region, d.Place.Account, resource}, ":")
}

func fine(what, text string) Diagnosis { return Diagnosis{What: what, Health: OK, Text: text} }

func problem(what, text, do string) Diagnosis {
	return Diagnosis{What: what, Health: Problem, Text: text, Do: do}
}

// unanswered is the diagnosis of something that AWS would not say: a thing that is not there is a problem, all else is unknown.
func (d Doctor) unanswered(what, op string, err error) Diagnosis {
	f := fault.Of(err)
	if f == nil {
		f = access.Fault(op, err)
	}
	health := Unknown
	if isAbsent(f.Code) {
		health = Problem
	}
	return Diagnosis{What: what, Health: health, Text: f.Error(), Do: adviceOn(f, d.Place)}
}
