package guard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/guard"
)

// delegating is a cluster with prefix delegation, whose two pod subnets have these blocks.
func delegating(a, b capacity.Blocks) guard.Input {
	in := fine()
	in.Seen.Hosts.Value.Nodes = []capacity.Nodes{{Type: "m5.large", Count: 3, Interfaces: 1, Prefixes: 2}}
	in.Seen.Blocks = guard.Read(guard.Blocks{In: map[string]capacity.Blocks{"subnet-a": a, "subnet-b": b}})
	return in
}

func blocks(free, total int) capacity.Blocks {
	return capacity.Blocks{Open: free, Total: total, Packed: free, Prefixes: 1}
}

func TestSubnetsWithoutBlocksAreFoundWhereNodesTakePrefixes(t *testing.T) {
	roomy := blocks(10, 14)
	told := func(s guard.Severity) func(*guard.Input) {
		return func(in *guard.Input) {
			in.Record.Told = map[guard.Code]guard.Told{guard.BlocksLow: {Severity: s, Times: 1, First: noon, Last: noon}}
		}
	}
	for name, c := range map[string]struct {
		in       guard.Input
		change   func(*guard.Input)
		severity guard.Severity // zero: none is found
		capacity string
		says     string // in a fact
	}{
		"all have enough": {delegating(roomy, roomy), nil, 0, "fine", ""},
		"a fifth is left, and single addresses are plenty": {delegating(roomy, blocks(2, 10)), nil, guard.Warning, "warning", "subnet-b"},
		"none is left":                                        {delegating(blocks(0, 14), roomy), nil, guard.Critical, "critical", "0 of 14"},
		"a fifth and a little are left":                       {delegating(roomy, blocks(21, 100)), nil, 0, "fine", ""},
		"told, and hardly better":                             {delegating(roomy, blocks(21, 100)), told(guard.Warning), guard.Warning, "warning", "21 of 100"},
		"told, and clearly better":                            {delegating(roomy, blocks(23, 100)), told(guard.Warning), 0, "fine", ""},
		"told to be critical, and hardly better":              {delegating(roomy, blocks(6, 100)), told(guard.Critical), guard.Critical, "critical", "6 of 100"},
		"a subnet too small for a block":                      {delegating(roomy, capacity.Blocks{}), nil, guard.Critical, "critical", "too small"},
		"what counts are those in the reservation for them":   {delegating(roomy, capacity.Blocks{Open: 50, Reserved: 1, Total: 60, ForPrefixes: 10, Packed: 60}), nil, guard.Warning, "warning", "1 of 10"},
		"how many are lost in pieces is said":                 {delegating(roomy, capacity.Blocks{Open: 1, Total: 10, Packed: 7}), nil, guard.Warning, "warning", "6 blocks lost"},
		"nodes that take single addresses have no use for it": {delegating(blocks(0, 14), roomy), func(in *guard.Input) { in.Seen.Hosts.Value.Nodes[0].Prefixes = 0 }, 0, "fine", ""},
		"the setting alone says that nodes will": {delegating(blocks(0, 14), roomy), func(in *guard.Input) {
			in.Seen.Hosts.Value.Nodes = nil
			in.Seen.Addon.Value.Config = `{"env":{"ENABLE_PREFIX_DELEGATION":"true"}}`
		}, guard.Critical, "critical", "0 of 14"},
		"Auto Mode's own nodes take single addresses where there is no prefix": {delegating(blocks(0, 14), roomy), func(in *guard.Input) {
			in.Seen.Cluster.Value.AutoMode, in.Seen.Hosts.Value.Nodegroups, in.Seen.Hosts.Value.Instances = true, false, true
		}, 0, "fine", ""},
		"pods are kept out of a subnet by its tag": {delegating(capacity.Blocks{}, roomy), func(in *guard.Input) {
			in.Seen.Pods.Value.Subnets[0].Tags = map[string]string{"kubernetes.io/role/cni": "0"}
		}, 0, "fine", ""},
		"Fargate takes single addresses": {delegating(blocks(0, 14), roomy), func(in *guard.Input) {
			in.Seen.Pods.Value.Subnets[0].By = []string{"Fargate profile fp"}
		}, 0, "fine", ""},
		"with custom networking nodes have only their own address in a subnet without prefixes": {delegating(blocks(0, 14), roomy), func(in *guard.Input) {
			in.Seen.Addon.Value.Config = `{"env":{"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG":"true"}}`
			b := blocks(0, 14)
			b.Prefixes = 0
			in.Seen.Blocks.Value.In["subnet-a"] = b
		}, 0, "fine", ""},
		"with custom networking the subnet of an ENIConfig counts before it holds a prefix": {delegating(blocks(0, 14), roomy), func(in *guard.Input) {
			in.Seen.Addon.Value.Config = `{"env":{"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG":"true"}}`
			in.Seen.Blocks.Value.In["subnet-a"] = capacity.Blocks{Total: 14}
			in.Seen.Pods.Value.Subnets[0].By = []string{"ENIConfig zone-a"}
		}, guard.Critical, "critical", "0 of 14"},
		"another account's subnet is not known, and that is said": {delegating(roomy, blocks(1, 10)), func(in *guard.Input) {
			in.Seen.Blocks.Value.Unseen = []string{"subnet-c"}
		}, guard.Warning, "warning", "subnet-c"},
		"full of single addresses too: the worse answer heads": {delegating(roomy, blocks(1, 10)), func(in *guard.Input) {
			in.Seen.Pods.Value.Subnets[0].Free = 3
		}, guard.Warning, "critical", "1 of 10"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.in)
			}
			p := guard.Decide(c.in)
			i := slices.IndexFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.BlocksLow })
			switch {
			case i < 0 && c.severity != 0:
				t.Fatalf("not found; capacity %v", p.Verdict.Capacity)
			case i >= 0 && p.Findings[i].Severity != c.severity:
				t.Errorf("severity %v, want %v", p.Findings[i].Severity, c.severity)
			case i >= 0 && !slices.ContainsFunc(p.Findings[i].Facts, func(f guard.Fact) bool { return strings.Contains(f.Value, c.says) }):
				t.Errorf("%q is not in %+v", c.says, p.Findings[i].Facts)
			}
			if p.Verdict.Capacity.Word != c.capacity || p.Blind[guard.BlocksLow] {
				t.Errorf("capacity %v, want %s; blind %v", p.Verdict.Capacity, c.capacity, p.Blind[guard.BlocksLow])
			}
		})
	}
}

func TestWhatIsNotKnownOfBlocksIsNotFine(t *testing.T) {
	unread := guard.Hidden[guard.Blocks](throttled("ec2:DescribeNetworkInterfaces"))
	told := map[guard.Code]guard.Told{guard.BlocksLow: {Severity: guard.Critical, Times: 1, First: noon, Last: noon}}
	for name, c := range map[string]struct {
		change func(*guard.Input)
		word   string
		says   string
	}{
		"blocks that could not be read": {func(in *guard.Input) { in.Seen.Blocks = unread }, "unknown", "could not be read"},
		"blocks that were critical":     {func(in *guard.Input) { in.Seen.Blocks, in.Record.Told = unread, told }, "critical", "could not be read"},
		"those of another account": {func(in *guard.Input) {
			in.Seen.Pods.Value.Subnets[0].Owner = "444455556666"
			in.Seen.Blocks.Value.Unseen = []string{"subnet-a"}
		}, "fine", "account 444455556666, which shares it, is not in the fleet"},
		"nodes that take single addresses": {func(in *guard.Input) { in.Seen.Blocks, in.Seen.Hosts.Value.Nodes = unread, nil }, "fine", "used"},
	} {
		t.Run(name, func(t *testing.T) {
			in := delegating(blocks(10, 14), blocks(10, 14))
			c.change(&in)
			if got := guard.Decide(in).Verdict.Capacity; got.Word != c.word || !strings.Contains(got.Because, c.says) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestBlocksThatNobodySeesAnyMoreDoNotRecover(t *testing.T) {
	in := delegating(blocks(0, 14), blocks(0, 14))
	in.Seen.Blocks = guard.Read(guard.Blocks{Unseen: []string{"subnet-a", "subnet-b"}})
	in.Settings.Value.FurtherAlarms = "free-blocks"
	in.Record.Told = map[guard.Code]guard.Told{guard.BlocksLow: {Severity: guard.Critical, Times: 1, First: noon, Last: noon}}
	p := guard.Decide(in)
	if !p.Blind[guard.BlocksLow] || slices.Contains(actions(p), "put alarm cniguard-prod-free-blocks") {
		t.Errorf("blind %v, does %v", p.Blind[guard.BlocksLow], actions(p))
	}
	if len(p.Unmade) != 1 || !strings.Contains(p.Unmade[0].Value, "another account") {
		t.Errorf("says %+v", p.Unmade)
	}
}

func TestTheAlarmOnBlocksStaysWhileNodesSleep(t *testing.T) {
	in := delegating(blocks(10, 14), blocks(10, 14))
	in.Settings.Value.FurtherAlarms = "free-blocks"
	in.Record = guard.Conclude(in, guard.Decide(in), nil)
	in.Seen.Hosts.Value.Nodes = nil
	in.Seen.Blocks = guard.Read(guard.Blocks{})
	wish := alarm.Wish{Cluster: prod, Warning: 80, Owner: prod.Account}
	in.Seen.Alarms.Value = append(in.Seen.Alarms.Value, alarm.Standing{Spec: wish.Want(alarm.FreeBlocks), State: alarm.OK, Since: noon})
	p := guard.Decide(in)
	if m := guard.Conclude(in, p, nil).Meter; len(p.Actions) > 0 || len(m.Blocks) != 2 {
		t.Errorf("does %v, meters %+v", actions(p), m)
	}
}

func TestBlocksThatCannotBeReadAreNotJudged(t *testing.T) {
	for name, change := range map[string]func(*guard.Input){
		"the interfaces cannot be read": func(in *guard.Input) {
			in.Seen.Blocks = guard.Hidden[guard.Blocks](denied("ec2:DescribeNetworkInterfaces"))
		},
		"the nodes cannot be listed":     func(in *guard.Input) { in.Seen.Hosts = guard.Hidden[guard.Hosts](throttled("ec2:DescribeInstances")) },
		"the pod subnets cannot be read": func(in *guard.Input) { in.Seen.Pods = guard.Hidden[capacity.Pods](throttled("ec2:DescribeSubnets")) },
	} {
		t.Run(name, func(t *testing.T) {
			in := delegating(blocks(0, 14), blocks(0, 14))
			change(&in)
			if p := guard.Decide(in); !p.Blind[guard.BlocksLow] || slices.Contains(codes(p.Findings), guard.BlocksLow) {
				t.Errorf("blind %v, found %v", p.Blind[guard.BlocksLow], codes(p.Findings))
			}
		})
	}
	in := delegating(blocks(5, 14), blocks(5, 14))
	in.Seen.Blocks = guard.Hidden[guard.Blocks](denied("ec2:DescribeNetworkInterfaces"))
	if p := guard.Decide(in); !slices.Contains(codes(p.Findings), guard.Unreadable) {
		t.Errorf("nobody is told what is missing: %v", codes(p.Findings))
	}
}

func TestBlocksAreReadWhereTheyMatter(t *testing.T) {
	prefixes := delegating(blocks(1, 14), blocks(1, 14))
	single := fine()
	short := fine()
	short.Seen.Pods.Value.Subnets[0].Free = 3
	lately := short
	lately.Record.Relief.At = noon.Add(-day / 2)
	ipv6 := delegating(blocks(1, 14), blocks(1, 14))
	ipv6.Seen.Pods.Value.Exempt = "IPv6"
	deleting := delegating(blocks(1, 14), blocks(1, 14))
	deleting.Seen.Cluster.Value.Status = "DELETING"
	for name, c := range map[string]struct {
		in   guard.Input
		want bool
	}{
		"where nodes take prefixes, at each check":       {prefixes, true},
		"not where they take single addresses":           {single, false},
		"once a day for a cluster that is short of them": {short, true},
		"and not twice":                    {lately, false},
		"not where they do not run out":    {ipv6, false},
		"not of a cluster that is deleted": {deleting, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.in.WantsBlocks(); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestTheMeterCountsBlocksForTheAlarmOnly(t *testing.T) {
	in := delegating(blocks(10, 14), blocks(2, 14))
	conclude := func() guard.Meter { return guard.Conclude(in, guard.Decide(in), nil).Meter }
	if m := conclude(); m.Blocks != nil {
		t.Errorf("without the alarm: %+v", m)
	}
	in.Settings.Value.FurtherAlarms = "free-blocks"
	if m := conclude(); !slices.Equal(m.Blocks, []string{"subnet-a", "subnet-b"}) || m.BlocksLevel != guard.WarningWord {
		t.Errorf("with the alarm: %+v", m)
	}
	in.Settings.Value.Alarms = false
	if m := conclude(); m.Blocks != nil || m.Publish {
		t.Errorf("with alarms off: %+v", m)
	}
}

func TestTheMeterGoesOnWithTheBlocksThatItCounted(t *testing.T) {
	for name, hide := range map[string]func(*guard.Input){
		"the interfaces": func(in *guard.Input) {
			in.Seen.Blocks = guard.Hidden[guard.Blocks](throttled("ec2:DescribeNetworkInterfaces"))
		},
		"the nodes": func(in *guard.Input) { in.Seen.Hosts = guard.Hidden[guard.Hosts](throttled("ec2:DescribeInstances")) },
	} {
		for _, custom := range []string{"false", "true"} {
			in := delegating(blocks(10, 14), blocks(10, 14))
			in.Settings.Value.FurtherAlarms = "free-blocks"
			in.Seen.Addon.Value.Config = `{"env":{"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG":"` + custom + `"}}`
			in.Record = guard.Conclude(in, guard.Decide(in), nil)
			hide(&in)
			if m := guard.Conclude(in, guard.Decide(in), nil).Meter; len(m.Blocks) != 2 || m.BlocksLevel != guard.Unknown {
				t.Errorf("%s are hidden, custom networking %s: %+v", name, custom, m)
			}
		}
	}
}

func TestAlarmsByPolicy(t *testing.T) {
	const subnets, free, left, nodes = "cniguard-prod-pod-subnets", "cniguard-prod-free-blocks", "cniguard-prod-days-left", "cniguard-prod-node-capacity"
	prefixes := delegating(blocks(10, 14), blocks(10, 14))
	found := &capacity.NodeMetrics{ID: "prod", Assigned: 10, Total: 20, Max: 100}
	for name, c := range map[string]struct {
		in     guard.Input
		change func(*guard.Input)
		stand  []string
		want   []string
	}{
		"the one on the pod subnets by default": {fine(), nil, nil, []string{"put alarm " + subnets}},
		"all that the policy lists": {prefixes, func(in *guard.Input) {
			in.Settings.Value.FurtherAlarms, in.Seen.NodeMetrics = "free-blocks days-left node-capacity", guard.Read(found)
		}, nil, []string{"put alarm " + subnets, "put alarm " + free, "put alarm " + left, "put alarm " + nodes}},
		"no alarm on blocks that nobody takes": {fine(), func(in *guard.Input) { in.Settings.Value.FurtherAlarms = "free-blocks" }, []string{subnets, free},
			[]string{"drop alarm " + free}},
		"it stays while nobody knows what nodes take": {fine(), func(in *guard.Input) {
			in.Settings.Value.FurtherAlarms = "free-blocks"
			in.Seen.Hosts = guard.Hidden[guard.Hosts](throttled("ec2:DescribeInstances"))
		}, []string{subnets, free}, nil},
		"it stays while the pod subnets cannot be read": {prefixes, func(in *guard.Input) {
			in.Settings.Value.FurtherAlarms = "free-blocks"
			in.Seen.Pods = guard.Hidden[capacity.Pods](throttled("ec2:DescribeSubnets"))
		}, []string{subnets, free}, nil},
		"no alarm on a helper that is not there": {fine(), func(in *guard.Input) {
			in.Settings.Value.FurtherAlarms, in.Seen.NodeMetrics = "node-capacity", guard.Read(&capacity.NodeMetrics{Others: []string{"k8s-cluster"}})
		}, []string{subnets}, nil},
		"it stays while the helper was never looked for": {fine(), func(in *guard.Input) { in.Settings.Value.FurtherAlarms = "node-capacity" }, []string{subnets, nodes}, nil},
		"what the policy lists no more goes":             {fine(), nil, []string{subnets, left, nodes}, []string{"drop alarm " + left, "drop alarm " + nodes}},
		"all go where alarms are off": {fine(), func(in *guard.Input) { in.Settings.Value.Alarms = false }, []string{subnets, left},
			[]string{"drop alarm " + subnets, "drop alarm " + left}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.in)
			}
			var standing []alarm.Standing
			wish := alarm.Wish{Cluster: prod, Warning: 80, DaysLeft: 7, HelperID: "prod", Owner: prod.Account}
			for _, k := range alarm.Kinds() {
				if slices.Contains(c.stand, k.Name(prod)) {
					standing = append(standing, alarm.Standing{Spec: wish.Want(k), State: alarm.OK, Since: noon.Add(-day)})
				}
			}
			c.in.Seen.Alarms = guard.Read(standing)
			if got := actions(guard.Decide(c.in)); !slices.Equal(got, c.want) {
				t.Errorf("does %v, want %v", got, c.want)
			}
		})
	}
}

func TestAnAlarmThatStandsIsTaggedAnew(t *testing.T) {
	in := fine()
	in.Seen.Cluster.Value.Tags = map[string]string{"Owner": "team-a"}
	p := guard.Decide(in)
	if len(p.Actions) != 1 || !p.Actions[0].Retag || p.Actions[0].Alarm.Tags["owner"] != "team-a" {
		t.Errorf("does %+v", p.Actions)
	}
	in.Seen.Alarms = guard.Read[[]alarm.Standing](nil)
	if p = guard.Decide(in); len(p.Actions) != 1 || p.Actions[0].Retag {
		t.Errorf("a new alarm: %+v", p.Actions)
	}
}
