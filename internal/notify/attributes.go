package notify

import (
	"maps"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/guard"
)

// What the attribute state says of a matter.
const (
	open     = "open"
	resolved = "resolved"
	neither  = "news" // of an update: no finding begins, stands or ends with it
)

// What the attribute action says that is expected of a person.
const (
	nothing = "none"    // it is over, or cniguard does what there is to do
	approve = "approve" // cniguard would do it, and waits for an approval
	act     = "act"     // what the message says under "What to do"
)

// attributes are a message's, for SNS filter policies. SNS takes more than ten for a mistake of the subscriber, and drops the message,
// where a queue has raw delivery (SNS developer guide, "Amazon SNS message attributes").
func attributes(m guard.Message, w words) map[string]string {
	return filled(map[string]string{
		"severity": m.Finding.Severity.String(), "finding": string(m.Finding.Code), "news": string(m.News), "state": standing(m),
		"account": m.Cluster.Account, "region": m.Cluster.Region, "cluster": m.Cluster.Name, "owner": m.Owner, "action": expected(m, w),
	})
}

// filled are the attributes that have a value: SNS refuses an empty one.
func filled(all map[string]string) map[string]string {
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// standing is the state of what a message is about. Unlike the state of a pager's alarm, it does not depend on the severity.
func standing(m guard.Message) string {
	switch {
	case ended(m.News):
		return resolved
	case settled(m):
		return neither
	}
	return open
}

// expected is what a person is asked for, in one word for programs.
func expected(m guard.Message, w words) string {
	switch {
	case strings.HasPrefix(w.do, unneeded):
		return nothing
	case m.Finding.Code == guard.UpdateAside, w.update && approvable(m):
		return approve
	}
	return act
}

// unneeded begins what to do where that is nothing.
const unneeded = "Nothing"

// approvable reports whether one of the gates that hold the update is opened by an approval. Others may be shut as well.
func approvable(m guard.Message) bool {
	return slices.ContainsFunc(m.Held, func(r guard.Reason) bool { return r.ByApproval })
}
