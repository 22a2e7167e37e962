package world

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/cluster"
)

// Mistake is something in a Spec that cannot be.
type Mistake struct {
	Field string // as "clusters[2].vpc"
	Text  string // what is wrong
	Hint  string // what is allowed
}

// Mistakes is every mistake of a Spec. It is never empty as an error.
type Mistakes []Mistake

// Error lists the mistakes, each on a line of its own.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.Field + ": " + one.Text + "; " + one.Hint
	}
	return strings.Join(lines, "\n")
}

// Validate says what in the spec cannot be; the error is Mistakes.
func (s *Spec) Validate() error {
	v := &validation{spec: s, vpcs: map[string]*VPC{}, subnets: map[string]*VPC{}, clusters: map[cluster.ID]bool{}}
	v.top()
	for i := range s.VPCs {
		v.vpc(fmt.Sprintf("vpcs[%d]", i), &s.VPCs[i])
	}
	v.peers()
	for i := range s.Clusters {
		v.cluster(fmt.Sprintf("clusters[%d]", i), &s.Clusters[i])
	}
	v.room()
	for _, k := range sorted(s.Catalogues) {
		v.catalogue("catalogues."+k, s.Catalogues[k])
	}
	for i := range s.Faults {
		v.fault(fmt.Sprintf("faults[%d]", i), &s.Faults[i])
	}
	v.behaviour()
	v.script()
	if len(v.found) == 0 {
		return nil
	}
	return v.found
}

// sorted lists the keys of a map in order.
func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

type validation struct {
	spec     *Spec
	found    Mistakes
	vpcs     map[string]*VPC
	subnets  map[string]*VPC // by id
	clusters map[cluster.ID]bool
}

// check notes a mistake unless ok.
func (v *validation) check(ok bool, field, text, hint string) {
	if !ok {
		v.found = append(v.found, Mistake{field, text, hint})
	}
}

func (v *validation) place(field, account, region string) {
	v.check(cluster.IsAccount(account), field+".account", quote(account)+" is not an account", "want twelve digits")
	v.check(cluster.IsRegion(region), field+".region", quote(region)+" is not a region", "want one as eu-central-1")
}

func (v *validation) chance(field string, p float64) {
	v.check(p >= 0 && p <= 1, field, fmt.Sprintf("%g is not a chance", p), "want 0 to 1")
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

func (v *validation) top() {
	v.check(!v.spec.Start.IsZero(), "start", "is missing", "want an instant as 2026-03-01T09:00:00Z")
	v.place("hub", v.spec.Hub.Account, v.spec.Hub.Region)
	for i, arn := range v.spec.Topics {
		v.check(isTopic(arn), fmt.Sprintf("topics[%d]", i), quote(arn)+" is not an SNS topic's ARN", "want one as arn:aws:sns:eu-central-1:111122223333:ops")
	}
	for i, d := range v.spec.Disabled {
		at := fmt.Sprintf("disabled[%d]", i)
		v.place(at, d.Account, d.Region)
		v.check(d.Until == 0 || d.Until > d.From, at+".until", "is not after from", "want a later offset, or nothing")
	}
	for i, g := range v.spec.Grants {
		v.check(g.Role != "", fmt.Sprintf("grants[%d].role", i), "is missing", "want the name of a role")
	}
}

func (v *validation) cluster(field string, c *Cluster) {
	v.place(field, c.Account, c.Region)
	v.check(cluster.IsName(c.Name), field+".name", quote(c.Name)+" is not a cluster's name", "want 1 to 100 letters, digits, hyphens and underscores")
	v.copies(field, c.Copies)
	v.named(field, c)
	v.check(c.Kubernetes != "", field+".kubernetes", "is missing", "want a version as 1.33")
	v.check(c.Status == "" || slices.Contains(types.ClusterStatus("").Values(), types.ClusterStatus(c.Status)), field+".status",
		quote(c.Status)+" is not a status", fmt.Sprint("want one of ", types.ClusterStatus("").Values()))
	v.check(c.CreatedAt >= 0 && (c.DeletedAt == 0 || c.DeletedAt > c.CreatedAt), field+".deletedAt", "is before createdAt", "want a later offset from the start")
	v.addon(field+".addon", c.Addon)
	v.inside(field, c)
	vpc := v.vpcs[c.VPC]
	if c.VPC != "" {
		sees := vpc != nil && vpc.Region == c.Region && (vpc.Account == c.Account || slices.Contains(vpc.Shared, c.Account))
		v.check(sees, field+".vpc", quote(c.VPC)+" is not a VPC that the account sees in the region", "want one of vpcs, owned by the account or shared with it")
	}
	v.uses(field+".controlPlane", c, c.ControlPlane)
	for i, n := range c.Nodegroups {
		v.uses(fmt.Sprintf("%s.nodegroups[%d].subnets", field, i), c, n.Subnets)
	}
	for i, n := range c.FargateProfiles {
		v.uses(fmt.Sprintf("%s.fargateProfiles[%d].subnets", field, i), c, n.Subnets)
	}
	for i, n := range c.Instances {
		v.instance(fmt.Sprintf("%s.instances[%d]", field, i), c, &n)
	}
}

// mostCopies keeps a slip of the finger from filling the memory.
const mostCopies = 20_000

func (v *validation) copies(field string, n int) {
	v.check(n >= 0 && n <= mostCopies, field+".copies", fmt.Sprint(n, " is not a number of copies"), fmt.Sprint("want 0 to ", mostCopies))
}

// named notes the names of a cluster and its copies.
func (v *validation) named(field string, c *Cluster) {
	name := func(id cluster.ID) {
		v.check(!v.clusters[id], field+".name", id.String()+" is there twice", "want one of each name in an account and region")
		v.clusters[id] = true
	}
	if c.Copies <= 0 {
		name(c.id())
	}
	for i := range min(max(0, c.Copies), mostCopies) {
		id := c.id()
		id.Name = copyOf(c.Name, i)
		name(id)
	}
}

func (v *validation) addon(field string, a *Addon) {
	if a == nil {
		return
	}
	v.check(a.Version != "", field+".version", "is missing", "want one as v1.18.5-eksbuild.1")
	v.check(a.Status == "" || slices.Contains(types.AddonStatus("").Values(), types.AddonStatus(a.Status)), field+".status",
		quote(a.Status)+" is not a status", fmt.Sprint("want one of ", types.AddonStatus("").Values()))
}

// uses checks subnets that a cluster names.
func (v *validation) uses(field string, c *Cluster, ids []string) {
	for i, id := range ids {
		vpc := v.subnets[id]
		v.check(vpc != nil && vpc.ID == c.VPC, fmt.Sprintf("%s[%d]", field, i), quote(id)+" is not a subnet of the cluster's VPC", "want a subnet of "+quote(c.VPC))
	}
}

func (v *validation) catalogue(field string, list []Catalogue) {
	seen := map[string]bool{}
	for i, c := range list {
		v.check(c.Version != "" && !seen[c.Version], fmt.Sprintf("%s[%d].version", field, i), quote(c.Version)+" is empty or there twice", "want each version once")
		seen[c.Version] = true
		_, isSchema := object(c.Schema)
		v.check(c.Schema == "" || isSchema, fmt.Sprintf("%s[%d].schema", field, i), "it is not a JSON object", "want a JSON schema")
		v.check(c.Schema == "" || len(c.Refuses) == 0, fmt.Sprintf("%s[%d].refuses", field, i), "it stands beside schema", "want one of the two")
	}
}

func (v *validation) fault(field string, f *Fault) {
	v.chance(field+".chance", f.Chance)
	services := []string{"", "eks", "ec2", "cloudwatch", "sns", "events", "dynamodb", "cloudtrail", "sts", kubernetes, "ledger"}
	v.check(slices.Contains(services, f.Service), field+".service", quote(f.Service)+" is not simulated", fmt.Sprint("want one of", services))
	v.check(f.Code != "" || f.Latency > 0, field+".code", "is missing", "want an error code, or latency")
	v.check(f.Latency >= 0, field+".latency", "is negative", "want a duration")
	v.check(f.Service != "sts" || f.Latency == 0, field+".latency", "STS answers at once", "leave it out")
	v.check(f.Until == 0 || f.Until > f.From, field+".until", "is not after from", "want a later offset, or nothing")
	v.check(f.Status == 0 || f.Status >= 400 && f.Status < 600, field+".status", fmt.Sprint(f.Status, " is no error"), "want 400 to 599")
}

func (v *validation) behaviour() {
	b := &v.spec.Behaviour
	v.chance("behaviour.throttled", b.Throttled)
	v.chance("behaviour.eventsLost", b.EventsLost)
	v.chance("behaviour.alarmEventsLost", b.AlarmEventsLost)
	v.chance("behaviour.eventsDoubled", b.EventsDoubled)
	v.chance("behaviour.entriesFailed", b.EntriesFailed)
	v.chance("behaviour.invocationsDoubled", b.InvocationsDoubled)
	v.chance("behaviour.unprocessed", b.Unprocessed)
	v.check(b.PageSize >= 0, "behaviour.pageSize", "is negative", "want a number of items")
	v.check(b.EventsDelayedMax >= 0, "behaviour.eventsDelayedMax", "is negative", "want a duration")
	v.check(b.AlarmDelay >= 0, "behaviour.alarmDelay", "is negative", "want a duration")
	v.check(b.IndexLag >= 0, "behaviour.indexLag", "is negative", "want a duration")
	v.check(b.TrailLag >= 0, "behaviour.trailLag", "is negative", "want a duration")
	v.check(b.ClockBehind >= 0, "behaviour.clockBehind", "is negative", "want a duration")
	for _, r := range []struct {
		field string
		Range
	}{{"latency", b.Latency}, {"updateStarts", b.UpdateStarts}, {"updateTakes", b.UpdateTakes}} {
		v.check(r.Min >= 0 && r.Max >= r.Min, "behaviour."+r.field, fmt.Sprintf("%s to %s is no range", r.Min, r.Max), "want min and a max that is not less")
	}
}

// script checks what happens in the course of time.
func (v *validation) script() {
	for i, u := range v.spec.Updates {
		v.check(slices.Contains([]Outcome{Succeed, Fail, Degrade, Hang, Cancel}, u.Outcome), fmt.Sprintf("updates[%d].outcome", i),
			quote(string(u.Outcome))+" is not an outcome", "want succeed, fail, degrade, hang or cancel")
	}
	for i, c := range v.spec.Changes {
		v.change(fmt.Sprintf("changes[%d]", i), c)
	}
	for i, e := range v.spec.Events {
		at := fmt.Sprintf("events[%d]", i)
		v.offset(at, e.At)
		v.check(e.Source != "", at+".source", "is missing", "want one as aws.health")
		v.check(e.Type != "", at+".type", "is missing", "want a detail-type as AWS Health Event")
		v.check(isObject(e.Detail), at+".detail", "is not a JSON object", `want one as {"a": 1}`)
	}
	for i, o := range v.spec.Orders {
		v.order(fmt.Sprintf("orders[%d]", i), o)
	}
}

func (v *validation) known(field string, id cluster.ID) {
	v.check(v.clusters[id], field+".name", "there is no cluster "+id.String(), "want one of clusters")
}

// offset checks when something happens.
func (v *validation) offset(field string, at time.Duration) {
	v.check(at >= 0, field+".at", at.String()+" is before the start of the world", "want 0s or later")
}

func (v *validation) change(field string, c Change) {
	v.offset(field, c.At)
	v.known(field, c.id())
	deeds := []Deed{UpgradeCluster, CreateAddon, UpdateAddon, DeleteAddon, ChangeHealth, TagCluster, GrantAccess, ApplyDaemonSet}
	v.check(slices.Contains(deeds, c.Do), field+".do", quote(string(c.Do))+" is not a deed", fmt.Sprintf("want one of %q", deeds))
	v.check(c.Do != UpgradeCluster || c.Kubernetes != "", field+".kubernetes", "is missing", "want a version as 1.33")
	v.check(c.Do != CreateAddon && c.Do != UpdateAddon || c.Addon != nil, field+".addon", "is missing", "want the add-on")
	v.addon(field+".addon", c.Addon)
	v.check(c.Do != GrantAccess || c.Role != "", field+".role", "is missing", "want the name of a role")
	v.roleName(field+".role", c.Role)
	at := slices.IndexFunc(v.spec.Clusters, func(one Cluster) bool { return one.id() == c.id() })
	v.check(c.Do != GrantAccess || at < 0 || v.spec.Clusters[max(at, 0)].API.AuthenticationMode != string(types.AuthenticationModeConfigMap), field+".do",
		"is in vain: the cluster's authenticationMode is CONFIG_MAP, and EKS refuses access entries", "want a cluster that takes them")
	v.check(c.Do != ApplyDaemonSet || c.DaemonSet != nil, field+".daemonSet", "is missing", "want the DaemonSet")
	if c.DaemonSet != nil {
		v.daemonSet(field+".daemonSet", c.DaemonSet)
	}
	v.check(c.Resolve == "" || slices.Contains(types.ResolveConflicts("").Values(), types.ResolveConflicts(c.Resolve)), field+".resolve",
		quote(c.Resolve)+" is no way to resolve conflicts", fmt.Sprint("want one of ", types.ResolveConflicts("").Values()))
}
