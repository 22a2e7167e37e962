package simulate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/world"
)

// Row is a cluster in the table of the fleet.
type Row struct {
	Cluster  string    `json:"cluster"` // ACCOUNT/REGION/NAME
	Verdict  string    `json:"verdict"` // or why there is none
	Since    time.Time `json:"since,omitzero"`
	VPCCNI   string    `json:"vpcCni,omitempty"` // the installed version
	Install  string    `json:"install,omitempty"`
	Version  string    `json:"version,omitempty"`
	Capacity string    `json:"capacity,omitempty"`
	Change   string    `json:"change,omitempty"`
	HeldBy   []string  `json:"heldBy,omitempty"` // gates that are shut for what is wanted
	Checked  bool      `json:"checked"`
}

// Fleet is every cluster of the world in the order of its file, also those that cniguard knows nothing of, and those that it
// knew and that are gone.
func (r *Run) Fleet() []Row {
	known := map[cluster.ID]check.Kept{}
	kept, _ := r.Ledger.All(context.Background()) // looking on does not fail, and all is of this program's own schema
	for _, k := range kept {
		known[k.Cluster] = k
	}
	rows := make([]Row, 0, len(r.World.Spec().Clusters))
	for _, c := range r.World.Spec().Clusters {
		if k, ok := known[idOf(c)]; ok {
			rows = append(rows, checked(k))
			continue
		}
		why := "not checked"
		switch {
		case !r.Policy.Contains(c.Account, c.Region):
			why = "not in the fleet"
		case c.CreatedAt > r.elapsed():
			why = "not there yet"
		}
		rows = append(rows, Row{Cluster: idOf(c).String(), Verdict: why})
	}
	return rows
}

func checked(k check.Kept) Row {
	rec, v := k.Record, k.Record.Verdict
	row := Row{
		Cluster: k.Cluster.String(), Verdict: v.Word, Since: rec.Since, VPCCNI: plain.Clean(rec.Version, plain.Text), Checked: true,
		Install: v.Install.Word, Version: v.Version.Word, Capacity: v.Capacity.Word, Change: v.Change.Word,
	}
	row.HeldBy = rec.Shut()
	return row
}

func idOf(c world.Cluster) cluster.ID {
	return cluster.ID{Account: c.Account, Region: c.Region, Name: c.Name}
}

// Cluster is the one cluster of that name in the world; "ACCOUNT/REGION/NAME" where there are several. The error lists those
// that there are.
func (r *Run) Cluster(name string) (cluster.ID, error) { return Cluster(*r.World.Spec(), name) }

// Cluster is the one cluster of that name in a world, as Run.Cluster finds it.
func Cluster(spec world.Spec, name string) (cluster.ID, error) {
	var found []cluster.ID
	var all, full []string
	names := NamesOf(spec)
	for _, c := range spec.Clusters {
		id := idOf(c)
		all = append(all, names.Short(id.String()))
		if id.Name == name || id.String() == name {
			found, full = append(found, id), append(full, id.String())
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return cluster.ID{}, fmt.Errorf("find cluster %q: the world has %d of this name: %s", name, len(found), strings.Join(full, ", "))
	case len(all) == 0:
		return cluster.ID{}, fmt.Errorf("find cluster %q: the world has no clusters", name)
	}
	return cluster.ID{}, fmt.Errorf("find cluster %q: the world has none of this name; it has %s", name, someOf(all))
}

// someOf lists names, the first of them where there are many.
func someOf(names []string) string {
	const most = 20
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// Names tells how to call the clusters of a world.
type Names struct{ short map[string]string }

// NamesOf reads the names of a world's clusters.
func NamesOf(spec world.Spec) Names {
	times := map[string]int{}
	for _, c := range spec.Clusters {
		times[c.Name]++
	}
	n := Names{map[string]string{}}
	for _, c := range spec.Clusters {
		if times[c.Name] == 1 {
			n.short[idOf(c).String()] = c.Name
		}
	}
	return n
}

// Short is the name of a cluster by its ACCOUNT/REGION/NAME: the bare name where only one cluster of the world has it. Cluster
// finds it again.
func (n Names) Short(id string) string { return cmp.Or(n.short[id], id) }

// Unwatched are the clusters of a world whose account and region are not in the policy's fleet. cniguard never looks at them.
func Unwatched(spec world.Spec, p *policy.Policy) []cluster.ID {
	var out []cluster.ID
	for _, c := range spec.Clusters {
		if !p.Contains(c.Account, c.Region) {
			out = append(out, idOf(c))
		}
	}
	return out
}

// Places are the accounts and regions of a world's clusters, each once, as "111122223333 in eu-central-1".
func Places(spec world.Spec) []string {
	var places []string
	for _, c := range spec.Clusters {
		places = append(places, c.Account+" in "+c.Region)
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// Span writes a duration as a world file does: "1d3h", "90s" is "1m30s".
func Span(d time.Duration) string {
	if d < 0 {
		return "-" + Span(-d)
	}
	text := ""
	if days := d / (24 * time.Hour); days > 0 {
		text, d = fmt.Sprintf("%dd", days), d%(24*time.Hour)
		if d == 0 {
			return text
		}
	}
	rest := d.String()
	if strings.HasSuffix(rest, "m0s") {
		rest = strings.TrimSuffix(rest, "0s")
	}
	if strings.HasSuffix(rest, "h0m") {
		rest = strings.TrimSuffix(rest, "0m")
	}
	return text + rest
}
