// Package answers_test holds what cniguard makes of every answer that AWS may give: the whole product, in a world whose file says
// what is answered. Each case is a world, and all that cniguard does, tells and holds back in it.
package answers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// head is what all worlds have: a network with room, and what EKS listed for Kubernetes 1.21 (facts-eks-vpc-cni 2.5), from where the
// way to the floor v1.8.0 is one step.
const head = `
start: 2026-03-02T08:00:00Z
hub: {account: "111122223333", region: eu-central-1}
vpcs:
  - {id: vpc-1, account: "444455556666", region: eu-central-1, subnets: [{id: subnet-1, cidr: 10.0.0.0/22, used: [{addresses: 100}]}]}
`

const catalogue = `
catalogues:
  "1.21":
    - {version: v1.9.0-eksbuild.1, compatible: true}
    - {version: v1.8.0-eksbuild.1, compatible: true}
    - {version: v1.7.5-eksbuild.2, compatible: true, default: true}
`

// prod is a cluster with an outdated add-on, of which addon says more.
func prod(addon string) string { return cluster("addon: {version: v1.7.5-eksbuild.2" + addon + "}") }

// cluster is prod with other fields.
func cluster(fields ...string) string {
	lines := append([]string{
		"clusters:", "  - name: prod", `    account: "444455556666"`, "    region: eu-central-1", `    kubernetes: "1.21"`, "    vpc: vpc-1",
		"    nodegroups: [{name: blue, subnets: [subnet-1]}]",
	}, fields...)
	for i := 7; i < len(lines); i++ {
		lines[i] = "    " + lines[i]
	}
	return strings.Join(lines, "\n") + "\n"
}

// The policies: cniguard may update, or only look. Neither wants a forecast: most scenes last a day.
const (
	fleet = "version: 1\nfleet: [{account: \"444455556666\", regions: [eu-central-1]}]\n"
	auto  = fleet + "defaults: {mode: auto, owner: cniguard, daysLeft: off}\n"
	looks = fleet + "defaults: {daysLeft: off}\n"
)

// scene is one answer of AWS.
type scene struct {
	name   string
	world  string // what follows head
	policy string // empty: auto
	length time.Duration
	sdk    bool // through the real SDK clients
	// seed is what chance goes by; 0: 1. Where much is left to chance, it is one with which the case comes about.
	seed uint64
	// did is all that cniguard did, told and held, and what became of it: a line each, in its order, repetitions in a row once.
	did string
	// says are words of the messages, by their news and finding.
	says map[string][]string
	// ends is the cluster's row in the end: verdict, its four answers, and the gates that are shut.
	ends string
	// calls is how many calls of AWS all this took at most; givenUp how many events went to the failure queue.
	calls, givenUp int
}

const (
	hour = time.Hour
	day  = 24 * hour
)

func play(t *testing.T, s scene) (*simulate.Run, []simulate.Line) {
	t.Helper()
	text := head + s.world
	if !strings.Contains(text, "catalogues:") {
		text += catalogue
	}
	spec, err := world.ReadSpec("world.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if s.policy == "" {
		s.policy = auto
	}
	if s.seed == 0 {
		s.seed = 1
	}
	rules, err := source.Read("policy.yaml", []byte(s.policy))
	if err != nil {
		t.Fatal(err)
	}
	var lines []simulate.Line
	r, err := simulate.Start(spec, rules, simulate.Options{Seed: s.seed, SDK: s.sdk, Tell: func(l simulate.Line) { lines = append(lines, l) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.For(s.length)
	return r, lines
}

// messages puts messages that go to the topics side by side into one order: those for the digest first.
func messages(lines []simulate.Line) []simulate.Line {
	is := func(l simulate.Line) bool { return l.What == simulate.Told || l.What == simulate.ForDigest }
	lines = slices.Clone(lines)
	for i := 0; i < len(lines); i++ {
		n := i
		for n < len(lines) && is(lines[n]) && lines[n].Cluster == lines[i].Cluster && lines[n].At.Sub(lines[i].At) < 5*time.Second {
			n++
		}
		slices.SortStableFunc(lines[i:max(i, n)], func(a, b simulate.Line) int { return strings.Compare(string(a.What), string(b.What)) })
		i = max(i, n-1)
	}
	return lines
}

// deeds are lines without their times.
func deeds(lines []simulate.Line) []string {
	var all []string
	add := func(text string) {
		text = strings.NewReplacer("-eksbuild.1", "", "-eksbuild.2", "", "cniguard-prod-pod-subnets", "cniguard-prod").Replace(text)
		if len(all) == 0 || all[len(all)-1] != text {
			all = append(all, text)
		}
	}
	for _, l := range messages(lines) {
		switch l.What {
		case simulate.ForDigest:
			add(fmt.Sprintf("for the digest: %s %s (%s)", l.News, l.Finding, l.Severity))
		case simulate.Told:
			if l.Finding == guard.DigestCode {
				continue // oncall_test.go looks at these
			}
			add(fmt.Sprintf("told: %s %s (%s)", l.News, l.Finding, l.Severity))
		case simulate.HeldBack:
			var gates []string
			for _, g := range l.Gates {
				gates = append(gates, g.Gate)
			}
			add("held: " + strings.Join(gates, ", "))
		case simulate.UpdateStarted, simulate.UpdateEnded, simulate.AlarmPut, simulate.AlarmDropped:
			add(string(l.What) + ": " + l.Text)
		case simulate.Refused, simulate.AnswerLost:
			add(string(l.What) + ": " + l.Text + ": " + l.Why)
		}
	}
	return all
}

func split(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func hold(t *testing.T, s scene) {
	r, lines := play(t, s)
	if diff := cmp.Diff(split(s.did), deeds(lines)); diff != "" {
		t.Errorf("what it did (-want +got):\n%s", diff)
	}
	said := map[string]string{}
	for _, l := range lines {
		if l.What == simulate.Told || l.What == simulate.ForDigest {
			said[string(l.News)+" "+string(l.Finding)] += " " + strings.Join(strings.Fields(l.Message), " ")
		}
	}
	for message, words := range s.says {
		for _, w := range words {
			if !strings.Contains(said[message], w) {
				t.Errorf("%q does not say %q:%s", message, w, said[message])
			}
		}
	}
	row := r.Fleet()[0]
	ends := strings.Join([]string{row.Verdict, row.Install, row.Version, row.Capacity, row.Change, strings.Join(row.HeldBy, ", ")}, "; ")
	if ends != s.ends {
		t.Errorf("it ends %q; want %q", ends, s.ends)
	}
	sum := r.Summary()
	if sum.Calls > s.calls {
		t.Errorf("%d calls; want at most %d", sum.Calls, s.calls)
	}
	if sum.GivenUp != s.givenUp {
		t.Errorf("%d events were given up; want %d", sum.GivenUp, s.givenUp)
	}
}
