package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
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
				ID:    aws.ToString(s.SubnetId),
				CIDR:  aws.ToString(s.CidrBlock),
				Zone:  aws.ToString(s.AvailabilityZone),
				Free:  int(aws.ToInt32(s.AvailableIpAddressCount)),
				Owner: aws.ToString(s.OwnerId),
				Tags:  forCNI(s.Tags),
			})
		}
	}
	slices.SortFunc(subnets, byID)
	return subnets, nil
}

// forCNI are those of a subnet's tags that the VPC CNI reads; nil: there are none.
func forCNI(tags []ec2types.Tag) map[string]string {
	var kept map[string]string
	for _, t := range tags {
		if key := aws.ToString(t.Key); guard.IsCNITag(key) {
			if kept == nil {
				kept = map[string]string{}
			}
			kept[key] = plain.Clean(aws.ToString(t.Value), plain.Text)
		}
	}
	return kept
}

// Publish publishes values of the metrics that alarms watch, stamped at. A part that cannot be published keeps no other back; the error names
// each.
func (c *Cloud) Publish(ctx context.Context, u event.Unit, at time.Time, values []alarm.Value) error {
	put := call(c.clock, "cloudwatch:PutMetricData", c.at(access.Observer, u.Account, u.Region).CloudWatch.PutMetricData)
	var errs []error
	for part := range slices.Chunk(values, metricData) {
		data := make([]cwtypes.MetricDatum, 0, len(part))
		for _, v := range part {
			unit := cwtypes.StandardUnitPercent
			if v.Metric == alarm.Days {
				unit = cwtypes.StandardUnitCount
			}
			data = append(data, cwtypes.MetricDatum{
				MetricName: &v.Metric,
				Dimensions: []cwtypes.Dimension{{Name: aws.String(alarm.Dimension), Value: &v.Cluster}},
				Timestamp:  &at,
				Value:      &v.Value,
				Unit:       unit,
			})
		}
		if _, f := put(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String(alarm.Namespace), MetricData: data}); f != nil {
			errs = append(errs, fmt.Errorf("publish %d values of %s in %s: %w", len(part), u.Account, u.Region, f))
		}
	}
	return errors.Join(errs...)
}
