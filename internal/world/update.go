package world

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/cluster"
)

// Update is one update of an add-on, as it truly is.
type Update struct {
	ID       string
	By       string // principal
	From, To string // versions
	Status   string // as EKS writes it: InProgress Failed Successful
	Issue    Issue  // what it failed with
	Created  time.Time
	Ended    time.Time // zero: it is in progress

	token  string
	params []types.UpdateParam // what UpdateAddon was given
}

// Outage is what a restart on a full subnet did: aws-node crash-loops on the nodes there.
type Outage struct {
	Version string
	Subnet  string
}

// Updates are the updates of a cluster's add-on so far, oldest first.
func (w *World) Updates(id cluster.ID) []Update {
	c := w.clusters.byID[id]
	if c == nil {
		return nil
	}
	updates := make([]Update, len(c.updates))
	for i, u := range c.updates {
		updates[i] = *u
	}
	return updates
}

// wish is what an update asks for. Nil leaves things to Behaviour or as they are.
type wish struct {
	version, role, config *string
	pods                  []string // nil: as they are; empty: none
	resolve               types.ResolveConflicts
	token                 string
	by                    caller
}

// updateAddon starts an update: facts-eks-vpc-cni 2.1, 2.2 and 3.
func (w *World) updateAddon(c *Call, in *eks.UpdateAddonInput) (*eks.UpdateAddonOutput, error) {
	found, err := w.clusterAddon(c, in.ClusterName, in.AddonName)
	if err != nil {
		return nil, err
	}
	if in.ServiceAccountRoleArn != nil {
		if err := w.need(c, "iam:PassRole"); err != nil { // facts-aws 5.1
			return nil, err
		}
	}
	ask := wish{
		version: in.AddonVersion, role: in.ServiceAccountRoleArn, config: in.ConfigurationValues, resolve: in.ResolveConflicts,
		pods:  associations(c, found, in.PodIdentityAssociations),
		token: aws.ToString(in.ClientRequestToken), by: caller{principal: c.Principal},
	}
	if u := found.replayed(ask.token); u != nil && w.spec.Behaviour.TokenReplayed {
		return &eks.UpdateAddonOutput{Update: w.describe(u)}, nil
	}
	u, err := w.update(found, ask)
	if err != nil {
		return nil, err
	}
	return &eks.UpdateAddonOutput{Update: w.describe(u)}, nil
}

// replayed is the update that a token was used for; nil: it was not used.
func (c *eksCluster) replayed(token string) *Update {
	i := slices.IndexFunc(c.updates, func(u *Update) bool { return token != "" && u.token == token })
	if i < 0 {
		return nil
	}
	return c.updates[i]
}

// update starts an update if EKS would.
func (w *World) update(c *eksCluster, ask wish) (*Update, error) {
	if err := w.refuse(c, ask); err != nil {
		w.refused(c.id(), ask.by, "UpdateAddon", err, ask.request(c))
		return nil, err
	}
	u := &Update{
		ID: w.uuid(), By: ask.by.principal, From: c.addon.Version, To: c.addon.Version, Status: string(types.UpdateStatusInProgress), Created: w.Now(),
		token: ask.token, params: ask.params(),
	}
	if ask.version != nil {
		u.To = *ask.version
	}
	c.updates = append(c.updates, u)
	c.addon.busy = true
	w.truth(c.id(), "update", *u, u.From+" to "+u.To+" started")
	w.trail(c.id(), ask.by, "UpdateAddon", ask.request(c), map[string]any{
		"update": map[string]any{"id": u.ID, "status": u.Status, "type": "AddonUpdate", "createdAt": epoch(u.Created)},
	})
	a := c.addon
	if d := w.between(w.spec.Behaviour.UpdateStarts.Min, w.spec.Behaviour.UpdateStarts.Max); d > 0 {
		w.clock.After(d, func() { w.roll(c, a, u, ask) })
	} else {
		w.roll(c, a, u, ask)
	}
	return u, nil
}

// request is the requestParameters of CloudTrail: facts-eks-vpc-cni 1.2.
func (ask wish) request(c *eksCluster) map[string]any {
	r := map[string]any{"name": c.Name, "addonName": vpcCNI}
	for key, v := range map[string]*string{"addonVersion": ask.version, "serviceAccountRoleArn": ask.role, "configurationValues": ask.config} {
		if v != nil {
			r[key] = *v
		}
	}
	return r
}

// epoch is an instant as CloudTrail's responseElements have it.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// refuse is why EKS does not start an update; nil: it does. Texts are those that others saw: facts-eks-vpc-cni 2.2.
func (w *World) refuse(c *eksCluster, ask wish) error {
	parameter := func(text string) error { return modelled("eks", "InvalidParameterException", text) }
	status := c.addon.Status
	if c.addon.busy {
		status = string(types.AddonStatusUpdating)
	}
	switch types.AddonStatus(status) {
	case types.AddonStatusUpdating, types.AddonStatusCreating, types.AddonStatusDeleting:
		return modelled("eks", "ResourceInUseException", "Addon vpc-cni cannot be updated as it is currently in "+status+" state")
	}
	if c.status != types.ClusterStatusActive && c.status != types.ClusterStatusUpdating {
		return modelled("eks", "InvalidRequestException", "Cluster "+c.Name+" is in "+string(c.status)+" state")
	}
	if ask.role != nil && *ask.role == "" {
		return parameter("ServiceAccountRoleArn must have a length of at least 1")
	}
	if ask.version == nil {
		return nil
	}
	if !w.compatible(c.kubernetes, *ask.version) {
		return parameter("Addon version specified is not supported in " + c.kubernetes + " kubernetes version")
	}
	if w.spec.Behaviour.OneMinor && !neighbours(c.addon.Version, *ask.version) {
		return parameter("Updating VPC-CNI can only go up or down 1 minor version at a time")
	}
	return w.unfitting(*ask.version, aws.ToString(ask.config))
}

// unfitting is the error for configuration values that a version does not take; nil: it takes them.
func (w *World) unfitting(version, config string) error {
	if wrong := w.unfit(version, config); wrong != "" {
		return modelled("eks", "InvalidParameterException",
			"ConfigurationValue provided in request is not supported: Json schema validation failed with error: ["+wrong+"]")
	}
	return nil
}

func (w *World) compatible(kubernetes, version string) bool {
	return slices.ContainsFunc(w.spec.Catalogues[kubernetes], func(k Catalogue) bool { return k.Compatible && k.Version == version })
}

// numbers are a version's. Whatever cannot be read is 0: the world judges by its own reading, never by the product's.
func numbers(version string) (n [3]int) {
	_, _ = fmt.Sscanf(version, "v%d.%d.%d", &n[0], &n[1], &n[2])
	return n
}

// neighbours reports whether two versions are at most one minor version apart.
func neighbours(a, b string) bool {
	x, y := numbers(a), numbers(b)
	return x[0] == y[0] && max(x[1]-y[1], y[1]-x[1]) <= 1
}
