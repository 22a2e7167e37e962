package event

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
)

// addons are EKS's own events of add-ons. Their names are documented (EventBridge reference, "Amazon Elastic Kubernetes Service
// events"), their content is not, and no event was ever published: so whatever names a cluster is taken, and where nothing does,
// the account's clusters in that region are looked at.
func addons() family {
	return family{
		source: "aws.eks",
		types: []string{
			"EKS Addon Creation Succeeded", "EKS Addon Creation Failed",
			"EKS Addon Update Succeeded", "EKS Addon Update Failed",
			"EKS Addon Deletion Succeeded", "EKS Addon Deletion Failed",
			"EKS Addon Health Degraded", "EKS Addon Health Restored",
		},
		read:  readAddon,
		rules: addonRules,
	}
}

// readAddon looks for the cluster in the ARNs in resources, then in ARNs in the detail, then in the detail's names. What comes
// first counts, also where the detail says otherwise: an ARN can be held against the envelope, a name in an undocumented field
// cannot.
func readAddon(e envelope) (Trigger, error) {
	detail := said(e.Detail)
	ids, of, err := e.own("resources", texts(e.Resources))
	if err == nil && len(ids) == 0 {
		ids, of, err = e.own("detail", slices.Sorted(maps.Values(detail)))
	}
	if err != nil {
		return Trigger{}, err
	}
	if of = cmp.Or(of, detail["addonname"], detail["addon"]); of != "" && of != addon {
		return skip("other add-on", of), nil
	}
	name := cmp.Or(detail["clustername"], detail["cluster"], detail["name"])
	if len(ids) == 0 && cluster.IsName(name) && name != addon { // "name" may be the add-on's
		ids = []cluster.ID{{Account: e.Account, Region: e.Region, Name: name}}
	}
	return e.ask(ids, Unit{Account: e.Account, Region: e.Region}, e.DetailType), nil
}

// said are the texts at the top of an undocumented detail by the names of their fields, which lose case, hyphens and
// underscores: clusterName, cluster-name and cluster_name are all "clustername". Of two fields with one name, the first counts.
func said(detail json.RawMessage) map[string]string {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(detail, &fields) // what is no object says nothing
	plain := strings.NewReplacer("-", "", "_", "")
	all := map[string]string{}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		var s string
		name := strings.ToLower(plain.Replace(field))
		if json.Unmarshal(fields[field], &s) == nil && s != "" && all[name] == "" {
			all[name] = s
		}
	}
	return all
}

func addonRules() []Rule {
	f := addons()
	return []Rule{{
		Name:        "eks-addons",
		Description: "EKS's own events of add-ons; of all add-ons, because where an event says which is not documented",
		Target:      Urgent,
		Pattern: Pattern{
			"source":      Values{Exact: []string{f.source}},
			"detail-type": Values{Exact: f.types},
		},
	}}
}
