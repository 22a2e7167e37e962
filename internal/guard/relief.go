package guard

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/relief"
)

// Network is what is read of a cluster's network to say what helps.
type Network struct {
	VPC    string                  // id
	Types  []capacity.InstanceType // of the nodes, and the other sizes of their families
	Taken  []netip.Prefix          // the ranges of the VPC, its peers and its routes
	Unread []string                // what of these could not be read, as "the routes of vpc-0a1 (AccessDenied)"
}

// Relief is what a cluster that is short of addresses was found to be like, for saying what helps.
type Relief struct {
	relief.Facts
	Sharers []string  `json:"sharers,omitempty"` // other clusters of the account and region that use the fullest pod subnet
	At      time.Time `json:"at"`
}

// NodeMetrics is what cni-metrics-helper said last.
type NodeMetrics struct {
	capacity.NodeMetrics
	At time.Time `json:"at"`
}

// reliefEvery is how often the network is read at most while a cluster is short of addresses.
const reliefEvery = 23 * time.Hour

// reliefAgain is when what could not be read of it is tried again.
const reliefAgain = 2 * time.Hour

// short reports whether a cluster is short of addresses, or soon will be.
func (in Input) short() bool {
	for _, code := range []Code{CapacityLow, BlocksLow, CapacitySoon, NodesFull} {
		if _, found := in.Record.Told[code]; found {
			return true
		}
	}
	warning := in.Settings.Value.Warning
	if _, counted, any := capacity.FewestBlocks(in.Seen.prefixed(), in.Seen.Blocks.Value.In); any && counted.Utilization() >= warning {
		return true
	}
	worst, any := in.Seen.Pods.Value.Worst()
	return any && worst.Utilization() >= warning || in.soon(in.outlook())
}

// WantsNetwork reports whether the cluster's network is to be read, to say what helps: once a day while it is short of addresses.
func (in Input) WantsNetwork() bool {
	return in.watched() && in.short() && in.tellsSettings() && in.Now.Sub(in.Record.Relief.At) >= reliefEvery
}

// tellsSettings reports whether it could be read how aws-node is installed and what its nodes hold. Without, a command would be made for an
// add-on as if nobody managed it.
func (in Input) tellsSettings() bool { return in.Seen.Addon.Fault == nil && in.Seen.Hosts.Fault == nil }

// relief remembers what the cluster is like while it is short of addresses: its network as it was read last, all else as it is now, since what
// helps a subnet with room may be an outage on a full one. What cannot be read now is as it was.
func (d *draft) relief() {
	in, kept := d.in, &d.plan.Relief
	switch seen := in.Seen.Network; {
	case in.Settings.Fault != nil || in.Seen.Pods.Fault != nil:
		return
	case !in.short():
		*kept = Relief{}
		return
	case seen.Fault != nil:
		kept.At = in.Now.Add(reliefAgain - reliefEvery)
		kept.Unread = []string{unread("its network", seen.Fault)}
	case seen.Value != nil:
		kept.VPC, kept.Types, kept.Taken, kept.Unread = seen.Value.VPC, seen.Value.Types, seen.Value.Taken, seen.Value.Unread
		kept.At = in.Now
		if in.Seen.Sharers.Fault == nil {
			kept.Sharers = in.Seen.Sharers.Value
		}
	}
	if !kept.At.IsZero() {
		kept.Facts = in.facts(kept.Facts)
	}
}

// facts are what it takes to say what helps, with what is known of the network.
func (in Input) facts(f relief.Facts) relief.Facts {
	seen := in.Seen
	f.Cluster, f.AutoMode, f.NodeMetrics = in.ID, seen.Cluster.Value.AutoMode, in.nodeMetrics().NodeMetrics
	f.Subnets = slices.Clone(seen.Pods.Value.Subnets)
	for i := range f.Subnets {
		f.Subnets[i].By, f.Subnets[i].Tags = nil, nil
	}
	if seen.Blocks.Value.In != nil {
		f.Blocks = seen.Blocks.Value.In
	}
	if in.tellsSettings() {
		f.Managed, f.Mode, f.Targets, f.Nodes = seen.Addon.Value != nil, seen.mode(), seen.targets(), seen.Hosts.Value.Nodes
		version, _, known := seen.installed()
		if f.Version = version; !known {
			f.Targets = capacity.Targets{} // of what runs there nothing is known
		}
	}
	return f.Bounded()
}

// mode is how the CNI gives addresses to pods, as its settings say and its nodes show.
func (s *Snapshot) mode() capacity.Mode {
	return capacity.Mode{CustomNetworking: s.isOn("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", false), PrefixDelegation: s.takesPrefixes()}
}

// targets are how many addresses a node keeps ready, by the settings of the CNI that are known.
func (s *Snapshot) targets() capacity.Targets {
	t := capacity.DefaultTargets()
	for name, into := range map[string]*int{
		"WARM_ENI_TARGET": &t.ENI, "WARM_IP_TARGET": &t.IP, "MINIMUM_IP_TARGET": &t.Minimum, "WARM_PREFIX_TARGET": &t.Prefix,
	} {
		if n, err := strconv.Atoi(s.variable(name)); err == nil {
			*into = n
		}
	}
	return t
}

// helps is the line of a message that says what helps.
func (d *draft) helps() []Fact {
	if line := relief.Line(d.plan.Relief.Facts); line != "" {
		return []Fact{{"what helps", line}}
	}
	return nil
}

// mostSharers is how many other clusters a message names.
const mostSharers = 5

// shared names the other clusters whose pods use the fullest subnet too.
func (d *draft) shared() []Fact {
	names := d.plan.Relief.Sharers
	if len(names) == 0 {
		return nil
	}
	return []Fact{{"shared with", "clusters " + few(names, mostSharers)}}
}

// WantsNodeMetrics reports whether it is to be read what cni-metrics-helper publishes: once a day where an alarm watches it, at
// each sweep until it is found, and while the cluster is short of addresses.
func (in Input) WantsNodeMetrics() bool {
	if !in.watched() {
		return false
	}
	known, every := in.Record.NodeMetrics, outlookEvery
	if known.ID == "" {
		every = nodeMetricsSought
	}
	wanted := in.Settings.Value.Alarms && in.Settings.Value.FurtherAlarms.Has(alarm.NodeCapacity)
	if _, told := in.Record.Told[NodesFull]; wanted && !told && in.rings(alarm.NodeCapacity) {
		return true // people are to be told of how it is now
	}
	renamed := known.ID != "" && known.ID != in.MetricsID()
	return wanted && (renamed || in.Now.Sub(known.At) >= every) || in.WantsNetwork()
}

// nodeMetricsSought is how often a cni-metrics-helper is looked for that was not found: at each sweep.
const nodeMetricsSought = 5 * time.Hour

// MetricsID is the CLUSTER_ID under which cni-metrics-helper is expected to publish.
func (in Input) MetricsID() string { return cmp.Or(in.Settings.Value.HelperID, in.ID.Name) }

// Network is the VPC to read, and the instance types of the nodes.
func (in Input) Network() (vpc string, types []string) {
	for _, n := range in.Seen.Hosts.Value.Nodes {
		types = append(types, n.Type)
	}
	return in.Seen.Cluster.Value.VPC, slices.Compact(types)
}

// Foreign is the account that shares subnets with the cluster's; false: all are its own. A VPC has one owner.
func (s *Snapshot) Foreign(account string) (owner string, foreign bool) {
	if s.Pods.Fault != nil {
		return "", false
	}
	for _, n := range slices.Concat(s.Pods.Value.Subnets, s.Pods.Value.Rest) {
		if n.Owner != "" && n.Owner != account {
			return n.Owner, true
		}
	}
	return "", false
}

// nodeMetrics is what cni-metrics-helper said last. One that was found before, and is not any more, is still meant: that it is silent is for
// its alarm to show, and no reason to take that away.
func (in Input) nodeMetrics() NodeMetrics {
	h, was := in.Seen.NodeMetrics, in.Record.NodeMetrics
	switch {
	case h.Fault != nil || h.Value == nil:
		return was
	case h.Value.ID == "" && was.ID == in.MetricsID():
		return NodeMetrics{NodeMetrics: capacity.NodeMetrics{ID: was.ID, Others: h.Value.Others}, At: in.Now}
	}
	return NodeMetrics{NodeMetrics: *h.Value, At: in.Now}
}
