package remedy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/plain"
)

// valuesFile is where the add-on's configuration values are kept, which may be secret: cniguard does not print them, the commands fetch them.
const valuesFile = "vpc-cni-values.json"

// eks makes a command of the AWS CLI about the cluster's add-on. A verb may be two words, as "wait addon-deleted".
func (f Facts) eks(verb string, words ...string) string {
	all := slices.Concat([]string{"aws", "eks"}, strings.Fields(verb), []string{"--region", f.Cluster.Region})
	switch verb {
	case "describe-cluster", "update-kubeconfig":
		all = append(all, "--name", f.Cluster.Name)
	case "describe-update", "list-updates":
		all = append(all, "--name", f.Cluster.Name, "--addon-name", "vpc-cni")
	case "describe-addon-versions", "describe-addon-configuration":
		all = append(all, "--addon-name", "vpc-cni")
	default:
		all = append(all, "--cluster-name", f.Cluster.Name, "--addon-name", "vpc-cni")
	}
	return plain.Command(append(all, words...)...)
}

// before is what must be so before a managed add-on is changed, whatever changes it; it fetches the configuration values where there are some.
func (f Facts) before(s Step) Part {
	p := Part{
		Say: []string{fmt.Sprintf("Go on only where it shows version %s, status ACTIVE and no issues.", s.From)},
		Run: []string{f.eks("describe-addon", "--query",
			"addon.{version: addonVersion, status: status, role: serviceAccountRoleArn, issues: health.issues[].message}")},
	}
	if f.Configured {
		p.Say = append(p.Say, "The second command saves the configuration values in "+valuesFile+
			". They may be secret: keep the file out of the repository where they are.")
		p.Run = append(p.Run, save(valuesFile, f.eks("describe-addon", "--query", "addon.configurationValues", "--output", "text")))
	}
	return p
}

// save makes a command that keeps in a file what another prints, but for line breaks at its end, so that a value is sent again as it was. Where
// that one fails, no file is made.
func save(file, command string) string {
	return "text=$(" + command + ") && printf %s \"$text\" > " + file
}

// after is what proves that a managed add-on is at a version, whatever changed it.
func (f Facts) after(s Step) Part {
	return Part{
		Say: []string{fmt.Sprintf("It must show %s, ACTIVE and no issues; look again after ten minutes, before the next step.", s.To)},
		Run: []string{f.eks("describe-addon", "--query", "addon.[addonVersion, status, health.issues[].message]")},
	}
}

// noWayBack says why nobody should go back from a step; empty: the way back may be gone. Releases on the path are compatible; and what EKS does not
// manage goes back to its images, whatever EKS lists.
func (f Facts) noWayBack(s Step) string {
	from := cni.Parse(s.From)
	r := cni.Retreat{From: cni.Parse(s.To), To: from, Kubernetes: f.Kubernetes, Prefixes: f.Prefixes}
	if cni.Compare(from, f.Version) != 0 || f.Listed != "" || !f.Managed {
		r.Catalogue = []cni.Release{{Version: from}}
	}
	return r.Shut()
}
