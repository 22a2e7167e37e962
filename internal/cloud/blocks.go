package cloud

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// Blocks counts the /28 blocks of subnets, by id, from all interfaces in them and their CIDR reservations, as the unit's account sees them: it
// should own the subnets, since a participant of a shared VPC sees its own interfaces only (VPC user guide, "Share your VPC subnets with
// other accounts"). A subnet without an IPv4 range is not in the answer. What cannot be read or understood of one leaves nothing known.
func (c *Cloud) Blocks(ctx context.Context, u event.Unit, subnets []capacity.Subnet) (map[string]capacity.Blocks, error) {
	api := c.at(access.Observer, u.Account, u.Region).EC2
	subnets = slices.DeleteFunc(slices.Clone(subnets), func(s capacity.Subnet) bool { return s.Usable() == 0 })
	var used guard.Reading[map[string]*capacity.Occupancy]
	reserved := make([]guard.Reading[[]capacity.Reservation], len(subnets))
	gone := make([]bool, len(subnets))
	tasks := make([]task, len(subnets))
	for i, s := range subnets {
		tasks[i] = into(&reserved[i], func(ctx context.Context) ([]capacity.Reservation, *fault.Fault) {
			all, f := c.reservations(ctx, api, s.ID)
			if absent(f) {
				gone[i], f = true, nil // since it was read a moment ago
			}
			return all, f
		})
	}
	tasks = append(clock.Limit(sideBySide, tasks), into(&used, func(ctx context.Context) (map[string]*capacity.Occupancy, *fault.Fault) {
		return c.occupancy(ctx, api, subnets)
	}))
	_ = c.clock.Parallel(ctx, tasks...)
	if f := gravest(append(faults(reserved), used.Fault)); f != nil {
		return nil, fmt.Errorf("count the /28 blocks of %d subnets of %s in %s: %w", len(subnets), u.Account, u.Region, f)
	}
	counted := map[string]capacity.Blocks{}
	for i, s := range subnets {
		if gone[i] {
			continue
		}
		o := used.Value[s.ID]
		o.CIDR, o.Reservations = s.CIDR, reserved[i].Value
		b, err := o.Blocks()
		if err != nil {
			return nil, fmt.Errorf("subnet %s of %s in %s: %w", s.ID, u.Account, u.Region, &fault.Fault{Kind: fault.Terminal, Text: plain.Clean(err.Error(), plain.Text)})
		}
		counted[s.ID] = b
	}
	return counted, nil
}

const (
	interfacesOp   = "ec2:DescribeNetworkInterfaces"
	reservationsOp = "ec2:GetSubnetCidrReservations"
)

// garbled is the fault of an answer in which something cannot be understood.
func garbled(op, what string, text *string) *fault.Fault {
	return &fault.Fault{Kind: fault.Terminal, Op: op, Text: what + " is not understood: " + plain.Clean(aws.ToString(text), plain.Text)}
}

// occupancy is what the interfaces in subnets hold, by the subnets' ids.
func (c *Cloud) occupancy(ctx context.Context, api EC2, subnets []capacity.Subnet) (map[string]*capacity.Occupancy, *fault.Fault) {
	used := map[string]*capacity.Occupancy{}
	for part := range slices.Chunk(subnets, filterValues) {
		var ids []string
		for _, s := range part {
			ids = append(ids, s.ID)
			used[s.ID] = &capacity.Occupancy{}
		}
		in := &ec2.DescribeNetworkInterfacesInput{Filters: []ec2types.Filter{filter("subnet-id", ids...)}, MaxResults: aws.Int32(1000)}
		for out, f := range pages(ctx, c.clock, interfacesOp, ec2.NewDescribeNetworkInterfacesPaginator(api, in)) {
			if f != nil {
				return nil, f
			}
			for _, n := range out.NetworkInterfaces {
				if f := holds(used[aws.ToString(n.SubnetId)], n); f != nil {
					return nil, f
				}
			}
		}
	}
	return used, nil
}

// holds notes what one interface in a subnet holds. What cannot be read might be in any block.
func holds(o *capacity.Occupancy, n ec2types.NetworkInterface) *fault.Fault {
	if o == nil {
		return garbled(interfacesOp, "the subnet of an interface", n.SubnetId)
	}
	for _, a := range n.PrivateIpAddresses {
		addr, err := netip.ParseAddr(aws.ToString(a.PrivateIpAddress))
		if err != nil || !addr.Is4() {
			return garbled(interfacesOp, "an address of an interface", a.PrivateIpAddress)
		}
		o.Addresses = append(o.Addresses, addr)
	}
	for _, p := range n.Ipv4Prefixes {
		prefix, ok := ipv4(aws.ToString(p.Ipv4Prefix))
		if !ok {
			return garbled(interfacesOp, "a prefix of an interface", p.Ipv4Prefix)
		}
		o.Prefixes = append(o.Prefixes, prefix)
	}
	return nil
}

// ipv4 reads an IPv4 range.
func ipv4(text string) (_ netip.Prefix, ok bool) {
	p, err := netip.ParsePrefix(text)
	return p, err == nil && p.Addr().Is4()
}

// reservations are the IPv4 reservations of one subnet, which is all that one call takes. The SDK has no paginator for it.
func (c *Cloud) reservations(ctx context.Context, api EC2, subnet string) ([]capacity.Reservation, *fault.Fault) {
	var all []capacity.Reservation
	var next *string
	for {
		out, f := call(c.clock, reservationsOp, api.GetSubnetCidrReservations)(ctx,
			&ec2.GetSubnetCidrReservationsInput{SubnetId: &subnet, MaxResults: aws.Int32(1000), NextToken: next})
		if f != nil {
			return nil, f
		}
		for _, r := range out.SubnetIpv4CidrReservations {
			p, ok := ipv4(aws.ToString(r.Cidr))
			if !ok {
				return nil, garbled(reservationsOp, "a reservation", r.Cidr)
			}
			all = append(all, capacity.Reservation{Range: p, Kind: capacity.ReservationKind(r.ReservationType)})
		}
		if next = out.NextToken; aws.ToString(next) == "" {
			return all, nil
		}
	}
}
