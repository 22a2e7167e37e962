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
	case "update-kubeconfig":
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

// ready is what must be so before a managed add-on is changed, whatever changes it; it fetches the configuration values where there are some.
func (f Facts) ready(s Step) Part {
	role := "no role"
	if arn := f.serviceRole(); arn != "" {
		role = "role " + arn
	}
	p := Part{
		Say: []string{
			fmt.Sprintf("Go on only where it shows account %s in the ARN, version %s, status ACTIVE, no issues, %s, and configured %t.",
				f.Cluster.Account, s.From, role, f.hasValues()),
			"Where role or configured differ, they changed since cniguard looked, and the commands below would lose them: have it look again.",
		},
		Run: []string{f.eks("describe-addon", "--query",
			"addon.{arn: addonArn, version: addonVersion, status: status, role: serviceAccountRoleArn, configured: !!configurationValues, issues: health.issues[].message}")},
	}
	if f.hasValues() {
		p.Say = append(p.Say, "The second command saves the configuration values in "+valuesFile+
			". They may be secret: keep the file out of the repository where they are.")
		p.Run = append(p.Run, save(valuesFile, f.eks("describe-addon", "--query", "addon.configurationValues", "--output", "text")))
	}
	p.Say = append(p.Say, "The command in parentheses fails while an update is open, which the status need not show yet.")
	p.Run = append(p.Run, f.openUpdates())
	return p
}

// openUpdates fails where an update is in progress. EKS lists all updates in no order, so each is looked at.
func (f Facts) openUpdates() string {
	return `(
ids=$(` + f.eks("list-updates", "--query", "updateIds[]", "--output", "text") + `) || exit
for id in $(echo "$ids"); do
    state=$(` + f.eks("describe-update", "--query", "update.status", "--output", "text") + ` --update-id "$id") || exit
    if [ "$state" = InProgress ]; then echo "The update $id is open." >&2; exit 1; fi
done
)`
}

// save makes a command that keeps in a file what another prints, but for line breaks at its end, so that a value is sent again as it was. Where
// that one fails there is no file: one that stood there may be another cluster's.
func save(file, command string) string {
	return "rm -f " + file + " && text=$(" + command + ") && (umask 077; printf %s \"$text\" > " + file + ")"
}

// after is what proves that a managed add-on is at a version, whatever changed it.
func (f Facts) after(s Step) Part {
	return Part{
		Say: []string{fmt.Sprintf("It must show %s, ACTIVE and no issues; run this again after ten minutes, before the next step.", s.To)},
		Run: []string{f.eks("describe-addon", "--query", "addon.[addonVersion, status, health.issues[].message]")},
	}
}

// noWayBack says why nobody should go back from a step of an add-on that EKS manages; empty: the way back may be gone. Releases on the path are compatible.
func (f Facts) noWayBack(s Step) string {
	r := f.retreat(s)
	if cni.Compare(r.To, f.Version) != 0 || f.Listed != "" {
		r.Catalogue = []cni.Release{{Version: r.To}}
	}
	return r.Shut()
}

// noWayBackInside says the same of an aws-node that EKS does not manage, or did not before the step.
func (f Facts) noWayBackInside(s Step) string {
	r := f.retreat(s)
	r.Unmanaged = true
	return r.Shut()
}

func (f Facts) retreat(s Step) cni.Retreat {
	return cni.Retreat{From: cni.Parse(s.To), To: cni.Parse(s.From), Kubernetes: f.Kubernetes, Prefixes: f.Prefixes}
}

// settled waits until the add-on is at a version and ACTIVE: a tool that only waits for ACTIVE may see it before the update began (eksctl issue 7269).
func (f Facts) settled(to string) Part {
	return Part{
		Say: []string{"The add-on may be ACTIVE before the update begins." +
			" This waits for the version, and ends with an error where it does not come in half an hour."},
		Run: []string{waiting{
			look: f.eks("describe-addon", "--output", "text"), what: plain.Quote("join(' ', [addon.status, addon.addonVersion])"),
			done: plain.Quote("ACTIVE " + to), failed: "*_FAILED* | DEGRADED*", errors: "addon.health.issues[].[code, message]",
		}.String()},
	}
}
