package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Consent is the approval of a plan's steps up to a version, in a person's name. An empty version approves the whole path. The
// error says what the plan is when it does not lead there.
func Consent(p Plan, to, by, because string, now time.Time) (Order, error) {
	if len(p.Path) == 0 {
		why := cmp.Or(p.Verdict.Change.Because, "no update is wanted")
		for _, h := range p.Held {
			if h.Action.Kind == StartUpdate {
				why = h.By[0].Text
			}
		}
		if v := p.Verdict.Version; v.Because != "" {
			why += " (version " + v.Word + ": " + v.Because + ")"
		}
		return Order{}, fmt.Errorf("approve: there is nothing to approve: %s", why)
	}
	last := len(p.Path) - 1
	if to != "" {
		last = slices.Index(p.Path, to)
	}
	if last < 0 {
		return Order{}, fmt.Errorf("approve: the plan does not go to %s; it goes to %s", to, strings.Join(p.Path, ", then "))
	}
	if err := reasoned("approve", by, because); err != nil {
		return Order{}, err
	}
	return Order{
		Schema: Schema, Kind: Approval, By: by, Because: because, At: now, Until: now.Add(ApprovalValid),
		Steps: slices.Clone(p.Path[:last+1]), Keeps: p.Keeps,
	}, nil
}

// Command is an order other than an approval, in a person's name.
func Command(kind OrderKind, by, because string, now time.Time) (Order, error) {
	if err := reasoned(string(kind), by, because); err != nil {
		return Order{}, err
	}
	o := Order{Schema: Schema, Kind: kind, By: by, Because: because, At: now}
	if kind == Denial {
		o.Until = now.Add(ApprovalValid)
	}
	return o, nil
}

// tearsDown is the order to remove every alarm, where it is in force. What cannot be read is no such order: nothing is removed for it.
func (in Input) tearsDown() *Order {
	o := in.Fleet.Value.Halt
	if in.Fleet.Fault != nil || o == nil || o.Kind != TearingDown || !o.Holds(in.Now) {
		return nil
	}
	return o
}

func reasoned(what, by, because string) error {
	if strings.TrimSpace(by) == "" || strings.TrimSpace(because) == "" {
		return fmt.Errorf("%s: who orders it and why are needed: others will read it", what)
	}
	return nil
}

// covers reports whether an approval of the steps lets the first step of the path go: what remains of the way to the last
// approved version must be the end of what was approved.
func covers(approved, path []string) bool {
	if len(approved) == 0 {
		return false
	}
	i := slices.Index(path, approved[len(approved)-1])
	if i < 0 || i+1 > len(approved) {
		return false
	}
	return slices.Equal(path[:i+1], approved[len(approved)-i-1:])
}
