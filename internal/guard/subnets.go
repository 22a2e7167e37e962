package guard

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
)

// The tags of subnets that the VPC CNI reads (EKS user guide, "Configure subnet selection for Pod IP addresses").
const (
	roleTag    = "kubernetes.io/role/cni"
	clusterTag = "cni.networking.k8s.aws/cluster/" // and the name of a cluster: other clusters do not use the subnet
)

// eniConfigBy begins how a subnet was found that an ENIConfig names.
const eniConfigBy = "ENIConfig "

// IsCNITag reports whether the VPC CNI reads a subnet's tag with this key.
func IsCNITag(key string) bool { return key == roleTag || strings.HasPrefix(key, clusterTag) }

// Widen counts among the pod subnets of the cluster of that name what only its network tells: the subnets that ENIConfigs name, also in
// zones that have no node yet, and those that are tagged for the VPC CNI. A subnet that is tagged to be left out stays where nodes are in
// it: they take their own address there, and pods keep theirs until they end.
func (s *Snapshot) Widen(name string) {
	if s.Pods.Fault != nil || s.Pods.Value.Exempt != "" {
		return
	}
	pods := &s.Pods.Value
	if inside := s.Inside; inside.Fault == nil && inside.Value != nil && inside.Value.Node != nil {
		for _, config := range inside.Value.Node.ENIConfigs {
			pods.Count(eniConfigBy+config.Name, func(n capacity.Subnet) bool { return n.ID == config.Value })
		}
	}
	zones := map[string]bool{"": true} // an interface is in the zone of its instance
	for _, n := range pods.Subnets {
		zones[n.Zone] = true
	}
	if d := s.discovery(name); d.on {
		pods.Count("tag "+roleTag, func(n capacity.Subnet) bool { return zones[n.Zone] && d.takes(n.Tags) })
	}
}

// discovery is how an aws-node finds subnets by their tags.
type discovery struct {
	on      bool
	strict  bool   // it reads the value of the tag, and whose the subnet is
	cluster string // the name that aws-node has for its cluster; empty: none, and every subnet is its own
}

// discovery is that of the aws-node that is known to run; where none is, there is none, and subnets are found by the interfaces in them.
// It is on from v1.18.0, unless it is switched off or there is custom networking. From v1.22.1 the value 0 leaves a subnet out, and tags
// with names of clusters keep it to these (amazon-vpc-cni-k8s #2714, #3647); EKS gives its add-on the cluster's name.
func (s *Snapshot) discovery(name string) discovery {
	version, _, known := s.installed()
	if !known || s.Cluster.Value == nil || needless(*s) != "" {
		return discovery{}
	}
	d := discovery{
		on:      s.isOn("ENABLE_SUBNET_DISCOVERY", true) && !s.isOn("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", false),
		strict:  true,
		cluster: name,
	}
	if version.Known() {
		d.on = d.on && version.Satisfies(cni.Version{Major: 1, Minor: 18})
		d.strict = version.Satisfies(cni.Version{Major: 1, Minor: 22, Patch: 1})
	}
	if s.Addon.Value == nil {
		d.cluster = s.variable("CLUSTER_NAME")
	}
	return d
}

// takes reports whether pods get addresses of a subnet with these tags where no node has its own.
func (d discovery) takes(tags map[string]string) bool {
	role, tagged := tags[roleTag]
	if !tagged || !d.strict {
		return tagged
	}
	_, ours := tags[clusterTag+d.cluster]
	return role != "0" && (d.cluster == "" || ours || len(tags) == 1)
}

// isOn is how aws-node takes a variable: as strconv.ParseBool, and by default where that does not (pkg/ipamd, parseBoolEnvVar).
func (s *Snapshot) isOn(name string, byDefault bool) bool {
	if on, err := strconv.ParseBool(s.variable(name)); err == nil {
		return on
	}
	return byDefault
}

// variable is a variable of aws-node, as far as it is known: that of the configuration values, where EKS manages the add-on. Empty: it is
// not set, or stands elsewhere.
func (s *Snapshot) variable(name string) string {
	if addon := s.Addon.Value; addon != nil {
		// They are JSON or YAML (EKS API reference, UpdateAddon), and for a word this is the same.
		if word := regexp.MustCompile(`(?m)^[^#\n]*\b` + name + `["']?\s*:\s*["']?(\w+)`).FindStringSubmatch(addon.Config); word != nil {
			return word[1]
		}
		return ""
	}
	if s.Inside.Fault != nil || s.Inside.Value == nil || s.Inside.Value.Node == nil {
		return ""
	}
	env := s.Inside.Value.Node.Env
	if i := slices.IndexFunc(env, func(f Fact) bool { return f.Name == name }); i >= 0 {
		return env[i].Value
	}
	return ""
}

// place reads "subnet-0a1 (10.0.0.0/24, eu-central-1a)".
func place(s capacity.Subnet) string { return fmt.Sprintf("%s (%s, %s)", s.ID, s.CIDR, s.Zone) }

// mostOrigins is how many ways in which a subnet was found a message has.
const mostOrigins = 3

// origin is how one of several pod subnets was found, and whose it is where it is not the account's own.
func (d *draft) origin(s capacity.Subnet) (facts []Fact) {
	if len(s.By) > 0 && len(d.in.Seen.Pods.Value.Subnets) > 1 {
		facts = append(facts, Fact{"found by", few(s.By, mostOrigins)})
	}
	if s.Owner != "" && s.Owner != d.in.ID.Account {
		facts = append(facts, Fact{"shared by", "account " + s.Owner})
	}
	return facts
}

// worstZone names the fullest zone, where a zone has several pod subnets: elsewhere it is that of the worst subnet.
func worstZone(p capacity.Pods) []Fact {
	worst, _ := p.WorstZone()
	if worst.Name == "" || !slices.ContainsFunc(p.Zones(), func(z capacity.Zone) bool { return len(z.Subnets) > 1 }) {
		return nil
	}
	return []Fact{{"worst zone", fmt.Sprintf("%s, %s %% used, %s free", worst.Name, percent(worst.Utilization()), addresses(worst.Free))}}
}

// upgradeTakes is how many free addresses an upgrade of Kubernetes may take in a subnet of the control plane: EKS makes new interfaces in
// any of them, and asks for up to five addresses; the upgrade can fail if one has too few (EKS user guide, "Update existing cluster to new
// Kubernetes version").
const upgradeTakes = 5

// spare is how many addresses more there must be for the finding to end: a subnet at the border is not news with each address.
const spare = 3

// controlPlane finds the control plane's subnets in which an upgrade of Kubernetes may fail. They say nothing about pods.
func (d *draft) controlPlane() {
	seen := d.in.Seen.ControlPlane
	if seen.Fault != nil {
		d.blind(ControlPlaneRoom)
		return
	}
	f, need := Finding{Code: ControlPlaneRoom, Severity: Warning, After: patience}, upgradeTakes
	if _, told := d.in.Record.Told[ControlPlaneRoom]; told {
		need += spare
	}
	for _, s := range seen.Value {
		if s.Free < need {
			f.Print += s.ID + ";"
			f.Facts = append(f.Facts, Fact{"subnet", place(s)}, Fact{"free", addresses(s.Free)})
		}
	}
	if len(f.Facts) > 0 {
		d.find(f)
	}
}
