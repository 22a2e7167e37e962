package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// group is what is equal but for the cluster, in one entry of a digest, so that 400 clusters with one finding are read at a glance.
type group struct {
	items []guard.Item
	more  bool // there may be further ones among those that were left out
}

// groups are those of a part of a digest, in the order of their first items.
func (d digest) groups(p part) []group {
	type alike struct {
		finding  guard.Code
		severity guard.Severity
		news     guard.News
	}
	var all []group
	at := map[alike]int{}
	for _, i := range d.in(p) {
		key := alike{i.Finding, i.Severity, i.News}
		n, known := at[key]
		if !known {
			n = len(all)
			at[key], all = n, append(all, group{more: d.lacks(p, i.Finding)})
		}
		all[n].items = append(all[n].items, i)
	}
	return all
}

// lacks reports whether a part may have further items of a finding among those that were left out.
func (d digest) lacks(p part, code guard.Code) bool {
	if d.Omitted == 0 {
		return false
	}
	n := slices.IndexFunc(d.kinds, func(k counted) bool { return k.Finding == string(code) })
	if n < 0 || p == isOver || p == isStep {
		return true
	}
	listed := 0
	for _, i := range slices.Concat(d.News, d.Open) {
		if i.Finding == code && standing(message(i)) == open {
			listed++
		}
	}
	return listed < d.kinds[n].Count
}

// message is the one that would tell of an item alone, so that there is one source of texts. It does not say what the update leads to:
// whether it is held is not known here.
func message(i guard.Item) guard.Message {
	m := guard.Message{
		Key: i.Key, Thread: i.Thread, News: i.News, Cluster: i.Cluster, Version: i.Version, First: i.First, At: i.At,
		Finding: guard.Finding{Code: i.Finding, Severity: i.Severity, Facts: i.Facts},
	}
	if m.News == "" {
		m.News = guard.Opened
	}
	return m
}

// kind is a headline without what differs from cluster to cluster.
func kind(m guard.Message, as func(string) string) string {
	return strings.NewReplacer(" {version}", "", " to {next}", "", "{used}", "", ": {install}", "", "{finding}", as(string(m.Finding.Code))).
		Replace(blank(m).head(m.News))
}

// headOf is the headline of an item alone, and whether a value of its own is in it. Why a CNI is known now, a digest does not know.
func headOf(m guard.Message, as func(string) string) (text string, own bool) {
	head := blank(m).head(m.News)
	for _, value := range []string{"{version}", "{next}", "{used}"} {
		own = own || strings.Contains(head, value)
	}
	if strings.Contains(head, "{install}") {
		return kind(m, as), own
	}
	return wordsFor(m, as).head(m.News), own
}

// headline is the entry's line: of the only item, or of what all have in common.
func (g group) headline(as func(string) string, now time.Time) string {
	m := message(g.items[0])
	if len(g.items) > 1 {
		count := fmt.Sprintf("%d %s", len(g.items), thing(m))
		if g.more {
			count = "at least " + count
		}
		return lead(m) + ", " + count + ": " + kind(m, as)
	}
	head, own := headOf(m, as)
	line := lead(m) + ": " + as(place(m.Cluster)) + ": " + head
	rest := circumstances(g.items[0], as, now)
	if own && m.News != guard.NotDone {
		rest = rest[1:]
	}
	return joined(line+"; ", rest)
}

func thing(m guard.Message) string {
	if m.Cluster.Name == "" {
		return "accounts and regions"
	}
	return "clusters"
}

// member is the line of one item of several. That it is new, the part says.
func member(i guard.Item, as func(string) string, now time.Time) string {
	parts := circumstances(i, as, now)
	if i.News == guard.Opened {
		parts[1] = ""
	}
	return joined(as(place(i.Cluster))+": ", parts)
}

// joined is a line with what there is to add to it.
func joined(lead string, parts []string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	if len(said) == 0 {
		return strings.TrimRight(lead, ":; ")
	}
	return lead + strings.Join(said, "; ")
}

// circumstances are what is particular of an item, since when it lasts or how long it lasted, and who silenced it.
func circumstances(i guard.Item, as func(string) string, now time.Time) []string {
	return []string{particulars(i, as), lasts(i, now), silenced(i, as, now)}
}

// particulars is the value that tells one cluster with a finding from another.
func particulars(i guard.Item, as func(string) string) string {
	m := message(i)
	head := blank(m).head(m.News)
	switch used, failed := factOf(m, "used"), factOf(m, "error"); {
	case i.News == guard.NotDone && failed != "":
		return as(failed)
	case strings.Contains(head, "{version}") && i.Version != "":
		return as(i.Version)
	case strings.Contains(head, "{next}"):
		return as(next(m))
	case strings.Contains(head, "{used}") && used != "":
		return as(used) + " used"
	case len(i.Facts) > 0 && !ended(i.News):
		return as(plain.Cut(i.Facts[0].Name+": "+i.Facts[0].Value, factLimit, plain.Ellipsis))
	}
	return ""
}

// lasts says how long it lasted, or since when it lasts.
func lasts(i guard.Item, now time.Time) string {
	switch {
	case i.First.IsZero() || partOf(i) == isStep:
		return ""
	case ended(i.News) && i.At.After(i.First):
		return "lasted " + span(i.At.Sub(i.First))
	case ended(i.News):
		return ""
	}
	if ago := now.Sub(i.First); ago >= 0 && ago < 24*time.Hour {
		return "since " + i.First.UTC().Format("15:04 UTC")
	}
	return "since " + i.First.UTC().Format(time.DateOnly)
}

// silenced says who wanted to hear no more, why, and until when.
func silenced(i guard.Item, as func(string) string, now time.Time) string {
	switch o := i.Muted; {
	case o != nil && endsSoon(o, now):
		day := "tomorrow"
		if o.Until.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
			day = "today"
		}
		return "muted by " + given(o, as) + "; ends " + day + ", " + minute(o.Until) + ", and is told again then if it is still open"
	case o != nil && o.Until.IsZero():
		return "muted by " + given(o, as)
	case o != nil:
		return "muted until " + minute(o.Until) + " by " + given(o, as)
	}
	if i.Acked == nil {
		return ""
	}
	until := ""
	if !i.Acked.Until.IsZero() {
		until = " before " + minute(i.Acked.Until)
	}
	return "acknowledged by " + given(i.Acked, as) + "; no reminders" + until + " unless it changes"
}

// given is whose word it is, and why. AWS knows who has assumed a role by the role's id or ARN and a name of theirs: the name is the person's.
func given(o *guard.Order, as func(string) string) string {
	by := o.By[strings.LastIndexAny(o.By, "/:")+1:]
	if by == "" {
		by = o.By
	}
	line := "nobody known"
	if by != "" {
		line = as(by)
	}
	if o.Because != "" {
		line += " (" + as(o.Because) + ")"
	}
	return line
}
