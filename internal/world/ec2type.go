package world

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// instanceType is what DescribeInstanceTypes says of one.
type instanceType struct {
	name       string
	interfaces int // of each network card
	addresses  int // of each interface, its own included
	cpus       int
	cards      int
	hypervisor types.InstanceTypeHypervisor // empty: bare metal
}

// instanceTypes are some of those that there are. Interfaces, addresses, cards and hypervisors are as in amazon-vpc-cni-k8s,
// pkg/vpc/vpc_ip_resource_limit.go, which is made out of DescribeInstanceTypes; the CPUs are those of the EC2 instance types guide.
func instanceTypes() []instanceType {
	const nitro, xen = types.InstanceTypeHypervisorNitro, types.InstanceTypeHypervisorXen
	return []instanceType{
		{"t2.medium", 3, 6, 2, 1, xen},
		{"t3.small", 3, 4, 2, 1, nitro},
		{"t3.medium", 3, 6, 2, 1, nitro},
		{"t3.large", 3, 12, 2, 1, nitro},
		{"m5.4xlarge", 8, 30, 16, 1, nitro},
		{"m5.large", 3, 10, 2, 1, nitro},
		{"m5.metal", 15, 50, 96, 1, ""},
		{"m5.xlarge", 4, 15, 4, 1, nitro},
		{"m5.2xlarge", 4, 15, 8, 1, nitro},
		{"c5.large", 3, 10, 2, 1, nitro},
		{"c5.xlarge", 4, 15, 4, 1, nitro},
		{"m6i.large", 3, 10, 2, 1, nitro},
		{"m6i.xlarge", 4, 15, 4, 1, nitro},
		{"m7g.medium", 2, 4, 1, 1, nitro},
		{"m7g.large", 3, 10, 2, 1, nitro},
		{"m7g.xlarge", 4, 15, 4, 1, nitro},
		{"c7gn.large", 3, 10, 2, 1, nitro},
		{"c7gn.16xlarge", 15, 50, 64, 1, nitro},
		{"p4d.24xlarge", 15, 50, 96, 4, nitro},
	}
}

// typeOf is the type of a name.
func typeOf(name string) (instanceType, bool) {
	all := instanceTypes()
	i := slices.IndexFunc(all, func(t instanceType) bool { return t.name == name })
	if i < 0 {
		return instanceType{}, false
	}
	return all[i], true
}

// architectureOf is what an instance type's processors are: a "g" behind the generation stands for AWS Graviton, which is arm64 (EC2 user
// guide, "Amazon EC2 instance type naming conventions").
func architectureOf(name string) types.ArchitectureValues {
	family, _, _ := strings.Cut(name, ".")
	if _, options, _ := strings.Cut(family, strings.Trim(family, "abcdefghijklmnopqrstuvwxyz-")); strings.Contains(options, "g") {
		return types.ArchitectureValuesArm64
	}
	return types.ArchitectureValuesX8664
}

// takesPrefixes reports whether EC2 assigns prefixes to its interfaces: to those of Nitro, bare metal included (EC2 user guide, "Prefix
// delegation for Amazon EC2 network interfaces").
func (t instanceType) takesPrefixes() bool { return t.hypervisor != types.InstanceTypeHypervisorXen }

// describeInstanceTypes finds types by names or by filter. A name that there is not fails the whole call (seen in
// scylladb/scylla-cluster-tests #12419). Every region has the same.
func (w *World) describeInstanceTypes(_ *Call, in *ec2.DescribeInstanceTypesInput) (*ec2.DescribeInstanceTypesOutput, error) {
	all := instanceTypes()
	if in.InstanceTypes != nil {
		var unknown []string
		for _, name := range in.InstanceTypes {
			if _, ok := typeOf(string(name)); !ok {
				unknown = append(unknown, string(name))
			}
		}
		if unknown != nil {
			return nil, modelled("ec2", "InvalidInstanceType", "The following supplied instance types do not exist: ["+strings.Join(unknown, ", ")+"]")
		}
		all = slices.DeleteFunc(all, func(t instanceType) bool { return !slices.Contains(in.InstanceTypes, types.InstanceType(t.name)) })
	}
	found, err := filtered(all, in.Filters, map[string]func(instanceType) string{"instance-type": func(t instanceType) string { return t.name }})
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(w, found, asked{in.NextToken, in.MaxResults, 100})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstanceTypesOutput{NextToken: next}
	for _, t := range page {
		out.InstanceTypes = append(out.InstanceTypes, t.describe())
	}
	return out, nil
}

// describe says that all cards together have MaximumNetworkInterfaces, as EC2 does: dl1.24xlarge has 60 on 4 cards of 15 (karpenter,
// pkg/fake/zz_generated.describe_instance_types.go).
func (t instanceType) describe() types.InstanceTypeInfo {
	network := &types.NetworkInfo{
		MaximumNetworkInterfaces:  aws.Int32(int32(t.interfaces * t.cards)),
		MaximumNetworkCards:       aws.Int32(int32(t.cards)),
		DefaultNetworkCardIndex:   aws.Int32(0),
		Ipv4AddressesPerInterface: aws.Int32(int32(t.addresses)),
		Ipv6AddressesPerInterface: aws.Int32(int32(t.addresses)),
	}
	for i := range t.cards {
		network.NetworkCards = append(network.NetworkCards, types.NetworkCardInfo{
			NetworkCardIndex: aws.Int32(int32(i)), MaximumNetworkInterfaces: aws.Int32(int32(t.interfaces)),
		})
	}
	return types.InstanceTypeInfo{
		InstanceType: types.InstanceType(t.name),
		Hypervisor:   t.hypervisor,
		BareMetal:    aws.Bool(t.hypervisor == ""),
		VCpuInfo:     &types.VCpuInfo{DefaultVCpus: aws.Int32(int32(t.cpus))},
		NetworkInfo:  network,
	}
}
