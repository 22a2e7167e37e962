package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
)

const (
	filterValues = 200  // of one filter (EC2 API reference, "Filter")
	metricData   = 1000 // of one PutMetricData (CloudWatch API reference)
)

// Subnets reads the given subnets of a unit, ordered by id. A subnet that is not in the answer is gone. How they were found is not
// said.
func (c *Cloud) Subnets(ctx context.Context, u event.Unit, ids []string) ([]capacity.Subnet, error) {
	k := c.at(access.Observer, u.Account, u.Region)
	var all []capacity.Subnet
	for part := range slices.Chunk(ids, filterValues) {
		// By filter, because one id that is gone would make the whole call fail (InvalidSubnetID.NotFound).
		some, f := c.describeSubnets(ctx, k.EC2, filter("subnet-id", part...))
		if f != nil {
			return nil, fmt.Errorf("read %d subnets of %s in %s: %w", len(ids), u.Account, u.Region, f)
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, byID)
	return all, nil
}

func byID(a, b capacity.Subnet) int { return cmp.Compare(a.ID, b.ID) }

// describeSubnets reads the subnets that a filter lets through, ordered by id.
func (c *Cloud) describeSubnets(ctx context.Context, api EC2, f ec2types.Filter) ([]capacity.Subnet, *fault.Fault) {
	var subnets []capacity.Subnet
	for out, f := range pages(ctx, c.clock, "ec2:DescribeSubnets",
		ec2.NewDescribeSubnetsPaginator(api, &ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{f}, MaxResults: aws.Int32(1000)})) {
		if f != nil {
			return nil, f
		}
		for _, s := range out.Subnets {
			subnets = append(subnets, capacity.Subnet{
				ID:   aws.ToString(s.SubnetId),
				CIDR: aws.ToString(s.CidrBlock),
				Zone: aws.ToString(s.AvailabilityZone),
				Free: int(aws.ToInt32(s.AvailableIpAddressCount)),
			})
		}
	}
	slices.SortFunc(subnets, byID)
	return subnets, nil
}

// Publish publishes the utilisation in percent of the worst pod subnet of each cluster, by name, stamped at. A part that cannot be
// published keeps no other back; the error names each.
func (c *Cloud) Publish(ctx context.Context, u event.Unit, at time.Time, percent map[string]float64) error {
	put := call(c.clock, "cloudwatch:PutMetricData", c.at(access.Observer, u.Account, u.Region).CloudWatch.PutMetricData)
	var errs []error
	for names := range slices.Chunk(slices.Sorted(maps.Keys(percent)), metricData) {
		data := make([]cwtypes.MetricDatum, 0, len(names))
		for _, name := range names {
			data = append(data, cwtypes.MetricDatum{
				MetricName: aws.String(alarm.Metric),
				Dimensions: []cwtypes.Dimension{{Name: aws.String(alarm.Dimension), Value: &name}},
				Timestamp:  &at,
				Value:      aws.Float64(percent[name]),
				Unit:       cwtypes.StandardUnitPercent,
			})
		}
		if _, f := put(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String(alarm.Namespace), MetricData: data}); f != nil {
			errs = append(errs, fmt.Errorf("publish the utilisation of %d clusters of %s in %s: %w", len(names), u.Account, u.Region, f))
		}
	}
	return errors.Join(errs...)
}
