package cloud

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

const (
	// listingAge is how long a listing of compatible versions is used again. New versions appear days apart.
	listingAge = time.Hour
	// skew is how far EKS's clock may be behind the one that stamped a step.
	skew = time.Minute
)

// edition is what a listing is for: versions are published by region, for a Kubernetes version.
type edition struct{ region, kubernetes string }

type listing struct {
	at       time.Time
	releases []cni.Release
}

// Catalogue reads the versions that are compatible with a version of Kubernetes, or takes them from an earlier listing.
func (c *Cloud) Catalogue(ctx context.Context, id cluster.ID, kubernetes string) guard.Reading[[]cni.Release] {
	key := edition{id.Region, kubernetes}
	c.mu.Lock()
	known := c.listings[key]
	c.mu.Unlock()
	if now := c.clock.Now(); known.at.IsZero() || now.Sub(known.at) >= listingAge {
		releases, f := c.listVersions(ctx, id, kubernetes)
		if f != nil {
			return guard.Hidden[[]cni.Release](f)
		}
		known = listing{now, releases}
		c.mu.Lock()
		c.listings[key] = known
		c.mu.Unlock()
	}
	return guard.Read(slices.Clone(known.releases))
}

// listVersions keeps what is installable. Versions that are not compatible with the cluster's are listed too, without
// compatibilities: for 1.29, forty of them from v1.6.3 to v1.15.3.
func (c *Cloud) listVersions(ctx context.Context, id cluster.ID, kubernetes string) ([]cni.Release, *fault.Fault) {
	var releases []cni.Release
	k := c.at(access.Observer, id.Account, id.Region)
	in := &eks.DescribeAddonVersionsInput{AddonName: aws.String(addonName), KubernetesVersion: &kubernetes}
	for out, f := range pages(ctx, c.clock, "eks:DescribeAddonVersions", eks.NewDescribeAddonVersionsPaginator(k.EKS, in)) {
		if f != nil {
			return nil, f
		}
		for _, a := range out.Addons {
			if aws.ToString(a.AddonName) == addonName {
				releases = append(releases, compatible(a.AddonVersions, kubernetes)...)
			}
		}
	}
	return releases, nil
}

func compatible(versions []types.AddonVersionInfo, kubernetes string) []cni.Release {
	var releases []cni.Release
	for _, v := range versions {
		i := slices.IndexFunc(v.Compatibilities, func(c types.Compatibility) bool { return aws.ToString(c.ClusterVersion) == kubernetes })
		version := cni.Parse(aws.ToString(v.AddonVersion))
		if i >= 0 && version.Known() {
			releases = append(releases, cni.Release{Version: version, Default: v.Compatibilities[i].DefaultVersion, Architectures: architectures(v.Architecture)})
		}
	}
	return releases
}

// architectures are those of a release, none of which need be one that is known.
func architectures(names []string) (all cni.Architectures) {
	for _, name := range names {
		all = all.With(name)
	}
	return all
}

// cleaned are texts that others wrote, each in one line; nil: there are none.
func cleaned(texts []string) []string {
	var clean []string
	for _, t := range texts {
		clean = append(clean, plain.Clean(t, plain.Text))
	}
	return clean
}

// Settle reads the update that belongs to a step: by the step's ID or, where the call's answer never came, the newest update of the
// add-on to the step's version that was created since the step was saved. Nil: there is none.
func (c *Cloud) Settle(ctx context.Context, id cluster.ID, s guard.Step) guard.Reading[*guard.Update] {
	r := reader{c.clock, c.at(access.Observer, id.Account, id.Region).EKS, id.Name}
	if s.ID == "" {
		return r.newest(ctx, s)
	}
	u, f := r.update(s.ID)(ctx)
	return guard.Reading[*guard.Update]{Value: toUpdate(u), Fault: f}
}

// reader reads the add-on updates of one cluster.
type reader struct {
	clock   clock.Clock
	eks     EKS
	cluster string
}

func (r reader) update(id string) func(context.Context) (*types.Update, *fault.Fault) {
	return func(ctx context.Context) (*types.Update, *fault.Fault) {
		const op = "eks:DescribeUpdate"
		out, f := call(r.clock, op, r.eks.DescribeUpdate)(ctx,
			&eks.DescribeUpdateInput{Name: &r.cluster, UpdateId: &id, AddonName: aws.String(addonName)})
		switch {
		case absent(f):
			return nil, nil
		case f != nil:
			return nil, f
		case out.Update == nil:
			return nil, unanswered(op)
		}
		return out.Update, nil
	}
}

// newest looks through all updates, because EKS does not say in which order it lists them.
func (r reader) newest(ctx context.Context, s guard.Step) guard.Reading[*guard.Update] {
	ids, f := r.list(ctx)
	if f != nil {
		return guard.Hidden[*guard.Update](f)
	}
	updates, f := r.each(ctx, ids)
	if f != nil {
		return guard.Hidden[*guard.Update](f)
	}
	var found *types.Update
	for _, u := range updates {
		if belongs(u, s) && (found == nil || u.CreatedAt.After(*found.CreatedAt)) {
			found = u
		}
	}
	return guard.Read(toUpdate(found))
}

// each reads updates side by side; those that EKS does not know any more are left out.
func (r reader) each(ctx context.Context, ids []string) ([]*types.Update, *fault.Fault) {
	updates := make([]guard.Reading[*types.Update], len(ids))
	tasks := make([]task, len(ids))
	for i, id := range ids {
		tasks[i] = into(&updates[i], r.update(id))
	}
	_ = r.clock.Parallel(ctx, clock.Limit(sideBySide, tasks)...)
	if f := gravest(faults(updates)); f != nil {
		return nil, f
	}
	var found []*types.Update
	for _, u := range updates {
		if u.Value != nil {
			found = append(found, u.Value)
		}
	}
	return found, nil
}

func (r reader) list(ctx context.Context) ([]string, *fault.Fault) {
	var ids []string
	in := &eks.ListUpdatesInput{Name: &r.cluster, AddonName: aws.String(addonName)}
	for out, f := range pages(ctx, r.clock, "eks:ListUpdates", eks.NewListUpdatesPaginator(r.eks, in)) {
		switch {
		case absent(f): // the cluster or its add-on is gone, and its updates with it
			return nil, nil
		case f != nil:
			return nil, f
		}
		ids = append(ids, out.UpdateIds...)
	}
	return ids, nil
}

func belongs(u *types.Update, s guard.Step) bool {
	return u != nil && u.Type == types.UpdateTypeAddonUpdate && u.CreatedAt != nil && !u.CreatedAt.Before(s.Since.Add(-skew)) &&
		slices.ContainsFunc(u.Params, func(p types.UpdateParam) bool {
			return p.Type == types.UpdateParamTypeAddonVersion && aws.ToString(p.Value) == s.To.String()
		})
}

func toUpdate(u *types.Update) *guard.Update {
	if u == nil {
		return nil
	}
	v := &guard.Update{ID: aws.ToString(u.Id), Status: string(u.Status), Created: aws.ToTime(u.CreatedAt)}
	for _, e := range u.Errors {
		v.Code = cmp.Or(v.Code, string(e.ErrorCode))
		if e.ErrorCode == types.ErrorCodeConfigurationConflict {
			v.Fields = append(v.Fields, fields(aws.ToString(e.ErrorMessage), param(u, types.UpdateParamTypeConfigurationValues))...)
		}
		v.Errors = append(v.Errors, string(e.ErrorCode)+": "+told(aws.ToString(e.ErrorMessage)+about(e.ResourceIds), param(u, types.UpdateParamTypeConfigurationValues)))
	}
	return v
}

// fields are the fields that a conflict is about. EKS lists them at the end of its message, an object and a field a line, without values
// (facts-eks-vpc-cni.md, 1.2): "Conflicts:", then "DaemonSet.apps aws-node - .spec.template".
func fields(message, config string) []string {
	var found []string
	for line := range strings.Lines(message) {
		object, field, is := strings.Cut(strings.TrimSpace(line), " - ")
		if is && strings.Contains(object, " ") && strings.HasPrefix(field, ".") {
			found = append(found, told(line, config))
		}
	}
	return found
}

// about names what an error or issue is about; empty: EKS names nothing.
func about(resources []string) string {
	if len(resources) == 0 {
		return ""
	}
	return " (" + strings.Join(resources, ", ") + ")"
}

// param is what an update was asked to set; empty: nothing.
func param(u *types.Update, kind types.UpdateParamType) string {
	for _, p := range u.Params {
		if p.Type == kind {
			return aws.ToString(p.Value)
		}
	}
	return ""
}

// told is what EKS says of an add-on or its update, in one line, without the values of the add-on's configuration.
func told(text, config string) string {
	return plain.Clean(plain.Hide(text, config), plain.Text)
}
