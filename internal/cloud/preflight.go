package cloud

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/addonconfig"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// release is a version as a region has it.
type release struct {
	region  string
	version cni.Version
}

// schema is the schema of a release, and when it was read.
type schema struct {
	at   time.Time
	text string
}

const describeConfiguration = "eks:DescribeAddonConfiguration"

// Configuration checks an add-on's configuration values against the schema of a version. What it says names keys, never values.
func (c *Cloud) Configuration(ctx context.Context, id cluster.ID, of cni.Version, values string) guard.Reading[*guard.Configuration] {
	text, f := c.schemaOf(ctx, id, of)
	if f != nil {
		return guard.Hidden[*guard.Configuration](f)
	}
	found, err := addonconfig.Refused(text, values)
	switch {
	case errors.Is(err, addonconfig.ErrNotJSON):
		return guard.Read(&guard.Configuration{Of: of, NotJSON: true})
	case err != nil:
		return guard.Hidden[*guard.Configuration](&fault.Fault{Kind: fault.Terminal, Op: describeConfiguration, Text: plain.Clean(err.Error(), plain.Text)})
	}
	return guard.Read(&guard.Configuration{Of: of, Refused: cleaned(found)})
}

// schemaOf reads the schema of a version, or takes it from an earlier reading.
func (c *Cloud) schemaOf(ctx context.Context, id cluster.ID, of cni.Version) (string, *fault.Fault) {
	key := release{id.Region, of}
	c.mu.Lock()
	known := c.schemas[key]
	c.mu.Unlock()
	if now := c.clock.Now(); known.at.IsZero() || now.Sub(known.at) >= listingAge {
		k := c.at(access.Observer, id.Account, id.Region)
		out, f := call(c.clock, describeConfiguration, k.EKS.DescribeAddonConfiguration)(ctx,
			&eks.DescribeAddonConfigurationInput{AddonName: aws.String(addonName), AddonVersion: aws.String(of.String())})
		switch {
		case f != nil:
			return "", f
		case aws.ToString(out.ConfigurationSchema) == "":
			return "", unanswered(describeConfiguration)
		}
		known = schema{now, *out.ConfigurationSchema}
		c.mu.Lock()
		c.schemas[key] = known
		c.mu.Unlock()
	}
	return known.text, nil
}

// mostUpdates is how many updates of an add-on are looked at, eight side by side, for one that is open.
const mostUpdates = 100

// Open reads which updates of the add-on EKS has not ended.
func (c *Cloud) Open(ctx context.Context, id cluster.ID) guard.Reading[*guard.Open] {
	r := reader{c.clock, c.at(access.Observer, id.Account, id.Region).EKS, id.Name}
	ids, f := r.list(ctx)
	if f != nil {
		return guard.Hidden[*guard.Open](f)
	}
	seen := ids[:min(len(ids), mostUpdates)]
	updates, f := r.each(ctx, seen)
	if f != nil {
		return guard.Hidden[*guard.Open](f)
	}
	open := &guard.Open{Unseen: len(ids) - len(seen)}
	for _, u := range updates {
		if u.Status == types.UpdateStatusInProgress {
			open.Updates = append(open.Updates, *toUpdate(u))
		}
	}
	return guard.Read(open)
}
