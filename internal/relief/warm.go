package relief

import (
	"fmt"
	"strconv"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
)

// warm is the WARM_IP_TARGET that is proposed: few enough to matter, and more than the one or two that a node needs at a time. leastPods is
// the MINIMUM_IP_TARGET where nothing is known of the pods. Both are in the examples of docs/eni-and-ip-target.md in amazon-vpc-cni-k8s.
const warm, leastPods = 5, 10

const warmCode = "warm-targets"

// warmTargets has nodes keep a few addresses ready instead of a whole interface, or of whole prefixes.
func warmTargets(f Facts) Help {
	const code, title = warmCode, "fewer warm addresses"
	if why := cannotWarm(f); why != "" {
		return none(code, title, "%s", why)
	}
	w, reason := f.targets()
	groups, freed := f.groups(), f.freed()
	if freed <= 0 && (f.Targets.IP > 0 || f.Targets.Minimum > 0) {
		return none(code, title, "WARM_IP_TARGET is %s and MINIMUM_IP_TARGET %s already, and nothing shows that %s and %s would free any",
			num(f.Targets.IP), num(f.Targets.Minimum), num(w.IP), num(w.Minimum))
	}
	_, held := f.nodes()
	settings := fmt.Sprintf("WARM_IP_TARGET=%d, MINIMUM_IP_TARGET=%d", w.IP, w.Minimum)
	line := settings + " would keep fewer addresses idle; how many it would free is not known"
	gain := "How many are freed depends on how many pods each node has, which is not known; it may be none."
	if freed > 0 {
		line = fmt.Sprintf("%s would free at least %s of %s%s", settings, num(freed), count(held, "held address"), f.together())
		gain = "That frees at least " + count(freed, "address") + f.together() + "."
	}
	h := Help{Code: code, Title: title, Line: short(line, longest), Risk: f.warmRisk()}
	h.Effect = text("Nodes hold "+count(held, "address")+" for pods"+f.together()+", in use or not"+f.because()+".", f.idle(groups), f.counted(),
		fmt.Sprintf("With %s a node keeps at most %s.", settings, f.left(w)), gain, reason)
	h.Commands, h.Files = f.change(setting{"WARM_IP_TARGET", strconv.Itoa(w.IP)}, setting{"MINIMUM_IP_TARGET", strconv.Itoa(w.Minimum)})
	return h
}

func cannotWarm(f Facts) string {
	_, held := f.nodes()
	l, known := f.load()
	switch {
	case f.AutoMode:
		return autoMode
	case f.nodesFull() && known && len(f.Subnets) > 0 && f.noRoom(l.typ) == "":
		return "the subnets have room; it gives nodes no more"
	case f.Outage() != "":
		return f.Outage()
	case held == 0:
		return "it is not known how many addresses the nodes hold"
	case f.Targets == capacity.Targets{}:
		return "the warm targets that are set are not known"
	case f.Version.Known() && !f.Version.Satisfies(cni.Version{Major: 1, Minor: 6}):
		return "MINIMUM_IP_TARGET needs v1.6.0, and " + f.Version.String() + " runs" // amazon-vpc-cni-k8s, README.md
	}
	return ""
}

// together says that a number of addresses is not one subnet's.
func (f Facts) together() string {
	if len(f.Subnets) < 2 {
		return ""
	}
	return " in all pod subnets together"
}

const autoMode = "EKS Auto Mode runs the network: nothing of it can be set"

// targets are what is proposed, and why.
func (f Facts) targets() (capacity.Targets, string) {
	const why = "MINIMUM_IP_TARGET spares EC2 calls while a node fills: it is "
	w := capacity.Targets{IP: warm, Minimum: leastPods}
	if nodes, _ := f.nodes(); f.NodeMetrics.Assigned > 0 {
		w.Minimum = max(warm, (f.NodeMetrics.Assigned+nodes-1)/nodes)
		return w, why + "what a node's pods have on average by cni-metrics-helper, and no less than " + num(warm) + "."
	}
	groups := f.groups()
	if len(groups) == 0 {
		return w, why + "the " + num(leastPods) + " of the CNI's own example, since it is not known how many pods a node has: set it to what your nodes have."
	}
	least := groups[0].pods
	for _, g := range groups {
		least = min(least, g.pods)
	}
	w.Minimum = max(warm, least)
	return w, why + "the pods that the emptiest nodes can have at most, and no less than " + num(warm) + "."
}

// freed is how many addresses fewer the nodes would hold at least with what is proposed; not above zero: that any would be freed is not known.
func (f Facts) freed() int {
	w, _ := f.targets()
	return max(f.freedByNodes(f.groups(), w), f.freedByCount(w))
}

// freedByNodes is how many addresses fewer the nodes would hold at least, of which the pods can be told. A single address that no pod has
// is given back. Of prefixes only those without a pod are: WARM_PREFIX_TARGET keeps whole ones free, the others promise none.
func (f Facts) freedByNodes(groups []group, w capacity.Targets) (freed int) {
	for _, g := range groups {
		held, then := heldBy(g.Nodes), g.typ.Pool(f.Mode, w, g.pods).Addresses
		if f.takesPrefixes(g.typ) && held > then && (f.Targets.IP > 0 || f.Targets.Minimum > 0) {
			continue
		}
		freed += g.Count * (held - then)
	}
	return freed
}

// freedByCount is the same by what cni-metrics-helper counts: what is idle, without the most that every node may keep. What nodes hold that
// it did not reach is taken to be in use. A prefix that has a pod stays, however many of its addresses are idle: so it says nothing of prefixes.
func (f Facts) freedByCount(w capacity.Targets) int {
	if f.NodeMetrics.Max == 0 || f.Mode.PrefixDelegation {
		return 0
	}
	nodes, held := f.nodes()
	return min(held, f.NodeMetrics.Total) - f.NodeMetrics.Assigned - nodes*max(w.IP, w.Minimum)
}

// left says how many idle addresses a node keeps at most.
func (f Facts) left(w capacity.Targets) string {
	if f.Mode.PrefixDelegation {
		return count(max(w.IP, w.Minimum)+15, "idle address") + " if pods fill one prefix after the other"
	}
	return count(max(w.IP, w.Minimum), "idle address")
}

// because names the targets that are in force.
func (f Facts) because() string {
	switch w := f.Targets; {
	case w.IP > 0 || w.Minimum > 0:
		return fmt.Sprintf(" (WARM_IP_TARGET=%d, MINIMUM_IP_TARGET=%d)", w.IP, w.Minimum)
	case f.Mode.PrefixDelegation:
		return fmt.Sprintf(" (WARM_PREFIX_TARGET=%d)", w.Prefix)
	default:
		return fmt.Sprintf(" (WARM_ENI_TARGET=%d)", w.ENI)
	}
}

// idle says what can be told of the nodes' idle addresses by what they hold.
func (f Facts) idle(groups []group) string {
	var each []string
	told, idle := 0, 0
	for _, g := range groups {
		spare := heldBy(g.Nodes) - g.pods
		told, idle = told+g.Count, idle+g.Count*spare
		each = append(each, fmt.Sprintf("%s %s with %s, of which at most %s in use and at least %s idle each",
			num(g.Count), name(g.Type), count(heldBy(g.Nodes), "address"), num(g.pods), num(spare)))
	}
	if told == 0 {
		return ""
	}
	nodes, _ := f.nodes()
	return fmt.Sprintf("By what they hold, at least %s idle on %s of %s: %s.", num(idle), num(told), count(nodes, "node"), list(each, 5))
}

// counted says what cni-metrics-helper counts.
func (f Facts) counted() string {
	h := f.NodeMetrics
	if h.Max == 0 {
		return ""
	}
	return fmt.Sprintf("By the highest values of cni-metrics-helper in its last hour, pods have %s of %s: %s idle.",
		num(h.Assigned), count(h.Total, "address"), num(h.Total-h.Assigned))
}

func (f Facts) warmRisk() string {
	prefixes := ""
	if f.Mode.PrefixDelegation {
		prefixes = "A prefix stays as long as one pod has an address of it: more is freed only as pods go."
	}
	return text(f.restart(), "The CNI then calls EC2 for almost every pod that comes or goes. Its documentation advises against it in large clusters and where many pods "+
		"come and go: throttled calls leave pods without addresses.", "More than "+num(warm)+" pods that come to a node at once wait for EC2.", prefixes,
		"What is said of idle addresses takes it that nothing else holds nodes back: no lower limit of pods than AWS recommends, no MAX_ENI, no cordon.", f.care())
}
