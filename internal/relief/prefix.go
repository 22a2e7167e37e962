package relief

import (
	"fmt"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
)

// prefixDelegation gives each slot of an interface sixteen addresses. That gives nodes more pods; EC2 hands out sixteen addresses at a time,
// so that a node with few pods takes more than before.
func prefixDelegation(f Facts) Help {
	const code, title = "prefix-delegation", "prefix delegation"
	if why := cannotDelegate(f); why != "" {
		return none(code, title, "%s", why)
	}
	l, _ := f.load()
	now, then, priced := f.takes(l)
	switch s, _ := f.fewest(); {
	case f.fewBlocks():
		return none(code, title, "%s, each of which takes at least one%s", f.blocksFor(s), fragmented(f.Blocks[s.ID].Lost()))
	case !f.nodesFull() && priced && then > now:
		return none(code, title, "it takes more addresses of the subnets: %s with %s takes %s now, and at least %s then",
			name(l.typ.Name), count(parts(l.pods, l.nodes), "pod"), num(now), num(then))
	}
	pods, more := l.typ.RecommendedPods(f.Mode), l.typ.RecommendedPods(f.delegated().Mode)
	h := Help{Code: code, Title: title, Line: fmt.Sprintf("prefix delegation: %s per %s instead of %s", count(more, "pod"), name(l.typ.Name), num(pods))}
	switch each := count(parts(l.pods, l.nodes), "pod"); {
	case priced && more > pods:
		h.Line += fmt.Sprintf("; with %s it takes at least %s instead of %s", each, count(then, "address"), num(now))
	case priced:
		h.Line = fmt.Sprintf("prefix delegation: %s with %s takes %s instead of %s if they fill one prefix after the other",
			name(l.typ.Name), each, count(then, "address"), num(now))
	}
	h.Line = short(h.Line, longest)
	h.Effect = text(f.recommended(f.delegated()), f.price(l), f.freeBlocks())
	h.Risk = text(f.restart(), "A prefix is sixteen aligned addresses that are all free: where single ones are scattered over a subnet, nodes get none, however many "+
		"addresses are free. Nodes that run keep their limit of pods, and mix both kinds of addresses: make new node groups, and drain the old ones. "+
		"Never go back below v1.9.0 while it is on.", f.care())
	h.Commands, h.Files = f.change(setting{"ENABLE_PREFIX_DELEGATION", "true"})
	return h
}

// cannotDelegate is why prefix delegation cannot be used, or gives nothing; empty: it does.
func cannotDelegate(f Facts) string {
	l, known := f.load()
	then := f.delegated()
	gains := func(t capacity.InstanceType) bool { return t.RecommendedPods(then.Mode) > t.RecommendedPods(f.Mode) }
	a, b, priced := f.takes(l)
	switch needs := (cni.Version{Major: 1, Minor: 9}); {
	case f.AutoMode:
		return autoMode
	case f.Mode.PrefixDelegation:
		return "it is on"
	case f.Outage() != "":
		return f.Outage()
	case !f.Version.Known():
		return "it needs " + needs.String() + ", and which version runs is not known"
	case !f.Version.Satisfies(needs):
		return "it needs " + needs.String() + ", and " + f.Version.String() + " runs"
	case !known:
		return "no instance type of the nodes is known"
	case !l.typ.Nitro:
		return "it needs instances of the Nitro system, and " + name(l.typ.Name) + " is none"
	case !gains(l.typ) && (!priced || b >= a):
		return fmt.Sprintf("AWS recommends %s per %s with it and without", count(l.typ.RecommendedPods(f.Mode), "pod"), name(l.typ.Name))
	}
	return ""
}

// delegated are the facts with prefix delegation on.
func (f Facts) delegated() Facts {
	f.Mode.PrefixDelegation = true
	return f
}

// takes is what a node with its share of the load takes of the subnets, now and with prefix delegation.
func (f Facts) takes(l load) (now, then int, known bool) {
	if l.nodes == 0 || f.Targets == (capacity.Targets{}) {
		return 0, 0, false
	}
	pods := parts(l.pods, l.nodes)
	return l.typ.Pool(f.Mode, f.Targets, pods).Taken(), l.typ.Pool(f.delegated().Mode, f.Targets, pods).Taken(), true
}

// price says what it takes of the subnets.
func (f Facts) price(l load) string {
	now, then, known := f.takes(l)
	if !known {
		return "EC2 gives addresses by the sixteen: a node with few pods takes more than now."
	}
	return fmt.Sprintf("EC2 gives addresses by the sixteen: %s with %s takes %s of its subnet now, and at least %s then%s.",
		name(l.typ.Name), count(parts(l.pods, l.nodes), "pod"), count(now, "address"), num(then), f.delegated().because())
}

// freeBlocks says how many blocks can be assigned where there are fewest, as far as it is known.
func (f Facts) freeBlocks() string {
	s, known := f.fewest()
	if !known {
		return "How many free /28 blocks the pod subnets have is not known."
	}
	others := ""
	if len(f.Blocks) < len(f.Subnets) {
		others = "How many others have is not known."
	}
	return text(f.blocksFor(s)+fragmented(f.Blocks[s.ID].Lost())+".", others)
}

// blocksFor says how many blocks a pod subnet has for how many of the nodes.
func (f Facts) blocksFor(s capacity.Subnet) string {
	nodes, _ := f.nodes()
	return fmt.Sprintf("%s has %s for its share of the nodes (%s of %s)", name(s.ID), count(f.Blocks[s.ID].Assured(), "free /28 block"), num(f.share()), num(nodes))
}

// fragmented says how many blocks fragmentation costs.
func fragmented(lost int) string {
	if lost == 0 {
		return ""
	}
	return "; fragmentation costs " + num(lost) + " more"
}
