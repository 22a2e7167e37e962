package answers_test

import (
	"strings"
	"testing"
)

// network is the clusters' second network: three pod subnets in two zones, as the fields of a scene say.
func network(fields string) string {
	return "\n  - {id: vpc-2, account: \"444455556666\", region: eu-central-1, subnets: [" + fields + "]}\n" +
		strings.Replace(cluster("addon: {version: v1.23.0-eksbuild.1}", "controlPlane: [subnet-2a]"), "vpc: vpc-1", "vpc: vpc-2", 1)
}

func TestSubnets(t *testing.T) {
	const first = `{id: subnet-2a, cidr: 10.1.0.0/24, zone: eu-central-1a, used: [{addresses: 20}]}`
	const fills = `used: [{addresses: 10}, {at: 1h, addresses: 10}, {at: 61m, addresses: 210}]`
	on := func(subnets, nodegroup string) string {
		return strings.Replace(network(subnets), "subnets: [subnet-1]", "subnets: ["+nodegroup+"]", 1)
	}
	const filled = `
		alarm put: cniguard-prod at 80 %
		told: opened capacity-low (warning)
	`
	for _, s := range []scene{
		{name: "a subnet that is tagged for the CNI is watched before a node has an interface there", policy: looks, length: 7 * hour,
			world: on(first+`, {id: subnet-2p, cidr: 100.64.0.0/24, zone: eu-central-1a, tags: {kubernetes.io/role/cni: "1"}, `+fills+`}`, "subnet-2a"),
			did:   filled,
			says: map[string][]string{"opened capacity-low": {"subnet-2p (100.64.0.0/24, eu-central-1a)", "83.7 %", "found by tag kubernetes.io/role/cni",
				"worst zone eu-central-1a, 45.8 % used, 272 addresses free"}},
			ends: "warning; managed; fine; warning; idle; ", calls: 500},
		{name: "one that is tagged for another cluster, or to be left out, or in a zone without nodes, is not", policy: looks, length: 7 * hour,
			world: on(first+`, {id: subnet-2p, cidr: 100.64.0.0/24, zone: eu-central-1a, tags: {kubernetes.io/role/cni: "1", cni.networking.k8s.aws/cluster/stage: shared}, `+fills+`}
      , {id: subnet-2q, cidr: 100.64.1.0/24, zone: eu-central-1a, tags: {kubernetes.io/role/cni: "0"}, `+fills+`}
      , {id: subnet-2r, cidr: 100.64.2.0/24, zone: eu-central-1b, tags: {kubernetes.io/role/cni: "1"}, `+fills+`}`, "subnet-2a"),
			did:  "alarm put: cniguard-prod at 80 %",
			ends: "fine; managed; fine; fine; idle; ", calls: 500},
		{name: "a zone that fills does not hide behind the sum", policy: looks, length: 7 * hour,
			world: on(first+`, {id: subnet-2b, cidr: 10.1.4.0/22, zone: eu-central-1b}, {id: subnet-2c, cidr: 10.1.1.0/24, zone: eu-central-1c, `+fills+`}
      , {id: subnet-2d, cidr: 10.1.2.0/28, zone: eu-central-1c, used: [{addresses: 8}]}`, "subnet-2a, subnet-2b, subnet-2c, subnet-2d"),
			did: filled,
			says: map[string][]string{"opened capacity-low": {"subnet-2c (10.1.1.0/24, eu-central-1c)", "83.7 %", "found by node group blue",
				"worst zone eu-central-1c, 83.2 % used, 44 addresses free"}},
			ends: "warning; managed; fine; warning; idle; ", calls: 500},
		{name: "an upgrade of Kubernetes needs room where the control plane is, and pods do not", policy: looks, length: 14 * hour,
			world: on(`{id: subnet-2a, cidr: 10.1.0.0/28, zone: eu-central-1a, used: [{addresses: 7}, {at: 7h, addresses: 7}, {at: 8h, addresses: 3}]}
      , {id: subnet-2b, cidr: 10.1.4.0/22, zone: eu-central-1b}`, "subnet-2b"),
			did: `
				alarm put: cniguard-prod at 80 %
				for the digest: opened control-plane-room (warning)
				for the digest: recovered control-plane-room (warning)
			`,
			says: map[string][]string{"opened control-plane-room": {"subnet-2a (10.1.0.0/28, eu-central-1a)", "4 addresses"}},
			ends: "fine; managed; fine; fine; idle; ", calls: 700},
	} {
		t.Run(s.name, func(t *testing.T) { hold(t, s) })
	}
}
