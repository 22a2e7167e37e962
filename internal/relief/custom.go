package relief

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/plain"
)

// customNetworking gives pods addresses of other subnets than those of their nodes: of a free range of their own. Each node then has one
// interface less for pods, since the primary one stays in the node's subnet (EKS user guide, "Deploy Pods in alternate subnets with
// custom networking").
func customNetworking(f Facts) Help {
	const code, title = "custom-networking", "custom networking"
	if why := cannotMove(f); why != "" {
		return none(code, title, "%s", why)
	}
	zones, used := f.zones(), f.used()
	length, err := capacity.SubnetLength(used, len(zones))
	if err != nil {
		return none(code, title, "%s", oneLine(err))
	}
	r, err := capacity.FindPodRange(f.taken(), len(zones), length)
	if err != nil {
		return none(code, title, "%s", oneLine(err))
	}
	each := capacity.Subnet{CIDR: r.Subnets[0].String()}.Usable()
	free := "is free"
	if len(f.Unread) > 0 {
		free = "is free as far as could be read"
	}
	h := Help{Code: code, Title: title}
	h.Line = short(fmt.Sprintf("custom networking: %s %s (%s in %s)", r.Block, free, count(len(zones)*each, "address"), count(len(zones), "zone")), longest)
	h.Effect = text(fmt.Sprintf("The pod subnets have %s in use, in %s. %s %s; a /%d of it in each zone has room for %s, %s in all.",
		count(used, "address"), count(len(zones), "zone"), r.Block, free, length, count(each, "address"), num(len(zones)*each)), f.unread(),
		"What pods hold in the present subnets becomes free as nodes are replaced.", f.spared())
	h.Risk = text(f.restart(), f.moving(r.Block), f.groupless(), f.owner(f.Subnets), f.care())
	h.Commands, h.Files = f.move(zones, r)
	return h
}

// cannotMove is why custom networking does not apply, or cannot be planned.
func cannotMove(f Facts) string {
	switch {
	case f.AutoMode:
		return autoMode
	case f.Mode.CustomNetworking:
		return "it is on: more room takes further subnets, each with an ENIConfig"
	case f.nodesFull():
		return "the nodes are full, and it takes an interface from each"
	case f.Outage() != "":
		return f.Outage()
	case len(f.Subnets) == 0:
		return "no pod subnet with IPv4 addresses is known"
	case f.VPC == "" || len(f.Taken) == 0:
		return "the ranges of the VPC are not known"
	}
	for _, s := range f.Subnets {
		if !isLabel(s.Zone) {
			return "the zone of " + name(s.ID) + " is not known, and a node in a zone without an ENIConfig gets no addresses for pods"
		}
	}
	for _, t := range f.nodeTypes() {
		if t.PodAddresses(f.moved().Mode) == 0 {
			return "a node of type " + name(t.Name) + " has one interface, and custom networking would leave none for pods"
		}
	}
	return ""
}

// isLabel reports whether s can be the name of a Kubernetes object and of a file, as every zone's name can.
func isLabel(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	return s != "" && len(s) <= 63 && strings.Trim(s, letters+"-") == "" && strings.Trim(s[:1]+s[len(s)-1:], letters) == ""
}

// moved are the facts with custom networking on.
func (f Facts) moved() Facts {
	f.Mode.CustomNetworking = true
	return f
}

// zones are those of the pod subnets, in order.
func (f Facts) zones() []string {
	var zones []string
	for _, s := range f.Subnets {
		zones = append(zones, s.Zone)
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// used is how many addresses of the pod subnets are in use.
func (f Facts) used() (used int) {
	for _, s := range f.Subnets {
		used += s.Usable() - s.Free
	}
	return used
}

// taken are the ranges that are not free, the pod subnets' own too.
func (f Facts) taken() []netip.Prefix {
	all := slices.Clone(f.Taken)
	for _, s := range f.Subnets {
		all = append(all, netip.MustParsePrefix(s.CIDR)) // a subnet without an IPv4 range is not among the sound ones
	}
	return all
}

// oneLine is an error in one line, of a length that can be read.
func oneLine(err error) string { return short(strings.ReplaceAll(err.Error(), "\n", "; "), 300) }

// unread names what could not be read.
func (f Facts) unread() string {
	if len(f.Unread) == 0 {
		return ""
	}
	return "Not read: " + list(f.Unread, 5) + "."
}

// spared says what one interface less costs.
func (f Facts) spared() string {
	return text("Each node has one interface less for pods.", f.recommended(f.moved()))
}

// moving is what to mind of the new range.
func (f Facts) moving(block netip.Prefix) string {
	return fmt.Sprintf("Nodes that run keep what they have: all have to be replaced, and until then pods find no more room. Each new subnet needs the route "+
		"table of its zone. Peers, other networks, firewalls and security groups that see pods' own addresses need routes and rules for %s; check that it is not the "+
		"cluster's service range, nor in use beyond what was read. A VPC has five IPv4 blocks at most unless its quota was raised. "+
		"Fill the subnet ids that create-subnet prints into the ENIConfigs before you apply them.", block)
}

// groupless is what happens without security groups in an ENIConfig: EKS user guide, "Deploy Pods in alternate subnets with custom
// networking", and amazon-vpc-cni-k8s #1259.
func (f Facts) groupless() string {
	const same = "The ENIConfigs name no security groups: then pods have those of the node's primary interface"
	since := cni.Version{Major: 1, Minor: 8}
	switch {
	case f.Version.Satisfies(since):
		return same + "."
	case f.Version.Known():
		return same + " only from " + since.String() + " on, and " + f.Version.String() + " runs: add spec.securityGroups, or they have the VPC's default one."
	}
	return same + " from " + since.String() + " on; below, add spec.securityGroups, or they have the VPC's default one."
}

// move makes the commands and files that turn custom networking on.
func (f Facts) move(zones []string, r capacity.PodRange) ([]string, []File) {
	commands := []string{f.aws("ec2", "associate-vpc-cidr-block", "--vpc-id", f.VPC, "--cidr-block", r.Block.String())}
	var route, apply []string
	var files []File
	for i, zone := range zones {
		commands = append(commands, f.aws("ec2", "create-subnet", "--vpc-id", f.VPC, "--availability-zone", zone, "--cidr-block", r.Subnets[i].String()))
		route = append(route, f.aws("ec2", "associate-route-table", "--route-table-id", "ROUTE_TABLE_OF_"+zone, "--subnet-id", "SUBNET_ID_OF_"+zone))
		file := File{"eniconfig-" + zone + ".yaml", fmt.Sprintf("apiVersion: crd.k8s.amazonaws.com/v1alpha1\nkind: ENIConfig\nmetadata:\n  name: %q\n"+
			"spec:\n  subnet: SUBNET_ID_OF_%s # the one with %s\n", zone, zone, r.Subnets[i])}
		files = append(files, file)
		apply = append(apply, plain.Command("kubectl", "apply", "-f", file.Name))
	}
	set, more := f.set(setting{"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true"}, setting{"ENI_CONFIG_LABEL_DEF", "topology.kubernetes.io/zone"})
	return slices.Concat(commands, route, []string{f.kubeconfig()}, apply, set), append(files, more...)
}
