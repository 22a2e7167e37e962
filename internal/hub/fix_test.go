package hub_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/relief"
	"github.com/cniguard/cniguard/internal/remedy"
)

// outdatedManaged is what the ledger has of an old managed add-on that Terraform made; outdatedOther of an old aws-node that Helm installed.
func outdatedManaged() hub.Explanation {
	rec := standing(guard.Outdated, noon.Add(-time.Hour))
	rec.Version = "v1.7.5-eksbuild.2"
	rec.Verdict.Install = guard.Answer{Word: guard.Managed, Because: "EKS add-on vpc-cni, ACTIVE"}
	rec.Verdict.Version.Because = "v1.7.5-eksbuild.2 is below the floor v1.8.0"
	rec.Verdict.Capacity.Word, rec.Verdict.Change.Word = guard.Fine, guard.Idle
	rec.ByHand = guard.ByHand{
		Kubernetes: "1.21", Managed: true, Tool: "terraform", Listed: "v1.7.5-eksbuild.2", Path: []string{"v1.8.0-eksbuild.1"}, Why: "in one step",
	}
	return explained(rec)
}

func outdatedOther() hub.Explanation {
	rec := outdatedManaged().Record
	rec.Version = "sha256:0123"
	rec.Verdict.Install.Word = guard.SelfManaged
	rec.Node = &guard.DaemonSet{Version: cni.Parse("v1.7.5"), Raw: "sha256:0123", Desired: 3, Updated: 3, Settled: true}
	rec.ByHand.Managed, rec.ByHand.Tool = false, "Helm"
	return explained(rec)
}

func explained(rec guard.Record) hub.Explanation {
	id := cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod"}
	return hub.Explanation{At: noon, Cluster: id, Known: true, Record: rec, Plan: rec.Planned(), Version: rec.Version, Node: rec.Node}
}

func TestWhyThereIsNoFix(t *testing.T) {
	with := func(x hub.Explanation, change func(*guard.Record)) hub.Explanation {
		change(&x.Record)
		return explained(x.Record)
	}
	for name, c := range map[string]struct {
		of   hub.Explanation
		with remedy.Method
		want string
	}{
		"a cluster that nobody looks at": {hub.Explanation{Cluster: outdatedManaged().Cluster, Unseen: "its account is not in the fleet"}, "",
			"cniguard does not look at prod: its account is not in the fleet"},
		"one that needs nothing": {with(outdatedManaged(), func(r *guard.Record) {
			r.ByHand, r.Verdict.Version = guard.ByHand{}, guard.Answer{Word: guard.Fine, Because: "v1.9.0 is not below the floor v1.8.0"}
		}), "", "there is nothing to update in prod: v1.9.0 is not below the floor v1.8.0"},
		"one of which it is not known whether it does": {with(outdatedManaged(), func(r *guard.Record) {
			r.ByHand, r.Verdict.Version = guard.ByHand{}, guard.Answer{Word: guard.Fine, Because: "v1.9.0 is not below the floor v1.8.0"}
			r.Verdict.Change = guard.Answer{Word: guard.Waiting, Because: "the list could not be read"}
		}), "", "there is nothing to update in prod: v1.9.0 is not below the floor v1.8.0; the list could not be read"},
		"another CNI": {with(outdatedManaged(), func(r *guard.Record) {
			r.ByHand, r.Verdict.Version = guard.ByHand{}, guard.Answer{Word: guard.NotApplicable}
			r.Verdict.Install = guard.Answer{Word: guard.Other, Because: "Cilium\x1b[2J runs the network"}
		}), "", "there is nothing to update in prod: Cilium[2J runs the network"},
		"a record of an older cniguard": {with(outdatedManaged(), func(r *guard.Record) { r.ByHand = guard.ByHand{} }), "",
			"how prod was installed is not in the ledger yet: the next check puts it there, which the sweep makes every 6 hours"},
		"a new one that EKS could take over": {with(outdatedOther(), func(r *guard.Record) {
			r.ByHand.Path, r.ByHand.Why = nil, "v1.9.0 satisfies the floor v1.8.0"
		}), "", "there is nothing to update in prod: v1.9.0 satisfies the floor v1.8.0. To hand it over to EKS at v1.7.5-eksbuild.2, " +
			"name a method that makes a managed add-on, as --with addon"},
		"no way": {with(outdatedManaged(), func(r *guard.Record) { r.ByHand.Path, r.ByHand.Why = nil, "EKS lists no release" }), "",
			"there is nothing to change in prod: EKS lists no release"},
		"Helm for what EKS manages": {outdatedManaged(), remedy.Helm,
			"EKS manages the add-on of prod, and would take back what helm changes; use --with addon, or the tool that made the add-on"},
		"a method that there is not": {outdatedManaged(), "ansible",
			`there is no method "ansible"; there are manifest, helm, addon, eksctl, terraform, pulumi, cloudformation`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.of.Fix(c.with, false); err == nil || err.Error() != c.want {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

func TestTheMethodThatFits(t *testing.T) {
	for name, c := range map[string]struct {
		of            hub.Explanation
		managed       bool
		tool          string
		want          remedy.Method
		because, from string
	}{
		"a tag in small letters": {outdatedManaged(), true, "terraform", remedy.Terraform, "terraform owns the cluster or its add-on, or changed the add-on last", "v1.7.5-eksbuild.2"},
		"a tool that is none of these": {outdatedManaged(), true, "Ansible\x1b", remedy.Addon,
			"Ansible owns the cluster or its add-on, or changed the add-on last", "v1.7.5-eksbuild.2"},
		"nobody":                           {outdatedManaged(), true, "", remedy.Addon, "EKS manages the add-on, and nothing tells of another owner", "v1.7.5-eksbuild.2"},
		"Helm outside":                     {outdatedOther(), false, "Helm", remedy.Helm, "aws-node was installed by Helm", "v1.7.5"},
		"nobody outside":                   {outdatedOther(), false, "", remedy.Manifest, "EKS does not manage aws-node, and nothing tells who installed it", "v1.7.5"},
		"Helm, and EKS has it by now":      {outdatedManaged(), true, "Helm", remedy.Addon, "Helm owns the cluster or its add-on, or changed the add-on last", "v1.7.5-eksbuild.2"},
		"the CDK, which is CloudFormation": {outdatedOther(), false, "AWS CDK", remedy.CloudFormation, "aws-node was installed by AWS CDK", "v1.7.5"},
	} {
		t.Run(name, func(t *testing.T) {
			c.of.Plan.ByHand.Tool = c.tool
			f, err := c.of.Facts()
			if err != nil {
				t.Fatal(err)
			}
			m, because := hub.Suggest(f)
			if m != c.want || because != c.because || f.Version.String() != c.from || (f.Node == nil) != c.managed {
				t.Errorf("%s, since %s, from %s", m, because, f.Version)
			}
		})
	}
}

func TestAFixSaysWhatTheRecordHasAgainstIt(t *testing.T) {
	full := capacity.Subnet{ID: "subnet-a", CIDR: "10.0.1.0/24", Zone: "eu-central-1a", Free: 3}
	const crowded = "pod subnet subnet-a has only 3 free addresses; restarting aws-node there may fail"
	for name, c := range map[string]struct {
		of     hub.Explanation
		change func(*hub.Explanation)
		want   []string
		room   bool
	}{
		"nothing": {outdatedManaged(), func(*hub.Explanation) {}, nil, false},
		"cniguard's own step": {outdatedManaged(), func(x *hub.Explanation) {
			x.Record.Step = &guard.Step{From: cni.Parse("v1.7.5"), To: cni.Parse("v1.8.0")}
		}, []string{"cniguard's own update from v1.7.5 to v1.8.0 is in flight: wait until that has ended."}, false},
		"somebody else's": {outdatedManaged(), func(x *hub.Explanation) {
			x.Plan.Verdict.Change = guard.Answer{Word: guard.InFlight, Because: "somebody else changes the add-on"}
		}, []string{"Wait: somebody else changes the add-on."}, false},
		"a roll-out": {outdatedOther(), func(x *hub.Explanation) { x.Node.Settled = false },
			[]string{"aws-node is being rolled out: wait until that has ended, and look again."}, false},
		"addresses that nobody knows": {outdatedManaged(), func(x *hub.Explanation) {
			x.Plan.Verdict.Capacity = guard.Answer{Word: guard.Unknown, Because: "no subnet is known"}
		}, []string{"How full the pod subnets are is not known (no subnet is known): see that they have room, since each step restarts aws-node on every node."}, false},
		"a full subnet under an old release": {outdatedManaged(), func(x *hub.Explanation) {
			x.Plan.Verdict.Capacity = guard.Answer{Word: guard.CriticalWord, Because: "pod subnet subnet-a is 98.8 % used"}
			x.Plan.ByHand.Room = crowded
			x.Plan.Relief = guard.Relief{Facts: relief.Facts{
				Cluster: x.Cluster, Managed: true, Version: cni.Parse("v1.7.5-eksbuild.2"), Subnets: []capacity.Subnet{full},
				Nodes: []capacity.Nodes{{Type: "m5.large", Count: 12, Interfaces: 3, Addresses: 27}},
				Types: []capacity.InstanceType{
					{Name: "m5.large", Interfaces: 3, Addresses: 10, Nitro: true, VCPUs: 2}, {Name: "m5.4xlarge", Interfaces: 8, Addresses: 30, Nitro: true, VCPUs: 16},
				},
			}, At: noon}
		}, []string{
			"Addresses are short here: pod subnet subnet-a is 98.8 % used. `cniguard explain 111122223333/eu-central-1/prod` has what helps, with commands.",
			"Free addresses first. Each step restarts aws-node on every node, and " + crowded +
				": below v1.10.2 it crash-loops when it starts on a full subnet, and v1.7.5-eksbuild.2 runs.",
		}, true},
		"a full subnet under a later one": {outdatedManaged(), func(x *hub.Explanation) { x.Version, x.Plan.ByHand.Room = "v1.11.0-eksbuild.1", crowded },
			[]string{"Each step restarts aws-node on every node, and " + crowded + "."}, false},
		"gates that are shut": {outdatedManaged(), func(x *hub.Explanation) {
			x.Plan.Held = []guard.Held{{Action: guard.Action{Kind: guard.StartUpdate}, By: []guard.Reason{{Gate: "denial", Text: "denied by ana: sale\x1b[2J"}}}}
		}, []string{"cniguard holds this update back: denied by ana: sale[2J. By hand, none of its gates is asked."}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.change(&c.of)
			got, err := c.of.Fixed(remedy.Fix{Notes: []string{"the method's own"}, Steps: []remedy.Step{{To: "v1.8.0"}}}, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append(c.want, "the method's own"), got.Notes); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if (len(got.Room) > 0) != c.room {
				t.Errorf("what makes room: %+v", got.Room)
			}
			if c.room && !strings.Contains(got.Room[0].Run[0], "describe-subnets --region eu-central-1 --subnet-ids subnet-a ") {
				t.Errorf("it does not show whether there is room: %s", got.Room[0].Run)
			}
			for _, p := range got.Room {
				if commands := strings.Join(p.Run, "\n"); strings.Contains(commands, "update-addon") || strings.Contains(commands, "set env") {
					t.Errorf("it restarts aws-node: %s", commands)
				}
			}
		})
	}
}

func TestAFixIsTheNextStepUnlessTheWholeWayIsWanted(t *testing.T) {
	fix := remedy.Fix{Steps: []remedy.Step{{From: "v1.7.5", To: "v1.8.0"}, {From: "v1.8.0", To: "v1.9.3"}, {From: "v1.9.3", To: "v1.10.4"}}}
	next, _ := outdatedManaged().Fixed(fix, false)
	if diff := cmp.Diff([]string{"v1.9.3", "v1.10.4"}, next.Left); diff != "" || len(next.Steps) != 1 || next.Steps[0].To != "v1.8.0" {
		t.Errorf("%+v\n%s", next.Steps, diff)
	}
	if all, _ := outdatedManaged().Fixed(fix, true); len(all.Left) != 0 || len(all.Steps) != 3 {
		t.Errorf("%+v", all)
	}
	x := outdatedManaged()
	if got, _ := x.Fixed(fix, true); !got.Seen.Equal(x.Record.Seen) || got.Cluster != "111122223333/eu-central-1/prod" {
		t.Errorf("%s, read at %v", got.Cluster, got.Seen)
	}
}
