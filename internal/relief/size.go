package relief

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/capacity"
)

// swap is so many nodes of another type, with the same vCPUs and the same pods as a load.
type swap struct {
	typ   capacity.InstanceType
	nodes int
	takes capacity.Pool
}

// instanceSize has fewer and larger nodes. That gives each of them more pods. It saves addresses of the subnets only as far as
// there are fewer interfaces, each with an address of its own, and fewer idle addresses; larger interfaces may also hold more idle.
func instanceSize(f Facts) Help {
	const code, title = "instance-size", "larger nodes"
	l, known := f.load()
	sizes := f.larger(l.typ)
	switch {
	case f.AutoMode:
		return none(code, title, autoMode)
	case !known:
		return none(code, title, "no instance type of the nodes is known")
	case len(sizes) == 0:
		return none(code, title, "no larger size of the family of %s is known", name(l.typ.Name))
	}
	to := f.best(l, sizes)
	h := Help{Code: code, Title: title}
	roomier := slices.IndexFunc(sizes, func(t capacity.InstanceType) bool { return t.RecommendedPods(f.Mode) > l.typ.RecommendedPods(f.Mode) })
	switch {
	case f.nodesFull() && roomier >= 0:
		to = f.swap(l, sizes[roomier])
		h.Line = fmt.Sprintf("nodes are %d %% full: %s per %s, %s per %s", int(f.NodeMetrics.Utilization()),
			count(to.typ.RecommendedPods(f.Mode), "pod"), name(to.typ.Name), num(l.typ.RecommendedPods(f.Mode)), name(l.typ.Name))
	case l.full || to.nodes == 0:
		return none(code, title, "larger nodes save addresses only by fewer interfaces and fewer idle addresses; "+
			"how many is not known without the nodes' pods, vCPUs and warm targets")
	case to.takes.Taken() >= l.takes.Taken():
		return none(code, title, "%s", f.exchange(l, to))
	default:
		h.Line = fmt.Sprintf("%s %s instead of %s %s would take %s instead of %s with %s spread evenly%s", num(to.nodes), name(to.typ.Name),
			num(l.nodes), name(l.typ.Name), count(to.takes.Taken(), "address"), num(l.takes.Taken()), count(l.pods, "pod"), f.inTurn(to.typ))
	}
	h.Line = short(h.Line, longest)
	h.Effect = text(f.rooms(l, sizes), f.filled(), upper(f.exchange(l, to))+".", "Only fewer interfaces and fewer idle addresses save any: the pods need as many as before.")
	h.Risk = text(f.start(), "Nodes have to be replaced, and while both run, both take addresses. Each node that is lost takes more pods with it. "+
		"Memory, or what pods ask for, may need more nodes than vCPUs do.")
	h.Commands = []string{
		f.aws("eks", "list-nodegroups", "--cluster-name", f.Cluster.Name),
		f.aws("ec2", "describe-instance-type-offerings", "--location-type", "availability-zone",
			"--filters", "Name=instance-type,Values="+to.typ.Name, "--query", "InstanceTypeOfferings[].Location", "--output", "text"),
	}
	return h
}

// larger are the next sizes of a family, at most four: those with more vCPUs, or where these are not known, with more addresses.
func (f Facts) larger(t capacity.InstanceType) []capacity.InstanceType {
	family, _, _ := strings.Cut(t.Name, ".")
	sizes := slices.DeleteFunc(slices.Clone(f.Types), func(s capacity.InstanceType) bool {
		of, _, _ := strings.Cut(s.Name, ".")
		larger := s.VCPUs > t.VCPUs
		if s.VCPUs == 0 || t.VCPUs == 0 {
			larger = s.PodAddresses(f.Mode) > t.PodAddresses(f.Mode)
		}
		return of != family || !larger || f.perNode(s) == 0
	})
	slices.SortFunc(sizes, func(a, b capacity.InstanceType) int {
		return cmp.Or(cmp.Compare(a.VCPUs, b.VCPUs), cmp.Compare(a.PodAddresses(f.Mode), b.PodAddresses(f.Mode)), cmp.Compare(a.Name, b.Name))
	})
	return sizes[:min(4, len(sizes))]
}

// best is the size that takes the fewest addresses, with two nodes or more, and one for each zone; no nodes: nothing can be computed.
func (f Facts) best(l load, sizes []capacity.InstanceType) (best swap) {
	for _, t := range sizes {
		s := f.swap(l, t)
		if s.nodes >= max(2, len(f.zones())) && (best.nodes == 0 || s.takes.Taken() < best.takes.Taken()) {
			best = s
		}
	}
	return best
}

// swap is what a size changes; no nodes: it cannot be computed.
func (f Facts) swap(l load, t capacity.InstanceType) swap {
	if f.Targets == (capacity.Targets{}) || l.typ.VCPUs == 0 || t.VCPUs == 0 {
		return swap{typ: t}
	}
	nodes := max(1, parts(l.nodes*l.typ.VCPUs, t.VCPUs), parts(l.pods, f.perNode(t)))
	return swap{typ: t, nodes: nodes, takes: f.spread(t, nodes, l.pods)}
}

// parts is how many parts of a size hold all.
func parts(all, size int) int { return (all + size - 1) / size }

// rooms says how many pods the sizes have room for.
func (f Facts) rooms(l load, sizes []capacity.InstanceType) string {
	each := make([]string, len(sizes))
	for i, t := range sizes {
		each[i] = fmt.Sprintf("%s %s", name(t.Name), num(t.RecommendedPods(f.Mode)))
	}
	return fmt.Sprintf("Pods of a node, as AWS recommends: %s %s; %s.", name(l.typ.Name), num(l.typ.RecommendedPods(f.Mode)), strings.Join(each, ", "))
}

// filled says how full the nodes are.
func (f Facts) filled() string {
	if f.NodeMetrics.Max == 0 {
		return ""
	}
	return fmt.Sprintf("By cni-metrics-helper pods have %s of the %s that the nodes could hold.", num(f.NodeMetrics.Assigned), count(f.NodeMetrics.Max, "address"))
}

// exchange says what a swap changes. With fewer pods than the most that there can be, it takes no more.
func (f Facts) exchange(l load, s swap) string {
	if s.nodes == 0 {
		return "how many addresses they would take cannot be computed"
	}
	now := "take"
	if l.nodes == 1 {
		now = "takes"
	}
	if l.full {
		now = "would take, if all were full,"
	}
	return fmt.Sprintf("%s %s with at most %s %s %s; %s %s with the same vCPUs and as many pods, spread evenly, would take %s, and no more with fewer%s",
		num(l.nodes), name(l.typ.Name), count(l.pods, "pod"), now, made(l.takes, l.full), num(s.nodes), name(s.typ.Name), made(s.takes, true), f.inTurn(s.typ))
}

// inTurn is what is taken for granted of nodes that take prefixes: pods that are scattered over prefixes make a node hold more.
func (f Facts) inTurn(t capacity.InstanceType) string {
	if f.takesPrefixes(t) {
		return " if pods fill one prefix after the other"
	}
	return ""
}

// made says what a pool takes of the subnets. Where it is not exact, its idle addresses are the least.
func made(p capacity.Pool, exact bool) string {
	least := "at least "
	if exact {
		least = ""
	}
	return fmt.Sprintf("%s (%s for pods, %s%s of these idle, %s of the interfaces)", count(p.Taken(), "address"), num(p.Addresses), least, num(p.Idle), num(p.Interfaces))
}
