package guard

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/plain"
)

// Digest tells an owner once a day what can wait: what is new since the last one, and what stands.
type Digest struct {
	Key   string    `json:"key"` // the same key is the same digest
	Owner string    `json:"owner"`
	At    time.Time `json:"at"` // when it was due
	// News is what began, changed or ended since the last digest; Open is what was known before and stands, muted matters of every severity
	// among them. Both have the worst first, and at most MostItems together; Omitted counts the rest.
	News    []Item `json:"news,omitempty"`
	Open    []Item `json:"open,omitempty"`
	Omitted int    `json:"omitted,omitempty"`

	Clusters  int              `json:"clusters"`            // of the owner
	Began     int              `json:"began"`               // matters that began or changed since the last digest, with those left out
	Ended     int              `json:"ended"`               // matters that ended since then
	Stand     map[Severity]int `json:"stand"`               // matters that stand, new ones too
	Kinds     map[Code]int     `json:"kinds,omitempty"`     // the same by finding
	Unchecked int              `json:"unchecked,omitempty"` // members of which something is not known
	Hidden    []Fact           `json:"hidden,omitempty"`    // the first of these, and why; untrusted
	Alarms    int              `json:"alarms"`              // CloudWatch alarms that cniguard keeps for the owner's clusters
	USD       float64          `json:"usd"`                 // what they cost a month, by list prices of us-east-1
}

// What a digest has as news and as finding, where messages have theirs.
const (
	Digested   News = "digest"
	DigestCode Code = "digest"
)

// MostItems bounds a digest; one whose texts are long has fewer, so that it stays below MostBytes as JSON.
const (
	MostItems = 200
	MostBytes = 200_000 // an item of DynamoDB has 400 KB, and MostTaken keys are in it too
)

// MostTaken is how many messages a digest takes over: their keys and its items must fit into an item of the ledger. The rest waits for the next.
const MostTaken = 4_000

// Item is one matter in a digest.
type Item struct {
	Key      string     `json:"key,omitempty"`  // of the message whose news it is; empty: it has none
	Thread   string     `json:"thread"`         // as Message.Thread
	News     News       `json:"news,omitempty"` // empty: it stands as it did
	Cluster  cluster.ID `json:"cluster"`
	Finding  Code       `json:"finding"`
	Severity Severity   `json:"severity"`
	First    time.Time  `json:"first"`
	At       time.Time  `json:"at"`                // of the news; when it stands, when it was told last
	Version  string     `json:"version,omitempty"` // installed; untrusted
	Next     string     `json:"next,omitempty"`    // the version that an update would lead to
	Facts    []Fact     `json:"facts,omitempty"`   // the first ones of its news; untrusted
	Muted    *Order     `json:"muted,omitempty"`   // it is not told because of this
	Acked    *Order     `json:"acked,omitempty"`   // nobody is reminded of it because of this
}

// Member is a cluster of an owner, or an account and region where the cluster has no name, as the ledger has it.
type Member struct {
	Cluster cluster.ID
	Record  Record
}

// Answers are who answers for a member: the owner that was read last, or its account.
func (m Member) Answers() string { return cmp.Or(m.Record.Owner, m.Cluster.Account) }

const (
	mostHidden = 20  // members that were not checked, by name
	itemFacts  = 2   // of a message
	factRunes  = 120 // of a fact's value
)

// Summarize makes an owner's digest of what the ledger has of its members, and says which messages it takes over, by key: they have been told
// with it. False: there is nothing to tell. Late is how long ago a member was looked at last when something is wrong.
func Summarize(owner string, at, now time.Time, members []Member, late time.Duration) (d Digest, taken []string, any bool) {
	s := summary{d: Digest{Key: digest(owner, at.UTC().Format(time.RFC3339)), Owner: owner, At: at, Stand: map[Severity]int{}, Kinds: map[Code]int{}}, now: now, late: late}
	for _, m := range members {
		s.add(m)
	}
	d = s.d
	for _, i := range d.News {
		if isOver(i.News) {
			d.Ended++
		} else {
			d.Began++
		}
	}
	any = len(d.News) > 0 || slices.ContainsFunc(d.Open, s.calls)
	return bounded(d), s.taken, any
}

// summary is a digest in the making.
type summary struct {
	d     Digest
	taken []string
	now   time.Time
	late  time.Duration
}

func (s *summary) add(m Member) {
	rec := m.Record
	news := s.news(m)
	c := conclusion{in: Input{ID: m.Cluster}}
	for _, code := range sortedKeys(rec.Told) {
		t := rec.Told[code]
		if t.Times == 0 && t.Silenced(s.now) == nil {
			continue // it may pass before it is told
		}
		s.d.Stand[t.severity()]++
		s.d.Kinds[code]++
		thread := c.thread(code, t.First)
		if i, isNews := news[thread]; isNews {
			i.Severity = t.severity()
			news[thread] = s.silenced(i, t)
		} else {
			s.d.Open = append(s.d.Open, s.standing(m, code, t, thread))
		}
	}
	s.d.News = slices.AppendSeq(s.d.News, maps.Values(news))
	if rec.Gone {
		return
	}
	if m.Cluster.Name != "" {
		s.d.Clusters++
	}
	for _, k := range rec.Alarms {
		s.d.Alarms++
		s.d.USD += k.USD()
	}
	if why := s.unchecked(m); why != "" {
		if s.d.Unchecked++; s.d.Unchecked <= mostHidden {
			s.d.Hidden = append(s.d.Hidden, Fact{strings.TrimSuffix(m.Cluster.String(), "/"), plain.Clean(why, plain.Text)})
		}
	}
}

// news are the messages that wait for a digest, one item for each matter, with the last word on it.
func (s *summary) news(m Member) map[string]Item {
	items := map[string]Item{}
	for _, w := range m.Record.Outbox {
		if w.Lane != InDigest || w.Digested || len(s.taken) == MostTaken {
			continue
		}
		s.taken = append(s.taken, w.Key)
		i := Item{
			Key: w.Key, Thread: w.Thread, News: w.News, Cluster: m.Cluster, Finding: w.Finding.Code, Severity: w.Finding.Severity,
			First: w.First, At: w.At, Version: w.Version,
		}
		for _, f := range w.Finding.Facts[:min(len(w.Finding.Facts), itemFacts)] {
			i.Facts = append(i.Facts, Fact{f.Name, plain.Clean(f.Value, factRunes)})
		}
		if len(w.Path) > 0 {
			i.Next = w.Path[0]
		}
		if before, known := items[w.Thread]; known && before.News == Opened && w.News == Changed {
			i.News = Opened // it is new to who reads this
		}
		items[w.Thread] = i
	}
	return items
}

func (s *summary) standing(m Member, code Code, t Told, thread string) Item {
	i := Item{
		Thread: thread, Cluster: m.Cluster, Finding: code, Severity: t.severity(), First: t.First, At: t.Last, Version: m.Record.Version,
	}
	if t.Times == 0 {
		i.At = t.First // it is muted, and nobody was told
	}
	if len(m.Record.Path) > 0 {
		i.Next = m.Record.Path[0]
	}
	return s.silenced(i, t)
}

// silenced is an item with the word that keeps people from being told of it, or reminded.
func (s *summary) silenced(i Item, t Told) Item {
	switch word := t.Silenced(s.now); {
	case word == nil:
	case t.muted():
		i.Muted = word
	default:
		i.Acked = word
	}
	return i
}

// calls reports whether a matter that stands is reason enough for a digest: what is only worth knowing is not, nor is a warning that somebody
// has answered, until that ends.
func (s *summary) calls(i Item) bool {
	word := cmp.Or(i.Muted, i.Acked)
	return i.Severity == Critical || i.Severity == Warning && (word == nil || !word.Until.After(s.d.At.Add(24*time.Hour)))
}

// unchecked says why something of a member is not known; empty: all is. An account and region has a record only while it cannot be listed, which
// is not saved again once it can.
func (s *summary) unchecked(m Member) string {
	rec := m.Record
	if m.Cluster.Name != "" && !rec.Seen.IsZero() && s.now.Sub(rec.Seen) > s.late {
		return "not looked at since " + rec.Seen.UTC().Format("2006-01-02 15:04 UTC")
	}
	for _, a := range []Answer{rec.Verdict.Install, rec.Verdict.Version, rec.Verdict.Capacity} {
		if a.Word == Unknown {
			return a.Because
		}
	}
	return ""
}

// bounded is a digest with the worst of its items, as many as it may have.
func bounded(d Digest) Digest {
	news, open := sorted(d.News), sorted(d.Open)
	for most := MostItems; ; most = most * 9 / 10 {
		d.News, d.Open, d.Omitted = shares(news, open, most)
		if raw, err := json.Marshal(d); err == nil && len(raw) <= MostBytes || most == 0 {
			return d
		}
	}
}

// shares leaves room for what is critical in both lists before anything else, and then for news before what stands.
func shares(news, open []Item, most int) (fewerNews, fewerOpen []Item, omitted int) {
	worst := func(items []Item) int {
		return len(slices.DeleteFunc(slices.Clone(items), func(i Item) bool { return i.Severity != Critical || isOver(i.News) }))
	}
	forOpen := min(worst(open), most-min(worst(news), most))
	n := min(len(news), most-forOpen)
	o := min(len(open), most-n)
	return news[:n], open[:o], len(news) + len(open) - n - o
}

func isOver(n News) bool { return n == Recovered || n == Closed }

// sorted has what stands before what is over, then the worst first, then the oldest.
func sorted(items []Item) []Item {
	rank := func(i Item) int {
		if isOver(i.News) {
			return 1
		}
		return 0
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Severity, a.Severity), a.First.Compare(b.First),
			cluster.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Finding, b.Finding))
	})
	return items
}
