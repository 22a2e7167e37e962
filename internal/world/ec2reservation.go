package world

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// getSubnetCidrReservations lists a subnet's. To a participant of a shared VPC it has none: the VPC user guide ("Responsibilities and
// permissions for owners and participants") does not say that it may see the owner's.
func (w *World) getSubnetCidrReservations(c *Call, in *ec2.GetSubnetCidrReservationsInput) (*ec2.GetSubnetCidrReservationsOutput, error) {
	seen := w.network.in[place{c.Account, c.Region}]
	i := slices.IndexFunc(seen, func(s *subnet) bool { return s.ID == *in.SubnetId && s.exists(w.since()) })
	if i < 0 {
		return nil, modelled("ec2", "InvalidSubnetID.NotFound", "The subnet ID '"+*in.SubnetId+"' does not exist")
	}
	if len(in.Filters) > 0 {
		return nil, badFilter(in.Filters[0])
	}
	s := seen[i]
	var all []types.SubnetCidrReservation
	for n, r := range s.Reservations {
		if c.Account == s.vpc.Account {
			all = append(all, types.SubnetCidrReservation{
				SubnetCidrReservationId: aws.String(fmt.Sprintf("scr-%06x%011x", s.number, n)),
				SubnetId:                in.SubnetId,
				OwnerId:                 aws.String(s.vpc.Account),
				Cidr:                    aws.String(r.CIDR),
				ReservationType:         types.SubnetCidrReservationType(r.Kind),
			})
		}
	}
	page, next, err := pageOf(w, all, asked{in.NextToken, in.MaxResults, 1000})
	if err != nil {
		return nil, err
	}
	return &ec2.GetSubnetCidrReservationsOutput{SubnetIpv4CidrReservations: page, NextToken: next}, nil
}
