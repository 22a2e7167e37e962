package world

import "time"

// VPC is a network and its subnets.
type VPC struct {
	ID      string   `yaml:"id"`      // as "vpc-0a1"; unique in the world
	Account string   `yaml:"account"` // of the owner
	Region  string   `yaml:"region"`
	Shared  []string `yaml:"shared"` // accounts that the subnets are shared with. They see the subnets without the owner's tags
	CIDRs   []string `yaml:"cidrs"`  // its IPv4 ranges, as "10.0.0.0/16", the primary first; none: those of its subnets
	Peers   []Peer   `yaml:"peers"`  // the VPCs that it asked to be peered with, and that accepted
	Routes  []string `yaml:"routes"` // destinations of its route table beside its own ranges, as "0.0.0.0/0"
	Subnets []Subnet `yaml:"subnets"`
}

// Peer is the other side of a VPC peering connection. It may be a VPC of the world, which then need not be described again.
type Peer struct {
	VPC     string   `yaml:"vpc"`     // id
	Account string   `yaml:"account"` // of its owner; empty: as the world has it, or else that of the VPC which it is a peer of
	CIDRs   []string `yaml:"cidrs"`   // its IPv4 ranges; none: as the world has them
}

// Subnet is a subnet of a VPC.
type Subnet struct {
	ID   string            `yaml:"id"`   // as "subnet-0a1"; unique in the world
	CIDR string            `yaml:"cidr"` // IPv4 range, as "10.0.1.0/24"; empty: the subnet is IPv6-only
	Zone string            `yaml:"zone"` // as "eu-central-1a"
	Tags map[string]string `yaml:"tags"` // only its owner sees them
	// Used is the number of addresses in use: linear between the points, constant outside of them; none: 0. Those that no instance of a
	// cluster holds are others'. Where the instances hold more than this, they do.
	Used         []Point       `yaml:"used"`
	DeletedAt    time.Duration `yaml:"deletedAt"`    // zero: never
	Layout       Layout        `yaml:"layout"`       // of the single addresses in use; empty: Packed
	Reservations []Reservation `yaml:"reservations"` // ranges that are set aside
}

// Layout is where in a subnet's range single addresses lie.
type Layout string

// The layouts.
const (
	Packed Layout = "packed" // one after the other, from the lowest on
	// Scattered is one in each /28 block in turn. As soon as there are as many as blocks, no block is free, however much room is left.
	Scattered Layout = "scattered"
)

// Reservation is a subnet CIDR reservation (VPC user guide, "Subnet CIDR reservations").
type Reservation struct {
	CIDR string          `yaml:"cidr"` // part of the subnet's range
	Kind ReservationKind `yaml:"kind"`
}

// ReservationKind is whom a reservation is for: ReservationType of EC2 CreateSubnetCidrReservation.
type ReservationKind string

// The kinds of reservations. No single address is given out of either.
const (
	ForPrefixes ReservationKind = "prefix"   // prefixes of interfaces are taken from here first
	Explicit    ReservationKind = "explicit" // nothing is given out of it; nobody asks for addresses by name
)

// Point is a number of addresses in use at a time.
type Point struct {
	At        time.Duration `yaml:"at"`
	Addresses int           `yaml:"addresses"`
}

// Instance is an EC2 instance of a cluster: self-managed or of Karpenter. What it holds counts among the addresses in use of its
// subnets.
type Instance struct {
	ID      string   `yaml:"id"`
	Subnets []string `yaml:"subnets"` // ids; one per network interface, the primary first
	Type    string   `yaml:"type"`    // as "m5.large", one that DescribeInstanceTypes has; empty: m5.large
	// Addresses and Prefixes are what each network interface holds beside its own address, in the order of Subnets; those that a list is
	// too short for hold none. With custom networking the first is 0: pods get no address of the primary interface.
	Addresses []int `yaml:"addresses"` // secondary IPv4 addresses
	Prefixes  []int `yaml:"prefixes"`  // /28 prefixes
	// TagKey is the tag that names the cluster: "kubernetes.io/cluster/NAME" (the default, when empty), "eks:cluster-name"
	// or "eks:eks-cluster-name" (facts-eks-vpc-cni 9).
	TagKey string `yaml:"tagKey"`
	// From and Until bound the time the instance runs; a zero Until: for ever.
	From  time.Duration `yaml:"from"`
	Until time.Duration `yaml:"until"`
	// Copies is how many such instances there are, ID-1 to ID-n; zero: the one.
	Copies int `yaml:"copies"`
}
