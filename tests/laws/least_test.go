package laws_test

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// granted is what each principal may do; people's commands are one principal.
func granted() map[string][]string {
	return map[string][]string{
		"cniguard-observer": {
			"eks:ListClusters", "eks:DescribeCluster", "eks:DescribeAddon", "eks:DescribeAddonVersions", "eks:ListUpdates", "eks:DescribeUpdate",
			"eks:ListNodegroups", "eks:DescribeNodegroup", "eks:ListFargateProfiles", "eks:DescribeFargateProfile",
			"ec2:DescribeInstances", "ec2:DescribeSubnets",
			"cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:PutMetricData",
		},
		"cniguard-updater": {"eks:UpdateAddon"},
		"cniguard-urgent": {
			"sns:Publish", "events:PutEvents", "sts:AssumeRole cniguard-observer", "sts:AssumeRole cniguard-updater",
			"ledger:Load", "ledger:Save", "ledger:Orders", "ledger:Fleet", "ledger:In",
		},
		"cniguard-bulk": {
			"sns:Publish", "events:PutEvents", "sts:AssumeRole cniguard-observer",
			"ledger:Load", "ledger:Save", "ledger:Orders", "ledger:Fleet", "ledger:Due", "ledger:In",
		},
		"person": {"events:PutEvents", "sts:AssumeRole cniguard-observer", "ledger:Load", "ledger:Orders", "ledger:Fleet"},
	}
}

// least is law 12: what is granted is what is used. That everything granted is used is asked over all scenes; see TestLaws.
func least(s *stage) law {
	const name = "Least"
	table := granted()
	return law{name: name, called: func(c *world.Call, _ *work) {
		who, action := principalOf(c), actionOf(c)
		use := who + " " + action
		if s.used[use] {
			return
		}
		s.used[use] = true
		if !slices.Contains(table[who], action) {
			s.breaks(name, cluster.ID{Account: c.Account, Region: c.Region, Name: c.Cluster}, "%s called %s", who, action)
		}
	}}
}

func principalOf(c *world.Call) string {
	if strings.Contains(c.Principal, ":role/person/") {
		return "person"
	}
	return c.Principal[strings.LastIndexByte(c.Principal, '/')+1:]
}

func actionOf(c *world.Call) string {
	if in, ok := c.In.(*sts.AssumeRoleInput); ok {
		return c.Action() + " " + (*in.RoleArn)[strings.LastIndexByte(*in.RoleArn, '/')+1:]
	}
	return c.Action()
}
