// Package relief says what helps a cluster that runs short of pod addresses, with that cluster's own numbers: larger nodes, prefix
// delegation, custom networking, other warm targets, a reservation for prefixes, more nodes. It is pure.
package relief

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
)

// Facts are what is known of a cluster and its network. What is not known is left out, and what rests on it is not said.
type Facts struct {
	Cluster     cluster.ID                 `json:"cluster"`
	Version     cni.Version                `json:"version,omitzero"`   // of the VPC CNI that runs; not Known: it cannot be compared, or nobody knows which runs
	Managed     bool                       `json:"managed,omitempty"`  // EKS manages the add-on: its settings are configuration values; else they are the DaemonSet's environment
	AutoMode    bool                       `json:"autoMode,omitempty"` // EKS Auto Mode runs the network: nothing of it can be set
	Mode        capacity.Mode              `json:"mode,omitzero"`
	Targets     capacity.Targets           `json:"targets,omitzero"` // zero: not known
	Nodes       []capacity.Nodes           `json:"nodes,omitempty"`
	Types       []capacity.InstanceType    `json:"types,omitempty"`   // of the nodes, and the other sizes of their families
	Subnets     []capacity.Subnet          `json:"subnets,omitempty"` // the pod subnets
	Blocks      map[string]capacity.Blocks `json:"blocks,omitempty"`  // of the pod subnets, by their id
	NodeMetrics capacity.NodeMetrics       `json:"nodeMetrics,omitzero"`
	VPC         string                     `json:"vpc,omitempty"`    // id
	Taken       []netip.Prefix             `json:"taken,omitempty"`  // the ranges of the VPC, its peers and its routes, as far as they were read
	Unread      []string                   `json:"unread,omitempty"` // what of Taken could not be read, as "the routes of vpc-0a1 (AccessDenied)"
}

// Help is one thing that may be done.
type Help struct {
	Code     string // stable, as "prefix-delegation"
	Title    string // a few words, as "prefix delegation"
	Line     string // one line for a message: what it gains, in this cluster's numbers
	Effect   string // what it gains, in sentences, with the numbers that it was computed from
	Risk     string // what may go wrong, or has to be known before
	Commands []string
	Files    []File
	Not      string // why it does not help here, or cannot be computed; then Title is all that there is besides
}

// File is a file that a command names.
type File struct{ Name, Text string }

// All is what helps a cluster, the most useful first, and after that what does not. Facts that cannot be are taken for not known.
func All(f Facts) []Help {
	f = f.sound()
	kinds := []func(Facts) Help{warmTargets, reservation, customNetworking, instanceSize, prefixDelegation, moreNodes}
	if f.nodesFull() {
		kinds = []func(Facts) Help{moreNodes, prefixDelegation, instanceSize, warmTargets, reservation, customNetworking}
	}
	var help, unsure, not []Help
	for _, kind := range kinds {
		switch h := kind(f); {
		case h.Not != "":
			not = append(not, h)
		case h.Code == warmCode && f.freed() <= 0:
			unsure = append(unsure, h)
		default:
			help = append(help, h)
		}
	}
	return slices.Concat(help, unsure, not)
}

// Line is what to say of it in a message: the best one or two, in at most 160 characters; empty where nothing can be said. Where prefix
// delegation, which many reach for first, has too few /28 blocks, that is the second.
func Line(f Facts) string {
	var parts []string
	for _, h := range All(f) {
		if h.Not == "" {
			parts = append(parts, h.Line)
		}
	}
	if f = f.sound(); len(parts) > 0 && f.fewBlocks() && cannotDelegate(f) == "" {
		parts = []string{parts[0], "prefix delegation lacks /28 blocks"}
	}
	for n := min(2, len(parts)); n > 0; n-- {
		if line := strings.Join(parts[:n], "; "); utf8.RuneCountInString(line) <= longest {
			return line
		}
	}
	return ""
}

// none is a kind of help that does not apply, and why.
func none(code, title, format string, args ...any) Help {
	return Help{Code: code, Title: title, Not: fmt.Sprintf(format, args...)}
}
