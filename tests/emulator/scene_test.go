package emulator_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/ledger"
)

// prod is the cluster that the policy's rule is about.
var prod = cluster.ID{Account: hub, Region: region, Name: "prod"}

// What the add-ons have, which every update must keep.
const (
	podRole       = "arn:aws:iam::" + hub + ":role/aws-node"
	configuration = `{"env":{"WARM_IP_TARGET":"5"}}`
)

// stage is the emulator with the hub deployed and prod, whose vpc-cni is one minor version behind.
type stage struct {
	*emulator
	assembly string
	ledger   *ledger.Dynamo // the deployed one
}

func set(t *testing.T) *stage {
	t.Helper()
	return setAt(t, "v1.18.5-eksbuild.1")
}

// setAt has prod's vpc-cni at another version.
func setAt(t *testing.T, version string) *stage {
	t.Helper()
	e := start(t)
	assembly := synthesized(t)
	e.deployHub(assembly)
	e.seed(prod, version)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("urgent:\n%s\nbulk:\n%s", e.logOf(event.Urgent), e.logOf(event.Bulk))
		}
	})
	return &stage{e, assembly, ledger.NewDynamo(dynamodb.NewFromConfig(e.as(hub)), "cniguard", clock.Real{})}
}

// seed creates a cluster with an add-on and one node group.
//
// The emulator says that 251 addresses of any subnet are free, so half of a /23 is in use, and that any cluster is in vpc-00000000.
func (e *emulator) seed(id cluster.ID, version string) {
	e.Helper()
	cfg := e.as(id.Account)
	e.create(cfg, "clusters", roles(map[string]any{
		"eks": role(`{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "eks.amazonaws.com"}}`, ""),
	}))
	subnets, owner := []string{e.subnet(cfg, "10.0.0.0/23")}, nodeRole(id)
	client := eks.NewFromConfig(cfg)
	if _, err := client.CreateCluster(e.Context(), &eks.CreateClusterInput{
		Name: &id.Name, Version: aws.String("1.33"), RoleArn: owner, ResourcesVpcConfig: &ekstypes.VpcConfigRequest{SubnetIds: subnets},
	}); err != nil {
		e.Fatal(err)
	}
	if _, err := client.CreateAddon(e.Context(), &eks.CreateAddonInput{
		ClusterName: &id.Name, AddonName: aws.String("vpc-cni"), AddonVersion: &version,
		ServiceAccountRoleArn: aws.String(podRole), ConfigurationValues: aws.String(configuration),
	}); err != nil {
		e.Fatal(err)
	}
	if _, err := client.CreateNodegroup(e.Context(), &eks.CreateNodegroupInput{
		ClusterName: &id.Name, NodegroupName: aws.String("nodes"), NodeRole: owner, Subnets: subnets,
	}); err != nil {
		e.Fatal(err)
	}
	eventually(e.T, "cluster "+id.Name+" is active", func() bool {
		out, err := client.DescribeCluster(e.Context(), &eks.DescribeClusterInput{Name: &id.Name})
		if err != nil {
			e.Fatal(err)
		}
		return out.Cluster.Status == ekstypes.ClusterStatusActive
	})
}

// subnet makes one in the VPC of every cluster.
func (e *emulator) subnet(cfg aws.Config, cidr string) (id string) {
	e.Helper()
	created, err := ec2.NewFromConfig(cfg).CreateSubnet(e.Context(), &ec2.CreateSubnetInput{VpcId: aws.String("vpc-00000000"), CidrBlock: &cidr})
	if err != nil {
		e.Fatal(err)
	}
	return *created.Subnet.SubnetId
}

func nodeRole(id cluster.ID) *string { return aws.String("arn:aws:iam::" + id.Account + ":role/eks") }

// grow gives a cluster a second node group, in a subnet of its own: one of a /21 is 87.7 % used.
func (e *emulator) grow(id cluster.ID, cidr string) {
	e.Helper()
	cfg := e.as(id.Account)
	if _, err := eks.NewFromConfig(cfg).CreateNodegroup(e.Context(), &eks.CreateNodegroupInput{
		ClusterName: &id.Name, NodegroupName: aws.String("more"), NodeRole: nodeRole(id), Subnets: []string{e.subnet(cfg, cidr)},
	}); err != nil {
		e.Fatal(err)
	}
}

// alarm is a cluster's alarm; nil: there is none.
func (e *emulator) alarm(id cluster.ID) *cwtypes.MetricAlarm {
	e.Helper()
	out, err := cloudwatch.NewFromConfig(e.as(id.Account)).DescribeAlarms(e.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{alarm.PodSubnets.Name(id)}})
	if err != nil {
		e.Fatal(err)
	}
	if len(out.MetricAlarms) == 0 {
		return nil
	}
	return &out.MetricAlarms[0]
}

// addon is the add-on of prod.
func (s *stage) addon() *ekstypes.Addon {
	s.Helper()
	out, err := eks.NewFromConfig(s.as(hub)).DescribeAddon(s.Context(), &eks.DescribeAddonInput{ClusterName: aws.String(prod.Name), AddonName: aws.String("vpc-cni")})
	if err != nil {
		s.Fatal(err)
	}
	return out.Addon
}

// kept is the record of a cluster.
func (s *stage) kept(id cluster.ID) check.Kept {
	s.Helper()
	k, err := s.ledger.Load(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	return k
}

// waiting are the messages in prod's outbox: the finding of each, and the topics that have it, in the order of the alphabet.
func (s *stage) waiting() (messages []string) {
	s.Helper()
	for _, m := range s.kept(prod).Record.Outbox {
		messages = append(messages, string(m.Finding.Code)+": "+strings.Join(slices.Sorted(slices.Values(m.Got)), ", "))
	}
	return messages
}
