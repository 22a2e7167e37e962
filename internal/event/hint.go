package event

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
)

// ask is what an event leads to that names these clusters: a check of each, or a faint sweep of the unit where it names none.
// Faint, because nobody knows how many such events EKS sends: each would have all clusters of the unit checked.
func (e envelope) ask(ids []cluster.ID, u Unit, why string) Trigger {
	slices.SortFunc(ids, cluster.Compare)
	ids = slices.Compact(ids)
	switch len(ids) {
	case 0:
		return Trigger{Kind: Sweeping, Unit: u, Run: fmt.Sprintf("event %.64s", e.ID), Why: why, Faint: true}
	case 1:
		return Trigger{Kind: Check, Cluster: ids[0], Why: why}
	}
	return Trigger{Kind: Checks, Clusters: ids, Why: why}
}

// own are the clusters that the ARNs among some texts name, and the first add-on that one names. An ARN of another account or
// region than the envelope's is an error.
func (e envelope) own(field string, texts []string) (ids []cluster.ID, of string, err error) {
	for _, s := range texts {
		id, name, ok := inARN(s)
		switch {
		case !ok:
			continue
		case id.Account != e.Account || id.Region != e.Region:
			return nil, "", mistake(field, "ARNs of EKS of "+e.Account+" in "+e.Region, s)
		case of == "":
			of = name
		}
		ids = append(ids, id)
	}
	return ids, of, nil
}

// inARN is the cluster that an ARN of EKS names and, where it is that of an add-on, the add-on's name:
// arn:aws:eks:REGION:ACCOUNT:addon/CLUSTER/ADDON/UUID (EKS API reference, Addon). Any other text names nothing.
func inARN(s string) (id cluster.ID, of string, ok bool) {
	id, err := cluster.ParseARN(s)
	if err != nil {
		return cluster.ID{}, "", false
	}
	if p := strings.Split(s, "/"); strings.HasSuffix(p[0], ":addon") && len(p) > 2 {
		of = p[2]
	}
	return id, of, true
}

// texts are the texts in a list. What is no text, or no list, is passed over: the list is one of several places that may name
// a cluster.
func texts(list json.RawMessage) []string {
	var all []json.RawMessage
	_ = json.Unmarshal(list, &all) // what is no list holds nothing
	var found []string
	for _, raw := range all {
		var s string
		if json.Unmarshal(raw, &s) == nil && s != "" {
			found = append(found, s)
		}
	}
	return found
}
