package laws_test

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/world"
)

// clients plants a defect in the clients that assume a role.
func clients(change func(c *cloud.Clients, role access.Role)) twist {
	return twist{alter: func(p *app.Parts, _ scene) {
		connect := p.Connect
		p.Connect = func(role access.Role, account, region string) cloud.Clients {
			c := connect(role, account, region)
			change(&c, role)
			return c
		}
	}}
}

// lyingEKS is EKS with some of its operations replaced.
type lyingEKS struct {
	cloud.EKS
	addon    func(*eks.DescribeAddonOutput, error) (*eks.DescribeAddonOutput, error)
	cluster  func(*types.Cluster)
	update   func(*types.Update)
	versions func(*types.AddonVersionInfo, string)
	schema   func(*eks.DescribeAddonConfigurationOutput)
	list     func(*eks.ListClustersOutput)
	updates  func(*eks.ListUpdatesOutput)
	ask      func(*eks.UpdateAddonInput)
}

func (e lyingEKS) DescribeAddon(ctx context.Context, in *eks.DescribeAddonInput, o ...func(*eks.Options)) (*eks.DescribeAddonOutput, error) {
	out, err := e.EKS.DescribeAddon(ctx, in, o...)
	if e.addon != nil {
		return e.addon(out, err)
	}
	return out, err
}

func (e lyingEKS) DescribeCluster(ctx context.Context, in *eks.DescribeClusterInput, o ...func(*eks.Options)) (*eks.DescribeClusterOutput, error) {
	out, err := e.EKS.DescribeCluster(ctx, in, o...)
	if err == nil && e.cluster != nil {
		e.cluster(out.Cluster)
	}
	return out, err
}

func (e lyingEKS) DescribeUpdate(ctx context.Context, in *eks.DescribeUpdateInput, o ...func(*eks.Options)) (*eks.DescribeUpdateOutput, error) {
	out, err := e.EKS.DescribeUpdate(ctx, in, o...)
	if err == nil && e.update != nil {
		e.update(out.Update)
	}
	return out, err
}

func (e lyingEKS) DescribeAddonVersions(ctx context.Context, in *eks.DescribeAddonVersionsInput, o ...func(*eks.Options)) (*eks.DescribeAddonVersionsOutput, error) {
	out, err := e.EKS.DescribeAddonVersions(ctx, in, o...)
	if err == nil && e.versions != nil {
		for i := range out.Addons {
			for j := range out.Addons[i].AddonVersions {
				e.versions(&out.Addons[i].AddonVersions[j], *in.KubernetesVersion)
			}
		}
	}
	return out, err
}

func (e lyingEKS) DescribeAddonConfiguration(ctx context.Context, in *eks.DescribeAddonConfigurationInput, o ...func(*eks.Options)) (
	*eks.DescribeAddonConfigurationOutput, error,
) {
	out, err := e.EKS.DescribeAddonConfiguration(ctx, in, o...)
	if err == nil && e.schema != nil {
		e.schema(out)
	}
	return out, err
}

func (e lyingEKS) ListClusters(ctx context.Context, in *eks.ListClustersInput, o ...func(*eks.Options)) (*eks.ListClustersOutput, error) {
	out, err := e.EKS.ListClusters(ctx, in, o...)
	if err == nil && e.list != nil {
		e.list(out)
	}
	return out, err
}

func (e lyingEKS) ListUpdates(ctx context.Context, in *eks.ListUpdatesInput, o ...func(*eks.Options)) (*eks.ListUpdatesOutput, error) {
	out, err := e.EKS.ListUpdates(ctx, in, o...)
	if err == nil && e.updates != nil {
		e.updates(out)
	}
	return out, err
}

func (e lyingEKS) UpdateAddon(ctx context.Context, in *eks.UpdateAddonInput, o ...func(*eks.Options)) (*eks.UpdateAddonOutput, error) {
	asked := *in
	if e.ask != nil {
		e.ask(&asked)
	}
	return e.EKS.UpdateAddon(ctx, &asked, o...)
}

func eksThat(e lyingEKS) twist {
	return clients(func(c *cloud.Clients, _ access.Role) {
		lying := e
		lying.EKS = c.EKS
		c.EKS = lying
	})
}

func addonThat(change func(*types.Addon)) twist {
	return eksThat(lyingEKS{addon: func(out *eks.DescribeAddonOutput, err error) (*eks.DescribeAddonOutput, error) {
		if err == nil {
			change(out.Addon)
		}
		return out, err
	}})
}

// lyingCloudWatch is CloudWatch with some of its operations replaced.
type lyingCloudWatch struct {
	cloud.CloudWatch
	alarm func(*cwtypes.MetricAlarm)
	put   func(*cloudwatch.PutMetricAlarmInput) bool // false: it is not done, and nobody is told
	drop  func(*cloudwatch.DeleteAlarmsInput) bool
}

func (w lyingCloudWatch) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, o ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	out, err := w.CloudWatch.DescribeAlarms(ctx, in, o...)
	if err == nil && w.alarm != nil {
		for i := range out.MetricAlarms {
			w.alarm(&out.MetricAlarms[i])
		}
	}
	return out, err
}

func (w lyingCloudWatch) PutMetricAlarm(ctx context.Context, in *cloudwatch.PutMetricAlarmInput, o ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricAlarmOutput, error) {
	if w.put != nil && !w.put(in) {
		return &cloudwatch.PutMetricAlarmOutput{}, nil
	}
	return w.CloudWatch.PutMetricAlarm(ctx, in, o...)
}

func (w lyingCloudWatch) DeleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput, o ...func(*cloudwatch.Options)) (*cloudwatch.DeleteAlarmsOutput, error) {
	if w.drop != nil && !w.drop(in) {
		return &cloudwatch.DeleteAlarmsOutput{}, nil
	}
	return w.CloudWatch.DeleteAlarms(ctx, in, o...)
}

func cloudWatchThat(w lyingCloudWatch) twist {
	return clients(func(c *cloud.Clients, _ access.Role) {
		lying := w
		lying.CloudWatch = c.CloudWatch
		c.CloudWatch = lying
	})
}

// roomyEC2 says that every subnet is empty.
type roomyEC2 struct{ cloud.EC2 }

func (e roomyEC2) DescribeSubnets(ctx context.Context, in *ec2.DescribeSubnetsInput, o ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	out, err := e.EC2.DescribeSubnets(ctx, in, o...)
	if err == nil {
		for i := range out.Subnets {
			out.Subnets[i].AvailableIpAddressCount = aws.Int32(int32(usable(aws.ToString(out.Subnets[i].CidrBlock))))
		}
	}
	return out, err
}

// untaggedEC2 says that no subnet has tags.
type untaggedEC2 struct{ cloud.EC2 }

func (e untaggedEC2) DescribeSubnets(ctx context.Context, in *ec2.DescribeSubnetsInput, o ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	out, err := e.EC2.DescribeSubnets(ctx, in, o...)
	if err == nil {
		for i := range out.Subnets {
			out.Subnets[i].Tags = nil
		}
	}
	return out, err
}

// emptyEC2 says that there is no interface in any subnet.
type emptyEC2 struct{ cloud.EC2 }

func (e emptyEC2) DescribeNetworkInterfaces(ctx context.Context, in *ec2.DescribeNetworkInterfacesInput, o ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	out, err := e.EC2.DescribeNetworkInterfaces(ctx, in, o...)
	if err == nil {
		out.NetworkInterfaces = nil
	}
	return out, err
}

// freeEC2 says so too where it may not look.
type freeEC2 struct{ cloud.EC2 }

func (e freeEC2) DescribeNetworkInterfaces(ctx context.Context, in *ec2.DescribeNetworkInterfacesInput, o ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	out, err := e.EC2.DescribeNetworkInterfaces(ctx, in, o...)
	if err != nil {
		return &ec2.DescribeNetworkInterfacesOutput{}, nil
	}
	return out, nil
}

// forgetful is a ledger with some of its operations replaced.
type forgetful struct {
	app.Ledger
	save   func(check.Kept) bool // false: it is not saved, and nobody is told
	orders func([]guard.Order, error) ([]guard.Order, error)
	fleet  func(guard.Fleet, error) (guard.Fleet, error)
	load   func(*check.Kept)
	digest func(*check.KeptDigest)
	flight func(*guard.Rollout)
}

func (f forgetful) Rollout(ctx context.Context) (guard.Rollout, error) {
	r, err := f.Ledger.Rollout(ctx)
	if err == nil && f.flight != nil {
		f.flight(&r)
	}
	return r, err
}

func (f forgetful) Digest(ctx context.Context, owner string, at time.Time) (check.KeptDigest, error) {
	k, err := f.Ledger.Digest(ctx, owner, at)
	if err == nil && f.digest != nil {
		f.digest(&k)
	}
	return k, err
}

func (f forgetful) Load(ctx context.Context, id cluster.ID) (check.Kept, error) {
	k, err := f.Ledger.Load(ctx, id)
	if err == nil && f.load != nil {
		f.load(&k)
	}
	return k, err
}

func (f forgetful) Save(ctx context.Context, k check.Kept) (check.Kept, error) {
	if f.save != nil && !f.save(k) {
		return k, nil
	}
	return f.Ledger.Save(ctx, k)
}

func (f forgetful) Orders(ctx context.Context, id cluster.ID) ([]guard.Order, error) {
	o, err := f.Ledger.Orders(ctx, id)
	if f.orders != nil {
		return f.orders(o, err)
	}
	return o, err
}

func (f forgetful) Fleet(ctx context.Context) (guard.Fleet, error) {
	o, err := f.Ledger.Fleet(ctx)
	if f.fleet != nil {
		return f.fleet(o, err)
	}
	return o, err
}

func ledgerThat(f forgetful) twist {
	return twist{alter: func(p *app.Parts, _ scene) {
		lying := f
		lying.Ledger = p.Ledger
		p.Ledger = lying
	}}
}

// unreadable makes an operation of the ledger fail now and then.
func unreadable(operation string) func(*scene) {
	return func(s *scene) {
		s.spec.Faults = append(s.spec.Faults, world.Fault{Service: "ledger", Operation: operation, Code: "InternalServerError", Chance: .3, Account: hubAccount})
	}
}

// ordered has somebody forbid every update, early.
func ordered(kind world.OrderKind) func(*scene) {
	return func(s *scene) {
		all := world.Order{At: 2 * time.Minute, Kind: kind, By: "eve", Because: "the laws"}
		s.spec.Orders = []world.Order{all}
		if kind != world.Deny {
			return
		}
		s.spec.Orders = nil
		for _, c := range s.spec.Clusters {
			one := all
			one.Account, one.Region, one.Name = c.Account, c.Region, c.Name
			s.spec.Orders = append(s.spec.Orders, one)
		}
	}
}

// publisher publishes as it likes.
type publisher func(context.Context, *sns.PublishInput) (*sns.PublishOutput, error)

func (p publisher) Publish(ctx context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	return p(ctx, in)
}

func tellerThat(tell func(ctx context.Context, in *sns.PublishInput, publish publisher) (*sns.PublishOutput, error)) twist {
	return twist{alter: func(p *app.Parts, _ scene) {
		own := p.SNS
		p.SNS = publisher(func(ctx context.Context, in *sns.PublishInput) (*sns.PublishOutput, error) {
			return tell(ctx, in, func(ctx context.Context, in *sns.PublishInput) (*sns.PublishOutput, error) {
				return own.Publish(ctx, in)
			})
		})
	}}
}

// lyingBus says that it took everything, and drops what keep does not let through.
type lyingBus struct {
	app.EventBridge
	keep func(ebtypes.PutEventsRequestEntry) bool
}

func (b lyingBus) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput, opts ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	for _, e := range in.Entries {
		if !b.keep(e) {
			return &eventbridge.PutEventsOutput{}, nil
		}
	}
	return b.EventBridge.PutEvents(ctx, in, opts...)
}

func busThat(keep func(ebtypes.PutEventsRequestEntry) bool) twist {
	return twist{alter: func(p *app.Parts, _ scene) { p.Events = lyingBus{p.Events, keep} }}
}

func isRecovery(in *sns.PublishInput) bool {
	return aws.ToString(in.MessageAttributes["news"].StringValue) == "recovered"
}
