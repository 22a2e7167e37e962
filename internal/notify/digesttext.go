package notify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

// How much of a list is shown, so that it can be read on a phone.
const (
	mostMembers = 10 // of a group, and of what was not checked
	mostAdvice  = 8  // findings with what to do
)

// text lays the digest out: how many, then which, then what to do.
func (d digest) text() string {
	var p page
	p.add("", d.headline(d.owner()))
	p.section("In numbers:")
	p.facts(d.numbers())
	for part := isNew; part <= isSilenced; part++ {
		p.part(d, part)
	}
	if d.hidden > 0 {
		p.section("Not checked:")
		for _, f := range d.Hidden[:min(mostMembers, len(d.Hidden))] {
			p.add(entry, joined(f.Name+": ", []string{f.Value}))
		}
		p.more(entry, d.hidden-min(mostMembers, len(d.Hidden)))
	}
	p.section("What to do:")
	for _, a := range d.advice(asIs) {
		p.add(entry, a)
	}
	p.section("Alarms:")
	p.add("  ", d.alarms())
	p.ways(d)
	p.section("Reference:")
	p.facts([]guard.Fact{{Name: "owner", Value: d.Owner}, {Name: "digest", Value: d.Key}})
	if i, found := d.first(); found {
		p.section("To silence one:")
		p.add("  ", weekNote)
		p.command(mute(i.Cluster, i.Finding, week))
	}
	return p.String()
}

// What the entries of a digest begin with, and what those of a group. No further line of either begins at the column of the other, so that no
// text of others can pose as one.
const (
	entry   = "  - "
	ofGroup = "      "
)

// A mute that is shorter than the way to the next digest is for who is paged, not for who reads digests.
const (
	week     = "7d"
	weekNote = "This keeps the worst one out of messages for a week; digests go on showing it:"
)

// numbers are the counts, which also have what is not listed.
func (d digest) numbers() []guard.Fact {
	since := func(n int) string {
		if n == 0 {
			return "none since the last digest"
		}
		return fmt.Sprintf("%d since the last digest", n)
	}
	facts := []guard.Fact{
		{Name: "as of", Value: minute(d.At)},
		{Name: "clusters", Value: strconv.Itoa(d.Clusters)},
		{Name: "open", Value: strings.Replace(d.standing(), "nothing open", "nothing", 1)},
		{Name: "by finding", Value: d.byFinding(asIs)},
		{Name: "new", Value: since(d.Began)},
		{Name: "over", Value: since(d.Ended)},
	}
	if n := len(d.in(isSilenced)); n > 0 {
		least := map[bool]string{true: "at least "}[d.Omitted > 0]
		facts = append(facts, guard.Fact{Name: "silenced", Value: fmt.Sprintf("%s%d of those that are open", least, n)})
	}
	if d.hidden > 0 {
		facts = append(facts, guard.Fact{Name: "not checked", Value: fmt.Sprintf("%d: how they stand is not known", d.hidden)})
	}
	if d.Omitted > 0 {
		facts = append(facts, guard.Fact{Name: "not listed", Value: fmt.Sprintf("%d, which are counted only", d.Omitted)})
	}
	return facts
}

// byFinding counts what stands by finding.
func (d digest) byFinding(as func(string) string) string {
	var counts []string
	for _, k := range d.kinds {
		counts = append(counts, strconv.Itoa(k.Count)+" "+as(k.Finding))
	}
	return strings.Join(counts, ", ")
}

// part adds a part of a digest, where it has items. A text that has become long enough counts the rest.
func (p *page) part(d digest, which part) {
	groups, left := d.groups(which), 0
	if len(groups) > 0 {
		p.section(which.title())
	}
	for _, g := range groups {
		if p.Len() > textRoom {
			left += len(g.items)
			continue
		}
		p.add(entry, g.headline(asIs, d.At))
		if len(g.items) == 1 {
			continue
		}
		shown := min(mostMembers, len(g.items))
		for _, i := range g.items[:shown] {
			p.hang(ofGroup, len(ofGroup)+2, member(i, asIs, d.At))
		}
		p.more(ofGroup, len(g.items)-shown)
	}
	p.more(entry, left)
}

// more counts entries that are not shown.
func (p *page) more(lead string, n int) {
	if n > 0 {
		p.add(lead, "and "+strconv.Itoa(n)+" more")
	}
}

// advice says for each finding that stands and is not silenced what to do, the worst first.
func (d digest) advice(as func(string) string) []string {
	// A digest does not have what a message names.
	elsewhere := strings.NewReplacer("named above", "named by cniguard explain", "error above", "error in cniguard explain")
	var said []string
	seen := map[guard.Code]bool{}
	for _, g := range slices.Concat(d.groups(isNew), d.groups(isOpen)) {
		m := message(g.items[0])
		if seen[m.Finding.Code] {
			continue
		}
		seen[m.Finding.Code] = true
		do := wordsFor(m, as).do
		if m.Cluster.Name != "" {
			do = elsewhere.Replace(do)
		}
		said = append(said, as(string(m.Finding.Code))+": "+do)
	}
	if more := len(said) - mostAdvice; more > 0 {
		said = append(said[:mostAdvice], fmt.Sprintf("%d more findings: cniguard explain tells what to do.", more))
	}
	if _, found := d.first(); found {
		said = append(said, "Of each cluster cniguard explain tells more: also whether cniguard makes the update itself, and what holds it.")
	}
	if d.hidden > 0 {
		said = append(said, "See why something was not checked, and let cniguard read it: until then nobody knows how it stands.")
	}
	switch {
	case len(said) > 0:
		return said
	case d.expected() == act:
		return []string{"See with cniguard status what is open and not listed here."}
	}
	return []string{unneeded + "."}
}

// alarms says how many alarms there are and what they cost.
func (d digest) alarms() string {
	if d.Alarms == 0 {
		return "No alarm of cniguard watches these clusters."
	}
	alarms, cost := "alarms watch", fmt.Sprintf("%.0f", d.USD)
	if d.Alarms == 1 {
		alarms = "alarm watches"
	}
	if d.USD < 10 {
		cost = fmt.Sprintf("%.2f", d.USD)
	}
	return fmt.Sprintf("%d %s these clusters, about %s USD a month (list prices of us-east-1).", d.Alarms, alarms, cost)
}

// ways adds the commands to look with, and the console's page of the worst.
func (p *page) ways(d digest) {
	p.section("Commands:")
	for _, c := range d.commands() {
		p.command(c)
	}
	if i, found := d.first(); found {
		p.section("Console:")
		p.WriteString("  " + link(i.Cluster) + "\n")
	}
}

// commands look at all clusters, and at the worst.
func (d digest) commands() [][]string {
	all := [][]string{{"cniguard status"}}
	if i, found := d.first(); found {
		all = append(all, explain(guard.Message{Cluster: i.Cluster}))
	}
	return all
}

// resources are the clusters of the worst items.
func (d digest) resources() []string {
	var all []cluster.ID
	for _, p := range []part{isNew, isOpen} {
		for _, i := range d.in(p) {
			if len(all) < mostMembers && i.Cluster.Name != "" && !slices.Contains(all, i.Cluster) {
				all = append(all, i.Cluster)
			}
		}
	}
	arns := []string{}
	for _, id := range all {
		arns = append(arns, inert(id.ARN()))
	}
	return arns
}
