package guard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/capacity"
)

// Blocks are the /28 blocks of pod subnets, as counted from the interfaces in them.
type Blocks struct {
	In map[string]capacity.Blocks // by the subnet's id
	// Unseen are the pod subnets of another account whose interfaces cannot be seen, by id, in order: how fragmented they are is not known.
	Unseen []string
}

// takesPrefixes reports whether nodes of the cluster take /28 prefixes and nothing else, or are told to. Auto Mode's own nodes take single
// addresses where there is no prefix (EKS user guide, "Learn about VPC networking and load balancing in EKS Auto Mode").
func (s *Snapshot) takesPrefixes() bool {
	if c := s.Cluster; c.Value != nil && c.Value.AutoMode && !s.Hosts.Value.Nodegroups {
		return false
	}
	holds := slices.ContainsFunc(s.Hosts.Value.Nodes, func(n capacity.Nodes) bool { return n.Prefixes > 0 })
	return s.Hosts.Fault == nil && (holds || s.isOn("ENABLE_PREFIX_DELEGATION", false))
}

// countsBlocks reports whether there are blocks to count: nodes take prefixes, and not only from subnets whose interfaces nobody sees.
func (s *Snapshot) countsBlocks() bool {
	return slices.ContainsFunc(s.prefixed(), func(n capacity.Subnet) bool { return !slices.Contains(s.Blocks.Value.Unseen, n.ID) })
}

// WantsBlocks reports whether the /28 blocks of the pod subnets are to be counted: where nodes take prefixes, and where it is to be said what
// helps. It reads every interface in the subnets.
func (in Input) WantsBlocks() bool {
	return in.watched() && (in.Seen.takesPrefixes() || in.WantsNetwork())
}

// blocks finds a pod subnet whose /28 blocks run out, where nodes take prefixes: single free addresses do not help them. It is judged by
// the thresholds for addresses.
func (d *draft) blocks() {
	in, seen := d.in, d.in.Seen.Blocks
	if seen.Fault != nil && in.Seen.takesPrefixes() {
		d.hiddenBlocks()
	}
	if in.Settings.Fault != nil || in.Seen.Hosts.Fault != nil || in.Seen.Pods.Fault != nil || seen.Fault != nil || in.tearsDown() != nil {
		d.blind(BlocksLow)
		return
	}
	d.unseenBlocks()
	worst, counted, any := capacity.FewestBlocks(in.Seen.prefixed(), seen.Value.In)
	if !any {
		if len(seen.Value.Unseen) > 0 {
			d.blind(BlocksLow)
		}
		return
	}
	used, s := counted.Utilization(), in.Settings.Value
	level := Level(used, s.Warning, s.Critical, wordOf(in.Record.Told[BlocksLow].Severity))
	d.plan.BlocksLevel = level
	severity := severityOf(level)
	if severity == 0 {
		return
	}
	free := fmt.Sprintf("%d of %d", counted.Assured(), counted.Pool())
	if counted.Pool() == 0 {
		free = "none: it is too small to hold one"
	}
	if answer := &d.plan.Verdict.Capacity; severity > severityOf(answer.Word) {
		*answer = Answer{level, fmt.Sprintf("free /28 blocks of pod subnet %s: %s", worst.ID, free)}
	}
	facts := []Fact{
		{"worst subnet", place(worst)},
		{"free /28 blocks", free},
		{"free addresses", fmt.Sprintf("%d of %d", worst.Free, worst.Usable())},
	}
	if lost := counted.Lost(); lost > 0 {
		facts = append(facts, Fact{"fragmented", fmt.Sprintf("%d blocks lost", lost)})
	}
	if len(seen.Value.Unseen) > 0 {
		facts = append(facts, Fact{"not known of", strings.Join(seen.Value.Unseen, ", ") + ": another account's, whose interfaces cannot be seen"})
	}
	d.find(Finding{Code: BlocksLow, Severity: severity, Print: level, Facts: slices.Concat(facts, d.origin(worst), d.helps())})
}

// hiddenBlocks answers where nodes take prefixes and the blocks could not be read: what people know to be short is not fine meanwhile, and of
// all else nobody knows.
func (d *draft) hiddenBlocks() {
	answer, known := &d.plan.Verdict.Capacity, d.in.Record.Told[BlocksLow].Severity
	switch because := unread("the /28 blocks", d.in.Seen.Blocks.Fault); {
	case known > severityOf(answer.Word):
		*answer = Answer{wordOf(known), because}
	case answer.Word == Fine:
		*answer = Answer{Unknown, because}
	}
}

// unseenBlocks says which subnets' blocks are not known: how full they are is seen all the same.
func (d *draft) unseenBlocks() {
	for _, n := range d.in.Seen.prefixed() {
		if slices.Contains(d.in.Seen.Blocks.Value.Unseen, n.ID) {
			d.plan.Verdict.Capacity.Because += fmt.Sprintf("; the /28 blocks of %s are not known, since account %s, which shares it, is not in the fleet", n.ID, n.Owner)
			return
		}
	}
}

// wordOf is the level of use that a severity stands for.
func wordOf(s Severity) string {
	return map[Severity]string{Warning: WarningWord, Critical: CriticalWord}[s]
}

// prefixed are the pod subnets that nodes take prefixes from. With custom networking these are such as hold some already, or are named for
// it: nodes have no more than their own address in the others. Fargate's pods take single addresses.
func (s *Snapshot) prefixed() []capacity.Subnet {
	if !s.takesPrefixes() || s.Pods.Fault != nil {
		return nil
	}
	custom := s.isOn("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", false)
	return slices.DeleteFunc(slices.Clone(s.Pods.Value.Subnets), func(n capacity.Subnet) bool {
		others := slices.ContainsFunc(n.By, func(how string) bool { return !strings.HasPrefix(how, capacity.FargateBy) })
		named := s.Blocks.Value.In[n.ID].Prefixes > 0 || slices.ContainsFunc(n.By, func(how string) bool { return strings.HasPrefix(how, eniConfigBy) })
		kept := n.Tags[roleTag] == "0" && s.Blocks.Value.In[n.ID].Prefixes == 0 // pods are kept out of it, and it has only nodes' own addresses
		return n.Usable() == 0 || len(n.By) > 0 && !others || custom && !named || kept
	})
}
