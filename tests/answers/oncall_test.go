package answers_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/events"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// inbox is what people on call got: how often of each kind, and of each owner's digests when.
type inbox struct {
	kinds   map[string]int
	digests map[string][]time.Time
}

// subscribe plays a scene and keeps what people on call get. Events arrive after ten minutes.
func subscribe(t *testing.T, s scene, raw ...[]byte) inbox {
	t.Helper()
	spec, err := world.ReadSpec("world.yaml", []byte(head+s.world+catalogue))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := source.Read("policy.yaml", []byte(s.policy))
	if err != nil {
		t.Fatal(err)
	}
	r, err := simulate.Start(spec, rules, simulate.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	in := inbox{kinds: map[string]int{}, digests: map[string][]time.Time{}}
	r.World.Watch(func(e world.Entry) {
		m, is := e.Data.(*sns.PublishInput)
		if e.Kind != world.Published || !is || !strings.HasSuffix(e.What, "-oncall") {
			return
		}
		say := func(name string) string { return aws.ToString(m.MessageAttributes[name].StringValue) }
		if say("news") == "digest" {
			in.digests[say("owner")] = append(in.digests[say("owner")], e.At)
			return
		}
		in.kinds[say("news")+" "+say("finding")+" "+say("severity")]++
	})
	if len(raw) > 0 {
		r.For(10 * time.Minute)
	}
	for _, e := range raw {
		if err := r.Wake(e); err != nil {
			t.Fatal(err)
		}
	}
	r.For(s.length)
	return in
}

// In thirty days 190 clusters stay outdated, and ten whose subnet is full for a week are told of at once, with a reminder every four hours.
func TestThirtyDaysOfTwoHundredClustersTellWhatTheIntervalsImply(t *testing.T) {
	if testing.Short() {
		t.Skip("thirty days of two hundred clusters take some seconds")
	}
	const quiet, full, from, until = 190 / share, 10 / share, daysOn * 24 / 10, daysOn * 24 / 3 // in hours
	text := fmt.Sprintf(`
  - {id: vpc-2, account: "444455556666", region: eu-central-1, subnets: [{id: subnet-2, cidr: 10.2.0.0/24, used: [
      {addresses: 100}, {at: %[1]dh32m, addresses: 100}, {at: %[1]dh32m1s, addresses: 250}, {at: %[2]dh32m, addresses: 250}, {at: %[2]dh32m1s, addresses: 100}]}]}
`, from, until) + cluster("addon: {version: v1.7.5-eksbuild.2}", fmt.Sprint("copies: ", quiet)) +
		strings.NewReplacer("clusters:\n", "", "name: prod", "name: full", "vpc-1", "vpc-2", "subnet-1", "subnet-2").
			Replace(cluster("addon: {version: v1.9.0-eksbuild.1}", fmt.Sprint("copies: ", full)))
	in := subscribe(t, scene{world: text, policy: looks, length: daysOn * day})
	const most = (until - from) / 4 // the last reminder is at the end of that time, or just after it
	reminded := in.kinds["reminded capacity-low critical"]
	if reminded < full*(most-1) || reminded > full*most {
		t.Errorf("%d reminders, want %d to %d", reminded, full*(most-1), full*most)
	}
	delete(in.kinds, "reminded capacity-low critical")
	if diff := cmp.Diff(map[string]int{"opened capacity-low critical": full, "recovered capacity-low critical": full}, in.kinds); diff != "" {
		t.Errorf("at once, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"444455556666": daysOn}, counts(in.digests)); diff != "" {
		t.Errorf("digests, -want +got:\n%s", diff)
	}
}

func counts(of map[string][]time.Time) map[string]int {
	n := map[string]int{}
	for owner, all := range of {
		n[owner] = len(all)
	}
	return n
}

// However many clusters an owner has, there is one digest a day, and nothing else where nothing is urgent.
func TestTwoThousandClustersAreOneDigestADayAndOwner(t *testing.T) {
	if testing.Short() {
		t.Skip("two thousand clusters take some seconds")
	}
	owners := map[string]int{"shop": 1200 / share, "payments": 700 / share, "platform": 100 / share}
	var text strings.Builder
	text.WriteString("clusters:\n")
	for _, owner := range slices.Sorted(maps.Keys(owners)) {
		text.WriteString(strings.NewReplacer("clusters:\n", "", "name: prod", "name: "+owner).Replace(
			cluster("addon: {version: v1.7.5-eksbuild.2}", fmt.Sprintf("tags: {team: %s}", owner), fmt.Sprint("copies: ", owners[owner]))))
	}
	rules := strings.Replace(looks, "defaults: {", "digest: {at: \"07:30\", owners: [{owner: shop, zone: America/New_York}]}\ndefaults: {ownerTag: team, ", 1)
	in := subscribe(t, scene{world: text.String(), policy: rules, length: 3 * day})
	for kind, n := range in.kinds {
		t.Errorf("%d times %q at once", n, kind)
	}
	for owner := range owners {
		all := in.digests[owner]
		if len(all) != 3 {
			t.Errorf("%q got digests at %s", owner, all)
		}
		for i, at := range all {
			if i > 0 && at.Sub(all[i-1]) < 23*time.Hour {
				t.Errorf("%q got digests at %s and at %s", owner, all[i-1], at)
			}
		}
	}
	if len(in.digests) != len(owners) {
		t.Errorf("digests went to %v", counts(in.digests))
	}
}

// told are the events of five sources about the same cluster.
func told(t *testing.T) [][]byte {
	t.Helper()
	var all [][]byte
	for _, name := range []string{"update-addon.json", "addon-arn-only.json", "alarm-to-alarm.json", "own-check.json", "config-cluster.json"} {
		raw, err := events.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, []byte(strings.ReplaceAll(string(raw), "444455556666", "111122223333")))
	}
	return all
}

// arrive plays half an hour of a cluster with a full subnet, in which these events arrive together, and no other.
func arrive(t *testing.T, raw ...[]byte) map[string]int {
	t.Helper()
	text := strings.NewReplacer("prod", "prod-eu", `"444455556666"`, `"111122223333"`, "vpc-1", "vpc-2", "subnet-1", "subnet-2").Replace(`
  - {id: vpc-1, account: "111122223333", region: eu-central-1, subnets: [{id: subnet-1, cidr: 10.2.0.0/24, used: [{addresses: 100}, {at: 599s, addresses: 100}, {at: 10m, addresses: 248}]}]}
`+cluster("addon: {version: v1.9.0-eksbuild.1}")) + "behaviour: {eventsLost: 1, latency: {min: 10ms, max: 300ms}}\n"
	return subscribe(t, scene{
		world: text, policy: strings.ReplaceAll(looks, "444455556666", "111122223333"), length: 30 * time.Minute,
	}, raw...).kinds
}

func TestOneMatterIsToldOnceWhateverTheEventsOfIt(t *testing.T) {
	want := map[string]int{"opened capacity-low critical": 1}
	five := told(t)
	for i, raw := range five {
		if diff := cmp.Diff(want, arrive(t, raw, raw, raw, raw, raw)); diff != "" {
			t.Errorf("the event %d five times, -want +got:\n%s", i, diff)
		}
	}
	orders := 0
	permute(five, func(raw [][]byte) {
		orders++
		if diff := cmp.Diff(want, arrive(t, raw...)); diff != "" {
			t.Errorf("order %d, -want +got:\n%s", orders, diff)
		}
	})
	if orders != 120 {
		t.Errorf("%d orders of five events", orders)
	}
}

// permute calls do with each order of what is given.
func permute[T any](of []T, do func([]T)) {
	var from func(int)
	from = func(i int) {
		if i == len(of) {
			do(of)
		}
		for j := i; j < len(of); j++ {
			of[i], of[j] = of[j], of[i]
			from(i + 1)
			of[i], of[j] = of[j], of[i]
		}
	}
	from(0)
}
