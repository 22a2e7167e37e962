package notify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

func TestEachKindOfNewsHasItsDetailType(t *testing.T) {
	for news, want := range map[guard.News]string{
		guard.Opened: "Finding Opened", guard.Changed: "Finding Changed", guard.Reminded: "Finding Reminded", guard.Recovered: "Finding Resolved",
		guard.Closed: "Finding Resolved", guard.Started: "Update Started", guard.Updated: "Update Completed", guard.NotDone: "Update Failed",
		guard.Lost:    "Update Lost",
		guard.Sampled: "Test", "one that is to come": "News",
	} {
		m := sample(guard.CapacityLow, guard.Critical)
		m.News = news
		if got := notify.EventOf(m).Type; got != want {
			t.Errorf("%s: %s, want %s", news, got, want)
		}
	}
	if got := notify.EventOfDigest(guard.Digest{}).Type; got != "Digest" {
		t.Errorf("a digest: %s", got)
	}
}

// The sample for those who build on it is what is sent, in the envelope that EventBridge puts around it.
func TestTheSampleOfAnEventIsWhatIsSent(t *testing.T) {
	const file = "../../events/news-finding-opened.json"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := samples()["capacity-low"]
	m.Done = []string{"put alarm cniguard-prod-eu-pod-subnets"}
	e := notify.EventOf(m)
	resources, err := json.Marshal(e.Resources)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	whole := fmt.Sprintf(`{"version":"0","id":"6c0f1a52-0000-4000-8000-000000000090","detail-type":%q,"source":%q,"account":"444455556666","time":%q,`+
		`"region":"eu-central-1","resources":%s,"detail":%s}`, e.Type, event.NewsSource, e.At.Format(time.RFC3339), resources, e.Detail)
	if err := json.Indent(&want, []byte(whole), "", "  "); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	if *update {
		if raw = want.Bytes(); os.WriteFile(file, raw, 0o644) != nil {
			t.Fatal("it cannot be written")
		}
	}
	if diff := cmp.Diff(want.String(), string(raw)); diff != "" {
		t.Errorf("-sent +sample:\n%s", diff)
	}
}

func TestAnEventSaysWhatProgramsAreTold(t *testing.T) {
	m := sample(guard.CapacityLow, guard.Critical, "used", "96.8 %")
	want := notify.Event{Type: "Finding Opened", Resources: []string{"arn:aws:eks:eu-central-1:111122223333:cluster/prod-eu"}, Detail: notify.Render(m).JSON, At: now}
	if diff := cmp.Diff(want, notify.EventOf(m)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	m.Cluster.Name = ""
	if got := notify.EventOf(m).Resources; got != nil {
		t.Errorf("of no cluster: %v", got)
	}
}

// An entry was bounded by 256 KB, and is by more today: detail, source, detail-type, resources, and 14 bytes for the time.
func TestAnEventStaysFarBelowWhatEventBridgeTakes(t *testing.T) {
	longest := 0
	for seed := range uint64(200) {
		e := notify.EventOf(random(rand.New(rand.NewPCG(seed, 1))))
		longest = max(longest, len(e.Detail)+len("cniguard.news")+len(e.Type)+len(strings.Join(e.Resources, ""))+14)
	}
	m := sample(guard.AddonUnhealthy, guard.Warning)
	for range 10_000 {
		m.Finding.Facts = append(m.Finding.Facts, guard.Fact{Name: strings.Repeat(`\`, 60), Value: strings.Repeat("🚀", 300)})
	}
	longest = max(longest, len(notify.EventOf(m).Detail))
	if longest > 128<<10 || longest < 10<<10 {
		t.Errorf("the longest has %d bytes", longest)
	}
}

func TestAnEventIsMadeOfAnyMessage(t *testing.T) {
	for _, m := range []guard.Message{{}, {At: time.Unix(1<<40, 0)}} {
		if e := notify.EventOf(m); e.Type == "" || e.Detail == "" || len(e.Resources) > 0 {
			t.Errorf("%+v", e)
		}
	}
}
