package simulate_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// What is foretold of every sample event is what comes of it.
func TestWhatIsForetoldOfAnEventComesTrue(t *testing.T) {
	events := map[string][]byte{
		"no JSON":                  []byte("this is no event"),
		"a tick of the hub":        wakeUp("Tick", "111122223333", "{}"),
		"a check of an unknown":    wakeUp("Check Requested", "111122223333", `{"account":"111122223333","region":"eu-central-1","name":"nobody"}`),
		"a check outside":          wakeUp("Check Requested", "111122223333", `{"account":"111122223333","region":"us-east-1","name":"prod-eu"}`),
		"a sweep of one unit":      wakeUp("Sweeping", "111122223333", `{"account":"111122223333","region":"eu-central-1","run":"1"}`),
		"a sweep of one outside":   wakeUp("Sweeping", "111122223333", `{"account":"111122223333","region":"us-east-1","run":"1"}`),
		"a check by a stranger":    wakeUp("Check Requested", "999988887777", `{"account":"111122223333","region":"eu-central-1","name":"prod-eu"}`),
		"a check without its name": wakeUp("Check Requested", "111122223333", `{}`),
	}
	for _, pattern := range []string{"../../events/*.json", "../../events/malformed/*.json"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range found {
			events[file] = read(t, file)
		}
	}
	p := rules(t, "{version: 1, fleet: [{account: \"111122223333\", regions: [eu-central-1]}]}")
	fates := map[string]int{}
	for file, raw := range events {
		var log bytes.Buffer
		r, lines := start(t, prodWorld(t), p, simulate.Options{Seed: 1, Log: &log})
		r.For(30 * time.Second) // between two instants of the schedules
		asks, ends := r.Foretell(raw)
		undelivered := r.Wake(raw) != nil
		r.For(10 * time.Second)
		words := log.String()
		r.For(5 * time.Minute)
		var want string
		switch {
		case strings.HasSuffix(ends, "would not deliver it"):
			want = "not delivered"
		case strings.Contains(ends, "failure queue"):
			want = "given up"
		case strings.Contains(ends, "may not ask") || strings.Contains(ends, "not in the policy's fleet"):
			want = "refused"
		case asks == "nothing":
			want = "skipped"
		default:
			want = "woken"
		}
		var got string
		switch {
		case undelivered && words == "":
			got = "not delivered"
		case len(of(*lines, simulate.GivenUp, "")) > 0:
			got = "given up"
		case strings.Contains(words, `"event refused"`):
			got = "refused"
		case strings.Contains(words, `"woken"`):
			got = "woken"
		default:
			got = "skipped"
		}
		if fates[got]++; want != got {
			t.Errorf("%s: it asks for %s, but %q; it was %s\n%s", file, asks, ends, got, words)
		}
	}
	for _, fate := range []string{"not delivered", "given up", "refused", "woken"} {
		if fates[fate] == 0 {
			t.Errorf("no sample is %s", fate)
		}
	}
}

// wakeUp is one of cniguard's own events, sent by an account.
func wakeUp(kind, account, detail string) []byte {
	return fmt.Appendf(nil, `{"id":"1","source":"cniguard","detail-type":%q,"account":%q,"region":"eu-central-1","time":"2026-11-23T09:00:00Z","detail":%s}`, kind, account, detail)
}

// prodWorld has the cluster that the sample events are about.
func prodWorld(t *testing.T) world.Spec {
	t.Helper()
	s, err := world.ReadSpec("world.yaml", []byte(`
start: 2026-11-23T09:00:00Z
hub: {account: "111122223333", region: eu-central-1}
clusters: [{name: prod-eu, account: "111122223333", region: eu-central-1, kubernetes: "1.33", addon: {version: v1.18.5-eksbuild.1}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatAnEventAsksForIsSaidInWords(t *testing.T) {
	r, _ := start(t, prodWorld(t), rules(t, "{version: 1, fleet: [{account: \"111122223333\", regions: [eu-central-1]}]}"), simulate.Options{})
	for _, c := range []struct {
		name       string
		raw        []byte
		asks, ends string
	}{
		{"a check", wakeUp("Check Requested", "111122223333", `{"account":"111122223333","region":"eu-central-1","name":"prod-eu","why":"by hand"}`),
			"a check of 111122223333/eu-central-1/prod-eu (by hand)", ""},
		{"a check of a cluster that is not there", wakeUp("Check Requested", "111122223333", `{"account":"111122223333","region":"eu-central-1","name":"nobody","why":"by hand"}`),
			"a check of 111122223333/eu-central-1/nobody (by hand)", "the world has no such cluster, so the check will find none"},
		{"a tick", wakeUp("Tick", "111122223333", "{}"), "the fleet's tick", ""},
		{"a stranger's tick", wakeUp("Tick", "999988887777", "{}"), "the fleet's tick", "account 999988887777 may not ask for this; the hub, 111122223333, may"},
		{"a part of the meter", wakeUp("Metering", "111122223333", `{"account":"111122223333","region":"us-east-1"}`),
			"the metering of account 111122223333 in us-east-1", "account 111122223333 in us-east-1 is not in the policy's fleet"},
		{"checks", read(t, "../../events/health-several.json"),
			"a check of each of 111122223333/eu-central-1/prod-eu, 111122223333/eu-central-1/prod-jobs, 111122223333/eu-central-1/test-eu (Health \"AWS_EKS_PLANNED_LIFECYCLE_EVENT\")",
			"prod-jobs: the world has no such cluster, so the check will find none; test-eu: the world has no such cluster, so the check will find none"},
		{"a stranger's checks", bytes.Replace(read(t, "../../events/health-several.json"), []byte(`"account": "111122223333"`), []byte(`"account": "999988887777"`), 1),
			"a check of each of 111122223333/eu-central-1/prod-eu, 111122223333/eu-central-1/prod-jobs, 111122223333/eu-central-1/test-eu (Health \"AWS_EKS_PLANNED_LIFECYCLE_EVENT\")",
			"account 999988887777 may not ask for this; the hub, 111122223333, may"},
		{"nothing", []byte("{}"), "nothing", "no rule lets it through, so EventBridge would not deliver it"},
	} {
		asks, ends := r.Foretell(c.raw)
		if asks != c.asks || ends != c.ends {
			t.Errorf("%s: it asks for %q, but %q", c.name, asks, ends)
		}
	}
}

// A world that says "copies: 2" has prod-1 and prod-2, and no prod.
func TestACheckIsForetoldOfTheClustersThatTheWorldHasByThen(t *testing.T) {
	r, _ := start(t, copiedWorld(t), rules(t, "{version: 1, fleet: [{account: \"111122223333\", regions: [eu-central-1]}]}"), simulate.Options{})
	for _, c := range []struct{ name, region, ends string }{
		{"prod-1", "eu-central-1", ""},
		{"prod-2", "eu-central-1", ""},
		{"prod", "eu-central-1", "the world has no such cluster, so the check will find none"},
		{"prod-3", "eu-central-1", "the world has no such cluster, so the check will find none"},
		{"later-1", "eu-central-1", "it is not there yet: the world creates it 1h after the start"},
		{"prod-1", "us-east-1", "account 111122223333 in us-east-1 is not in the policy's fleet, so cniguard never looks there"},
	} {
		raw := wakeUp("Check Requested", "111122223333", fmt.Sprintf(`{"account":"111122223333","region":%q,"name":%q}`, c.region, c.name))
		if _, ends := r.Foretell(raw); ends != c.ends {
			t.Errorf("%s in %s: %q; want %q", c.name, c.region, ends, c.ends)
		}
	}
	r.For(2 * hour)
	raw := wakeUp("Check Requested", "111122223333", `{"account":"111122223333","region":"eu-central-1","name":"later-1"}`)
	if _, ends := r.Foretell(raw); ends != "" {
		t.Errorf("later-1 is there by now, but: %q", ends)
	}
}

func copiedWorld(t *testing.T) world.Spec {
	t.Helper()
	s, err := world.ReadSpec("world.yaml", []byte(`
start: 2026-11-23T09:00:00Z
hub: {account: "111122223333", region: eu-central-1}
clusters:
  - {name: prod, account: "111122223333", region: eu-central-1, kubernetes: "1.33", addon: {version: v1.18.5-eksbuild.1}, copies: 2}
  - {name: later, account: "111122223333", region: eu-central-1, kubernetes: "1.33", createdAt: 1h, copies: 1}
`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
