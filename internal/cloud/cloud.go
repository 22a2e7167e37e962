// Package cloud reads a cluster's snapshot and makes the changes that a plan wants, in one account and region. It is the only
// room of the EKS, EC2, CloudWatch and CloudTrail clients.
//
// What is read is kept as readings: a value, its absence, or the fault that hid it, which are never confused. A snapshot is read
// in two stages of calls side by side, so that a healthy check
// waits for two calls here, and for a third when its record is saved. Retries are the SDK's; every call has a deadline.
package cloud

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

const (
	// deadline is how long one call may take, the SDK's retries included.
	deadline = 10 * time.Second
	// sideBySide is how many calls of one kind run at the same time. EKS publishes no rates, and DescribeCluster shares its own
	// with nodes that join (awslabs/amazon-eks-ami #218).
	sideBySide = 8
	// betweenPuts is how far apart calls of PutMetricAlarm are. CloudWatch takes three a second in an account and region, for all who are
	// there (CloudWatch user guide, "Service quotas"); a sweep after a change of the policy puts thousands.
	betweenPuts = time.Second
)

// EKS is what cloud uses of Amazon EKS.
type EKS interface {
	DescribeAddon(context.Context, *eks.DescribeAddonInput, ...func(*eks.Options)) (*eks.DescribeAddonOutput, error)
	DescribeAddonConfiguration(context.Context, *eks.DescribeAddonConfigurationInput, ...func(*eks.Options)) (*eks.DescribeAddonConfigurationOutput, error)
	DescribeAddonVersions(context.Context, *eks.DescribeAddonVersionsInput, ...func(*eks.Options)) (*eks.DescribeAddonVersionsOutput, error)
	DescribeCluster(context.Context, *eks.DescribeClusterInput, ...func(*eks.Options)) (*eks.DescribeClusterOutput, error)
	DescribeFargateProfile(context.Context, *eks.DescribeFargateProfileInput, ...func(*eks.Options)) (*eks.DescribeFargateProfileOutput, error)
	DescribeNodegroup(context.Context, *eks.DescribeNodegroupInput, ...func(*eks.Options)) (*eks.DescribeNodegroupOutput, error)
	DescribeUpdate(context.Context, *eks.DescribeUpdateInput, ...func(*eks.Options)) (*eks.DescribeUpdateOutput, error)
	ListClusters(context.Context, *eks.ListClustersInput, ...func(*eks.Options)) (*eks.ListClustersOutput, error)
	ListFargateProfiles(context.Context, *eks.ListFargateProfilesInput, ...func(*eks.Options)) (*eks.ListFargateProfilesOutput, error)
	ListNodegroups(context.Context, *eks.ListNodegroupsInput, ...func(*eks.Options)) (*eks.ListNodegroupsOutput, error)
	ListUpdates(context.Context, *eks.ListUpdatesInput, ...func(*eks.Options)) (*eks.ListUpdatesOutput, error)
	UpdateAddon(context.Context, *eks.UpdateAddonInput, ...func(*eks.Options)) (*eks.UpdateAddonOutput, error)
}

// EC2 is what cloud uses of Amazon EC2.
type EC2 interface {
	DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
	DescribeInstanceTypes(context.Context, *ec2.DescribeInstanceTypesInput, ...func(*ec2.Options)) (*ec2.DescribeInstanceTypesOutput, error)
	DescribeNetworkInterfaces(context.Context, *ec2.DescribeNetworkInterfacesInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error)
	DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error)
	DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	GetSubnetCidrReservations(context.Context, *ec2.GetSubnetCidrReservationsInput, ...func(*ec2.Options)) (*ec2.GetSubnetCidrReservationsOutput, error)
}

// CloudWatch is what cloud uses of Amazon CloudWatch.
type CloudWatch interface {
	DeleteAlarms(context.Context, *cloudwatch.DeleteAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DeleteAlarmsOutput, error)
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
	ListMetrics(context.Context, *cloudwatch.ListMetricsInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListMetricsOutput, error)
	PutMetricAlarm(context.Context, *cloudwatch.PutMetricAlarmInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricAlarmOutput, error)
	PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error)
	TagResource(context.Context, *cloudwatch.TagResourceInput, ...func(*cloudwatch.Options)) (*cloudwatch.TagResourceOutput, error)
}

// CloudTrail is what cloud uses of AWS CloudTrail.
type CloudTrail interface {
	LookupEvents(context.Context, *cloudtrail.LookupEventsInput, ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error)
}

// Clients are the AWS clients of one role in one account and region.
type Clients struct {
	EKS        EKS
	EC2        EC2
	CloudWatch CloudWatch
	CloudTrail CloudTrail
	Role       string // its ARN, as CloudTrail shows it in calls of these clients
}

// FromConfig makes the SDK's own clients of a role, whose ARN that is.
func FromConfig(cfg aws.Config, role string) Clients {
	return Clients{
		EKS: eks.NewFromConfig(cfg), EC2: ec2.NewFromConfig(cfg), CloudWatch: cloudwatch.NewFromConfig(cfg), CloudTrail: cloudtrail.NewFromConfig(cfg), Role: role,
	}
}

// Connect gives the clients of a role in an account and region. It makes no call.
type Connect func(role access.Role, account, region string) Clients

// Cloud is AWS as package check needs it: its Observer, Actor and Gauge. It may be used by several goroutines.
type Cloud struct {
	connect Connect
	clock   clock.Clock

	mu       sync.Mutex
	clients  map[place]Clients
	listings map[edition]listing
	schemas  map[release]schema
	puts     map[place]time.Time // when the next PutMetricAlarm may go
}

type place struct {
	role            access.Role
	account, region string
}

// New returns a Cloud that asks connect once for each role, account and region.
func New(connect Connect, c clock.Clock) *Cloud {
	return &Cloud{
		connect: connect, clock: c,
		clients: map[place]Clients{}, listings: map[edition]listing{}, schemas: map[release]schema{}, puts: map[place]time.Time{},
	}
}

func (c *Cloud) at(role access.Role, account, region string) Clients {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := place{role, account, region}
	k, known := c.clients[p]
	if !known {
		k = c.connect(role, account, region)
		c.clients[p] = k
	}
	return k
}

// call is one SDK call with its deadline and its error classified. Op is its IAM action.
func call[In, Out, Opt any](c clock.Clock, op string, method func(context.Context, In, ...func(*Opt)) (*Out, error),
	opts ...func(*Opt)) func(context.Context, In) (*Out, *fault.Fault) {
	return func(ctx context.Context, in In) (*Out, *fault.Fault) {
		ctx, cancel := c.WithTimeout(ctx, deadline)
		defer cancel()
		out, err := method(ctx, in, opts...)
		return out, access.Fault(op, err)
	}
}

// paginator is any of the SDK's.
type paginator[Out, Opt any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Opt)) (*Out, error)
}

// pages are all pages of a list, each with a deadline of its own. A fault ends them.
func pages[Out, Opt any](ctx context.Context, c clock.Clock, op string, p paginator[Out, Opt]) iter.Seq2[*Out, *fault.Fault] {
	next := call(c, op, func(ctx context.Context, _ struct{}, opts ...func(*Opt)) (*Out, error) {
		return p.NextPage(ctx, opts...)
	})
	return func(yield func(*Out, *fault.Fault) bool) {
		for p.HasMorePages() {
			out, f := next(ctx, struct{}{})
			if !yield(out, f) || f != nil {
				return
			}
		}
	}
}

// task is what clock.Parallel runs.
type task = func(context.Context) error

// into is the task that reads with f and keeps what it gave in r. It never fails: the fault is in the reading.
func into[T any](r *guard.Reading[T], f func(context.Context) (T, *fault.Fault)) task {
	return func(ctx context.Context) error {
		v, ft := f(ctx)
		*r = guard.Reading[T]{Value: v, Fault: ft}
		return nil
	}
}

// absent reports whether AWS said that there is no such thing.
func absent(f *fault.Fault) bool { return f != nil && f.Kind == fault.Skip }

// unanswered is the fault of an answer that lacks what was asked for. It must not be taken for absence.
func unanswered(op string) *fault.Fault {
	return &fault.Fault{Kind: fault.Retry, Op: op, Text: "the answer is empty"}
}
