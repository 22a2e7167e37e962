package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// self is a cluster whose aws-node of that version somebody installed with Helm.
func self(version string) guard.Input {
	in := outdated()
	in.Seen.Addon = guard.Read[*guard.Addon](nil)
	in.Seen.Inside = guard.Read(&guard.Inside{Node: &guard.DaemonSet{
		Version: cni.Parse(version), Raw: version, From: "image tag", Image: "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni:" + version, Same: true, Desired: 10, Updated: 10, Settled: true,
		By: guard.Installer{Name: "Helm", Confidence: guard.Certain, Evidence: []string{"annotation meta.helm.sh/release-name=aws-vpc-cni"}},
	}})
	return in
}

// hidden is a cluster whose inside cannot be read.
func hidden(f *fault.Fault) guard.Input {
	in := self("v1.7.5")
	in.Seen.Inside = guard.Hidden[*guard.Inside](f)
	return in
}

const observer = "arn:aws:iam::111122223333:role/cniguard-observer"

func noEntry() *fault.Fault {
	return &fault.Fault{Kind: fault.Terminal, Op: "kubernetes:GetDaemonSet", Code: guard.NoEntry, Need: observer, Text: "401 Unauthorized"}
}

// Fact 6.4/not-found.
func TestWhatEKSDoesNotManageIsJudgedLikeTheRest(t *testing.T) {
	type want struct {
		Verdict, Install, Version string
		Findings                  []guard.Code
	}
	for name, c := range map[string]struct {
		in     guard.Input
		change func(*guard.Input)
		want   want
	}{
		"self-managed and old is outdated":          {self("v1.7.5"), nil, want{"outdated", "self-managed", "outdated", []guard.Code{guard.VersionOutdated}}},
		"self-managed and new is fine":              {self("v1.18.5"), nil, want{"fine", "self-managed", "fine", nil}},
		"a release known to be bad is found":        {self("v1.13.1"), nil, want{"outdated", "self-managed", "outdated", []guard.Code{guard.ReleaseBad}}},
		"a version that cannot be told is not fine": {self("latest"), nil, want{"unknown", "self-managed", "unknown", []guard.Code{guard.VersionUnknown}}},
		"two halves of two versions are found":      {self("v1.18.5"), differ, want{"fine", "self-managed", "fine", []guard.Code{guard.ImagesDiffer}}},
		"another CNI has no version of this one":    {self("v1.7.5"), inside(guard.Inside{Others: []string{"Cilium"}}), want{"fine", "other", "not applicable", nil}},
		"nodes without a CNI that is known":         {self("v1.7.5"), inside(guard.Inside{}), want{"unknown", "unknown", "unknown", []guard.Code{guard.InstallUnknown}}},
		"what runs the pods is unknown": {self("v1.7.5"), func(in *guard.Input) {
			in.Seen.Inside, in.Seen.Hosts = guard.Read(&guard.Inside{}), guard.Hidden[guard.Hosts](throttled("eks:ListNodegroups"))
		}, want{"unknown", "unknown", "unknown", []guard.Code{guard.InstallUnknown}}},
		"neither nodes nor a CNI": {self("v1.7.5"), func(in *guard.Input) {
			in.Seen.Inside, in.Seen.Hosts = guard.Read(&guard.Inside{}), guard.Read(guard.Hosts{})
		}, want{"fine", "none", "not applicable", nil}},
		"another CNI beside one that is switched off": {self("v1.7.5"), func(in *guard.Input) {
			in.Seen.Inside.Value.Node.Desired, in.Seen.Inside.Value.Others = 0, []string{"Cilium"}
		}, want{"fine", "other", "not applicable", nil}},
		"one that runs on no node, for want of nodes": {self("v1.7.5"), desired(0), want{"fine", "self-managed", "not applicable", nil}},
		"one that is switched off, and nobody known in its place": {self("v1.7.5"), func(in *guard.Input) {
			in.Seen.Inside.Value.Node.Desired, in.Seen.Hosts = 0, guard.Read(guard.Hosts{Nodegroups: true, Instances: true})
		}, want{"unknown", "unknown", "unknown", []guard.Code{guard.InstallUnknown}}},
		"one that is switched off where it is not known whether there are nodes": {self("v1.7.5"), func(in *guard.Input) {
			in.Seen.Inside.Value.Node.Desired, in.Seen.Hosts = 0, guard.Hidden[guard.Hosts](throttled("ec2:DescribeInstances"))
		}, want{"unknown", "unknown", "unknown", []guard.Code{guard.InstallUnknown}}},
		"one that runs on no node beside the nodes of Auto Mode": {self("v1.7.5"), func(in *guard.Input) {
			in.Seen.Inside.Value.Node.Desired, in.Seen.Cluster.Value.AutoMode = 0, true
			in.Seen.Hosts = guard.Read(guard.Hosts{Nodegroups: true, Instances: true})
		}, want{"fine", "self-managed", "not applicable", nil}},
		"one that is being rolled out proves nothing": {self("v1.18.5"), rolling, want{"unknown", "self-managed", "unknown", []guard.Code{guard.UpdateStuck}}},
		"what could not be read is unknown":           {hidden(noEntry()), nil, want{"unknown", "unknown", "unknown", []guard.Code{guard.InstallUnknown}}},
		"what was never asked is unknown":             {hidden(nil), nil, want{"unknown", "unknown", "unknown", []guard.Code{guard.InstallUnknown}}},
		"what the policy ignores is unknown, no news": {hidden(&fault.Fault{Kind: fault.Skip, Text: "the policy says selfManaged: ignore"}), nil, want{"unknown", "unknown", "unknown", nil}},
		"a managed add-on is judged by what EKS says": {self("v1.7.5"), func(in *guard.Input) { in.Seen.Addon = guard.Read(addon("v1.9.0-eksbuild.1")) }, want{"fine", "managed", "fine", nil}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.in)
			}
			p := guard.Decide(c.in)
			got := want{p.Verdict.Word, p.Verdict.Install.Word, p.Verdict.Version.Word, codes(p.Findings)}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if len(p.Actions)+len(p.Held) > 0 && c.in.Seen.Addon.Value == nil {
				t.Errorf("an update of what EKS does not manage: %v, %v", p.Actions, p.Held)
			}
		})
	}
}

func differ(in *guard.Input) {
	in.Seen.Inside.Value.Node.Same = false
	in.Seen.Inside.Value.Node.Differ = "aws-node is v1.18.5, its init container v1.12.0"
}

func desired(n int) func(*guard.Input) {
	return func(in *guard.Input) { in.Seen.Inside.Value.Node.Desired = n }
}

func rolling(in *guard.Input) {
	in.Seen.Inside.Value.Node.Updated, in.Seen.Inside.Value.Node.Settled = 3, false
}

func inside(is guard.Inside) func(*guard.Input) {
	return func(in *guard.Input) { in.Seen.Inside = guard.Read(&is) }
}

func TestAFindingOfASelfManagedInstallSaysWhoseItIs(t *testing.T) {
	p := guard.Decide(self("v1.7.5"))
	var facts []string
	for _, f := range p.Findings[0].Facts {
		facts = append(facts, f.Name+": "+f.Value)
	}
	want := []string{"installed: v1.7.5", "floor: v1.8.0", "Kubernetes: 1.21", "read from: image tag",
		"image: 602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni:v1.7.5", "installed by: Helm (certain)",
		"evidence: annotation meta.helm.sh/release-name=aws-vpc-cni"}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
	rec := guard.Conclude(self("v1.7.5"), p, nil)
	if rec.Version != "v1.7.5" || len(rec.Outbox) != 1 || rec.Outbox[0].Version != "v1.7.5" {
		t.Errorf("the record has %q, and tells %+v", rec.Version, rec.Outbox)
	}
}

// Why it is hidden changes while somebody is at work on it, or an API is slow; that it is hidden is the news.
func TestTheReasonsThatHideTheInsideAreNoNews(t *testing.T) {
	slow := &fault.Fault{Kind: fault.Retry, Op: "kubernetes:GetDaemonSet", Code: guard.TooSlow, Text: "no answer"}
	in := hidden(noEntry())
	in.Record.Told = map[guard.Code]guard.Told{guard.InstallUnknown: {First: noon.Add(-time.Hour)}}
	rec := guard.Conclude(in, guard.Decide(in), nil)
	if len(rec.Outbox) != 1 || rec.Outbox[0].News != guard.Opened || rec.Hidden != guard.NoEntry {
		t.Fatalf("told %+v, hidden by %q", rec.Outbox, rec.Hidden)
	}
	next := hidden(slow)
	next.Record = rec
	next.Record.Outbox = nil
	if rec = guard.Conclude(next, guard.Decide(next), nil); len(rec.Outbox) != 0 || rec.Hidden != guard.TooSlow {
		t.Errorf("told %+v, hidden by %q", rec.Outbox, rec.Hidden)
	}
	open := self("v1.18.5")
	open.Record = rec
	if rec = guard.Conclude(open, guard.Decide(open), nil); len(rec.Outbox) != 1 || rec.Outbox[0].News != guard.Recovered || rec.Hidden != "" {
		t.Errorf("told %+v, hidden by %q", rec.Outbox, rec.Hidden)
	}
}

func TestWhatIsHiddenIsLookedAtEverMoreRarely(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{0: 5 * time.Minute, time.Hour: 15 * time.Minute, 24 * time.Hour: 6 * time.Hour} {
		in := hidden(noEntry())
		if age > 0 {
			in.Record.Told = map[guard.Code]guard.Told{guard.InstallUnknown: {First: noon.Add(-age), Times: 1}}
		}
		if got := guard.Decide(in).Due.Sub(noon); got != want {
			t.Errorf("hidden for %s, it is looked at after %s, want %s", age, got, want)
		}
	}
}

// Somebody who takes the access away must not silence what was found.
func TestWhatWasFoundIsNotForgottenWhileItIsHidden(t *testing.T) {
	in := self("v1.7.5")
	rec := guard.Conclude(in, guard.Decide(in), nil)
	next := hidden(noEntry())
	next.Record = rec
	p := guard.Decide(next)
	f := p.Findings[0]
	if f.Code != guard.InstallUnknown || f.Severity != guard.Warning || f.Facts[len(f.Facts)-1] != (guard.Fact{Name: "last seen", Value: "v1.7.5, 2026-03-02"}) {
		t.Errorf("found %+v", f)
	}
	for _, code := range []guard.Code{guard.VersionOutdated, guard.VersionUnknown, guard.ReleaseBad, guard.ImagesDiffer} {
		if !p.Blind[code] {
			t.Errorf("%s recovers although nobody looked", code)
		}
	}
	if kept := guard.Conclude(next, p, nil); kept.Node == nil || kept.Version != "" || !kept.Node.At.Equal(in.Seen.At) {
		t.Errorf("of what was read the record has %+v, and the version %q", kept.Node, kept.Version)
	}
	next.Settings.Value.SelfManaged = false
	next.Seen.Inside.Fault = guard.WhyNotInside(next)
	if p = guard.Decide(next); len(p.Blind) > 1 || len(p.Findings) > 0 { // whoever ignores it is done with it; an update is not judged either
		t.Errorf("blind to %v, found %+v", p.Blind, p.Findings)
	}
}

func TestARolloutIsNotOverBeforeItIs(t *testing.T) {
	in := self("v1.18.5")
	rolling(&in)
	p := guard.Decide(in)
	for _, code := range []guard.Code{guard.VersionOutdated, guard.VersionUnknown, guard.ReleaseBad, guard.ImagesDiffer} {
		if !p.Blind[code] {
			t.Errorf("%s recovers while nodes run the old version", code)
		}
	}
	if p.Due.IsZero() || p.Findings[0].After != guard.StuckAfter {
		t.Errorf("due %s, found %+v", p.Due, p.Findings)
	}
}

// Digests tell nothing: what was found before may still be so.
func TestHalvesThatCannotBeComparedRecoverNothing(t *testing.T) {
	in := self("v1.18.5")
	in.Seen.Inside.Value.Node.Same = false
	if p := guard.Decide(in); !p.Blind[guard.ImagesDiffer] || len(p.Findings) > 0 {
		t.Errorf("blind to %v, found %+v", p.Blind, p.Findings)
	}
}

func TestTheInsideIsReadWhereItIsNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*guard.Input)
		why    string // empty: it is read
	}{
		"no managed add-on":             {func(*guard.Input) {}, ""},
		"while the cluster is updated":  {func(in *guard.Input) { in.Seen.Cluster.Value.Status = "UPDATING" }, ""},
		"a managed add-on":              {func(in *guard.Input) { in.Seen.Addon = guard.Read(addon("v1.9.0-eksbuild.1")) }, "manages"},
		"no cluster":                    {func(in *guard.Input) { in.Seen.Cluster = guard.Read[*guard.Cluster](nil) }, "not there"},
		"a cluster in the making":       {func(in *guard.Input) { in.Seen.Cluster.Value.Status = "CREATING" }, "not there"},
		"the policy ignores it":         {func(in *guard.Input) { in.Settings.Value.SelfManaged = false }, "selfManaged: ignore"},
		"the policy cannot be read":     {func(in *guard.Input) { in.Settings.Fault = throttled("policy") }, "policy"},
		"the add-on cannot be read":     {func(in *guard.Input) { in.Seen.Addon.Fault = throttled("eks:DescribeAddon") }, "DescribeAddon"},
		"the cluster cannot be read":    {func(in *guard.Input) { in.Seen.Cluster.Fault = throttled("eks:DescribeCluster") }, "DescribeCluster"},
		"Auto Mode runs all its nodes":  {func(in *guard.Input) { in.Seen.Cluster.Value.AutoMode, in.Seen.Hosts.Value.Nodegroups = true, false }, "Auto Mode"},
		"all pods run on Fargate":       {func(in *guard.Input) { in.Seen.Hosts.Value = guard.Hosts{Fargate: true} }, "Fargate"},
		"Auto Mode beside node groups":  {func(in *guard.Input) { in.Seen.Cluster.Value.AutoMode = true }, ""},
		"what runs the pods is unknown": {func(in *guard.Input) { in.Seen.Hosts.Fault = throttled("eks:ListNodegroups") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := self("v1.7.5")
			c.change(&in)
			f := guard.WhyNotInside(in)
			if (c.why == "") != (f == nil) || f != nil && !strings.Contains(f.Error(), c.why) {
				t.Errorf("not read because of %v, want %q", f, c.why)
			}
		})
	}
}

// A record must stay far below what DynamoDB takes, whatever a cluster has.
func TestARecordKeepsLittleOfMany(t *testing.T) {
	in := self("v1.18.5")
	in.Seen.Inside.Value.Node.ENIConfigs = make([]guard.Fact, 500)
	rec := guard.Conclude(in, guard.Decide(in), nil)
	if n := rec.Node; len(n.ENIConfigs) != 30 || len(n.Unread) != 1 || len(in.Seen.Inside.Value.Node.ENIConfigs) != 500 {
		t.Errorf("%d ENIConfigs are kept, with the note %q", len(n.ENIConfigs), n.Unread)
	}
	for name, next := range map[string]guard.Input{"hidden": hidden(noEntry()), "managed": fine(), "without an aws-node": self("")} {
		next.Record = rec
		if name == "without an aws-node" {
			next.Seen.Inside = guard.Read(&guard.Inside{})
		}
		if name == "managed" {
			next.Seen.Inside.Fault = guard.WhyNotInside(next)
		}
		kept := guard.Conclude(next, guard.Decide(next), nil).Node != nil
		if kept != (name == "hidden") {
			t.Errorf("%s: the aws-node is kept: %t", name, kept)
		}
	}
}
