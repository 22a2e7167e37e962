package notify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

func TestTheSubjectOfADigestCounts(t *testing.T) {
	for want, d := range map[string]guard.Digest{
		"DIGEST: payments: 3 critical, 400 warnings; 12 new, 5 over": {Owner: "payments", Stand: map[guard.Severity]int{guard.Critical: 3, guard.Warning: 400}, Began: 12, Ended: 5},
		"DIGEST: payments: 1 warning, 2 info; nothing new":           {Owner: "payments", Stand: map[guard.Severity]int{guard.Info: 2, guard.Warning: 1}},
		"DIGEST: account 111122223333: nothing open; 5 over":         {Owner: "111122223333", Ended: 5},
		"DIGEST: payments: nothing open; nothing new; 1 not checked": {Owner: "payments", Hidden: facts("111122223333/eu-west-1", "denied")},
		"DIGEST: clusters of nobody: nothing open; nothing new":      {},
	} {
		if s := notify.RenderDigest(d); s.Subject != want || s.SMS != want || !strings.HasPrefix(s.Text, want+"\n") {
			t.Errorf("subject %q, SMS %q, text %q; want %q", s.Subject, s.SMS, s.Text, want)
		}
	}
}

func TestADigestIsSelectedByWhatIsWorstAndWhatIsExpected(t *testing.T) {
	warning := item("a", guard.MetricSilent, guard.Warning, "", time.Hour)
	known := warning
	known.Acked = &guard.Order{By: "bo"}
	stand := map[guard.Severity]int{guard.Warning: 1}
	for name, c := range map[string]struct {
		d                guard.Digest
		severity, action string
	}{
		"what stands asks for a person":       {guard.Digest{Open: []guard.Item{warning}, Stand: stand}, "warning", "act"},
		"what somebody has seen does not":     {guard.Digest{Open: []guard.Item{known}, Stand: stand}, "warning", "none"},
		"what is not listed may":              {guard.Digest{Open: []guard.Item{known}, Stand: stand, Omitted: 1}, "warning", "act"},
		"what was not checked does":           {guard.Digest{Hidden: facts("a", "b")}, "info", "act"},
		"what is over does not":               {guard.Digest{News: []guard.Item{item("a", guard.MetricSilent, guard.Critical, guard.Recovered, time.Hour)}}, "info", "none"},
		"an update that is over does not":     {guard.Digest{News: []guard.Item{item("a", guard.UpdateProgress, guard.Info, guard.Updated, 0)}}, "info", "none"},
		"the worst of what stands is counted": {guard.Digest{Stand: map[guard.Severity]int{guard.Info: 5, guard.Critical: 1, guard.Warning: 3}}, "critical", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			c.d.Owner = "111122223333"
			want := map[string]string{
				"severity": c.severity, "finding": "digest", "news": "digest", "state": "news", "owner": "111122223333", "account": "111122223333", "action": c.action,
			}
			if diff := cmp.Diff(want, notify.RenderDigest(c.d).Attributes); diff != "" {
				t.Errorf("-want +have:\n%s", diff)
			}
		})
	}
}

// flat is a text as one line.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestAMuteThatEndsIsMarked(t *testing.T) {
	for name, c := range map[string]struct {
		until time.Duration // after the digest
		want  string
	}{
		"later the same day":        {10 * time.Hour, "muted by ana (later); ends today, 2026-11-23 18:00 UTC, and is told again then if it is still open"},
		"the next morning":          {23 * time.Hour, "muted by ana (later); ends tomorrow, 2026-11-24 07:00 UTC, and is told again then if it is still open"},
		"after the next digest":     {24 * time.Hour, "muted until 2026-11-24 08:00 UTC by ana (later)"},
		"it has ended, or never is": {-time.Hour, "muted until 2026-11-23 07:00 UTC by ana (later)"},
	} {
		t.Run(name, func(t *testing.T) {
			i := item("prod", guard.MetricSilent, guard.Warning, "", 48*time.Hour)
			i.Muted = &guard.Order{By: "arn:aws:sts::111122223333:assumed-role/ops/ana", Because: "later", Until: morning.Add(c.until)}
			text := flat(notify.RenderDigest(guard.Digest{At: morning, Open: []guard.Item{i}}).Text)
			if !strings.Contains(text, c.want+" What to do:") {
				t.Errorf("no %q in %s", c.want, text)
			}
		})
	}
}

func TestWhatCameAndWentSaysHowLongItLasted(t *testing.T) {
	i := item("prod", guard.MetricSilent, guard.Warning, guard.Recovered, 5*time.Hour)
	i.At = i.First.Add(90 * time.Minute)
	text := flat(notify.RenderDigest(guard.Digest{At: morning, News: []guard.Item{i}, Ended: 1}).Text)
	if want := "Over: - RECOVERED: prod (eu-central-1, 111122223333): the IP alarms get data again; lasted 1 h 30 min"; !strings.Contains(text, want) {
		t.Errorf("no %q in %s", want, text)
	}
}

func TestAGroupThatMayBeLargerSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		omitted, stand int
		more           bool
	}{
		"all are listed":                      {0, 20, false},
		"some are left out, of other kinds":   {5, 20, false},
		"some are left out, of the same kind": {5, 22, true},
		"nobody knows of which kind":          {5, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := guard.Digest{At: morning, Omitted: c.omitted, Kinds: map[guard.Code]int{guard.MetricSilent: c.stand}}
			for n := range 20 {
				d.Open = append(d.Open, item(fmt.Sprint("c", n), guard.MetricSilent, guard.Warning, "", time.Hour))
			}
			text := notify.RenderDigest(d).Text
			if more := strings.Contains(text, "WARNING, at least 20 clusters: an IP alarm gets no data\n"); more != c.more || !strings.Contains(text, "\n      and 10 more\n") {
				t.Errorf("more: %v\n%s", more, text)
			}
		})
	}
}

// A digest has no line that names what a message names.
func TestWhatToDoRefersToNothingThatADigestLacks(t *testing.T) {
	for _, code := range guard.Codes() {
		i := item("prod", code, guard.Warning, guard.Opened, time.Hour, "refused", "no")
		text := flat(notify.RenderDigest(guard.Digest{At: morning, News: []guard.Item{i}}).Text)
		_, advice, _ := strings.Cut(text, " What to do: ")
		advice, _, _ = strings.Cut(advice, " Alarms: ")
		if strings.Contains(advice, "above") || strings.Contains(advice, "below") || strings.Contains(advice, "{") || !strings.HasPrefix(advice, "- "+string(code)+": ") {
			t.Errorf("%s: %s", code, advice)
		}
	}
}

func TestTheDigestsOfAnOwnerAreAThread(t *testing.T) {
	threads := map[string]bool{}
	for _, d := range []guard.Digest{{Owner: "a", Key: "1"}, {Owner: "a", Key: "2"}, {Owner: "b", Key: "3"}} {
		var c card
		if err := json.Unmarshal([]byte(notify.RenderDigest(d).Chat), &c); err != nil || c.ID != d.Key {
			t.Fatalf("%q, %v", c.ID, err)
		}
		threads[c.Metadata.ThreadID] = true
	}
	if len(threads) != 2 {
		t.Errorf("2 owners have %d threads", len(threads))
	}
}

func TestTellDigestPublishesInTheShapeOfItsChannel(t *testing.T) {
	d := digests()["quiet-day"]
	shape := notify.RenderDigest(d)
	for channel, want := range map[notify.Channel]string{notify.OnCall: shape.Envelope(), notify.Chat: shape.Chat, notify.Machine: shape.JSON} {
		sent := &topic{}
		if err := notify.New(sent, channel, "arn:aws:sns:eu-central-1:999900001111:t", clock.Real{}).TellDigest(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if in := sent.got[0]; len(sent.got) != 1 || *in.Message != want || *in.Subject != shape.Subject || len(in.MessageAttributes) != len(shape.Attributes) {
			t.Errorf("%s: %d publishes, first %+v", channel, len(sent.got), in)
		}
	}
}
