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
		return Order{}, p.elsewhere(to)
	}
	if err := reasoned("approve", by, because); err != nil {
		return Order{}, err
	}
	from := ""
	if next, wanted := p.update(); wanted {
		from = next.From.String()
	}
	return Order{
		Schema: Schema, Kind: Approval, From: from, By: by, Because: because, At: now, Until: now.Add(ApprovalValid),
		Steps: slices.Clone(p.Path[:last+1]), Keeps: p.Keeps, Kept: p.Kept,
	}, nil
}

// elsewhere says where a plan goes that does not go to a version, and which of its versions may be meant.
func (p Plan) elsewhere(to string) error {
	hint := ""
	if i := slices.IndexFunc(p.Path, func(v string) bool { return standsFor(v, to) }); i >= 0 {
		hint = "; of that minor version it has --to " + p.Path[i]
	}
	s, _ := p.update()
	return fmt.Errorf("approve: the plan does not go to %s; it goes from %s%s", to, way(s.From.String(), p.Path), hint)
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

// OnFinding reports whether an order of the kind is about one finding of a cluster, which it names.
func (k OrderKind) OnFinding() bool { return k == Muting || k == Unmuting || k == Acknowledging }

// Answered is a person's word on a finding of a cluster, as o says it with its kind, finding, time, giver and reason: it gets its schema,
// and its end after last. Zero is the usual time of an acknowledgement, and no time for a mute. An unmute takes none: it holds for as long as
// any mute that was given before may. The error says what is wrong with it.
func Answered(o Order, last time.Duration) (Order, error) {
	if err := reasoned(string(o.Kind), o.By, o.Because); err != nil {
		return Order{}, err
	}
	switch {
	case o.Kind == Unmuting && last != 0:
		return Order{}, fmt.Errorf("%s: it ends what holds now, and is for no time; leave the time away", o.Kind)
	case o.Kind == Unmuting:
		last = MuteAtMost
	case o.Kind == Acknowledging && last == 0:
		last = AckUsually
	}
	switch {
	case !o.Kind.OnFinding():
		return Order{}, fmt.Errorf("%q is not a word on a finding; allowed: %s, %s, %s", string(o.Kind), Muting, Unmuting, Acknowledging)
	case !slices.Contains(Answerable(), o.Finding):
		return Order{}, fmt.Errorf("%s: %q is not a finding of a cluster; allowed: %s", o.Kind, string(o.Finding), listed(Answerable()))
	case last < MuteAtLeast || last > MuteAtMost:
		return Order{}, fmt.Errorf("%s: it may hold for %s at least and %s at most", o.Kind, minutes(MuteAtLeast), minutes(MuteAtMost))
	}
	o.Schema, o.Until = Schema, o.At.Add(last)
	return o, nil
}

func listed(codes []Code) string {
	texts := make([]string, len(codes))
	for i, c := range codes {
		texts[i] = string(c)
	}
	return strings.Join(texts, ", ")
}

// Word is the mute or the acknowledgement of a finding that is in force; nil: there is none. Of all that people said of the finding and that
// holds, the newest word counts, whoever it is of, so that anybody can unmute what another muted. It is one of the orders: do not change it.
// What nobody may mute is not muted, whoever wrote that it is.
func Word(orders []Order, code Code, now time.Time) *Order {
	var newest *Order
	for i := range orders {
		o := &orders[i]
		if o.Kind.OnFinding() && o.Finding == code && o.Holds(now) && (newest == nil || !before(*o, *newest)) {
			newest = o
		}
	}
	if newest == nil || newest.Kind == Unmuting || !slices.Contains(Answerable(), code) {
		return nil
	}
	return newest
}

// before orders the words of several people; of two that were said at once nobody is asked which was meant, but it is always the same.
func before(a, b Order) bool { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.By, b.By)) < 0 }

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
