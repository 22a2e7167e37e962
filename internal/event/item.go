package event

import "slices"

// items are the changes that AWS Config records, where an account has it record EKS. Of the events that tell what EKS does by
// itself, as the end of an update, they are the only ones whose content is documented (AWS Config developer guide, "Example
// configuration item change notifications"); none about EKS was ever published, so only the ARN is relied on.
func items() family {
	return family{
		source: "aws.config",
		types:  []string{"Config Configuration Item Change"},
		read:   readItem,
		rules:  itemRules,
	}
}

func itemTypes() []string { return []string{"AWS::EKS::Addon", "AWS::EKS::Cluster"} }

// item is a recorded change: events/config-addon.json. What it says of the resource is not read.
type item struct {
	Item struct {
		Type string `json:"resourceType"`
		ARN  string `json:"ARN"`
	} `json:"configurationItem"`
}

func readItem(e envelope) (Trigger, error) {
	i, err := object[item]("detail", e.Detail)
	switch {
	case err != nil:
		return Trigger{}, err
	case i.Item.Type == "":
		return Trigger{}, mistake("detail.configurationItem.resourceType", "a type of resource", "")
	case !slices.Contains(itemTypes(), i.Item.Type):
		return skip("other resource", i.Item.Type), nil
	}
	ids, of, err := e.own("resources", texts(e.Resources))
	if err == nil && len(ids) == 0 {
		ids, of, err = e.own("detail.configurationItem.ARN", []string{i.Item.ARN})
	}
	switch {
	case err != nil:
		return Trigger{}, err
	case of != "" && of != addon:
		return skip("other add-on", of), nil
	}
	return e.ask(ids, Unit{Account: e.Account, Region: e.Region}, "Config "+i.Item.Type), nil
}

func itemRules() []Rule {
	f := items()
	return []Rule{{
		Name:        "config-items",
		Description: "Changes of EKS clusters and add-ons that AWS Config recorded, where it does",
		Target:      Urgent,
		Pattern: Pattern{
			"source":      Values{Exact: []string{f.source}},
			"detail-type": Values{Exact: f.types},
			"detail":      Pattern{"configurationItem": Pattern{"resourceType": Values{Exact: itemTypes()}}},
		},
	}}
}
