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

// inside asks for aws-node and, only where the API says that there is none, for what stands in its place.
func (v *visit) inside(ctx context.Context) guard.Reading[*guard.Inside] {
	var account string
	node, f := answer(ctx, v, nodeQuestion(), func(body []byte) (node guard.DaemonSet, err error) {
		node, account, err = ReadDaemonSet(body)
		return node, err
	})
	switch {
	case f == nil:
		v.complete(ctx, &node, account)
		return guard.Read(&guard.Inside{Node: &node})
	case f.Kind != fault.Skip:
		return guard.Hidden[*guard.Inside](f)
	}
	others, f := answer(ctx, v, othersQuestion(), readOthers)
	if f != nil {
		return guard.Hidden[*guard.Inside](f)
	}
	return guard.Read(&guard.Inside{Others: others})
}

// complete adds what stands beside a DaemonSet. What cannot be read of it is named there and hides nothing.
func (v *visit) complete(ctx context.Context, node *guard.DaemonSet, account string) {
	var role, configs *fault.Fault
	asking := []func(context.Context) error{func(ctx context.Context) error {
		node.Role, role = answer(ctx, v, accountQuestion(account), readServiceAccount)
		return nil
	}}
	if customNetworking(node.Env) {
		asking = append(asking, func(ctx context.Context) error {
			node.ENIConfigs, configs = answer(ctx, v, configsQuestion(), readENIConfigs)
			return nil
		})
	}
	_ = v.clock.Parallel(ctx, asking...) // their faults are kept, not returned
	for _, f := range []*fault.Fault{role, configs} {
		if f != nil {
			node.Unread = append(node.Unread, f.Error())
		}
	}
}

// customNetworking reports whether pods take their addresses from the subnets of ENIConfigs. The CNI reads the variable with
// strconv.ParseBool, and what that does not take is false (amazon-vpc-cni-k8s, pkg/ipamd, parseBoolEnvVar).
func customNetworking(env []guard.Fact) bool {
	return slices.ContainsFunc(env, func(f guard.Fact) bool {
		on, _ := strconv.ParseBool(f.Value)
		return f.Name == "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG" && on
	})
}
