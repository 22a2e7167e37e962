package event

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
)

// calls are the calls of the EKS API that change what a check reads, as CloudTrail tells them. Each means that EKS took the
// request, not that it is done. In the China partition the documentation prints "Amazon" for "AWS"; no event from there has
// been published, so both are taken.
func calls() family {
	return family{
		source: "aws.eks",
		types:  []string{"AWS API Call via CloudTrail", "Amazon API Call via CloudTrail"},
		read:   readCall,
		rules:  callRules,
	}
}

// addon is the only add-on that is watched.
const addon = "vpc-cni"

func callNames() []string {
	return []string{
		"CreateCluster", "UpdateClusterVersion", "UpdateClusterConfig", "CreateAddon", "UpdateAddon", "DeleteAddon", "DeleteCluster",
		"AssociateAccessPolicy", // the cluster's own API may be open to the observer now
	}
}

// call is one call: events/update-addon.json. Its responseElements are not read: their times are epoch floats, and what
// they say may be old by now.
type call struct {
	Name       string          `json:"eventName"`
	Error      string          `json:"errorCode"` // of a call that failed
	Region     string          `json:"awsRegion"`
	Parameters json.RawMessage `json:"requestParameters"` // null for some calls that failed
}

// parameters are those of the calls in callNames: EKS calls the cluster "name" in all of them.
type parameters struct {
	Name  string `json:"name"`
	Addon string `json:"addonName"` // of the calls on add-ons
}

func readCall(e envelope) (Trigger, error) {
	c, err := object[call]("detail", e.Detail)
	switch {
	case err != nil:
		return Trigger{}, err
	case c.Name == "":
		return Trigger{}, mistake("detail.eventName", "the name of an API call", "")
	case !slices.Contains(callNames(), c.Name):
		return skip("other call", c.Name), nil
	case c.Error != "":
		return skip("failed "+c.Name, c.Error), nil
	case c.Region != "" && c.Region != e.Region:
		return Trigger{}, mistake("detail.awsRegion", "the envelope's region "+e.Region, c.Region)
	}
	p, err := object[parameters]("detail.requestParameters", c.Parameters)
	if err != nil {
		return Trigger{}, err
	}
	if strings.HasSuffix(c.Name, "Addon") && p.Addon != addon {
		if p.Addon == "" {
			return Trigger{}, mistake("detail.requestParameters.addonName", "an add-on's name", "")
		}
		return skip("other add-on", p.Addon), nil
	}
	id, err := called(p.Name, e)
	return Trigger{Kind: Check, Cluster: id, Why: "CloudTrail " + c.Name}, err
}

// called is the cluster of a call. EKS takes a name or an ARN in the path, and CloudTrail keeps the path's escapes.
func called(name string, e envelope) (cluster.ID, error) {
	id := cluster.ID{Account: e.Account, Region: e.Region}
	plain, err := url.PathUnescape(name)
	id.Name = strings.TrimPrefix(plain, id.ARN())
	if err != nil || !cluster.IsName(id.Name) {
		return cluster.ID{}, mistake("detail.requestParameters.name",
			"a cluster's name, or the ARN of a cluster of "+e.Account+" in "+e.Region, name)
	}
	return id, nil
}

func callRules() []Rule {
	f := calls()
	return []Rule{{
		Name:        "eks-calls",
		Description: "Calls of the EKS API that change a cluster or its vpc-cni add-on, and that EKS took",
		Target:      Urgent,
		Pattern: Pattern{
			"source":      Values{Exact: []string{f.source}},
			"detail-type": Values{Exact: f.types},
			"detail": Pattern{
				"eventSource":       Values{Exact: []string{"eks.amazonaws.com"}},
				"eventName":         Values{Exact: callNames()},
				"errorCode":         Values{Absent: true},
				"requestParameters": Pattern{"addonName": Values{Exact: []string{addon}, Absent: true}},
			},
		},
	}}
}
