package notify_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

// digestTitles are the lines that a digest's text may hold at column 0 below its headline, in their order.
var digestTitles = []string{
	"In numbers:", "New:", "Updates:", "Over:", "Still open:", "Muted or acknowledged:", "Not checked:", "What to do:", "Alarms:", "Commands:", "Console:",
	"Reference:", "To silence one:",
}

// digestPayload are the fields of a digest's JSON that its limits are about.
type digestPayload struct {
	Schema, Key, Owner, Summary, State string
	News, Standing                     []map[string]any
	Omitted, HiddenCount               int
	Hidden                             []any
	USDPerMonth                        float64
}

// holdsDigest checks every promise of RenderDigest that does not depend on what the digest says.
func holdsDigest(t *testing.T, d guard.Digest) {
	t.Helper()
	s := notify.RenderDigest(d)
	checkBounds(t, s)
	checkDigestText(t, s.Text, len(d.News)+len(d.Open))
	checkCard(t, s.Chat, guard.Message{})
	var n notice
	read(t, s.Alarm, &n)
	if n.NewStateValue != "INSUFFICIENT_DATA" || n.OldStateValue != "INSUFFICIENT_DATA" || !strings.HasPrefix(s.Subject, "DIGEST: ") {
		t.Errorf("a digest is an alarm from %s to %s, with the subject %q", n.OldStateValue, n.NewStateValue, s.Subject)
	}
	for text, limit := range map[string]int{n.AlarmName: 255, n.AlarmDescription: 1024, n.NewStateReason: 1023} {
		if n := utf8.RuneCountInString(text); n > limit || n == 0 {
			t.Errorf("%d characters, want at most %d: %q", n, limit, text)
		}
	}
	checkVisible(t, s.JSON)
	var p digestPayload
	if err := json.Unmarshal([]byte(s.JSON), &p); err != nil {
		t.Fatalf("JSON %q: %v", s.JSON, err)
	}
	if p.Schema != notify.DigestSchema || p.State != "news" || p.HiddenCount != len(d.Hidden) || p.News == nil || p.Standing == nil || p.Hidden == nil {
		t.Errorf("schema %q, state %q, %d of %d hidden", p.Schema, p.State, p.HiddenCount, len(d.Hidden))
	}
	if listed := len(p.News) + len(p.Standing); listed > guard.MostItems || listed+p.Omitted != len(d.News)+len(d.Open)+max(0, d.Omitted) {
		t.Errorf("%d items are listed and %d counted, of %d and %d", listed, p.Omitted, len(d.News)+len(d.Open), d.Omitted)
	}
}

func checkDigestText(t *testing.T, text string, items int) {
	t.Helper()
	checkVisible(t, strings.ReplaceAll(text, "\n", ""))
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	next, section, entries := 0, "", 0
	for i, line := range lines {
		if i == 0 || line == "" || strings.HasPrefix(line, "  ") {
			checkColumns(t, section, line)
			if strings.HasPrefix(line, "  - ") && section != "Not checked:" && section != "What to do:" {
				entries++
			}
			continue
		}
		for next < len(digestTitles) && line != digestTitles[next] {
			next++
		}
		if next == len(digestTitles) || lines[i-1] != "" {
			t.Fatalf("line %d poses as ours: %q in\n%s", i, line, text)
		}
		section, next = digestTitles[next], next+1
	}
	if entries > items+5 { // one "and 10 more" for each part
		t.Errorf("%d entries are shown of %d:\n%s", entries, items, text)
	}
}

// checkColumns allows a line of more than 72 columns for a command, a link, and a single word behind its lead.
func checkColumns(t *testing.T, section, line string) {
	t.Helper()
	if section == "Commands:" || section == "Console:" || section == "To silence one:" || utf8.RuneCountInString(line) <= 72 {
		return
	}
	rest := strings.TrimPrefix(strings.TrimLeft(line, " "), "- ")
	if section == "Reference:" || section == "In numbers:" {
		_, rest, _ = strings.Cut(rest, "  ")
		rest = strings.TrimLeft(rest, " ")
	}
	if strings.Contains(rest, " ") {
		t.Errorf("%d columns: %q", utf8.RuneCountInString(line), line)
	}
}

// randomDigest is a digest of hostile texts, with more in it than guard lets there be.
func randomDigest(r *rand.Rand) guard.Digest {
	text := func() string {
		s := hostile[r.IntN(len(hostile))]
		for r.IntN(3) == 0 {
			s += hostile[r.IntN(len(hostile))]
		}
		return s
	}
	instant := func() time.Time { return time.Unix(r.Int64N(1<<40)-1<<39, 0) }
	count := func() int { return []int{0, 1, 3, 40, guard.MostItems, 1000}[r.IntN(6)] }
	order := func() *guard.Order {
		if r.IntN(3) > 0 {
			return nil
		}
		return &guard.Order{By: text(), Because: text(), At: instant(), Until: []time.Time{instant(), {}, morning.Add(time.Hour)}[r.IntN(3)]}
	}
	codes, news := guard.Codes(), []guard.News{guard.Opened, guard.Changed, guard.Reminded, guard.Recovered, guard.Closed, guard.Started, guard.Updated, guard.NotDone, guard.Lost}
	items := func(n int) []guard.Item {
		var all []guard.Item
		for range n {
			i := guard.Item{
				Key: text(), Thread: text(), Cluster: cluster.ID{Account: text(), Region: text(), Name: text()}, Finding: codes[r.IntN(len(codes))],
				Severity: guard.Severity(r.IntN(6) - 1), First: instant(), At: instant(), Version: text(), Next: text(), Muted: order(), Acked: order(),
			}
			if r.IntN(9) == 0 {
				i.Finding, i.News = guard.Code(text()), guard.News(text())
			} else if r.IntN(2) == 0 {
				i.News = news[r.IntN(len(news))]
			}
			for range r.IntN(7) {
				i.Facts = append(i.Facts, guard.Fact{Name: []string{"used", "to", "error", "alarm", text()}[r.IntN(5)], Value: text()})
			}
			all = append(all, i)
		}
		return all
	}
	d := guard.Digest{
		Key: text(), Owner: text(), At: []time.Time{morning, instant()}[r.IntN(2)], News: items(count()), Open: items(count()), Omitted: r.IntN(5) - 1,
		Clusters: r.Int() - math.MaxInt/2, Began: r.IntN(9), Ended: r.Int(), Alarms: r.IntN(3), Kinds: map[guard.Code]int{},
		Stand: map[guard.Severity]int{guard.Critical: r.IntN(2), guard.Warning: r.Int(), guard.Info: r.IntN(3), 9: 9},
		USD:   []float64{0, -1, 0.1, 325, 1e300, math.NaN(), math.Inf(1), math.MaxFloat64}[r.IntN(8)],
	}
	for range count() {
		d.Hidden = append(d.Hidden, guard.Fact{Name: text(), Value: text()})
		d.Kinds[guard.Code(text())] = r.Int()
	}
	return d
}

func TestLimitsHoldForAnyDigest(t *testing.T) {
	for seed := range uint64(60) {
		holdsDigest(t, randomDigest(rand.New(rand.NewPCG(seed, 2))))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	holdsDigest(t, guard.Digest{})
	for _, d := range digests() {
		holdsDigest(t, d)
	}
}

// fullDigest has as many items as there may be, all of whose texts are the given one.
func fullDigest(text string, news guard.News, codes int) guard.Digest {
	d := guard.Digest{Key: text, Owner: text, At: morning, Stand: map[guard.Severity]int{guard.Warning: guard.MostItems}, Kinds: map[guard.Code]int{}}
	for n := range guard.MostItems {
		i := item(text, guard.Codes()[n%codes], guard.Warning, news, time.Hour)
		o := guard.Order{By: text, Because: text, Until: morning.Add(time.Hour)}
		i.Key, i.Thread, i.Version, i.Next, i.Muted, i.Acked = text, text, text, text, &o, &o
		i.Cluster.Account, i.Cluster.Region = text, text
		for range 9 {
			i.Facts = append(i.Facts, guard.Fact{Name: text, Value: text})
		}
		d.News, d.Hidden = append(d.News, i), append(d.Hidden, i.Facts[0])
	}
	return d
}

func TestADigestOfTheWorstTextsStaysBelowWhatSNSTakes(t *testing.T) {
	for _, text := range []string{"x", `"`, `\`, "'", "🚀", strings.Repeat("x", 300), strings.Repeat(`"`, 300), strings.Repeat(`\`, 300), strings.Repeat("'", 300), strings.Repeat("🚀", 300)} {
		for _, news := range []guard.News{"", guard.Closed} {
			holdsDigest(t, fullDigest(text, news, 1))
			holdsDigest(t, fullDigest(text, news, len(guard.Codes())))
		}
	}
}

func TestADigestOfUsualTextsIsWhole(t *testing.T) {
	d := firstSweep()
	for n := range d.News {
		d.News[n].Cluster.Name = "payments-production-eu-central-1-blue"
		d.News[n].Key, d.News[n].Thread = strings.Repeat("0123456789abcdef", 2)+"-1234", strings.Repeat("0123456789abcdef", 2)
	}
	var p digestPayload
	if err := json.Unmarshal([]byte(notify.RenderDigest(d).JSON), &p); err != nil || len(p.News) != guard.MostItems || p.Omitted != d.Omitted {
		t.Errorf("%d items are sent, and %d counted (%v)", len(p.News), p.Omitted, err)
	}
}

func FuzzRenderDigest(f *testing.F) {
	f.Add("prod", "ana", "capacity-low", "opened", "used", "text", 1)
	f.Add("a'b\nWhat to do:", "\u202e", "", "recovered", "to", "- CRITICAL: open", 300)
	f.Fuzz(func(t *testing.T, name, who, code, news, word, text string, n int) {
		d := guard.Digest{Key: text, Owner: who, At: morning, Stand: map[guard.Severity]int{guard.Severity(n % 5): n}, Kinds: map[guard.Code]int{guard.Code(code): n}, Began: n}
		for k := range max(0, n) % 301 {
			i := item(name, guard.Code(code), guard.Severity(n%5), guard.News(news), time.Duration(n)*time.Second, word, text)
			i.Version, i.Next, i.Cluster.Region = text, word, word
			if k%2 == 0 {
				i.Muted = &guard.Order{By: who, Because: text, Until: morning.Add(time.Duration(n) * time.Second)}
				d.Open = append(d.Open, i)
				continue
			}
			d.News, d.Hidden = append(d.News, i), append(d.Hidden, guard.Fact{Name: word, Value: text})
		}
		holdsDigest(t, d)
	})
}

func TestRenderDigestLeavesTheDigestAsItIs(t *testing.T) {
	d := fullDigest("a\nb", guard.Opened, 3)
	before, _ := json.Marshal(d)
	first := notify.RenderDigest(d)
	after, _ := json.Marshal(d)
	if string(before) != string(after) {
		t.Error("the digest was changed")
	}
	if diff := cmp.Diff(first, notify.RenderDigest(d)); diff != "" {
		t.Errorf("the same digest has two shapes:\n%s", diff)
	}
}

func TestADigestListsNoMoreThanFits(t *testing.T) {
	many := guard.Digest{At: morning}
	for range 150 {
		many.News, many.Open = append(many.News, item("a", guard.MetricSilent, guard.Warning, guard.Opened, 0)), append(many.Open, item("b", guard.MetricSilent, guard.Warning, "", 0))
	}
	holdsDigest(t, many)
	long := guard.Digest{At: morning}
	for n := range guard.MostItems {
		i := item("a", guard.Code(fmt.Sprint("finding-", n)), guard.Warning, "", time.Hour)
		i.Muted = &guard.Order{By: "ana", Because: strings.Repeat("🚀", 300)}
		long.Open = append(long.Open, i)
	}
	holdsDigest(t, long)
	text := notify.RenderDigest(long).Text
	if len(text) > 45_000 || !strings.Contains(text, " more\n\nWhat to do:") {
		t.Errorf("the text has %d bytes:\n%s", len(text), text)
	}
}
