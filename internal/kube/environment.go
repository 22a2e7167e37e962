package kube

import (
	"fmt"
	"slices"
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

// facts are the values that are kept, each whole: a part of one would be another setting.
func (e environment) facts() (facts []guard.Fact) {
	for _, name := range matter {
		if v, is := e.last(name); is && !v.elsewhere() && v.whole() {
			facts = append(facts, guard.Fact{Name: name, Value: v.Value})
		}
	}
	return facts
}

// whole reports whether a value can be kept as it is.
func (v variable) whole() bool { return plain.Clean(v.Value, longestValue) == v.Value }

func (e environment) unread() (why []string) {
	for _, name := range append([]string{versionEnv}, matter...) {
		switch v, is := e.last(name); {
		case is && v.elsewhere():
			why = append(why, name+": its value stands elsewhere")
		case is && name != versionEnv && !v.whole():
			why = append(why, name+": its value is too long to be kept, or has characters that cannot be shown")
		}
	}
	return why
}

// mostOthers is how many names of further variables are kept.
const mostOthers = 30

// own are the variables that every release's manifest sets for itself: they are nobody's settings.
var own = []string{versionEnv, "MY_NODE_NAME", "MY_POD_NAME"}

// others are the names of all other variables, in order, and how many there are more: what they are set to is nobody's business, but whoever
// installs aws-node in another way has to carry it over.
func (e environment) others() (names []string) {
	for _, v := range e {
		if !slices.Contains(matter, v.Name) && !slices.Contains(own, v.Name) {
			names = append(names, plain.Clean(v.Name, longestName))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if more := len(names) - mostOthers; more > 0 {
		names = append(names[:mostOthers], fmt.Sprintf("and %d more", more))
	}
	return names
}
