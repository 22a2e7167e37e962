package cloud_test

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cloud"
)

// everything is a client of all three services.
type everything interface {
	cloud.EKS
	cloud.EC2
	cloud.CloudWatch
}

func cloudOf(c everything, clk clock.Clock) *cloud.Cloud {
	return cloud.New(func(access.Role, string, string) cloud.Clients { return cloud.Clients{EKS: c, EC2: c, CloudWatch: c} }, clk)
}

// empty answers with nothing in the answer.
type empty struct{ client }

func (empty) DescribeCluster(context.Context, *eks.DescribeClusterInput, ...func(*eks.Options)) (*eks.DescribeClusterOutput, error) {
	return &eks.DescribeClusterOutput{}, nil
}

func (empty) DescribeAddon(context.Context, *eks.DescribeAddonInput, ...func(*eks.Options)) (*eks.DescribeAddonOutput, error) {
	return &eks.DescribeAddonOutput{}, nil
}

func (empty) UpdateAddon(context.Context, *eks.UpdateAddonInput, ...func(*eks.Options)) (*eks.UpdateAddonOutput, error) {
	return &eks.UpdateAddonOutput{}, nil
}

// deadlines shows the deadline of one call.
type deadlines struct {
	client
	show func(time.Time)
}

func (d deadlines) DescribeCluster(ctx context.Context, in *eks.DescribeClusterInput, o ...func(*eks.Options)) (*eks.DescribeClusterOutput, error) {
	end, _ := ctx.Deadline()
	d.show(end)
	return d.client.DescribeCluster(ctx, in, o...)
}
