package simulate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

func TestTheAnswerSaysWhySomethingIsOrIsNotDone(t *testing.T) {
	s := spec(t, demo+"world.yaml")
	s.Clusters[6].DeletedAt = 2 * hour // edge
	for _, c := range []struct {
		name, cluster string
		at            time.Duration
		want          string
	}{
		{"before the first check", "batch", 0, "cniguard wants to update vpc-cni from v1.17.1-eksbuild.1 to v1.18.5-eksbuild.1, and does not: the IP alarm does not stand yet."},
		{"nothing is wanted", "edge", hour, "No update is wanted: v1.19.0-eksbuild.1 is not below the floor v1.18.0."},
		{"it is gone", "edge", 9 * hour, "The cluster is gone, and so is all that cniguard had to do with it."},
		{"it is not there yet", "web", hour, "cniguard does not look at this cluster: it is not there yet: the world creates it 1d1h after the start."},
		{"policy forbids it", "legacy", hour, "cniguard wants to update vpc-cni from v1.17.1-eksbuild.1 to v1.18.5-eksbuild.1, and does not: the policy's mode for this cluster is observe."},
		{"a person is waited for", "payments", hour, "cniguard wants to update vpc-cni from v1.17.1-eksbuild.1 to v1.18.5-eksbuild.1, and does not: it waits for an approval."},
		{"it is being done", "payments", day + 3*hour + 2*time.Minute, "An update from v1.17.1-eksbuild.1 to v1.18.5-eksbuild.1 is in flight since 2025-03-04 11:00 (try 1)."},
		{"it is done soon", "payments", day + 3*hour + 37*time.Minute, "At its next check cniguard starts to update vpc-cni from v1.18.5-eksbuild.1 to v1.19.2-eksbuild.1: the policy's target is v1.19.2."},
		{"it failed once", "batch", 20 * time.Minute, "cniguard wants to update vpc-cni from v1.17.1-eksbuild.1 to v1.18.5-eksbuild.1, and does not: try 1 failed; the next comes after 15 minutes."},
		{"it failed twice, an hour ago", "batch", 2 * hour, "cniguard wants to update vpc-cni from v1.17.1-eksbuild.1 to v1.18.5-eksbuild.1, and does not: 2 tries to update to v1.18.5-eksbuild.1 failed; a new approval opens this."},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := start(t, s, demoRules(t), simulate.Options{Seed: 1})
			r.For(c.at)
			x, err := r.Explain(t.Context(), demoCluster(c.cluster))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, x.Answer()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !x.At.Equal(s.Start.Add(c.at)) {
				t.Errorf("asked at %s, explained at %s", s.Start.Add(c.at), x.At)
			}
		})
	}
}

func TestAnExplanationHoldsWhatThereIsToKnow(t *testing.T) {
	s := demoWorld(t)
	s.Orders = []world.Order{order(hour, world.Approve, "payments", ""), order(2*hour, world.Halt, "", "")}
	s.Changes = []world.Change{{At: 3 * hour, Account: "444455556666", Region: "eu-central-1", Name: "payments", Do: world.TagCluster, Tags: map[string]string{"risk": "high"}}}
	p := rules(t, string(read(t, demo+"policy.yaml"))+"  - {name: careful, match: {tags: {risk: high}}, set: {warning: 60}}\n")
	r, _ := start(t, s, p, simulate.Options{Seed: 1})
	r.For(4 * hour)
	x, err := r.Explain(t.Context(), demoCluster("payments"))
	if err != nil {
		t.Fatal(err)
	}
	if !x.Known || x.Unseen != "" || x.Tagless || x.Version != "v1.19.2-eksbuild.1" || x.Halt == nil || len(x.Orders) != 1 || x.Orders[0].Kind != guard.Approval {
		t.Errorf("%+v", x)
	}
	found := false
	for _, o := range x.Settings {
		found = found || o.Field == "warning" && o.Value == "60" && o.By == `rule "careful"`
	}
	if !found {
		t.Errorf("the tag of today has no effect on %+v", x.Settings)
	}
}

func TestAnExplanationSaysThatTagsCouldNotBeRead(t *testing.T) {
	s := demoWorld(t)
	s.Faults = []world.Fault{{Service: "eks", Operation: "DescribeCluster", Code: "AccessDeniedException"}}
	r, _ := start(t, s, demoRules(t), simulate.Options{Seed: 1})
	r.For(hour)
	x, err := r.Explain(t.Context(), demoCluster("payments"))
	if err != nil || !x.Tagless || len(x.Settings) == 0 || x.Plan.Verdict.Word != guard.Unknown {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestOutsideOfTheFleetThereIsOnlyThat(t *testing.T) {
	r, _ := start(t, demoWorld(t), demoRules(t), simulate.Options{Seed: 1})
	x, err := r.Explain(t.Context(), cluster.ID{Account: "999988887777", Region: "eu-central-1", Name: "x"})
	want := "cniguard does not look at this cluster: account 999988887777 in eu-central-1 is not in the policy's fleet, so cniguard never looks there."
	if err != nil || x.Answer() != want || x.Settings != nil {
		t.Errorf("%+v, %v", x, err)
	}
}

// What is announced as the next look must be one: by then the record has been seen again.
func TestTheNextLookComes(t *testing.T) {
	for _, name := range []string{"batch", "edge", "payments"} {
		for _, at := range []time.Duration{0, time.Minute, 7 * time.Minute, 20 * time.Minute, hour, 7 * hour} {
			r, _ := start(t, demoWorld(t), demoRules(t), simulate.Options{Seed: 1})
			r.For(at)
			x, err := r.Explain(t.Context(), demoCluster(name))
			if err != nil {
				t.Fatal(err)
			}
			if x.Next.Before(x.At) || x.Next.Sub(x.At) > 6*hour || x.By != event.Tick && x.By != event.Sweep {
				t.Errorf("%s after %s: %s by %s", name, at, x.Next, x.By)
			}
			r.For(x.Next.Sub(r.Now()) + 30*time.Second)
			kept, err := r.Ledger.Load(t.Context(), demoCluster(name))
			if err != nil || kept.Record.Seen.Before(x.Next) {
				t.Errorf("%s after %s: announced for %s by %s, seen at %s, %v", name, at, x.Next, x.By, kept.Record.Seen, err)
			}
		}
	}
}
