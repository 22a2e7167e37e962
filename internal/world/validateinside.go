package world

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/eks/types"
)

// inside checks what is in a cluster, and who may look at it.
func (v *validation) inside(field string, c *Cluster) {
	modes := types.AuthenticationMode("").Values()
	v.check(c.API.AuthenticationMode == "" || slices.Contains(modes, types.AuthenticationMode(c.API.AuthenticationMode)), field+".api.authenticationMode",
		quote(c.API.AuthenticationMode)+" is not an authentication mode", "want API, API_AND_CONFIG_MAP or CONFIG_MAP")
	v.check(slices.Contains([]Endpoint{"", PublicEndpoint, PrivateEndpoint, RestrictedEndpoint}, c.API.Endpoint), field+".api.endpoint",
		quote(string(c.API.Endpoint))+" is not an endpoint", "want public, private or restricted")
	for i, name := range c.API.Readers {
		v.roleName(fmt.Sprintf("%s.api.readers[%d]", field, i), name)
	}
	for i, name := range c.API.Entries {
		v.roleName(fmt.Sprintf("%s.api.entries[%d]", field, i), name)
	}
	seen := map[string]bool{}
	for i := range c.DaemonSets {
		at, d := fmt.Sprintf("%s.daemonSets[%d]", field, i), &c.DaemonSets[i]
		v.daemonSet(at, d)
		v.check(!seen[d.Name], at+".name", quote(d.Name)+" is there twice", "want each DaemonSet once")
		seen[d.Name] = true
	}
	for i, e := range c.ENIConfigs {
		at := fmt.Sprintf("%s.eniConfigs[%d]", field, i)
		v.check(e.Name != "", at+".name", "is missing", "want a name, as that of a zone")
		vpc := v.subnets[e.Subnet]
		v.check(vpc != nil && vpc.ID == c.VPC, at+".subnet", quote(e.Subnet)+" is not a subnet of the cluster's VPC", "want a subnet of "+quote(c.VPC))
	}
	v.published(field+".metricsHelper", c.NodeMetrics)
}

// roleName checks the name of a role in a cluster's own account.
func (v *validation) roleName(field, name string) {
	v.check(!strings.Contains(name, ":"), field, quote(name)+" is an ARN", "want the name of a role in the cluster's account, as cniguard-observer")
}

func (v *validation) daemonSet(field string, d *DaemonSet) {
	v.check(len(d.Containers) > 0, field+".containers", "is missing", "want at least one, as Kubernetes does")
	v.check(d.Role == "" || accountOf(d.Role) != "", field+".role", quote(d.Role)+" is not a role's ARN", "want one as arn:aws:iam::111122223333:role/cni")
	v.check(d.Name != "", field+".name", "is missing", "want a name as aws-node")
	v.rollout(field, d)
	for i, m := range d.Managers {
		at := fmt.Sprintf("%s.managers[%d]", field, i)
		v.check(m.Name != "", at+".name", "is missing", "want one as helm")
		v.check(slices.Contains([]string{"", "Apply", "Update"}, m.Operation), at+".operation", quote(m.Operation)+" is not an operation", "want Apply or Update")
		v.check(slices.Contains([]Wrote{"", WroteImage, WroteEnv}, m.Wrote), at+".wrote", quote(string(m.Wrote))+" is nothing that is written", "want image or env")
		v.check(m.After >= 0, at+".after", "is negative", "want a duration")
	}
	v.containers(field+".initContainers", d.InitContainers)
	v.containers(field+".containers", d.Containers)
}

// rollout checks on how many nodes a DaemonSet runs.
func (v *validation) rollout(field string, d *DaemonSet) {
	v.check(d.Desired == nil || *d.Desired >= 0, field+".desired", "is negative", "want a number of nodes")
	v.check(d.RolledOut == nil || *d.RolledOut >= 0, field+".rolledOut", "is negative", "want a number of nodes")
	v.check(d.Desired == nil || d.RolledOut == nil || *d.RolledOut <= *d.Desired, field+".rolledOut", "is more than desired", "want at most as many nodes")
}

func (v *validation) containers(field string, all []Container) {
	for i, c := range all {
		v.check(c.Name != "", fmt.Sprintf("%s[%d].name", field, i), "is missing", "want one as aws-node")
	}
}
