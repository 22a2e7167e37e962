package world

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// networkInterface is one of a subnet: an instance's, or else one of others.
type networkInterface struct {
	in    *subnet
	port  *port // nil: others'
	other int   // the number of others' interface, from 0
}

// perOther is how many addresses an interface of others has: as many as fit one of an m5.large.
const perOther = 10

// describeNetworkInterfaces finds the interfaces in the subnets that an account sees: all of them in its own VPCs, its own in those that
// are shared with it (VPC user guide, "Responsibilities and permissions for owners and participants"; facts-eks-vpc-cni 9).
func (w *World) describeNetworkInterfaces(c *Call, in *ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error) {
	if in.NetworkInterfaceIds != nil {
		return nil, modelled("ec2", "InvalidParameterCombination", "Network interface IDs are not simulated.")
	}
	now := w.since()
	var all []networkInterface
	for _, s := range w.network.in[place{c.Account, c.Region}] {
		if s.exists(now) {
			all = append(all, s.interfaces(c.Account, now)...)
		}
	}
	found, err := filtered(all, in.Filters, map[string]func(networkInterface) string{
		"subnet-id":              func(i networkInterface) string { return i.in.ID },
		"vpc-id":                 func(i networkInterface) string { return i.in.vpc.ID },
		"attachment.instance-id": networkInterface.instance,
	})
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(w, found, asked{in.NextToken, in.MaxResults, 1000})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeNetworkInterfacesOutput{NextToken: next}
	for _, i := range page {
		out.NetworkInterfaces = append(out.NetworkInterfaces, i.describe(now))
	}
	return out, nil
}

// interfaces are those that an account sees.
func (s *subnet) interfaces(account string, now time.Duration) (all []networkInterface) {
	owner := account == s.vpc.Account
	for _, p := range s.ports {
		if p.of.runs(now) && (owner || account == p.of.account) {
			all = append(all, networkInterface{s, p, 0})
		}
	}
	if owner {
		for n := range (s.others(now) + perOther - 1) / perOther {
			all = append(all, networkInterface{s, nil, n})
		}
	}
	return all
}

// instance is the id of the instance that it is attached to; empty: none.
func (i networkInterface) instance() string {
	if i.port == nil {
		return ""
	}
	return i.port.of.ID
}

// held are the offsets of its single addresses, its own first, and of its prefixes.
func (i networkInterface) held(now time.Duration) (singles, prefixes []int) {
	l := i.in.layout(now)
	if i.port != nil {
		return l.singles[i.port], l.prefixes[i.port]
	}
	first := i.other * perOther
	return l.others[first:min(first+perOther, i.in.others(now))], nil
}

func (i networkInterface) describe(now time.Duration) types.NetworkInterface {
	d := types.NetworkInterface{
		SubnetId:         aws.String(i.in.ID),
		VpcId:            aws.String(i.in.vpc.ID),
		AvailabilityZone: aws.String(i.in.Zone),
		InterfaceType:    types.NetworkInterfaceTypeInterface,
		Status:           types.NetworkInterfaceStatusInUse,
		Ipv6Native:       aws.Bool(i.in.CIDR == ""),
		Attachment:       &types.NetworkInterfaceAttachment{Status: types.AttachmentStatusAttached, NetworkCardIndex: aws.Int32(0)},
	}
	if p := i.port; p != nil {
		d.NetworkInterfaceId, d.OwnerId = aws.String(p.id), aws.String(p.of.account)
		d.Attachment.InstanceId, d.Attachment.InstanceOwnerId, d.Attachment.DeviceIndex = aws.String(p.of.ID), d.OwnerId, aws.Int32(p.device)
	} else {
		d.NetworkInterfaceId, d.OwnerId = aws.String(fmt.Sprintf("eni-%06x%011x", i.in.number, i.other)), aws.String(i.in.vpc.Account)
		d.Attachment.InstanceOwnerId, d.Attachment.DeviceIndex = d.OwnerId, aws.Int32(1)
	}
	singles, prefixes := i.held(now)
	for n, offset := range singles {
		a := aws.String(i.in.address(offset).String())
		d.PrivateIpAddresses = append(d.PrivateIpAddresses, types.NetworkInterfacePrivateIpAddress{Primary: aws.Bool(n == 0), PrivateIpAddress: a})
	}
	if len(singles) > 0 {
		d.PrivateIpAddress = d.PrivateIpAddresses[0].PrivateIpAddress
	}
	for _, offset := range prefixes {
		d.Ipv4Prefixes = append(d.Ipv4Prefixes, types.Ipv4PrefixSpecification{Ipv4Prefix: aws.String(i.in.address(offset).String() + "/28")})
	}
	return d
}

// FreeBlocks is how many aligned /28 blocks of a subnet could be assigned to interfaces as prefixes now: none of their addresses is in
// use, AWS's own or in an explicit reservation, and reservations for prefixes cover all of them or none. It is counted address by
// address, out of what the subnet's owner sees. False: there is no such subnet, or it has no IPv4 addresses.
func (w *World) FreeBlocks(id string) (int, bool) {
	s := w.network.subnets[id]
	if s == nil || !s.exists(w.since()) || s.CIDR == "" {
		return 0, false
	}
	inUse := s.inUse(w.since())
	r := netip.MustParsePrefix(s.CIDR)
	size, n := 1<<(32-r.Bits()), 0
	a := r.Addr()
	for first := 0; first < size; first += perPrefix {
		usable, reserved := 0, 0
		for offset := first; offset < first+perPrefix; offset++ {
			kind := s.reservation(a)
			if offset >= 4 && offset < size-1 && !inUse[a] && kind != Explicit {
				usable++
			}
			if kind == ForPrefixes {
				reserved++
			}
			a = a.Next()
		}
		if usable == perPrefix && reserved%perPrefix == 0 {
			n++
		}
	}
	return n, true
}

// inUse are the addresses of every interface.
func (s *subnet) inUse(now time.Duration) map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	for _, i := range s.interfaces(s.vpc.Account, now) {
		d := i.describe(now)
		for _, a := range d.PrivateIpAddresses {
			all[netip.MustParseAddr(*a.PrivateIpAddress)] = true
		}
		for _, p := range d.Ipv4Prefixes {
			r := netip.MustParsePrefix(*p.Ipv4Prefix)
			for a := r.Addr(); r.Contains(a); a = a.Next() {
				all[a] = true
			}
		}
	}
	return all
}

// reservation is the kind of the one that an address lies in; empty: none.
func (s *Subnet) reservation(a netip.Addr) ReservationKind {
	for _, r := range s.Reservations {
		if netip.MustParsePrefix(r.CIDR).Contains(a) {
			return r.Kind
		}
	}
	return ""
}
