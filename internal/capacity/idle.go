package capacity

// Targets are the CNI's settings of how many addresses a node keeps ready for pods to come. A target of 0 is not set; a negative one
// is as good as not set, but for ENI, where it is the default (amazon-vpc-cni-k8s, README.md, and pkg/ipamd at v1.22.4).
type Targets struct {
	ENI     int `json:"eni,omitempty"`     // WARM_ENI_TARGET, in interfaces; heeded for secondary addresses when neither IP nor Minimum is set
	IP      int `json:"ip,omitempty"`      // WARM_IP_TARGET, in addresses
	Minimum int `json:"minimum,omitempty"` // MINIMUM_IP_TARGET, in addresses: the least that the node holds, in use or not
	Prefix  int `json:"prefix,omitempty"`  // WARM_PREFIX_TARGET, in prefixes; heeded for prefix delegation when neither IP nor Minimum is set
}

// DefaultTargets are those of the release manifests since v1.9: a whole spare interface, or a whole spare prefix.
func DefaultTargets() Targets { return Targets{ENI: 1, Prefix: 1} }

// Pool is what the CNI holds for the pods of one node.
type Pool struct {
	Interfaces int // that pods get addresses of
	Addresses  int // held for pods, in use or not
	Idle       int // of Addresses, those that no pod uses
}

// Taken is the number of addresses that are missing in the pods' subnets: those for pods, and each interface's own.
func (p Pool) Taken() int { return p.Addresses + p.Interfaces }

// Pool is what a node of this type holds with so many pods that need an address, once the CNI has come to rest (amazon-vpc-cni-k8s,
// docs/eni-and-ip-target.md and docs/prefix-and-ip-target.md). It is the least: the pods are taken to fill one prefix after the other,
// and branch interfaces are not counted. A node whose kubelet allows fewer pods than that stops adding earlier. With Minimum alone the CNI
// adds nothing beyond it: pods above it are counted all the same.
func (t InstanceType) Pool(m Mode, w Targets, pods int) Pool {
	room := t.PodAddresses(m)
	if room == 0 {
		return Pool{}
	}
	pods = min(max(0, pods), room)
	wanted, step := t.wanted(m, w.upTo(room), pods)
	held := min(ceil(wanted, step)*step, room)
	return Pool{Interfaces: ceil(held, t.perInterface(m)), Addresses: held, Idle: held - pods}
}

// wanted is the number of addresses that the targets ask for, and how many the CNI adds at a time. Without any target it
// still adds when none is left.
func (t InstanceType) wanted(m Mode, w Targets, pods int) (wanted, step int) {
	switch slot := t.perSlot(m); {
	case w.IP > 0 || w.Minimum > 0:
		return max(pods+w.IP, w.Minimum), slot
	case slot == perPrefix:
		return pods + max(1, w.Prefix*slot), slot
	default:
		each := t.perInterface(m)
		return pods + max(1, w.ENI*each), each
	}
}

// upTo are the targets as the CNI takes them. More than a node has room for is never held, so that no target need be larger.
func (w Targets) upTo(room int) Targets {
	if w.ENI < 0 {
		w.ENI = DefaultTargets().ENI
	}
	within := func(n int) int { return min(max(0, n), room) }
	return Targets{ENI: within(w.ENI), IP: within(w.IP), Minimum: within(w.Minimum), Prefix: within(w.Prefix)}
}

func ceil(n, step int) int { return (n + step - 1) / step }
