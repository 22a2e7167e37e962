package answers_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
)

var update = flag.Bool("update", false, "write the golden files anew")

// groups are twenty clusters of each name, all outdated by one step.
func groups(names ...string) string {
	var text strings.Builder
	for i, name := range names {
		one := strings.Replace(cluster("addon: {version: v1.7.5-eksbuild.2}", "copies: 20"), "name: prod", "name: "+name, 1)
		if i > 0 {
			one = strings.TrimPrefix(one, "clusters:\n")
		}
		text.WriteString(one)
	}
	return text.String()
}

const inWaves = fleet + `defaults: {mode: auto, owner: cniguard, daysLeft: off, windows: ["Mon-Fri 09:00-17:00 Europe/Berlin"], freezes: ["2026-03-10 to 2026-03-11 Europe/Berlin"]}
rollout:
  budget: {region: 3, account: 3, fleet: 3, starts: 15}
  waves:
    - {name: canary, match: {clusters: ["canary-*"]}, soak: 24h, share: 90}
    - {name: early, match: {clusters: ["early-*"]}, soak: 48h}
    - {name: late, match: {clusters: ["late-*"]}}
`

// diary is what happened on each day, in numbers: updates by group and how they ended, and what people were told beside them.
func diary(lines []simulate.Line) string {
	days := map[string]map[string]int{}
	for _, l := range lines {
		day := l.At.Format("2006-01-02 Mon")
		group := l.Cluster[strings.LastIndexByte(l.Cluster, '/')+1:]
		group, _, _ = strings.Cut(group, "-")
		var what string
		switch {
		case l.What == simulate.UpdateStarted:
			what = group + ": updates started"
		case l.What == simulate.UpdateEnded:
			what = group + ": updates ended"
		case l.What == simulate.Told && l.Finding == guard.DigestCode:
			what = "digests"
		case l.What == simulate.Told && l.News != guard.Started && l.News != guard.Updated:
			what = fmt.Sprintf("%s: told %s %s", group, l.News, l.Finding)
		default:
			continue
		}
		if days[day] == nil {
			days[day] = map[string]int{}
		}
		days[day][what]++
	}
	var text strings.Builder
	for _, day := range slices.Sorted(maps.Keys(days)) {
		text.WriteString(day + "\n")
		for _, what := range slices.Sorted(maps.Keys(days[day])) {
			fmt.Fprintf(&text, "  %3d %s\n", days[day][what], what)
		}
	}
	return text.String()
}

func TestSixtyClustersAreUpdatedInWaves(t *testing.T) {
	if testing.Short() {
		t.Skip("two weeks of sixty clusters take some seconds")
	}
	for name, c := range map[string]struct {
		world string
		late  bool // whether the last wave is updated
	}{
		"waves": {"", true},
		"failure": {`
updates:
  - {cluster: early-2, outcome: fail}
  - {cluster: early-3, outcome: fail}
`, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, lines := play(t, scene{policy: inWaves, length: 14 * day, world: groups("canary", "early", "late") + c.world})
			started := map[string][]time.Time{}
			for _, l := range only(lines, simulate.UpdateStarted) {
				group, _, _ := strings.Cut(l.Cluster[strings.LastIndexByte(l.Cluster, '/')+1:], "-")
				started[group] = append(started[group], l.At)
			}
			ended := map[string]time.Time{}
			for _, l := range only(lines, simulate.UpdateEnded) {
				group, _, _ := strings.Cut(l.Cluster[strings.LastIndexByte(l.Cluster, '/')+1:], "-")
				ended[group] = l.At
			}
			if first := started["early"][0]; len(started["canary"]) != 20 || first.Sub(started["canary"][17]) < 24*time.Hour {
				t.Errorf("%d of canary started, the 18th at %s; early at %s", len(started["canary"]), started["canary"][17], first)
			}
			if (len(started["late"]) == 20) != c.late {
				t.Errorf("%d of late started", len(started["late"]))
			}
			if c.late && started["late"][0].Sub(ended["early"]) < 48*time.Hour {
				t.Errorf("late started at %s, early ended at %s", started["late"][0], ended["early"])
			}
			file := filepath.Join("testdata", "rollout-"+name+".golden")
			got := diary(lines) + "\nin the end\n"
			verdicts := map[string]int{}
			for _, row := range r.Fleet() {
				verdicts[row.Verdict+", "+row.Change]++
			}
			for _, v := range slices.Sorted(maps.Keys(verdicts)) {
				got += fmt.Sprintf("  %3d %s\n", verdicts[v], v)
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
