package world

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/eks/types"
)

// inside checks what is in a cluster, and who may look at it.
func (v *validation) inside(field string, c *Cluster) {
	modes := types.AuthenticationMode("").Values()
	v.check(c.API.AuthenticationMode == "" || slices.Contains(modes, types.AuthenticationMode(c.API.AuthenticationMode)), field+".api.authenticationMode",
		quote(c.API.AuthenticationMode)+" is not an authentication mode", fmt.Sprint("want one of ", modes))
	v.check(slices.Contains([]Endpoint{"", PublicEndpoint, PrivateEndpoint, RestrictedEndpoint}, c.API.Endpoint), field+".api.endpoint",
		quote(string(c.API.Endpoint))+" is not an endpoint", "want public, private or restricted")
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
		v.check(e.Subnet != "", at+".subnet", "is missing", "want a subnet's id")
	}
}

func (v *validation) daemonSet(field string, d *DaemonSet) {
	v.check(d.Name != "", field+".name", "is missing", "want a name as aws-node")
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

func (v *validation) containers(field string, all []Container) {
	for i, c := range all {
		v.check(c.Name != "", fmt.Sprintf("%s[%d].name", field, i), "is missing", "want one as aws-node")
	}
}
