package event_test

import (
	"testing"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// Facts 1.4/types, 1.4/affected, 1.4/region, 1.4/scope, 1.4/codes.
func TestEventsOfHealth(t *testing.T) {
	const (
		several   = "health-several.json"
		name      = "health-name.json"
		backup    = "health-backup.json"
		unknown   = "health-unknown.json"
		lifecycle = `Health "AWS_EKS_PLANNED_LIFECYCLE_EVENT"`
		notice    = `Health "AWS_EKS_OPERATIONAL_NOTIFICATION"`
	)
	entities := func(values ...string) []map[string]string {
		all := []map[string]string{}
		for _, v := range values {
			all = append(all, map[string]string{"entityValue": v})
		}
		return all
	}
	addon := func(name string) string { return "arn:aws:eks:eu-central-1:111122223333:addon/prod-eu/" + name + "/1" }
	jobs := cluster.ID{Account: member.Account, Region: member.Region, Name: "prod-jobs"}
	elsewhere := cluster.ID{Account: member.Account, Region: "us-east-1", Name: "prod-eu"}
	all := []cluster.ID{prodEU, jobs, testEU}
	west := event.Unit{Account: member.Account, Region: "us-west-2"}
	for title, v := range map[string]variant{
		"only resources names the clusters": {sample: several, field: "detail.affectedEntities",
			kind: event.Checks, why: lifecycle, ids: all},
		"only the entities name the clusters": {sample: several, field: "resources",
			kind: event.Checks, why: lifecycle, ids: all},
		"the resources are no list": {sample: several, field: "resources", value: "x",
			kind: event.Checks, why: lifecycle, ids: all},
		"the scope is missing": {sample: several, field: "detail.eventScopeCode",
			kind: event.Checks, why: lifecycle, ids: all},
		"the affected account is missing": {sample: name, field: "detail.affectedAccount",
			kind: event.Check, why: notice, id: prodEU},
		"the affected region is missing": {sample: unknown, field: "detail.eventRegion",
			kind: event.Sweeping, why: notice, unit: member},
		"a name is in the affected region, not where the event came from": {sample: backup, field: "detail.affectedEntities", value: entities("prod-eu"),
			kind: event.Check, why: lifecycle, id: prodEU},
		"an ARN's own region counts": {sample: name, field: "resources", value: []string{elsewhere.ARN()},
			kind: event.Checks, why: notice, ids: []cluster.ID{prodEU, elsewhere}},
		"a node group is affected": {sample: unknown, field: "resources", value: []string{"arn:aws:eks:eu-central-1:111122223333:nodegroup/prod-eu/ng/1"},
			kind: event.Check, why: notice, id: prodEU},
		"vpc-cni is affected": {sample: unknown, field: "resources", value: []string{addon("vpc-cni")},
			kind: event.Check, why: notice, id: prodEU},
		"another add-on is affected": {sample: unknown, field: "resources", value: []string{addon("coredns")},
			kind: event.Skip, why: `other add-on: "coredns"`},
		"another add-on of one cluster and another cluster": {sample: unknown, field: "resources", value: []string{addon("coredns"), testEU.ARN()},
			kind: event.Check, why: notice, id: testEU},
		"the account is affected": {sample: unknown, field: "detail.affectedEntities", value: entities("111122223333", "AWS_ACCOUNT"),
			kind: event.Sweeping, why: notice, unit: member},
		"nothing is said to be affected": {sample: unknown, field: "detail.affectedEntities",
			kind: event.Sweeping, why: notice, unit: member},
		"something is affected that is no cluster": {sample: unknown, field: "detail.affectedEntities", value: entities("", "a b", "arn:aws:ec2:eu-central-1:111122223333:subnet/subnet-1"),
			kind: event.Sweeping, why: notice, unit: member},
		"another region than the event's is affected": {sample: unknown, field: "detail.eventRegion", value: "us-west-2",
			kind: event.Sweeping, why: notice, unit: west},
		"another account than the event's is affected": {sample: unknown, field: "detail.affectedAccount", value: foreign.Account,
			kind: event.Sweeping, why: notice, unit: event.Unit{Account: foreign.Account, Region: member.Region}},
		"a scope of a later day": {sample: several, field: "detail.eventScopeCode", value: "NONE",
			kind: event.Skip, why: `not about one account: "NONE"`},
		"a public event that names clusters": {sample: several, field: "detail.eventScopeCode", value: "PUBLIC",
			kind: event.Skip, why: `not about one account: "PUBLIC"`},
		"the service in small letters": {sample: several, field: "detail.service", value: "eks",
			kind: event.Skip, why: `other service: "eks"`},
		"abuse": {sample: several, field: "detail-type", value: "AWS Health Abuse Event",
			kind: event.Skip, why: `unknown event: "aws.health/AWS Health Abuse Event"`},

		"the affected account is none": {sample: several, field: "detail.affectedAccount", value: "me",
			err: `detail.affectedAccount: want an account id of twelve digits, have "me"`},
		"the entities are a text": {sample: several, field: "detail.affectedEntities", value: "x",
			err: "detail.affectedEntities: want a list, have a string"},
		"the detail is missing": {sample: several, field: "detail", err: "detail: want an object, have nothing"},
	} {
		t.Run(title, v.run)
	}
}

func TestOnlyTheHubMayTellOfOtherAccountsByTheOrganisationsView(t *testing.T) {
	for title, c := range map[string]struct {
		sample  string
		account string // of the envelope
		want    bool
	}{
		"the hub tells of a member's cluster":             {"health-organization.json", hub.Account, true},
		"a member that is no hub tells of another's":      {"health-organization.json", "999999999999", false},
		"a member tells of its own clusters":              {"health-several.json", member.Account, true},
		"another tells of a member's clusters":            {"health-several.json", "999999999999", false},
		"a member tells of its own region":                {"health-unknown.json", member.Account, true},
		"another tells of a member's region":              {"health-unknown.json", "999999999999", false},
		"the hub tells of a member's region":              {"health-unknown.json", hub.Account, true},
		"the hub tells of a member's cluster by its name": {"health-name.json", hub.Account, true},
	} {
		t.Run(title, func(t *testing.T) {
			have, err := event.Decode(with(t, c.sample, "account", c.account))
			if err != nil {
				t.Fatal(err)
			}
			if have.Permitted(hub.Account) != c.want {
				t.Errorf("%s of %v %v %v: want %v", have.Kind, have.Cluster, have.Clusters, have.Unit, c.want)
			}
			if have.Kind == event.Skip {
				t.Error("it asks for nothing")
			}
		})
	}
}
