package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/policy"
)

func number(n int) *int { return &n }

func spread(r policy.RolloutDocument) policy.Document {
	return policy.Document{Version: 1, Fleet: []policy.Member{{Account: "111122223333", Regions: []string{"eu-central-1", "us-east-1"}}}, Rollout: r}
}

func ofTag(name, value string) policy.WaveDocument {
	return policy.WaveDocument{Name: name, Match: policy.Match{Tags: map[string]string{"wave": value}}}
}

func TestARolloutThatSaysNothingIsCareful(t *testing.T) {
	p, err := policy.Compile(spread(policy.RolloutDocument{Waves: []policy.WaveDocument{ofTag("first", "1")}}))
	if err != nil {
		t.Fatal(err)
	}
	r := p.Rollout()
	if diff := cmp.Diff(policy.Budget{Region: 1, Account: 2, Fleet: 5, Starts: 20, Failures: 2}, r.Budget); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if w := r.Waves[0]; w.Soak != 24*time.Hour || w.Share != 100 {
		t.Errorf("soak %s, share %d", w.Soak, w.Share)
	}
}

func TestAClusterIsInTheWaveThatClaimsItOrComesLast(t *testing.T) {
	soak := ofTag("second", "2*")
	soak.Soak, soak.Share = "90m", number(80)
	p, err := policy.Compile(spread(policy.RolloutDocument{Waves: []policy.WaveDocument{ofTag("first", "1"), soak}}))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := policy.Load(must(p.MarshalJSON()))
	if err != nil || loaded.Digest() != p.Digest() {
		t.Fatalf("the compiled form does not come back: %v", err)
	}
	id := cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "a"}
	for value, want := range map[string]string{"1": "first", "22": "second", "3": policy.Last} {
		wave := loaded.Wave(id, map[string]string{"wave": value})
		if wave != want {
			t.Errorf("wave %q, want %q", wave, want)
		}
		var before []string
		for _, w := range loaded.Rollout().Before(wave) {
			before = append(before, w.Name)
		}
		if got, want := strings.Join(before, " "), map[string]string{"1": "", "22": "first", "3": "first second"}[value]; got != want {
			t.Errorf("before wave %q come %q, want %q", wave, got, want)
		}
	}
}

func must(raw []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return raw
}

func TestMistakesOfARolloutAreSaidWithWhatIsAllowed(t *testing.T) {
	in := func(clusters ...string) policy.Match { return policy.Match{Clusters: clusters} }
	for name, c := range map[string]struct {
		written policy.RolloutDocument
		want    string
	}{
		"a budget of none": {policy.RolloutDocument{Budget: policy.BudgetDocument{Region: number(0)}},
			"rollout.budget.region: is 0; allowed: 1 to 100; `mode: observe` or `cniguard halt` is how nothing is updated"},
		"a budget for everything at once": {policy.RolloutDocument{Budget: policy.BudgetDocument{Starts: number(1001)}},
			"rollout.budget.starts: is 1001; allowed: 1 to 1000; `mode: observe` or `cniguard halt` is how nothing is updated"},
		"a wave without clusters": {policy.RolloutDocument{Waves: []policy.WaveDocument{{Name: "a"}}},
			"rollout.waves[0].match: selects nothing; allowed: at least one of accounts, regions, clusters, tags"},
		"an account outside of the fleet": {policy.RolloutDocument{Waves: []policy.WaveDocument{{Name: "a", Match: policy.Match{Accounts: []string{"444455556666"}}}}},
			"rollout.waves[0].match.accounts[0]: 444455556666 is not in the fleet; allowed: what the fleet holds, or add it there"},
		"a wave without a name": {policy.RolloutDocument{Waves: []policy.WaveDocument{{Match: in("a")}}},
			"rollout.waves[0].name: is missing; allowed: a name that no other wave has"},
		"two waves of one name": {policy.RolloutDocument{Waves: []policy.WaveDocument{{Name: "a", Match: in("a")}, {Name: "a", Match: in("b")}}},
			`rollout.waves[1].name: "a" is the name of an earlier wave; allowed: a name that no other wave has`},
		"a soak in words": {policy.RolloutDocument{Waves: []policy.WaveDocument{{Name: "a", Match: in("a"), Soak: "a day"}}},
			`rollout.waves[0].soak: "a day" is not a time to wait; allowed: "0h" to "720h", as "24h" or "90m"`},
		"a soak for ever": {policy.RolloutDocument{Waves: []policy.WaveDocument{{Name: "a", Match: in("a"), Soak: "721h"}}},
			`rollout.waves[0].soak: "721h" is not a time to wait; allowed: "0h" to "720h", as "24h" or "90m"`},
		"a share of none": {policy.RolloutDocument{Waves: []policy.WaveDocument{{Name: "a", Match: in("a"), Share: number(0)}}},
			"rollout.waves[0].share: is 0; allowed: 1 to 100, in percent"},
		"two waves that claim a cluster": {policy.RolloutDocument{Waves: []policy.WaveDocument{{Name: "a", Match: in("dev-*")}, {Name: "b", Match: in("*-1")}}},
			`rollout.waves[1].match: a cluster may be in this wave and in "a"; allowed: waves that no cluster shares: ` +
				"other accounts, regions or names, or other values of one tag, as {wave: first} and {wave: second}"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Compile(spread(c.written))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestWavesAreApartWhereNoClusterCanBeInBoth(t *testing.T) {
	tags := func(pairs ...string) policy.Match {
		m := policy.Match{Tags: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			m.Tags[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for name, c := range map[string]struct {
		a, b  policy.Match
		apart bool
	}{
		"other names":                       {policy.Match{Clusters: []string{"dev-*", "test-?"}}, policy.Match{Clusters: []string{"prod-*"}}, true},
		"a name and a pattern for it":       {policy.Match{Clusters: []string{"dev-*"}}, policy.Match{Clusters: []string{"prod", "dev-1"}}, false},
		"patterns that end otherwise":       {policy.Match{Clusters: []string{"*-dev"}}, policy.Match{Clusters: []string{"*-prod"}}, true},
		"patterns that cross":               {policy.Match{Clusters: []string{"a*"}}, policy.Match{Clusters: []string{"*b"}}, false},
		"patterns of other lengths":         {policy.Match{Clusters: []string{"??"}}, policy.Match{Clusters: []string{"???"}}, true},
		"other regions":                     {policy.Match{Regions: []string{"eu-*"}}, policy.Match{Regions: []string{"us-east-1"}}, true},
		"regions against names":             {policy.Match{Regions: []string{"eu-*"}}, policy.Match{Clusters: []string{"a"}}, false},
		"other values of a tag":             {tags("wave", "1"), tags("wave", "2"), true},
		"other tags":                        {tags("wave", "1"), tags("stage", "dev"), false},
		"one more tag of another value":     {tags("wave", "1", "stage", "dev"), tags("wave", "1", "stage", "prod"), true},
		"a tag of any value and one of one": {tags("wave", "*"), tags("wave", "1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, pair := range [][2]policy.Match{{c.a, c.b}, {c.b, c.a}} {
				_, err := policy.Compile(spread(policy.RolloutDocument{Waves: []policy.WaveDocument{{Name: "a", Match: pair[0]}, {Name: "b", Match: pair[1]}}}))
				if apart := err == nil; apart != c.apart {
					t.Errorf("apart %t, want %t: %v", apart, c.apart, err)
				}
			}
		})
	}
}

// FuzzWavesApart tries texts: one that two waves select shows that they are not apart.
func FuzzWavesApart(f *testing.F) {
	for _, s := range [][3]string{{"a*", "*b", "ab"}, {"*?*", "a", "a"}, {"a**b", "a?b", "axb"}, {"*a*", "b*", "ba"}, {"", "*", ""}} {
		f.Add(s[0], s[1], s[2])
	}
	id := cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "a"}
	f.Fuzz(func(t *testing.T, a, b, text string) {
		if len(a) > 50 || len(b) > 50 {
			return
		}
		selects := func(pattern string) bool {
			p, err := policy.Compile(spread(policy.RolloutDocument{Waves: []policy.WaveDocument{ofTag("a", pattern)}}))
			return err == nil && p.Wave(id, map[string]string{"wave": text}) == "a"
		}
		apart := func(a, b string) bool {
			_, err := policy.Compile(spread(policy.RolloutDocument{Waves: []policy.WaveDocument{ofTag("a", a), ofTag("b", b)}}))
			return err == nil
		}
		if apart(a, b) != apart(b, a) {
			t.Errorf("%q and %q are apart one way only", a, b)
		}
		if apart(a, b) && selects(a) && selects(b) {
			t.Errorf("%q and %q both select %q", a, b, text)
		}
	})
}
