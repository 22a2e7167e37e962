package remedy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/plain"
)

// migration translates the environment of an aws-node that EKS does not manage to configuration values of the managed add-on: indented JSON, or
// nothing where no variable goes along. EKS resets what it is not given (EKS user guide, "Create an Amazon EKS add-on"), so the notes name each
// variable that does not go along, and what nobody knows.
func (f Facts) migration() (values string, notes []string) {
	if env := f.carried(); len(env) > 0 {
		text, _ := json.MarshalIndent(map[string]map[string]string{"env": env}, "", "  ") // strings always have a JSON form
		values = string(text)                                                             // without a line break: a shell would lose it when it fetches them again
	}
	notes = append(notes, "EKS takes aws-node over, and sets what it is not told to its own defaults."+
		" Hold the environment of aws-node against the values below: cniguard reads only the variables that decide about IP addresses.")
	if f.Node == nil {
		return values, append(notes, "The environment of aws-node was not read: no value of it is translated.")
	}
	if own, _ := f.eksRegistry(); f.registries().node != own {
		notes = append(notes, fmt.Sprintf("The images come from %s, and EKS takes them from %s: each node must reach that, or its pods get no network.",
			f.registries().node, own))
	}
	if len(f.Refused) > 0 {
		notes = append(notes, fmt.Sprintf("The schema of %s refuses %s: not translated, and lost unless you find another way.", f.releases()[0], shown(f.Refused)))
	}
	if f.Unchecked != "" {
		notes = append(notes, "The values were not held against a schema: "+plain.Clean(f.Unchecked, plain.Text)+".")
	}
	if f.Node.Role == "" {
		notes = append(notes, "No role of the service account aws-node is known, and none is sent: the add-on has the node's role then."+
			" Where the service account has the annotation eks.amazonaws.com/role-arn, send that role, or nodes may get no addresses.")
	}
	if len(f.Node.Other) > 0 {
		notes = append(notes, "Set in aws-node too, with values that cniguard does not read, and not translated: "+shown(f.Node.Other)+".")
	}
	for _, why := range f.Node.Unread {
		notes = append(notes, "Not read, and not translated: "+plain.Clean(why, plain.Text)+".")
	}
	return values, notes
}

// carried are the variables that go along.
func (f Facts) carried() map[string]string {
	env := map[string]string{}
	for _, v := range f.node().Env {
		if !slices.Contains(f.Refused, v.Name) {
			env[v.Name] = v.Value
		}
	}
	return env
}

// shown are names that others gave, in a sentence.
func shown(names []string) string {
	var clean []string
	for _, n := range names {
		clean = append(clean, plain.Clean(n, plain.Text))
	}
	return strings.Join(clean, ", ")
}

// serviceRole is the role of aws-node's service account, to be sent again with each change; empty: none, the add-on has the node's role.
func (f Facts) serviceRole() string {
	switch {
	case f.Managed:
		return f.Role
	case f.Node != nil:
		return f.Node.Role
	}
	return ""
}
