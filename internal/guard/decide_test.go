package guard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

const start = "update vpc-cni from v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1"

// Facts 2.3/addon-status, 2.3/cluster-status, 2.5/no-path, 2.6/floor, 2.6/unknown.
func TestDecide(t *testing.T) {
	type want struct {
		verdict                            string // the word
		install, version, capacity, change string
		findings                           []guard.Code
		actions                            []string
		gates                              []string
	}
	for _, c := range []struct {
		name   string
		from   func() guard.Input
		change func(*guard.Input)
		want   want
	}{
		{"a healthy cluster is fine and nothing is done", fine, func(*guard.Input) {},
			want{"fine", "managed", "fine", "fine", "idle", nil, nil, nil}},
		{"an outdated cluster with every gate open is updated", outdated, func(*guard.Input) {},
			want{"outdated", "managed", "outdated", "fine", "in flight", []guard.Code{guard.VersionOutdated}, []string{start}, nil}},
		{"an outdated cluster is only reported by default", outdated,
			func(in *guard.Input) { in.Settings = guard.Read(policy.BuiltIn()) },
			want{"outdated", "managed", "outdated", "fine", "waiting", []guard.Code{guard.VersionOutdated}, nil, []string{"mode"}}},
		{"eksbuild does not make a release older than the floor", fine,
			func(in *guard.Input) { in.Seen.Addon = guard.Read(addon("v1.8.0-eksbuild.1")) },
			want{"fine", "managed", "fine", "fine", "idle", nil, nil, nil}},
		{"a version that cannot be compared is unknown, not outdated", outdated,
			func(in *guard.Input) { in.Seen.Addon = guard.Read(addon("latest")) },
			want{"unknown", "managed", "unknown", "fine", "idle", []guard.Code{guard.VersionUnknown}, nil, nil}},
		{"a release that is known to be bad is found, and leads to the next good one", fine,
			func(in *guard.Input) {
				in.Seen.Addon = guard.Read(addon("v1.16.3-eksbuild.2"))
				in.Seen.Catalogue = guard.Read([]cni.Release{{Version: cni.Parse("v1.16.4-eksbuild.2")}})
				in.Seen.Preflight = preflight("v1.16.4-eksbuild.2")
			},
			want{"outdated", "managed", "outdated", "fine", "in flight", []guard.Code{guard.ReleaseBad},
				[]string{"update vpc-cni from v1.16.3-eksbuild.2 to v1.16.4-eksbuild.2"}, nil}},
		{"the alarm is put where it does not stand, and the update waits for it", outdated,
			func(in *guard.Input) { in.Seen.Alarms = guard.Read[[]alarm.Standing](nil) },
			want{"outdated", "managed", "outdated", "fine", "waiting", []guard.Code{guard.VersionOutdated, guard.UpdateBlocked}, []string{"put alarm cniguard-prod-pod-subnets"}, []string{"alarm"}}},
		{"an alarm that differs is put again", fine,
			func(in *guard.Input) {
				a := standing(alarm.OK)
				a.Spec.Threshold = 90
				in.Seen.Alarms = guard.Read([]alarm.Standing{a})
			},
			want{"fine", "managed", "fine", "fine", "idle", nil, []string{"put alarm cniguard-prod-pod-subnets"}, nil}},
		{"alarms off: the alarm goes, and nothing is updated without it", outdated,
			func(in *guard.Input) { in.Settings.Value.Alarms = false },
			want{"outdated", "managed", "outdated", "fine", "waiting", []guard.Code{guard.VersionOutdated, guard.UpdateBlocked}, []string{"drop alarm cniguard-prod-pod-subnets"}, []string{"alarm"}}},
		{"IPv6: capacity does not apply, no alarm stands, and the update may go", outdated,
			func(in *guard.Input) {
				in.Seen.Pods = guard.Read(capacity.Pods{Exempt: "pods get IPv6 addresses"})
				in.Seen.Alarms = guard.Read[[]alarm.Standing](nil)
			},
			want{"outdated", "managed", "outdated", "not applicable", "in flight", []guard.Code{guard.VersionOutdated}, []string{start}, nil}},
		{"one full subnet is not hidden by an empty one", fine,
			func(in *guard.Input) {
				in.Seen.Pods = guard.Read(capacity.Pods{Subnets: []capacity.Subnet{subnet("subnet-a", 251), subnet("subnet-b", 5)}})
			},
			want{"critical", "managed", "fine", "critical", "idle", []guard.Code{guard.CapacityLow}, nil, nil}},
		{"a subnet at the warning threshold is a warning", fine,
			func(in *guard.Input) { in.Seen.Pods.Value.Subnets[0].Free = 50 },
			want{"warning", "managed", "fine", "warning", "idle", []guard.Code{guard.CapacityLow}, nil, nil}},
		{"no update while a pod subnet has no room for the restart", outdated,
			func(in *guard.Input) { in.Seen.Pods.Value.Subnets[0].Free = 15 },
			want{"outdated", "managed", "outdated", "warning", "waiting", []guard.Code{guard.VersionOutdated, guard.CapacityLow, guard.UpdateBlocked}, nil, []string{"room"}}},
		{"no update while the alarm is in ALARM", outdated,
			func(in *guard.Input) { in.Seen.Alarms = guard.Read([]alarm.Standing{standing(alarm.InAlarm)}) },
			want{"outdated", "managed", "outdated", "fine", "waiting", []guard.Code{guard.VersionOutdated, guard.UpdateBlocked}, nil, []string{"alarm"}}},
		{"an alarm without data for an hour is a finding", fine,
			func(in *guard.Input) { in.Seen.Alarms = guard.Read([]alarm.Standing{standing(alarm.InsufficientData)}) },
			want{"fine", "managed", "fine", "fine", "idle", []guard.Code{guard.MetricSilent}, nil, nil}},
		{"pod subnets that are not found are unknown, never fine", fine,
			func(in *guard.Input) {
				in.Seen.Pods = guard.Hidden[capacity.Pods](&fault.Fault{Kind: fault.Skip, Text: "no node groups"})
			},
			want{"unknown", "managed", "fine", "unknown", "idle", []guard.Code{guard.CapacityUnknown}, nil, nil}},
		{"no managed add-on is an unknown install, and no reason to update", outdated,
			func(in *guard.Input) { in.Seen.Addon = guard.Read[*guard.Addon](nil) },
			want{"unknown", "unknown", "unknown", "fine", "idle", []guard.Code{guard.InstallUnknown}, nil, nil}},
		{"Auto Mode needs no vpc-cni", outdated,
			func(in *guard.Input) {
				in.Seen.Addon = guard.Read[*guard.Addon](nil)
				in.Seen.Cluster.Value.AutoMode = true
				in.Seen.Hosts = guard.Read(guard.Hosts{Instances: true})
			},
			want{"fine", "none", "not applicable", "fine", "idle", nil, nil, nil}},
		{"a node group beside Auto Mode may run an aws-node of its own", outdated,
			func(in *guard.Input) {
				in.Seen.Addon = guard.Read[*guard.Addon](nil)
				in.Seen.Cluster.Value.AutoMode = true
			},
			want{"unknown", "unknown", "unknown", "fine", "idle", []guard.Code{guard.InstallUnknown}, nil, nil}},
		{"what runs the pods is not known: an aws-node may", outdated,
			func(in *guard.Input) {
				in.Seen.Addon = guard.Read[*guard.Addon](nil)
				in.Seen.Cluster.Value.AutoMode = true
				in.Seen.Hosts = guard.Hidden[guard.Hosts](throttled("eks:ListNodegroups"))
			},
			want{"unknown", "unknown", "unknown", "fine", "idle", []guard.Code{guard.InstallUnknown}, nil, nil}},
		{"Fargate alone needs no vpc-cni", outdated,
			func(in *guard.Input) {
				in.Seen.Addon = guard.Read[*guard.Addon](nil)
				in.Seen.Hosts = guard.Read(guard.Hosts{Fargate: true})
			},
			want{"fine", "none", "not applicable", "fine", "idle", nil, nil, nil}},
		{"a full subnet is not hidden by a list that could not be read", fine,
			func(in *guard.Input) {
				in.Seen.Pods.Value.Subnets[0].Free = 3
				in.Seen.Pods.Value.Partly = denied("eks:ListFargateProfiles")
			},
			want{"critical", "managed", "fine", "critical", "idle", []guard.Code{guard.CapacityLow, guard.Unreadable}, nil, nil}},
		{"subnets that have room are unknown while a list could not be read, and nothing is updated", outdated,
			func(in *guard.Input) { in.Seen.Pods.Value.Partly = denied("eks:ListFargateProfiles") },
			want{"outdated", "managed", "outdated", "unknown", "waiting",
				[]guard.Code{guard.VersionOutdated, guard.UpdateBlocked, guard.Unreadable}, nil, []string{"alarm"}}},
		{"an alarm in ALARM speaks for subnets that cannot be read", fine,
			func(in *guard.Input) {
				in.Seen.Pods = guard.Hidden[capacity.Pods](throttled("ec2:DescribeSubnets"))
				in.Seen.Alarms = guard.Read([]alarm.Standing{standing(alarm.InAlarm)})
			},
			want{"warning", "managed", "fine", "warning", "idle", []guard.Code{guard.CapacityLow, guard.Unreadable}, nil, nil}},
		{"alarms off holds also where the subnets cannot be read", fine,
			func(in *guard.Input) {
				in.Settings.Value.Alarms = false
				in.Seen.Pods = guard.Hidden[capacity.Pods](throttled("ec2:DescribeSubnets"))
			},
			want{"unknown", "managed", "fine", "unknown", "idle", []guard.Code{guard.Unreadable}, []string{"drop alarm cniguard-prod-pod-subnets"}, nil}},
		{"whether an update is wanted is not known without the versions", fine,
			func(in *guard.Input) {
				in.Settings.Value.Target = cni.ToLatest
				in.Seen.Catalogue = guard.Hidden[[]cni.Release](throttled("eks:DescribeAddonVersions"))
			},
			want{"fine", "managed", "fine", "fine", "waiting", []guard.Code{guard.Unreadable}, nil, nil}},
		{"a cluster that was set aside and then mended by hand is idle", fine,
			func(in *guard.Input) { in.Record.Aside = &guard.Aside{Text: "2 tries failed", At: noon} },
			want{"fine", "managed", "fine", "fine", "idle", nil, nil, nil}},
		{"a cluster that was set aside and is gone is gone", outdated,
			func(in *guard.Input) {
				in.Record.Aside = &guard.Aside{Text: "2 tries failed", At: noon}
				in.Seen.Cluster = guard.Read[*guard.Cluster](nil)
			},
			want{"gone", "gone", "gone", "gone", "gone", nil, []string{"drop alarm cniguard-prod-pod-subnets"}, nil}},
		{"an add-on that could not be read is unknown and not changed", outdated,
			func(in *guard.Input) { in.Seen.Addon = guard.Hidden[*guard.Addon](denied("eks:DescribeAddon")) },
			want{"unknown", "unknown", "unknown", "fine", "idle", []guard.Code{guard.Unreadable}, nil, nil}},
		{"a cluster that could not be read is unknown in everything", outdated,
			func(in *guard.Input) {
				in.Seen.Cluster = guard.Hidden[*guard.Cluster](throttled("eks:DescribeCluster"))
				in.Settings = guard.Hidden[policy.Settings](throttled("eks:DescribeCluster"))
			},
			want{"unknown", "unknown", "unknown", "unknown", "idle", []guard.Code{guard.Unreadable}, nil, nil}},
		{"a cluster that is being created is waited for in silence", outdated,
			func(in *guard.Input) { in.Seen.Cluster.Value.Status = "CREATING" },
			want{"unknown", "unknown", "unknown", "unknown", "idle", nil, nil, nil}},
		{"a cluster that is gone loses its alarm", outdated,
			func(in *guard.Input) { in.Seen.Cluster = guard.Read[*guard.Cluster](nil) },
			want{"gone", "gone", "gone", "gone", "gone", nil, []string{"drop alarm cniguard-prod-pod-subnets"}, nil}},
		{"a degraded add-on is a finding and is not updated", outdated,
			func(in *guard.Input) {
				in.Seen.Addon.Value.Status, in.Seen.Addon.Value.Issues = "DEGRADED", []string{"InsufficientNumberOfReplicas: 2 of 3"}
			},
			want{"outdated", "managed", "outdated", "fine", "waiting", []guard.Code{guard.VersionOutdated, guard.AddonUnhealthy}, nil, []string{"ready"}}},
		{"an update of somebody else is waited for", outdated,
			func(in *guard.Input) { in.Seen.Addon.Value.Status = "UPDATING" },
			want{"outdated", "managed", "outdated", "fine", "in flight", []guard.Code{guard.VersionOutdated, guard.UpdateStuck}, nil, []string{"ready"}}},
		{"no way to the floor is held with the reason, and people are told", outdated,
			func(in *guard.Input) {
				in.Seen.Catalogue = guard.Read([]cni.Release{{Version: cni.Parse("v1.7.5-eksbuild.2")}})
			},
			want{"outdated", "managed", "outdated", "fine", "waiting", []guard.Code{guard.VersionOutdated, guard.UpdateBlocked}, nil, []string{"path"}}},
		{"a pinned target that is not compatible is held, though the floor is met only below it", outdated,
			func(in *guard.Input) { in.Settings.Value.Target = "v1.18.5" },
			want{"outdated", "managed", "outdated", "fine", "waiting", []guard.Code{guard.VersionOutdated, guard.UpdateBlocked}, nil, []string{"path"}}},
		{"a target that is reached below the floor is held with the reason, and people are told", outdated,
			func(in *guard.Input) { in.Settings.Value.Target = cni.Target(in.Seen.Addon.Value.Version.String()) },
			want{"outdated", "managed", "outdated", "fine", "waiting", []guard.Code{guard.VersionOutdated, guard.UpdateBlocked}, nil, []string{"path"}}},
		{"a target above the floor is wanted although the version is fine", fine,
			func(in *guard.Input) {
				in.Settings.Value.Target = cni.ToLatest
				in.Seen.Addon = guard.Read(addon("v1.8.0-eksbuild.1"))
				in.Seen.Preflight = preflight("v1.9.0-eksbuild.1")
			},
			want{"fine", "managed", "fine", "fine", "in flight", nil, []string{"update vpc-cni from v1.8.0-eksbuild.1 to v1.9.0-eksbuild.1"}, nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := c.from()
			c.change(&in)
			p := guard.Decide(in)
			v := p.Verdict
			got := want{v.Word, v.Install.Word, v.Version.Word, v.Capacity.Word, v.Change.Word, codes(p.Findings), actions(p), gates(p)}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			for _, a := range []guard.Answer{v.Install, v.Version, v.Capacity, v.Change} {
				if a.Because == "" {
					t.Errorf("an answer has no reason: %+v", v)
				}
			}
		})
	}
}

// Each gate is shut by its own cause and by nothing else: an update that one gate holds is held by that gate alone.
// Facts 2.5/gaps, 7.2/room.
func TestEachGateShutsAlone(t *testing.T) {
	later := noon.Add(time.Hour)
	shut := map[string]func(*guard.Input){
		"mode": func(in *guard.Input) { in.Settings.Value.Mode = policy.Observe },
		"halt": func(in *guard.Input) {
			in.Fleet.Value.Halt = &guard.Order{Kind: guard.Halting, By: "ann", Because: "incident", At: noon}
		},
		"owner": func(in *guard.Input) { in.Settings.Value.Owner = "" },
		"path":  func(in *guard.Input) { in.Seen.Catalogue.Value = in.Seen.Catalogue.Value[:1] },
		"gap": func(in *guard.Input) {
			in.Seen.Catalogue.Value = in.Seen.Catalogue.Value[2:]
			in.Seen.Preflight = preflight("v1.9.0-eksbuild.1")
		},
		"moved back": func(in *guard.Input) {
			in.Record.Proved = guard.Proved{Version: "v1.8.0-eksbuild.1", At: noon.Add(-24 * time.Hour)}
		},
		"catalogue": func(in *guard.Input) {
			in.Seen.Catalogue.Value[1].Architectures.AMD64, in.Seen.Hosts.Value.Architectures.ARM64 = true, true
		},
		"open update": func(in *guard.Input) {
			in.Seen.Open.Value.Updates = []guard.Update{{ID: "u-2", Status: "InProgress", Created: noon.Add(-time.Minute)}}
		},
		"role": func(in *guard.Input) { in.Seen.Addon.Value.Role = "arn:aws:iam::444455556666:role/cni" },
		"configuration": func(in *guard.Input) {
			in.Seen.Configuration.Value = &guard.Configuration{Of: cni.Parse("v1.8.0-eksbuild.1"), Refused: []string{"/env/OLD"}}
		},
		"alarm":     func(in *guard.Input) { in.Seen.Alarms.Value[0].State = alarm.InsufficientData },
		"room":      func(in *guard.Input) { in.Seen.Pods.Value.Subnets[1].Free = 15 },
		"ready":     func(in *guard.Input) { in.Seen.Cluster.Value.Status = "UPDATING" },
		"in flight": func(in *guard.Input) { in.Record.Step = step("u-1") },
		"soak": func(in *guard.Input) {
			in.Record.Proved = guard.Proved{Version: "v1.7.5-eksbuild.2", At: noon.Add(-guard.Soak + time.Minute)}
		},
		"set aside": func(in *guard.Input) {
			in.Record.Aside = &guard.Aside{Text: "2 tries failed", At: noon.Add(-time.Hour)}
		},
		"denial": func(in *guard.Input) {
			in.Orders.Value = []guard.Order{{Kind: guard.Denial, By: "bob", Because: "not now", At: noon.Add(-time.Hour), Until: later}}
		},
		"approval": func(in *guard.Input) { in.Settings.Value.Mode = policy.Approve },
		"exemption": func(in *guard.Input) {
			in.Settings.Value.Exempt = policy.Exempt{Owner: "shop", Because: "Black Friday", Until: later}
		},
		"freeze": func(in *guard.Input) { in.Settings.Value.Freezes = "2026-03-02 to 2026-03-06 UTC" },
		"window": func(in *guard.Input) { in.Settings.Value.Windows = "Mon-Fri 13:00-16:00 UTC" },
		"breaker": func(in *guard.Input) {
			in.Rollout.Value.Failed = []guard.Slot{{Cluster: other("a"), At: noon.Add(-2 * time.Hour)}, {Cluster: other("b"), At: noon.Add(-time.Hour)}}
		},
		"wave":   func(in *guard.Input) { *in = second(guard.Wave{Name: "first", Clusters: 10, Done: 7}) },
		"budget": func(in *guard.Input) { in.Rollout.Value.InFlight = []guard.Slot{{Cluster: other("a"), At: noon}} },
	}
	words := []guard.Order{
		{Kind: guard.Muting, Finding: guard.VersionOutdated, By: "bob", Because: "known", At: noon.Add(-time.Hour), Until: later},
		{Kind: guard.Unmuting, Finding: guard.UpdateBlocked, By: "ann", Because: "tell us", At: noon.Add(-time.Hour), Until: later},
		{Kind: guard.Acknowledging, Finding: guard.CapacityLow, By: "cem", Because: "on it", At: noon.Add(-time.Hour), Until: later},
	}
	t.Run("words on findings", func(t *testing.T) {
		in := outdated()
		in.Orders.Value = words
		if p := guard.Decide(in); len(p.Held) > 0 || !slices.Contains(actions(p), start) {
			t.Errorf("they hold the update: %+v", p.Held)
		}
		in.Settings.Value.Mode = policy.Approve
		plan := guard.Decide(in)
		for i := range words { // as nobody but a forger would write them
			words[i].Steps, words[i].Keeps = plan.Path, plan.Keeps
		}
		p := guard.Decide(in)
		if diff := cmp.Diff([]string{"approval"}, gates(p)); diff != "" {
			t.Fatalf("shut gates, -want +got:\n%s", diff)
		}
		if why := p.Held[0].By[0].Text; why != "it waits for an approval" {
			t.Errorf("they are taken for an approval: %s", why)
		}
	})
	for _, g := range guard.Gates() {
		t.Run(g.Name, func(t *testing.T) {
			change, ok := shut[g.Name]
			if !ok {
				t.Fatalf("no case shuts gate %q: add one", g.Name)
			}
			in := outdated()
			change(&in)
			p := guard.Decide(in)
			if diff := cmp.Diff([]string{g.Name}, gates(p)); diff != "" {
				t.Errorf("shut gates, -want +got:\n%s", diff)
			}
			if slices.Contains(actions(p), start) {
				t.Error("the update starts all the same")
			}
			for _, h := range p.Held {
				if h.By[0].Text == "" {
					t.Error("no reason is given")
				}
				if opens := slices.Contains([]string{"gap", "moved back", "set aside", "approval"}, g.Name); h.By[0].ByApproval != opens || h.By[0].Fault {
					t.Errorf("%+v", h.By[0])
				}
			}
		})
	}
}

// Fail closed: whatever cannot be read, no update starts, and the plan says why.
func TestAFaultInAnyReadingStopsTheUpdate(t *testing.T) {
	for _, f := range []*fault.Fault{denied("x:Y"), throttled("x:Y"), {Kind: fault.Skip, Op: "x:Y"}} {
		for name, hide := range map[string]func(*guard.Input){
			"cluster":   func(in *guard.Input) { in.Seen.Cluster = guard.Hidden[*guard.Cluster](f) },
			"add-on":    func(in *guard.Input) { in.Seen.Addon = guard.Hidden[*guard.Addon](f) },
			"catalogue": func(in *guard.Input) { in.Seen.Catalogue.Fault = f },
			"update": func(in *guard.Input) {
				in.Record.Step = step("u-1")
				in.Seen.Of, in.Seen.Update = "token", guard.Hidden[*guard.Update](f)
			},
			"pods":          func(in *guard.Input) { in.Seen.Pods.Fault = f },
			"alarms":        func(in *guard.Input) { in.Seen.Alarms.Fault = f },
			"settings":      func(in *guard.Input) { in.Settings.Fault = f },
			"fleet":         func(in *guard.Input) { in.Fleet.Fault = f },
			"orders":        func(in *guard.Input) { in.Orders.Fault = f },
			"rollout":       func(in *guard.Input) { in.Rollout.Fault = f },
			"configuration": func(in *guard.Input) { in.Seen.Configuration.Fault = f },
			"open updates":  func(in *guard.Input) { in.Seen.Open.Fault = f },
			"hosts": func(in *guard.Input) {
				in.Seen.Catalogue.Value[1].Architectures.AMD64, in.Seen.Hosts = true, guard.Hidden[guard.Hosts](f)
			},
			"last change": func(in *guard.Input) { in.Seen.LastChange = guard.Hidden[*guard.LastChange](f) },
		} {
			t.Run(name+" "+f.Kind.String(), func(t *testing.T) {
				in := outdated()
				hide(&in)
				p := guard.Decide(in)
				if slices.Contains(actions(p), start) {
					t.Fatal("the update starts")
				}
				for _, h := range p.Held {
					for _, r := range h.By {
						if r.Fault != strings.Contains(r.Text, "could not be read") || r.ByApproval {
							t.Errorf("%+v", r)
						}
					}
				}
				if len(p.Held) == 0 && p.Verdict.Word != guard.Unknown && p.Verdict.Install.Word != guard.Unknown && p.Verdict.Version.Word != guard.Unknown {
					t.Errorf("nothing says why: %+v", p.Verdict)
				}
			})
		}
	}
}

// A setting of the policy reaches an alarm that stands: it is put again, and no update starts before it is right.
func TestTheAlarmsActionsAreThoseOfThePolicy(t *testing.T) {
	const here, there = policy.Topics("arn:aws:sns:eu-central-1:111122223333:oncall"), "arn:aws:sns:us-east-1:111122223333:oncall"
	for _, c := range []struct {
		name   string
		policy policy.Topics
		stands []string
		put    bool
	}{
		{"none are wanted, and none stand", "", nil, false},
		{"those of another region are not wanted", there, nil, false},
		{"one is wanted, and none stands", here, nil, true},
		{"one is wanted, and stands", here + " " + there, []string{string(here)}, false},
		{"none is wanted, and one stands", there, []string{string(here)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := outdated()
			in.Settings.Value.AlarmActions = c.policy
			in.Seen.Alarms.Value[0].Spec = alarm.Wish{Cluster: prod, Warning: 80, Owner: prod.Account, Actions: c.stands}.Want(alarm.PodSubnets)
			p := guard.Decide(in)
			if put := slices.Contains(actions(p), "put alarm cniguard-prod-pod-subnets"); put != c.put || put != slices.Contains(gates(p), "alarm") {
				t.Errorf("does %v, held by %v", actions(p), gates(p))
			}
			if diff := cmp.Diff(c.policy.In("eu-central-1"), wantedActions(p)); c.put && diff != "" {
				t.Errorf("the alarm's actions (-want +got):\n%s", diff)
			}
		})
	}
}

func wantedActions(p guard.Plan) []string {
	for _, a := range p.Actions {
		if a.Kind == guard.PutAlarm {
			return a.Alarm.Actions
		}
	}
	return nil
}

func TestApprovals(t *testing.T) {
	in := outdated()
	in.Settings.Value.Mode = policy.Approve
	in.Settings.Value.Target = cni.ToLatest // v1.8.0, then v1.9.0
	asked := guard.Decide(in)
	approval := guard.Order{Kind: guard.Approval, By: "ann", Because: "tested", At: noon.Add(-time.Hour), Until: noon.Add(guard.ApprovalValid), Steps: asked.Path, Keeps: asked.Keeps}
	for _, c := range []struct {
		name   string
		change func(*guard.Input, *guard.Order)
		opens  bool
	}{
		{"an approval of the whole path lets the first step go", func(*guard.Input, *guard.Order) {}, true},
		{"and the second step, when the first is done", func(in *guard.Input, _ *guard.Order) {
			in.Seen.Addon.Value.Version, in.Seen.Addon.Value.Raw = cni.Parse("v1.8.0-eksbuild.1"), "v1.8.0-eksbuild.1"
			in.Seen.Preflight = preflight("v1.9.0-eksbuild.1")
		}, true},
		{"it ends at its time", func(_ *guard.Input, o *guard.Order) { o.Until = noon }, false},
		{"it does not hold before it was written", func(_ *guard.Input, o *guard.Order) { o.At = noon.Add(time.Minute) }, false},
		{"it is void when the role has changed", func(in *guard.Input, _ *guard.Order) {
			in.Seen.Addon.Value.Role = "arn:aws:iam::111122223333:role/other"
		}, false},
		{"it is void when the configuration has changed", func(in *guard.Input, _ *guard.Order) { in.Seen.Addon.Value.Config = "{}" }, false},
		{"it is void for another cluster", func(in *guard.Input, _ *guard.Order) {
			in.ID.Name = "prod2"
			in.Seen.Alarms.Value[0].Spec = kept(in.ID)
		}, false},
		{"it is void when the path leads elsewhere", func(in *guard.Input, _ *guard.Order) { in.Settings.Value.Target = cni.ToFloor }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, o := outdated(), approval
			in.Settings.Value.Mode, in.Settings.Value.Target = policy.Approve, cni.ToLatest
			c.change(&in, &o)
			in.Orders = guard.Read([]guard.Order{o})
			p := guard.Decide(in)
			started := slices.ContainsFunc(p.Actions, func(a guard.Action) bool { return a.Kind == guard.StartUpdate })
			if started != c.opens {
				t.Errorf("starts: %v, held: %+v", started, p.Held)
			}
			if !c.opens && !slices.Contains(gates(p), "approval") {
				t.Errorf("held by %v", gates(p))
			}
		})
	}
}

// A person's rollback is not undone by an approval from before it, nor by mode auto; a new approval may.
// Fact 3/down.
func TestWhatAPersonMovedBackStaysThere(t *testing.T) {
	for _, mode := range []policy.Mode{policy.Approve, policy.Auto} {
		in := outdated()
		in.Settings.Value.Mode = mode
		in.Record.Proved = guard.Proved{Version: "v1.8.0-eksbuild.1", At: noon.Add(-24 * time.Hour)}
		p := guard.Decide(in)
		o := guard.Order{Kind: guard.Approval, By: "ann", At: noon.Add(-25 * time.Hour), Until: noon.Add(time.Hour), Steps: p.Path, Keeps: p.Keeps}
		in.Orders = guard.Read([]guard.Order{o})
		if got := gates(guard.Decide(in)); !slices.Equal(got, []string{"moved back"}) {
			t.Errorf("%s, an approval from before: held by %v", mode, got)
		}
		in.Orders.Value[0].At = noon.Add(-time.Hour)
		again := guard.Decide(in)
		if len(again.Actions) != 1 {
			t.Errorf("%s, a new approval: held %+v", mode, again.Held)
			continue
		}
		in.Record.Proved = guard.Proved{}
		if first := guard.Decide(in); first.Actions[0].Step.Token == again.Actions[0].Step.Token {
			t.Error("the same step after a rollback has the same client request token")
		}
	}
}

func TestAnApprovalOpensWhatWasSetAside(t *testing.T) {
	in := outdated()
	in.Settings.Value.Mode = policy.Approve
	p := guard.Decide(in)
	in.Record.Aside = &guard.Aside{Text: "2 tries failed", At: noon.Add(-time.Hour)}
	in.Record.Failed = guard.Failed{To: "v1.8.0-eksbuild.1", Tries: 2, Last: noon.Add(-time.Hour)}
	o := guard.Order{Kind: guard.Approval, By: "ann", At: noon.Add(-2 * time.Hour), Until: noon.Add(time.Hour), Steps: p.Path, Keeps: p.Keeps}
	in.Orders = guard.Read([]guard.Order{o})
	if got := gates(guard.Decide(in)); !slices.Equal(got, []string{"set aside"}) {
		t.Errorf("an approval from before: held by %v", got)
	}
	in.Orders.Value[0].At = noon.Add(-time.Minute)
	p = guard.Decide(in)
	if len(p.Actions) != 1 || p.Actions[0].Step.Try != 3 {
		t.Errorf("a new approval: %+v held %+v", p.Actions, p.Held)
	}
}

func TestLevelsHaveASlack(t *testing.T) {
	for _, c := range []struct {
		used float64
		was  string
		want string
	}{
		{79.9, guard.Fine, guard.Fine}, {80, guard.Fine, guard.WarningWord}, {95, guard.Fine, guard.CriticalWord},
		{78.1, guard.WarningWord, guard.WarningWord}, {77.9, guard.WarningWord, guard.Fine},
		{94, guard.WarningWord, guard.WarningWord}, {94, guard.CriticalWord, guard.CriticalWord}, {92.9, guard.CriticalWord, guard.WarningWord},
		{78.5, guard.CriticalWord, guard.WarningWord}, {50, guard.CriticalWord, guard.Fine}, {80, "", guard.WarningWord},
	} {
		if got := guard.Level(c.used, 80, 95, c.was); got != c.want {
			t.Errorf("%v %% after %s is %s, want %s", c.used, c.was, got, c.want)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	for name, in := range map[string]guard.Input{"healthy": fine(), "outdated": outdated()} {
		for i := range 60 { // a catalogue as long as EKS's
			in.Seen.Catalogue.Value = append(in.Seen.Catalogue.Value, cni.Release{Version: cni.Version{Major: 1, Minor: 10 + i/6, Patch: i % 6, Build: 1}})
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				guard.Decide(in)
			}
		})
	}
}
