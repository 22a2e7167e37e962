package simulate_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

func TestEveryKindOfLineTellsWhatHappenedToWhomAndWhy(t *testing.T) {
	r, lines := start(t, spec(t, eventful+".yaml"), rules(t, string(read(t, eventful+"-policy.yaml"))), simulate.Options{Seed: 1})
	r.For(4 * hour)
	const ours, theirs = "444455556666/eu-west-1/", "777788889999/eu-west-1/"
	want := []simulate.Line{
		{What: simulate.AlarmPut, Cluster: ours + "lost", Text: "cniguard-lost-pod-subnets at 80 %", Why: "it does not stand yet"},
		{What: simulate.AlarmDropped, Cluster: ours + "closing", Text: "cniguard-closing-pod-subnets", Why: "the cluster is gone"},
		{What: simulate.UpdateStarted, Cluster: ours + "full", Text: "v1.8.0-eksbuild.1 → v1.9.3-eksbuild.1",
			Why: "somebody else's: arn:aws:iam::444455556666:role/platform-team"},
		{What: simulate.UpdateEnded, Cluster: ours + "full", Text: "v1.8.0-eksbuild.1 → v1.9.3-eksbuild.1 Failed",
			Why: "InsufficientNumberOfReplicas: aws-node does not start"},
		{What: simulate.UpdateEnded, Cluster: ours + "lost", Text: "v1.18.5-eksbuild.1 → v1.19.6-eksbuild.1 Successful"},
		{What: simulate.Refused, Cluster: theirs + "refused", Text: "put alarm cniguard-refused-pod-subnets at 80 %",
			Why: "cloudwatch:PutMetricAlarm: AccessDeniedException: not allowed"},
		{What: simulate.AnswerLost, Cluster: ours + "lost", Text: "update add-on v1.18.5-eksbuild.1 → v1.19.6-eksbuild.1",
			Why: "eks:UpdateAddon: ServerException: come again"},
		{What: simulate.HeldBack, Cluster: ours + "lost", Text: "update vpc-cni from v1.18.5-eksbuild.1 to v1.19.6-eksbuild.1",
			Why: "alarm: the IP alarm does not stand yet", Gates: []guard.Reason{{Gate: "alarm", Text: "the IP alarm does not stand yet"}}},
		{What: simulate.Told, Cluster: ours + "full", Text: "CRITICAL: full: a pod subnet is running out of IP addresses, 100.0 % used",
			News: guard.Opened, Finding: guard.CapacityLow, Severity: "critical"},
		{What: simulate.Told, Cluster: ours + "lost", Text: "UPDATED: lost: vpc-cni is updated to v1.19.6-eksbuild.1",
			News: guard.Updated, Finding: guard.UpdateProgress, Severity: "info"},
		{What: simulate.ForDigest, Cluster: theirs + "refused", Text: "WARNING: refused: an IP alarm could not be put or removed",
			News: guard.Opened, Finding: guard.AlarmFailed, Severity: "warning"},
		{What: simulate.GivenUp, Text: `"Check Requested" from cniguard, after 3 tries of the function urgent`,
			Why: "detail.region: want a region, have nothing"},
		{What: simulate.Ordered, Text: "halt by bo", Why: "enough for today"},
		{What: simulate.OrderRefused, Cluster: ours + "closing", Text: "approve by ana",
			Why: "approve: there is nothing to approve: no update is wanted (version fine: v1.20.1-eksbuild.3 is not below the floor v1.8.0)"},
		{What: simulate.AlarmState, Cluster: ours + "full", Text: "cniguard-full-pod-subnets: INSUFFICIENT_DATA → ALARM"},
		{What: simulate.ClusterState, Cluster: ours + "closing", Text: "deleted"},
		{What: simulate.AddonState, Cluster: ours + "bare", Text: "v1.20.1-eksbuild.3 CREATING"},
		{What: simulate.AddonState, Cluster: ours + "bare", Text: "deleted"},
		{What: simulate.Applied, Cluster: ours + "bare", Text: "aws-node stays behind"},
		{What: simulate.AccessGiven, Cluster: ours + "bare", Text: "cniguard-observer may read kube-system"},
		{What: simulate.Outage, Cluster: ours + "full", Text: "v1.9.3-eksbuild.1 crash-loops on the full subnet subnet-full"},
	}
	missed := simulate.Whats()
	for _, w := range want {
		missed = slices.DeleteFunc(missed, func(what simulate.What) bool { return what == w.What })
		if n := matching(*lines, w); n != 1 {
			t.Errorf("there are %d lines like %+v", n, w)
		}
	}
	if len(missed) > 0 {
		t.Errorf("nothing is wanted of %q", missed)
	}
	for _, l := range *lines {
		if !slices.Contains(simulate.Whats(), l.What) || l.Text == "" || (l.What == simulate.Told || l.What == simulate.ForDigest) != (l.Message != "") {
			t.Errorf("a line of no known kind, without text, or a message without its text: %+v", l)
		}
	}
}

// matching counts lines that are as wanted: but for their time and message, with at least the wanted reason.
func matching(lines []simulate.Line, want simulate.Line) (n int) {
	for _, l := range lines {
		if strings.HasSuffix(l.Why, want.Why) && cmp.Equal(want, l, cmpopts.IgnoreFields(simulate.Line{}, "At", "Message", "Why")) {
			n++
		}
	}
	return n
}

func TestAMessageIsItsTextForEmail(t *testing.T) {
	r, lines := start(t, demoWorld(t), demoRules(t), simulate.Options{Seed: 1})
	r.For(2 * hour)
	waits := of(*lines, simulate.ForDigest, "legacy")
	if len(waits) == 0 || !strings.Contains(waits[0].Message, `"schema":"cniguard.message/1"`) {
		t.Errorf("%+v", waits)
	}
	told := of(*lines, simulate.Told, "batch")
	if len(told) == 0 || !strings.HasPrefix(strings.Join(strings.Fields(told[0].Message), " "), told[0].Text) || !strings.Contains(told[0].Message, "\nWhat to do:\n") {
		t.Errorf("%+v", told)
	}
}

func TestADigestIsALineAboutNoCluster(t *testing.T) {
	r, lines := start(t, demoWorld(t), demoRules(t), simulate.Options{Seed: 1})
	r.For(30 * time.Minute)
	hub := r.World.Spec().Hub
	d := guard.Digest{Key: "digest-1", Owner: "444455556666", At: r.Now(), Clusters: 2, Stand: map[guard.Severity]int{guard.Warning: 1}, Began: 1}
	d.News = []guard.Item{{News: guard.Opened, Cluster: demoCluster("legacy"), Finding: guard.VersionOutdated, Severity: guard.Warning, First: r.Now(), Version: "v1.7.5"}}
	var failed error
	r.World.Clock().Spawn(t.Context(), "teller", 0, func(ctx context.Context) {
		client := sns.NewFromConfig(r.World.Config("arn:aws:iam::"+hub.Account+":role/cniguard-bulk", hub.Account, hub.Region))
		failed = notify.New(client, notify.OnCall, simulate.TopicARN(hub, notify.OnCall), r.World.Clock()).TellDigest(ctx, d)
	})
	r.For(time.Minute)
	var told []simulate.Line
	for _, l := range of(*lines, simulate.Told, "") {
		if l.Finding == guard.DigestCode {
			told = append(told, l)
		}
	}
	if failed != nil || len(told) != 1 {
		t.Fatalf("%d lines, %v", len(told), failed)
	}
	text := notify.RenderDigest(d).Text
	want := simulate.Line{
		What: simulate.Told, Text: "DIGEST: account 444455556666: 1 warning; 1 new", News: guard.Digested, Finding: guard.DigestCode, Severity: "warning", Message: text,
	}
	if diff := cmp.Diff(want, told[0], cmpopts.IgnoreFields(simulate.Line{}, "At")); diff != "" {
		t.Errorf("-want +told:\n%s", diff)
	}
	if sum := r.Summary(); sum.Told[guard.Digested] != 1 {
		t.Errorf("told: %v", sum.Told)
	}
}

func TestAHoldIsOneLineUntilItsReasonsChange(t *testing.T) {
	s := demoWorld(t)
	s.Clusters = s.Clusters[1:2] // legacy, whose subnet fills and empties
	r, lines := start(t, s, demoRules(t), simulate.Options{Seed: 1})
	r.For(3 * day)
	var why []string
	for _, l := range of(*lines, simulate.HeldBack, "legacy") {
		why = append(why, l.Why)
	}
	const mode = "mode: the policy's mode for this cluster is observe"
	want := []string{mode + "; alarm: the IP alarm does not stand yet", mode, mode + "; alarm: the IP alarm is in state ALARM", mode}
	if diff := cmp.Diff(want, why); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestANumberInAReasonIsNoNews(t *testing.T) {
	s := demoWorld(t)
	s.Clusters = s.Clusters[1:2]
	s.VPCs[0].Subnets[1].Used = []world.Point{{At: 0, Addresses: 241}, {At: day, Addresses: 251}}
	r, lines := start(t, s, demoRules(t), simulate.Options{Seed: 1})
	reasons := map[string]bool{}
	for range 24 {
		r.For(hour)
		for _, h := range records(t, r)[0].Record.Held {
			for _, by := range h.By {
				if by.Gate == "room" {
					reasons[by.Text] = true
				}
			}
		}
	}
	room := 0
	for _, l := range of(*lines, simulate.HeldBack, "legacy") {
		if strings.Contains(l.Why, "room: ") && !strings.Contains(l.Why, "stand yet") && strings.Contains(l.Why, "state ALARM") {
			room++
		}
	}
	if room != 1 || len(reasons) < 3 {
		t.Errorf("%d lines for the reasons %v: %+v", room, reasons, of(*lines, simulate.HeldBack, "legacy"))
	}
}

func TestARefusalIsOneLineUntilAWSAgreedOnce(t *testing.T) {
	s := demoWorld(t)
	s.Faults = []world.Fault{
		{Service: "eks", Operation: "UpdateAddon", Cluster: "batch", Code: "ClientException", Message: "not like this", Times: 1},
		{Service: "eks", Operation: "UpdateAddon", Cluster: "batch", Code: "ClientException", Message: "not like this", From: 10 * hour},
	}
	s.Orders = []world.Order{order(11*hour, world.Approve, "batch", "")}
	r, lines := start(t, s, demoRules(t), simulate.Options{Seed: 1})
	r.For(day)
	if refused := of(*lines, simulate.Refused, "batch"); len(refused) != 2 || len(of(*lines, simulate.UpdateStarted, "batch")) != 1 {
		t.Errorf("%+v", refused)
	}
}

func TestAHoldIsNotToldAgainAfterTheClusterCouldNotBeRead(t *testing.T) {
	s := demoWorld(t)
	s.Clusters = s.Clusters[1:2]
	s.Faults = []world.Fault{{Service: "eks", Operation: "DescribeCluster", Code: "AccessDeniedException", From: 5 * hour, Until: 13 * hour}}
	r, lines := start(t, s, demoRules(t), simulate.Options{Seed: 1})
	r.For(day)
	if held := of(*lines, simulate.HeldBack, "legacy"); len(held) != 2 {
		t.Errorf("%d lines: %+v", len(held), held)
	}
	if told := of(*lines, simulate.ForDigest, "legacy"); len(told) != 3 {
		t.Errorf("the fault and its end were not told: %+v", told)
	}
}

func TestAnUpdateInFlightIsNotHeld(t *testing.T) {
	r, lines := start(t, demoWorld(t), demoRules(t), simulate.Options{Seed: 1})
	r.For(day)
	for _, l := range of(*lines, simulate.HeldBack, "batch") {
		for _, g := range l.Gates {
			if g.Gate == "in flight" {
				t.Errorf("%+v", l)
			}
		}
	}
	if len(of(*lines, simulate.UpdateStarted, "batch")) != 2 {
		t.Error("there were no updates")
	}
}

func TestTheSummaryCountsTheLines(t *testing.T) {
	for _, world := range []string{demo + "world.yaml", eventful + ".yaml"} {
		p := demoRules(t)
		if world != demo+"world.yaml" {
			p = rules(t, string(read(t, eventful+"-policy.yaml")))
		}
		r, lines := start(t, spec(t, world), p, simulate.Options{Seed: 2})
		r.World.Record(true)
		r.For(2 * day)
		got := r.Summary()
		want := simulate.Summary{Checks: got.Checks, Told: map[guard.News]int{}}
		for _, l := range *lines {
			switch l.What {
			case simulate.AlarmPut:
				want.Alarms.Put++
			case simulate.AlarmDropped:
				want.Alarms.Dropped++
			case simulate.HeldBack:
				want.Holds++
			case simulate.GivenUp:
				want.GivenUp++
			case simulate.Told:
				want.Told[l.News]++
			case simulate.UpdateStarted, simulate.AnswerLost:
				if !strings.HasPrefix(l.Why, "somebody else") {
					want.Updates.Started++
				}
			case simulate.UpdateEnded:
				if strings.HasSuffix(l.Text, "Successful") {
					want.Updates.Succeeded++
				} else if !strings.HasSuffix(l.Cluster, "/full") { // which is somebody else's
					want.Updates.Failed++
				}
			}
		}
		for _, e := range r.World.History() {
			if e.Call != nil && e.Call.Service != "ledger" && strings.Contains(e.Call.Principal, "role/cniguard-") {
				want.Calls++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-lines +summary):\n%s", world, diff)
		}
		if got.Checks < 20 || got.Calls < got.Checks || got.Updates.Started == 0 {
			t.Errorf("%s: too little happened: %+v", world, got)
		}
	}
}
