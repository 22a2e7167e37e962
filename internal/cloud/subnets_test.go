package cloud_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
)

var unit = event.Unit{Account: prod.Account, Region: prod.Region}

func TestSubnetsThatAreGoneKeepNoOtherBack(t *testing.T) {
	f := healthy(t)
	v6 := subnet("subnet-6", 0)
	v6.CidrBlock = nil
	f.subnets = append(f.subnets, v6)
	got, err := f.cloud().Subnets(t.Context(), unit, []string{"subnet-c", "subnet-gone", "subnet-a", "subnet-6"})
	if err != nil {
		t.Fatal(err)
	}
	want := []capacity.Subnet{
		{ID: "subnet-6", Zone: "eu-central-1a"},
		{ID: "subnet-a", CIDR: "10.0.0.0/24", Zone: "eu-central-1a", Free: 20},
		{ID: "subnet-c", CIDR: "10.0.0.0/24", Zone: "eu-central-1a", Free: 40},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, in := range sent[*ec2.DescribeSubnetsInput](f, "DescribeSubnets") {
		if len(in.SubnetIds) > 0 {
			t.Error("asked for by id: one that is gone makes the whole call fail")
		}
	}
}

func TestSubnetsAreAskedForTwoHundredAtATime(t *testing.T) {
	f := healthy(t)
	f.subnets = nil
	var ids []string
	for i := range 450 {
		id := fmt.Sprintf("subnet-%03d", i)
		ids = append(ids, id)
		if i%100 == 0 {
			f.subnets = append(f.subnets, subnet(id, 1))
		}
	}
	got, err := f.cloud().Subnets(t.Context(), unit, ids)
	if err != nil || len(got) != 5 {
		t.Errorf("got %v, %v; want 5 subnets", got, err)
	}
	var sizes []int
	for _, in := range sent[*ec2.DescribeSubnetsInput](f, "DescribeSubnets") {
		sizes = append(sizes, len(in.Filters[0].Values))
	}
	if want := []int{200, 200, 50}; !slices.Equal(sizes, want) {
		t.Errorf("calls for %v subnets; want %v", sizes, want)
	}
}

func TestNoSubnetsNeedNoCall(t *testing.T) {
	f := healthy(t)
	got, err := f.cloud().Subnets(t.Context(), unit, nil)
	if err != nil || len(got) != 0 || len(f.calls) != 0 {
		t.Errorf("got %v, %v after %v", got, err, f.calls)
	}
}

func TestSubnetsSaysWhyItCannotRead(t *testing.T) {
	f := healthy(t)
	f.fails["DescribeSubnets"] = code("UnauthorizedOperation")
	_, err := f.cloud().Subnets(t.Context(), unit, []string{"subnet-a"})
	if want := "read 1 subnets of 111122223333 in eu-central-1: ec2:DescribeSubnets: UnauthorizedOperation: because"; err == nil || err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
	if ft := fault.Of(err); !ft.Denied() || ft.Need != "ec2:DescribeSubnets" {
		t.Errorf("got fault %+v; want it denied", ft)
	}
}

func TestPublishSendsWhatTheAlarmsWatch(t *testing.T) {
	f := healthy(t)
	values := []alarm.Value{{Cluster: "test", Metric: alarm.Subnets, Value: 12.5}, {Cluster: "prod", Metric: alarm.Blocks, Value: 80}, {Cluster: "prod", Metric: alarm.Days, Value: 3}}
	if err := f.cloud().Publish(t.Context(), unit, start, values); err != nil {
		t.Fatal(err)
	}
	datum := func(cluster, metric string, value float64, unit cwtypes.StandardUnit) cwtypes.MetricDatum {
		return cwtypes.MetricDatum{MetricName: &metric, Value: &value, Timestamp: &start, Unit: unit,
			Dimensions: []cwtypes.Dimension{{Name: aws.String("ClusterName"), Value: &cluster}}}
	}
	want := []*cloudwatch.PutMetricDataInput{{Namespace: aws.String("CNIGuard"), MetricData: []cwtypes.MetricDatum{
		datum("test", "WorstPodSubnetUtilization", 12.5, cwtypes.StandardUnitPercent),
		datum("prod", "WorstPodSubnetBlockUtilization", 80, cwtypes.StandardUnitPercent),
		datum("prod", "DaysLeft", 3, cwtypes.StandardUnitCount),
	}}}
	if diff := cmp.Diff(want, sent[*cloudwatch.PutMetricDataInput](f, "PutMetricData"), serde()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPublishSendsAThousandAtATimeAndAPartThatFailsKeepsNoneBack(t *testing.T) {
	f := healthy(t)
	var values []alarm.Value
	for i := range 2300 {
		values = append(values, alarm.Value{Cluster: fmt.Sprintf("cluster-%04d", i), Metric: alarm.Subnets, Value: 1})
	}
	f.fails["PutMetricData"] = code("AccessDenied")
	err := f.cloud().Publish(t.Context(), unit, start, values)
	if ft := fault.Of(err); !ft.Denied() {
		t.Errorf("got %v; want it denied", err)
	}
	names := map[string]bool{}
	var sizes []int
	for _, in := range sent[*cloudwatch.PutMetricDataInput](f, "PutMetricData") {
		sizes = append(sizes, len(in.MetricData))
		for _, d := range in.MetricData {
			names[*d.Dimensions[0].Value] = true
		}
	}
	if want := []int{1000, 1000, 300}; !slices.Equal(sizes, want) || len(names) != 2300 {
		t.Errorf("calls of %v with %d clusters; want %v with 2300", sizes, len(names), want)
	}
}

func TestNothingToPublishNeedsNoCall(t *testing.T) {
	f := healthy(t)
	if err := f.cloud().Publish(t.Context(), unit, start, nil); err != nil || len(f.calls) != 0 {
		t.Errorf("got %v after %v", err, f.calls)
	}
}
