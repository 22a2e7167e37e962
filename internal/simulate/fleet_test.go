package simulate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

func TestTheFleetHasEveryClusterOfTheWorld(t *testing.T) {
	s := demoWorld(t)
	s.Clusters = append(s.Clusters, world.Cluster{Name: "far", Account: "444455556666", Region: "us-east-1", Kubernetes: "1.29"})
	s.Clusters[6].DeletedAt = hour // edge
	at := func(d time.Duration) []simulate.Row {
		r, _ := start(t, s, demoRules(t), simulate.Options{Seed: 1})
		r.For(d)
		return r.Fleet()
	}
	const here = "444455556666/eu-central-1/"
	no := func(name, why string) simulate.Row { return simulate.Row{Cluster: name, Verdict: why} }
	unseen := []simulate.Row{
		no(here+"web", "not there yet"), no(here+"legacy", "not checked"), no(here+"payments", "not checked"), no(here+"checkout", "not checked"),
		no(here+"batch", "not checked"), no(here+"billing", "not checked"), no(here+"edge", "not checked"), no(here+"tools", "not there yet"),
		no("444455556666/us-east-1/far", "not in the fleet"),
	}
	if diff := cmp.Diff(unseen, at(30*time.Second)); diff != "" {
		t.Errorf("before the first sweep (-want +got):\n%s", diff)
	}
	row := func(name, verdict, version, change string, heldBy ...string) simulate.Row {
		return simulate.Row{Cluster: here + name, Verdict: verdict, VPCCNI: version, Install: "managed", Version: "outdated", Capacity: "fine", Change: change, HeldBy: heldBy, Checked: true}
	}
	want := []simulate.Row{
		unseen[0],
		row("legacy", "outdated", "v1.17.1-eksbuild.1", "waiting", "mode"),
		row("payments", "outdated", "v1.17.1-eksbuild.1", "waiting", "approval"),
		row("checkout", "outdated", "v1.17.1-eksbuild.1", "waiting", "approval"),
		row("batch", "set aside", "v1.17.1-eksbuild.1", "set aside", "set aside"),
		row("billing", "outdated", "v1.17.1-eksbuild.1", "waiting", "owner"),
		{Cluster: here + "edge", Verdict: "gone", Install: "gone", Version: "gone", Capacity: "gone", Change: "gone", Checked: true},
		unseen[7],
		unseen[8],
	}
	if diff := cmp.Diff(want, at(9*hour), cmpopts.IgnoreFields(simulate.Row{}, "Since")); diff != "" {
		t.Errorf("nine hours later (-want +got):\n%s", diff)
	}
	if rows := at(9 * hour); !rows[1].Since.Equal(rows[2].Since) && rows[1].Since.Sub(s.Start) > 2*time.Minute {
		t.Errorf("since %s", rows[1].Since)
	}
}

// When the second try has failed, the check that finds it out has still seen the update in flight.
func TestTheFleetIsNotHeldByAnUpdateThatHasEnded(t *testing.T) {
	r, _ := start(t, demoWorld(t), demoRules(t), simulate.Options{Seed: 1})
	for range 60 {
		r.For(time.Minute)
		kept, err := r.Ledger.Load(t.Context(), demoCluster("batch"))
		if err != nil {
			t.Fatal(err)
		}
		for _, gate := range r.Fleet()[4].HeldBy {
			if gate == "in flight" && kept.Record.Step == nil {
				t.Errorf("%s: nothing is in flight", r.Now())
			}
		}
	}
	if diff := cmp.Diff([]string{"set aside"}, r.Fleet()[4].HeldBy); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func twins() world.Spec {
	return world.Spec{Clusters: []world.Cluster{
		{Name: "prod", Account: "111122223333", Region: "eu-central-1"},
		{Name: "prod", Account: "444455556666", Region: "eu-central-1"},
		{Name: "test", Account: "444455556666", Region: "eu-central-1"},
	}}
}

func TestAClusterIsFoundByItsShortestClearName(t *testing.T) {
	many := world.Spec{}
	for i := range 25 {
		many.Clusters = append(many.Clusters, world.Cluster{Name: string(rune('a' + i)), Account: "111122223333", Region: "eu-central-1"})
	}
	for _, c := range []struct {
		name, asked string
		spec        world.Spec
		want        cluster.ID
		err         string
	}{
		{"by its name", "test", twins(), cluster.ID{Account: "444455556666", Region: "eu-central-1", Name: "test"}, ""},
		{"by all of it", "444455556666/eu-central-1/prod", twins(), cluster.ID{Account: "444455556666", Region: "eu-central-1", Name: "prod"}, ""},
		{"not by a name that two have", "prod", twins(), cluster.ID{},
			`find cluster "prod": the world has 2 of this name: 111122223333/eu-central-1/prod, 444455556666/eu-central-1/prod`},
		{"not by a name that none has", "stage", twins(), cluster.ID{},
			`find cluster "stage": the world has none of this name; it has 111122223333/eu-central-1/prod, 444455556666/eu-central-1/prod, test`},
		{"not by nothing", "", twins(), cluster.ID{},
			`find cluster "": the world has none of this name; it has 111122223333/eu-central-1/prod, 444455556666/eu-central-1/prod, test`},
		{"not in an empty world", "test", world.Spec{}, cluster.ID{}, `find cluster "test": the world has no clusters`},
		{"nor are all of many named", "z", many, cluster.ID{},
			`find cluster "z": the world has none of this name; it has a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t and 5 more`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := simulate.Cluster(c.spec, c.asked)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if diff := cmp.Diff([]any{c.want, c.err}, []any{got, text}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryNameIsClearAndFindsItsCluster(t *testing.T) {
	s := twins()
	names, seen := simulate.NamesOf(s), map[string]bool{}
	for _, c := range s.Clusters {
		id := cluster.ID{Account: c.Account, Region: c.Region, Name: c.Name}
		short := names.Short(id.String())
		if found, err := simulate.Cluster(s, short); found != id || err != nil || seen[short] {
			t.Errorf("%s is called %s, which finds %s, %v", id, short, found, err)
		}
		seen[short] = true
	}
	if names.Short("444455556666/eu-central-1/test") != "test" || names.Short("") != "" || names.Short("1/2/3") != "1/2/3" {
		t.Error("a name that is clear, none, or one of another world is not as it should be")
	}
}

func TestUnwatchedAreTheClustersOutsideOfTheFleet(t *testing.T) {
	p := rules(t, "{version: 1, fleet: [{account: \"111122223333\", regions: [eu-central-1, us-east-1]}]}")
	want := []cluster.ID{
		{Account: "444455556666", Region: "eu-central-1", Name: "prod"}, {Account: "444455556666", Region: "eu-central-1", Name: "test"},
	}
	if diff := cmp.Diff(want, simulate.Unwatched(twins(), p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"111122223333 in eu-central-1", "444455556666 in eu-central-1"}, simulate.Places(twins())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestASpanIsWrittenAsAFileHasIt(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 90 * time.Second: "1m30s", hour: "1h", 90 * time.Minute: "1h30m", day: "1d", 27 * hour: "1d3h", 30 * day: "30d",
		day + time.Second: "1d1s", 1500 * time.Millisecond: "1.5s", -hour: "-1h", 10 * time.Minute: "10m", 20 * hour: "20h",
	} {
		if got := simulate.Span(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
