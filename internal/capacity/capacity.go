// Package capacity is the arithmetic of IP addresses: how full the subnets are that pods take their addresses from.
//
// A cluster is judged by its worst pod subnet, never by the sum: one full zone must not hide behind an empty one.
package capacity

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/cniguard/cniguard/internal/fault"
)

// FargateBy begins how a subnet was found that a Fargate profile names.
const FargateBy = "Fargate profile "

// Subnet is a subnet that pods take addresses from.
type Subnet struct {
	ID    string   `json:"id"`
	CIDR  string   `json:"cidr"`            // the subnet's IPv4 range; empty for an IPv6-only subnet
	Zone  string   `json:"zone"`            // as "eu-central-1a"
	Free  int      `json:"free"`            // AvailableIpAddressCount of EC2 DescribeSubnets, in addresses
	By    []string `json:"by,omitempty"`    // how it was found: "node group ng-1", "Fargate profile fp", "instances", "tag kubernetes.io/role/cni", "ENIConfig zone-a"
	Owner string   `json:"owner,omitempty"` // the account that owns it, and shares it where it is not the cluster's
	// Tags are those for the VPC CNI, as the cluster's account has them; what another owner has on a subnet that it shares is not to be
	// seen there (VPC user guide, "Share your VPC subnets with other accounts").
	Tags map[string]string `json:"-"`
}

// Usable is the number of addresses that can be given out: 2^(32-prefix) less the five that AWS keeps in every subnet
// (VPC user guide, "Subnet sizing"). It is 0 when the subnet has no IPv4 range.
func (s Subnet) Usable() int {
	p, err := netip.ParsePrefix(s.CIDR)
	if err != nil || !p.Addr().Is4() {
		return 0
	}
	return max(0, 1<<(32-p.Bits())-5)
}

// Utilization is the share of usable addresses in use, in percent from 0 to 100.
func (s Subnet) Utilization() float64 { return percent(s.Usable(), s.Free) }

// percent is the share of usable addresses that are not free, from 0 to 100.
func percent(usable, free int) float64 {
	if usable == 0 {
		return 0
	}
	return 100 * float64(min(max(0, usable-free), usable)) / float64(usable)
}

// HasRoom reports whether aws-node can be restarted on nodes in this subnet: 16 addresses are free (one /28 prefix, or
// the secondary addresses of one more interface of most instance types), or a quarter of a small subnet. Below v1.10.2
// aws-node crash-loops when it starts on a full subnet (amazon-vpc-cni-k8s #1830). The number is our convention; AWS publishes none.
func (s Subnet) HasRoom() bool {
	return s.Free >= 16 || s.Usable() > 0 && 4*s.Free >= s.Usable()
}

// Pods is where a cluster's pods get their addresses.
type Pods struct {
	Subnets []Subnet `json:"subnets"`
	// Rest are the other subnets of the cluster's VPC with IPv4 addresses, ordered by id.
	Rest []Subnet `json:"-"`
	// Exempt says why IP capacity does not apply to this cluster, as "IPv6 cluster: …"; empty: it applies.
	Exempt string `json:"exempt,omitempty"`
	// Partly is the fault that may have hidden further subnets; nil: these are all. The fullest subnet is then at least as full
	// as the fullest of these.
	Partly *fault.Fault `json:"partly,omitempty"`
}

// Count takes those of the VPC's other subnets that fit among the pod subnets, and notes by what; also of those that are there already.
func (p *Pods) Count(by string, fits func(Subnet) bool) {
	for i := range p.Subnets {
		if s := &p.Subnets[i]; fits(*s) {
			s.By = append(slices.Clip(s.By), by)
		}
	}
	var rest []Subnet
	for _, s := range p.Rest {
		if fits(s) {
			s.By = []string{by}
			p.Subnets = append(p.Subnets, s)
		} else {
			rest = append(rest, s)
		}
	}
	p.Rest = rest
}

// Worst is the fullest pod subnet with an IPv4 range; of equals, the one with fewer free addresses, then the lower id.
// It is false when there is none.
func (p Pods) Worst() (Subnet, bool) {
	var worst Subnet
	found := false
	for _, s := range p.Subnets {
		if s.Usable() == 0 {
			continue
		}
		if !found || fuller(s, worst) {
			worst, found = s, true
		}
	}
	return worst, found
}

func fuller(a, b Subnet) bool {
	if au, bu := a.Utilization(), b.Utilization(); au != bu {
		return au > bu
	}
	if a.Free != b.Free {
		return a.Free < b.Free
	}
	return a.ID < b.ID
}

// FewestBlocks is the subnet in which the largest share of /28 blocks is in use, by the subnets' ids; of equals the one with fewer left, then
// the lower id. It is false when the blocks of none are known.
func FewestBlocks(subnets []Subnet, blocks map[string]Blocks) (worst Subnet, counted Blocks, any bool) {
	for _, s := range subnets {
		b, known := blocks[s.ID]
		if !known {
			continue
		}
		fuller := cmp.Or(cmp.Compare(b.Utilization(), counted.Utilization()), cmp.Compare(counted.Assured(), b.Assured()), cmp.Compare(worst.ID, s.ID))
		if !any || fuller > 0 {
			worst, counted, any = s, b, true
		}
	}
	return worst, counted, any
}

// Cramped is the first subnet with an IPv4 range that has no room for a restart of aws-node; false: all have.
func (p Pods) Cramped() (Subnet, bool) {
	for _, s := range p.Subnets {
		if s.Usable() > 0 && !s.HasRoom() {
			return s, true
		}
	}
	return Subnet{}, false
}

// IDs are the subnets' ids in order.
func (p Pods) IDs() []string {
	ids := make([]string, 0, len(p.Subnets))
	for _, s := range p.Subnets {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return ids
}
