package capacity

// InstanceType is what decides how many pods a node can have: EC2 DescribeInstanceTypes.
type InstanceType struct {
	Name string `json:"name"` // as "m5.large"
	// Interfaces is MaximumNetworkInterfaces of the default network card: the CNI gives pods no addresses of the others
	// unless it is told to (amazon-vpc-cni-k8s, docs/prefix-and-ip-target.md).
	Interfaces int `json:"interfaces"`
	Addresses  int `json:"addresses"` // Ipv4AddressesPerInterface, with the interface's own
	// Nitro is true when the hypervisor is nitro, and for bare metal: only there EC2 assigns prefixes (EC2 user guide, "Prefix
	// delegation for Amazon EC2 network interfaces"; for bare metal the CNI does since v1.11, its README, ENABLE_PREFIX_DELEGATION).
	Nitro bool `json:"nitro,omitempty"`
	VCPUs int  `json:"vcpus,omitempty"` // VCpuInfo.DefaultVCpus
}

// Mode is how the CNI gives addresses to pods. The zero value is what it does by default: secondary addresses of every interface.
type Mode struct {
	// CustomNetworking is AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: pods get no address of the primary interface.
	CustomNetworking bool `json:"customNetworking,omitempty"`
	// PrefixDelegation is ENABLE_PREFIX_DELEGATION: each slot of an interface holds a /28 prefix, 16 addresses. On types that
	// are not Nitro the CNI goes on with secondary addresses.
	PrefixDelegation bool `json:"prefixDelegation,omitempty"`
}

// PodAddresses is the number of addresses that a node of this type can hold for its pods. The first address of each interface
// is the interface's own.
func (t InstanceType) PodAddresses(m Mode) int {
	return t.podInterfaces(m) * t.perInterface(m)
}

// MaxPods is the number of pods that the addresses suffice for, with the two that use the host's network and need none, aws-node and
// kube-proxy: the number of misc/eni-max-pods.txt in amazon-vpc-cni-k8s, and of max-pods-calculator.sh --show-max-allowed in
// amazon-eks-ami. It is 0 when the type's figures are not known.
func (t InstanceType) MaxPods(m Mode) int {
	if t.Interfaces < 1 || t.Addresses < 1 {
		return 0
	}
	return t.PodAddresses(m) + 2
}

// RecommendedPods is MaxPods, but at most 110 below 30 vCPUs and at most 250 from there on: what max-pods-calculator.sh recommends
// and managed node groups enforce (EKS user guide, "Choose an optimal Amazon EC2 node instance type", "How maxPods is determined").
// For 30 vCPUs the two differ; no type has 30. Where the vCPUs are not known it is at most 110.
func (t InstanceType) RecommendedPods(m Mode) int {
	if t.VCPUs < 30 {
		return min(t.MaxPods(m), 110)
	}
	return min(t.MaxPods(m), 250)
}

// podInterfaces is the number of interfaces whose addresses pods can get.
func (t InstanceType) podInterfaces(m Mode) int {
	if m.CustomNetworking {
		return max(0, t.Interfaces-1)
	}
	return max(0, t.Interfaces)
}

// perInterface is the number of addresses for pods on one interface, perSlot that in one of its slots.
func (t InstanceType) perInterface(m Mode) int { return max(0, t.Addresses-1) * t.perSlot(m) }

func (t InstanceType) perSlot(m Mode) int {
	if m.PrefixDelegation && t.Nitro {
		return perPrefix
	}
	return 1
}
