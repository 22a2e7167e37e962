package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/alarm"
)

// Kinds are alarms beside that on the pod subnets, in the order of alarm.Kinds, with a space between two: a list that can be compared.
type Kinds string

// kindsOf reads kinds with spaces between them, in any order. It does not ask whether there are such.
func kindsOf(text string) Kinds {
	var known []string
	for _, kind := range further() {
		if slices.Contains(strings.Fields(text), kind) {
			known = append(known, kind)
		}
	}
	return Kinds(strings.Join(known, " "))
}

// further are the kinds of alarms that a policy may choose.
func further() []string {
	var kinds []string
	for _, k := range alarm.Kinds() {
		if k != alarm.PodSubnets {
			kinds = append(kinds, string(k))
		}
	}
	return kinds
}

// Has reports whether an alarm is among them.
func (k Kinds) Has(kind alarm.Kind) bool {
	return slices.Contains(strings.Fields(string(k)), string(kind))
}

// include reports whether all of others are among them.
func (k Kinds) include(others Kinds) bool {
	return !slices.ContainsFunc(strings.Fields(string(others)), func(kind string) bool { return !k.Has(alarm.Kind(kind)) })
}

// kinds checks a list of kinds entry by entry.
func (c *checker) kinds(at string, written []string) {
	for i, kind := range written {
		place := fmt.Sprintf("%s[%d]", at, i)
		switch {
		case !slices.Contains(further(), kind):
			c.mistake(place, fmt.Sprintf("%q is not one of the further alarms", kind), "allowed: "+strings.Join(further(), ", "))
		case slices.Contains(written[:i], kind):
			c.mistake(place, kind+" is in the list already", "allowed: once")
		}
	}
}

// itsName is the text for a CLUSTER_ID that is the cluster's name.
const itsName = "name"

// parseHelperID reads the value of a dimension that comes from an environment variable or a tag of the nodes. The characters are those of tags
// that CloudWatch allows, too.
func parseHelperID(into *string, text string) bool {
	*into = text
	if text == itsName {
		*into = ""
	}
	return text != "" && len(text) <= 255 && text == strings.TrimSpace(text) && strings.Trim(text, topicLetters+" +=.:/@") == ""
}
