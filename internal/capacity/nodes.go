package capacity

// Nodes are nodes of a cluster that hold the same.
type Nodes struct {
	Type       string `json:"type"`               // instance type, as "m5.large"
	Count      int    `json:"count"`              // of nodes, at least 1
	Interfaces int    `json:"interfaces"`         // of each node
	Addresses  int    `json:"addresses"`          // secondary IPv4 addresses of all interfaces of each node
	Prefixes   int    `json:"prefixes,omitempty"` // /28 prefixes of all interfaces of each node
}

// NodeMetrics is what cni-metrics-helper says of the nodes of a cluster: the highest values of the last hour of its metrics
// assignIPAddresses, totalIPAddresses and maxIPAddresses, which are sums over the nodes that it reached (amazon-vpc-cni-k8s,
// cmd/cni-metrics-helper). Assigned over Max is how full the nodes are, not the subnets.
type NodeMetrics struct {
	ID       string   `json:"id,omitempty"`       // the CLUSTER_ID that these are of; empty: none of this cluster was found
	Assigned int      `json:"assigned,omitempty"` // addresses that pods have
	Total    int      `json:"total,omitempty"`    // addresses that the nodes hold, in use or not
	Max      int      `json:"max,omitempty"`      // addresses that the nodes' interfaces could hold
	Others   []string `json:"others,omitempty"`   // other CLUSTER_IDs that are published in this account and region, ordered; at most ten
}

// Utilization is the share of the nodes' addresses that pods have, in percent from 0 to 100.
func (h NodeMetrics) Utilization() float64 { return percent(h.Max, h.Max-h.Assigned) }
