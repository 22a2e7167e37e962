package kube

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// visit is one reading of one cluster. All of its requests send the same token.
type visit struct {
	api   guard.API
	host  string // of the endpoint
	role  string // ARN of the role that asks
	token token
	way   http.RoundTripper
	clock clock.Clock
}

func (v *visit) close() {
	if c, ok := v.way.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// found is an aws-node, and the name of its pods' service account.
type found struct {
	Node    guard.DaemonSet
	Account string
}

// inside asks for aws-node and, where the API says that there is none, for what stands in its place.
func (v *visit) inside(ctx context.Context) guard.Reading[*guard.Inside] {
	is, f := answer(ctx, v, nodeQuestion(), func(body []byte) (is found, err error) {
		is.Node, is.Account, err = ReadDaemonSet(body)
		return is, err
	})
	switch {
	case f == nil:
		return guard.Read(v.complete(ctx, is))
	case f.Kind != fault.Skip:
		return guard.Hidden[*guard.Inside](f)
	}
	others, f := v.others(ctx, false)
	if f != nil {
		return guard.Hidden[*guard.Inside](f)
	}
	return guard.Read(&guard.Inside{Others: others})
}

// others asks for the CNIs that stand in kube-system; known: aws-node is one of its DaemonSets.
func (v *visit) others(ctx context.Context, known bool) ([]string, *fault.Fault) {
	return answer(ctx, v, othersQuestion(), func(body []byte) ([]string, error) { return readOthers(body, known) })
}

// complete adds what stands beside a DaemonSet. What cannot be read of it is named there and hides nothing. One that runs on no node was
// switched off, or is not for these nodes, and another may stand in its place: Cilium's guide for EKS patches aws-node with a node selector
// that fits no node, io.cilium/aws-node-enabled, and the affinity of aws-node keeps it off Fargate, hybrid and Auto Mode nodes.
func (v *visit) complete(ctx context.Context, is found) *guard.Inside {
	node := &is.Node
	all := &guard.Inside{Node: node}
	var role, configs, others *fault.Fault
	asking := []func(context.Context) error{func(ctx context.Context) error {
		node.Role, role = answer(ctx, v, accountQuestion(is.Account), readServiceAccount)
		return nil
	}}
	if customNetworking(node.Env) {
		asking = append(asking, func(ctx context.Context) error {
			node.ENIConfigs, configs = answer(ctx, v, configsQuestion(), readENIConfigs)
			return nil
		})
	}
	if node.Desired == 0 {
		asking = append(asking, func(ctx context.Context) error {
			all.Others, others = v.others(ctx, true)
			return nil
		})
	}
	_ = v.clock.Parallel(ctx, asking...) // their faults are kept, not returned
	for _, f := range []*fault.Fault{role, configs, others} {
		if f != nil {
			node.Unread = append(node.Unread, f.Error())
		}
	}
	return all
}

// customNetworking reports whether pods take their addresses from the subnets of ENIConfigs. The CNI reads the variable with
// strconv.ParseBool, and what that does not take is false (amazon-vpc-cni-k8s, pkg/ipamd, parseBoolEnvVar).
func customNetworking(env []guard.Fact) bool {
	return slices.ContainsFunc(env, func(f guard.Fact) bool {
		on, _ := strconv.ParseBool(f.Value)
		return f.Name == "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG" && on
	})
}
