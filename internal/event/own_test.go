package event_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

var kinds = []event.Kind{event.Check, event.Test, event.Tick, event.Meter, event.Metering, event.Sweep, event.Sweeping}

// delivered is a wake-up in the envelope that EventBridge puts around what PutEvents was given.
func delivered(t testing.TB, e event.Trigger) []byte {
	t.Helper()
	source, detailType, detail, err := event.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{
		"version": "0", "id": e.ID, "source": source, "detail-type": detailType, "account": e.From.Account,
		"time": "2020-01-01T00:00:00Z", "region": e.From.Region, "resources": []string{}, "detail": json.RawMessage(detail),
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestWhatIsWrittenIsReadAgainTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func(alphabet string, length int) string {
		letters := make([]byte, length)
		for i := range letters {
			letters[i] = alphabet[random.IntN(len(alphabet))]
		}
		return string(letters)
	}
	unit := func() event.Unit {
		regions := []string{"eu-central-1", "us-gov-west-1", "cn-north-1"}
		return event.Unit{Account: word("0123456789", 12), Region: regions[random.IntN(len(regions))]}
	}
	named := func() string { return "c" + word("abcXYZ019-_", random.IntN(100)) }
	for range 2000 {
		want := event.Trigger{
			Kind: kinds[random.IntN(len(kinds))],
			ID:   word("0123456789abcdef-", 36),
			From: unit(),
			Why:  "w" + word("abc \"\\<&>\n%é", random.IntN(100)),
			At:   time.Unix(random.Int64N(4e9), random.Int64N(1e9)).UTC(),
		}
		u := unit()
		switch want.Kind {
		case event.Check:
			want.Faint = random.IntN(2) == 0
			want.Cluster = cluster.ID{Account: u.Account, Region: u.Region, Name: named()}
		case event.Test:
			want.Nonce, want.Channel = word("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 26), word("abcdefghijklmnopqrstuvwxyz", 1+random.IntN(20))
		case event.Metering:
			want.Unit = u
		case event.Sweeping:
			want.Unit, want.Run = u, word("abc:-", 1+random.IntN(40))
			want.Faint = random.IntN(2) == 0
			if random.IntN(2) == 0 {
				want.After = named()
			}
		}
		want.Why = strings.ToValidUTF8(want.Why, "?")
		have, err := event.Decode(delivered(t, want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Fatalf("-written +read\n%s", diff)
		}
	}
}

func TestAWakeUpWithoutAnInstantStandsForTheTimeItWasSent(t *testing.T) {
	have, err := event.Decode(delivered(t, event.Trigger{Kind: event.Check, ID: "1", From: hub, Cluster: prodEU}))
	want := event.Trigger{Kind: event.Check, ID: "1", From: hub, Cluster: prodEU, Why: "cniguard Check Requested",
		At: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
	if diff := cmp.Diff(want, have); diff != "" || err != nil {
		t.Errorf("%v\n-want +have\n%s", err, diff)
	}
}

func TestWhatCouldNotBeReadAgainIsNotWritten(t *testing.T) {
	for name, c := range map[string]struct {
		t    event.Trigger
		want string
	}{
		"nothing is asked for":          {event.Trigger{Kind: event.Skip}, `write event: "skip" is no kind of wake-up`},
		"several checks at once":        {event.Trigger{Kind: event.Checks, Clusters: []cluster.ID{prodEU}}, `write event: "checks" is no kind of wake-up`},
		"what an alarm asks for":        {event.Trigger{Kind: event.Probe, Nonce: "n"}, `write event: "probe" is no kind of wake-up`},
		"the kind is missing":           {event.Trigger{}, `write event: "" is no kind of wake-up`},
		"a check of no cluster":         {event.Trigger{Kind: event.Check}, "write event Check Requested: detail.account: want"},
		"a check of a bad name":         {event.Trigger{Kind: event.Check, Cluster: cluster.ID{Account: member.Account, Region: member.Region, Name: "-"}}, "write event Check Requested: detail.name: want"},
		"a metering of no unit":         {event.Trigger{Kind: event.Metering, Cluster: prodEU}, "write event Metering: detail.account: want"},
		"a test without a nonce":        {event.Trigger{Kind: event.Test, Channel: "chat"}, "write event Test Requested: detail.nonce: want"},
		"a test of no channel":          {event.Trigger{Kind: event.Test, Nonce: "K3QZ7M2VXWPLT5ORJAYB6DNHCE"}, "write event Test Requested: detail.channel: want"},
		"a sweeping that has no run":    {event.Trigger{Kind: event.Sweeping, Unit: member}, "write event Sweeping: detail.run: want"},
		"a sweeping after no such name": {event.Trigger{Kind: event.Sweeping, Unit: member, Run: "r", After: "a b"}, "write event Sweeping: detail.after: want"},
	} {
		t.Run(name, func(t *testing.T) {
			source, detailType, detail, err := event.Encode(c.t)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("want %s…\nhave %v", c.want, err)
			}
			if source != "" || detailType != "" || detail != nil {
				t.Errorf("an error and an event: %s %s %s", source, detailType, detail)
			}
		})
	}
}

func TestTheEventOfAScheduleIsTheSample(t *testing.T) {
	for _, c := range []struct {
		kind   event.Kind
		sample string
		hour   int
		minute int
	}{
		{event.Tick, "own-tick.json", 9, 30},
		{event.Meter, "own-meter.json", 9, 30},
		{event.Sweep, "own-sweep.json", 12, 0},
	} {
		local := time.FixedZone("CET", 3600)
		at := time.Date(2026, 11, 23, c.hour, c.minute, 0, 0, time.UTC).In(local)
		var want, have any
		if err := json.Unmarshal(read(t, c.sample), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(event.Scheduled(c.kind, hub.Account, hub.Region, at), &have); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s: -sample +scheduled\n%s", c.kind, diff)
		}
	}
}

func TestAScheduleCannotAskForWhatNeedsMore(t *testing.T) {
	for _, k := range []event.Kind{event.Check, event.Test, event.Metering, event.Sweeping, event.Skip} {
		if have, err := event.Decode(event.Scheduled(k, hub.Account, hub.Region, time.Unix(0, 0))); err == nil {
			t.Errorf("%s: have %+v", k, have)
		}
	}
}

func TestEachOfSeveralChecksIsAWakeUpOfItsOwn(t *testing.T) {
	when := time.Date(2026, 11, 23, 10, 20, 0, 0, time.UTC)
	several := event.Trigger{Kind: event.Checks, ID: "1", From: member, Why: "because", At: when, Clusters: []cluster.ID{prodEU, testEU}}
	var have []event.Trigger
	for _, one := range several.Each() {
		one.ID, one.From = "2", hub
		read, err := event.Decode(delivered(t, one))
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, read)
	}
	want := []event.Trigger{
		{Kind: event.Check, ID: "2", From: hub, Why: "because", At: when, Cluster: prodEU},
		{Kind: event.Check, ID: "2", From: hub, Why: "because", At: when, Cluster: testEU},
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("-want +have\n%s", diff)
	}
}
