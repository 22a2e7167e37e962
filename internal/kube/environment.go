package kube

import (
	"strings"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// matter are the variables of aws-node that decide how many IP addresses it takes, from where, and whether it tells (README of
// amazon-vpc-cni-k8s, "CNI Configuration Variables"), by name. The values of others are never kept.
var matter = []string{
	"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "CLUSTER_NAME", "DISABLE_METRICS", "DISABLE_NETWORK_RESOURCE_PROVISIONING", "ENABLE_IPv4", "ENABLE_IPv6",
	"ENABLE_MULTI_NIC", "ENABLE_POD_ENI", "ENABLE_PREFIX_DELEGATION", "ENABLE_SUBNET_DISCOVERY", "ENI_CONFIG_ANNOTATION_DEF", "ENI_CONFIG_LABEL_DEF",
	"IP_COOLDOWN_PERIOD", "MAX_ENI", "MINIMUM_IP_TARGET", "WARM_ENI_TARGET", "WARM_IP_TARGET", "WARM_PREFIX_TARGET",
}

// environment is a container's variables.
type environment []variable

// last is the variable of that name. Where there are several, the last holds, as for the kubelet.
func (e environment) last(name string) (found variable, is bool) {
	for _, v := range e {
		if v.Name == name {
			found, is = v, true
		}
	}
	return found, is
}

// elsewhere reports whether the value stands in another object or variable.
func (v variable) elsewhere() bool { return v.ValueFrom != nil || strings.Contains(v.Value, "$(") }

// literal is the value of a variable; empty where it is none, or stands elsewhere.
func (e environment) literal(name string) string {
	if v, _ := e.last(name); !v.elsewhere() {
		return v.Value
	}
	return ""
}

func (e environment) facts() (facts []guard.Fact) {
	for _, name := range matter {
		if v, is := e.last(name); is && !v.elsewhere() {
			facts = append(facts, guard.Fact{Name: name, Value: plain.Clean(v.Value, longestValue)})
		}
	}
	return facts
}

func (e environment) unread() (why []string) {
	for _, name := range append([]string{versionEnv}, matter...) {
		if v, is := e.last(name); is && v.elsewhere() {
			why = append(why, name+": its value stands elsewhere")
		}
	}
	return why
}
