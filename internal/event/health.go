package event

import (
	"cmp"
	"fmt"

	"github.com/cniguard/cniguard/internal/cluster"
)

// healths are the events of AWS Health about EKS. Only those that are about one account are of interest: a public one tells of
// trouble of EKS in a whole region, names no cluster, changes nothing that a check reads, and is sent again with each update of
// its text; a sweep for each would burden the very service that is in trouble. In the China partition the documentation prints
// "Amazon" for "AWS".
func healths() family {
	return family{
		source: "aws.health",
		types:  []string{"AWS Health Event", "Amazon Health Event"},
		read:   readHealth,
		rules:  healthRules,
	}
}

const (
	healthService = "EKS"
	healthScope   = "ACCOUNT_SPECIFIC"
)

// health is an event of AWS Health: events/health-lifecycle.json. Pages, copies in the backup region and updates come as events
// of their own (AWS Health user guide, "EventBridge schema"). They are not told apart by communicationId, since to check twice
// does no harm.
type health struct {
	Service  string `json:"service"`
	Code     string `json:"eventTypeCode"`
	Scope    string `json:"eventScopeCode"`
	Region   string `json:"eventRegion"`     // the envelope's is where it was delivered
	Account  string `json:"affectedAccount"` // another than the envelope's in the organisation's view
	Entities []struct {
		Value string `json:"entityValue"` // an ARN, a name, or a word for everything
	} `json:"affectedEntities"`
}

func readHealth(e envelope) (Trigger, error) {
	h, err := object[health]("detail", e.Detail)
	u := Unit{Account: cmp.Or(h.Account, e.Account), Region: cmp.Or(h.Region, e.Region)}
	switch {
	case err != nil:
		return Trigger{}, err
	case h.Service == "":
		return Trigger{}, mistake("detail.service", "the service that is affected", "")
	case h.Service != healthService:
		return skip("other service", h.Service), nil
	case h.Scope != "" && h.Scope != healthScope:
		return skip("not about one account", h.Scope), nil
	case !cluster.IsAccount(u.Account):
		return Trigger{}, mistake("detail.affectedAccount", "an account id of twelve digits", h.Account)
	case !cluster.IsRegion(u.Region):
		return Trigger{}, mistake("detail.eventRegion", "a region", h.Region)
	}
	named := texts(e.Resources)
	for _, entity := range h.Entities {
		named = append(named, entity.Value)
	}
	ids, other := affected(named, u)
	if len(ids) == 0 && other != "" {
		return skip("other add-on", other), nil
	}
	return e.ask(ids, u, fmt.Sprintf("Health %.64q", h.Code)), nil
}

// affected are the clusters among what an event calls affected, and an add-on that is not of interest. An ARN says its account
// and region itself; a name is one of the unit's.
func affected(named []string, u Unit) (ids []cluster.ID, other string) {
	for _, s := range named {
		id, of, arn := inARN(s)
		switch {
		case arn && of != "" && of != addon:
			other = of
		case arn:
			ids = append(ids, id)
		case cluster.IsName(s) && !everything(s):
			ids = append(ids, cluster.ID{Account: u.Account, Region: u.Region, Name: s})
		}
	}
	return ids, other
}

// everything reports whether an entity stands for more than one resource: the account itself, or what AWS Health writes where it
// does not know (aws-samples/aws-health-aware reads "UNKNOWN" as all resources in the region). No page of AWS lists such words.
func everything(entity string) bool {
	return cluster.IsAccount(entity) || entity == "UNKNOWN" || entity == "AWS_ACCOUNT"
}

func healthRules() []Rule {
	f := healths()
	return []Rule{{
		Name:        "eks-health",
		Description: "Events of AWS Health about EKS in one account; public ones name no cluster",
		Target:      Urgent,
		Pattern: Pattern{
			"source":      Values{Exact: []string{f.source}},
			"detail-type": Values{Exact: f.types},
			"detail": Pattern{
				"service":        Values{Exact: []string{healthService}},
				"eventScopeCode": Values{Exact: []string{healthScope}, Absent: true},
			},
		},
	}}
}
