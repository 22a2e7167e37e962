package cloud_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
)

// holding is what says of the n-th node: its type, and for each interface how many addresses and prefixes it has.
func holding(of map[int]func(*ec2types.Instance)) func(int, *ec2types.Instance) {
	return func(n int, i *ec2types.Instance) {
		i.InstanceType, i.NetworkInterfaces = "m5.large", nil
		of[n](i)
	}
}

func held(i *ec2types.Instance, addresses, prefixes int) {
	i.NetworkInterfaces = append(i.NetworkInterfaces, ec2types.InstanceNetworkInterface{SubnetId: aws.String("subnet-a"),
		PrivateIpAddresses: make([]ec2types.InstancePrivateIpAddress, addresses), Ipv4Prefixes: make([]ec2types.InstanceIpv4Prefix, prefixes)})
}

// The first node has all marks, and so is in three answers.
func TestNodesAreCountedOnceByWhatTheyHold(t *testing.T) {
	all := map[string]string{"kubernetes.io/cluster/prod": "owned", "eks:cluster-name": "prod", "eks:eks-cluster-name": "prod"}
	managed := map[string]string{"eks:cluster-name": "prod"}
	f := healthy(t)
	here := []string{"subnet-a"}
	f.nodes = []node{
		{all, "running", here}, {managed, "running", here}, {managed, "stopped", here}, {all, "pending", here}, {managed, "running", here}, {managed, "running", here},
		{managed, "terminated", here}, {map[string]string{"eks:cluster-name": "test"}, "running", here},
	}
	full := func(i *ec2types.Instance) { held(i, 10, 0); held(i, 10, 0) }
	f.detail = holding(map[int]func(*ec2types.Instance){
		0: full, 1: full, 2: full,
		3: func(i *ec2types.Instance) { held(i, 10, 0); held(i, 9, 0) },
		4: func(i *ec2types.Instance) { i.InstanceType = "c5.\nlarge"; held(i, 1, 2); held(i, 1, 1); held(i, 0, 0) },
		5: func(*ec2types.Instance) {},
	})
	got := f.cloud().Observe(t.Context(), prod).Hosts
	want := []capacity.Nodes{
		{Type: "c5. large", Count: 1, Interfaces: 3, Prefixes: 3},
		{Type: "m5.large", Count: 3, Interfaces: 2, Addresses: 18},
		{Type: "m5.large", Count: 1},
		{Type: "m5.large", Count: 1, Interfaces: 2, Addresses: 17},
	}
	if diff := cmp.Diff(want, got.Value.Nodes); diff != "" || got.Fault != nil || !got.Value.Instances {
		t.Errorf("%+v (-want +got)\n%s", got.Fault, diff)
	}
}

func TestTheOrderOfNodesIsTheirs(t *testing.T) {
	f := healthy(t)
	for range 12 {
		f.nodes = append(f.nodes, node{map[string]string{"eks:cluster-name": "prod"}, "running", []string{"subnet-a"}})
	}
	f.detail = func(n int, i *ec2types.Instance) {
		i.NetworkInterfaces = nil
		held(i, 1+n, n%3)
	}
	first := f.cloud().Observe(t.Context(), prod).Hosts.Value.Nodes
	for range 20 {
		if got := f.cloud().Observe(t.Context(), prod).Hosts.Value.Nodes; len(got) != 12 || !slices.Equal(got, first) {
			t.Fatalf("now %v, before %v", got, first)
		}
	}
}

func TestNodesAreNotKnownWhereAPartOfThemIs(t *testing.T) {
	for _, passes := range []int{0, 1, 2} { // by which of the three marks they cannot be read
		f := healthy(t)
		f.nodes = []node{{map[string]string{"kubernetes.io/cluster/prod": "owned"}, "running", []string{"subnet-a"}}}
		f.fails["DescribeInstances"], f.passes = code("RequestLimitExceeded"), map[string]int{"DescribeInstances": passes}
		got := f.cloud().Observe(t.Context(), prod).Hosts
		if got.Fault == nil || got.Fault.Kind != fault.Retry || got.Value.Nodes != nil || got.Value.Instances {
			t.Errorf("after %d answers: %+v", passes, got)
		}
	}
}
