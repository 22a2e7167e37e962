package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

// RenderDigest gives a digest its shapes. It is pure, and total: whatever the digest holds, the limits are kept.
func RenderDigest(from guard.Digest) Shape {
	d := cleanDigest(from)
	return Shape{
		Subject:    ascii(d.headline(short(d.owner())), subjectLimit),
		Text:       d.text(),
		SMS:        ascii(d.headline(short(d.owner())), smsLimit),
		Alarm:      encode(d.notice()),
		Chat:       encode(d.card()),
		JSON:       encode(d.payload()),
		Attributes: d.attributes(),
	}
}

// owner is what the digest calls whom it is for.
func (d digest) owner() string {
	switch {
	case d.Owner == "":
		return "clusters of nobody"
	case cluster.IsAccount(d.Owner):
		return "account " + d.Owner
	}
	return d.Owner
}

// headline has the counts: of what stands, of what is new and over, and of what nobody looked at.
func (d digest) headline(owner string) string {
	var news []string
	for _, c := range []struct {
		n    int
		what string
	}{{d.Began, "new"}, {d.Ended, "over"}} {
		if c.n > 0 {
			news = append(news, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(news) == 0 {
		news = []string{"nothing new"}
	}
	line := "DIGEST: " + owner + ": " + d.standing() + "; " + strings.Join(news, ", ")
	if d.hidden > 0 {
		line += fmt.Sprintf("; %d not checked", d.hidden)
	}
	return line
}

// standing counts what is open by severity, the worst first.
func (d digest) standing() string {
	var counts []string
	for _, s := range []guard.Severity{guard.Critical, guard.Warning, guard.Info} {
		n, word := d.Stand[s], s.String()
		if s == guard.Warning && n != 1 {
			word = "warnings"
		}
		if n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, word))
		}
	}
	if len(counts) == 0 {
		return "nothing open"
	}
	return strings.Join(counts, ", ")
}

// worst is the severity of the worst that stands.
func (d digest) worst() guard.Severity {
	for _, s := range []guard.Severity{guard.Critical, guard.Warning} {
		if d.Stand[s] > 0 {
			return s
		}
	}
	return guard.Info
}

// attributes are those of messages, but for the cluster. A digest opens and resolves nothing.
func (d digest) attributes() map[string]string {
	all := map[string]string{
		"severity": d.worst().String(), "finding": string(guard.DigestCode), "news": string(guard.Digested), "state": neither,
		"owner": d.Owner, "action": d.expected(),
	}
	if cluster.IsAccount(d.Owner) {
		all["account"] = d.Owner
	}
	return filled(all)
}

// expected is whether a person is asked for anything: by what stands and nobody has taken note of, or by what nobody looked at.
func (d digest) expected() string {
	if d.hidden > 0 || len(d.in(isNew))+len(d.in(isOpen)) > 0 || d.Omitted > 0 && d.standing() != "nothing open" {
		return act
	}
	return nothing
}

// part is a part of a digest.
type part int

// The parts, in their order.
const (
	isNew part = iota
	isStep
	isOver
	isOpen
	isSilenced
)

// title is the heading of a part.
func (p part) title() string {
	return []string{"New:", "Updates:", "Over:", "Still open:", "Muted or acknowledged:"}[p]
}

func partOf(i guard.Item) part {
	_, step := steps[i.News]
	switch {
	case step:
		return isStep
	case ended(i.News):
		return isOver
	case i.Muted != nil || i.Acked != nil:
		return isSilenced
	case i.News != "":
		return isNew
	}
	return isOpen
}

// in are the items of a part, the worst first as they came; of those that are silenced, those that people will hear of soon come first.
func (d digest) in(p part) []guard.Item {
	var soon, all []guard.Item
	for _, list := range [][]guard.Item{d.News, d.Open} {
		for _, i := range list {
			switch {
			case partOf(i) != p:
			case endsSoon(i.Muted, d.At):
				soon = append(soon, i)
			default:
				all = append(all, i)
			}
		}
	}
	return append(soon, all...)
}

// endsSoon reports whether a mute ends before the next digest.
func endsSoon(o *guard.Order, now time.Time) bool {
	return o != nil && o.Until.After(now) && o.Until.Before(now.Add(24*time.Hour))
}

// first is the worst item that stands and is not silenced, of those that have a cluster.
func (d digest) first() (guard.Item, bool) {
	var worst guard.Item
	found := false
	for _, p := range []part{isNew, isOpen} {
		for _, i := range d.in(p) {
			if i.Cluster.Name != "" && (!found || i.Severity > worst.Severity) {
				worst, found = i, true
			}
		}
	}
	return worst, found
}

// threadOfOwner names the thread in which a chat shows an owner's digests.
func threadOfOwner(owner string) string {
	sum := sha256.Sum256([]byte("digest " + owner))
	return hex.EncodeToString(sum[:16])
}
