// Package iam reads the IAM policies out of a synthesized CloudFormation template and answers what they allow, so that tests
// can hold what is deployed against what is used. It knows identity policies with the operators that the templates use; what
// it does not know is an error, never a guess (IAM user guide, "Policy evaluation logic" and "Condition operators").
package iam

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Request is one call as IAM sees it.
type Request struct {
	Action   string // as "eks:UpdateAddon"
	Resource string // ARN, or "*" where the action knows no resources
	Context  map[string][]string
}

// Statement is one statement of a policy, its intrinsic functions resolved.
type Statement struct {
	ID         string // where it stands: policy and number, or its Sid
	Allow      bool
	Actions    []string
	Resources  []string
	Conditions []Condition
}

// Condition is one key with its operator. All conditions of a statement must hold.
type Condition struct {
	Operator string // as "ForAnyValue:StringLike"
	Key      string
	Values   []string
}

// Role is a role with all statements of its policies.
type Role struct {
	Name       string
	Statements []Statement
	Trust      []Trust
}

// Trust is one statement of a role's trust policy.
type Trust struct {
	Actions    []string
	Principals []string // ARNs and services
	Conditions []Condition
}

// Allows reports whether the role may make the call, and the statement that decided: nil where none speaks of it. A denial
// beats every permission.
func (r Role) Allows(q Request) (bool, *Statement) {
	var by *Statement
	for i := range r.Statements {
		s := &r.Statements[i]
		if !s.Covers(q) {
			continue
		}
		if !s.Allow {
			return false, s
		}
		by = s
	}
	return by != nil, by
}

// Covers reports whether a statement speaks of the call.
func (s Statement) Covers(q Request) bool {
	return matches(s.Actions, strings.ToLower(q.Action), strings.ToLower) && matches(s.Resources, q.Resource, verbatim) && hold(s.Conditions, q)
}

func verbatim(s string) string { return s }

// matches reports whether a text is like one of the patterns. Actions are compared without case, resources with it.
func matches(patterns []string, text string, fold func(string) string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Like(fold(p), text) })
}

// Like reports whether a text matches a pattern in which * stands for any text and ? for one character.
func Like(pattern, text string) bool {
	// path.Match stops at slashes and reads brackets; neither is special here.
	escape := strings.NewReplacer("/", "\x00", "[", `\[`, `\`, `\\`)
	ok, err := path.Match(escape.Replace(pattern), strings.ReplaceAll(text, "/", "\x00"))
	return err == nil && ok
}

func hold(all []Condition, q Request) bool {
	return !slices.ContainsFunc(all, func(c Condition) bool {
		c.Values = expand(c.Values, q.Context)
		return !c.holds(q.Context[c.Key])
	})
}

var variable = regexp.MustCompile(`\$\{[a-z]+:[A-Za-z]+\}`)

// expand puts the request's own values where a policy has variables, as ${aws:userid}. One that the request lacks stays, and
// matches nothing (IAM user guide, "Policy variables").
func expand(values []string, context map[string][]string) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = variable.ReplaceAllStringFunc(v, func(name string) string {
			if have := context[name[2:len(name)-1]]; len(have) == 1 {
				return have[0]
			}
			return name
		})
	}
	return all
}

// holds follows the guide's table for absent keys: an operator without IfExists is false, ForAllValues is true, ForAnyValue
// is false, and a negated operator is true.
func (c Condition) holds(have []string) bool {
	operator, ifExists := strings.CutSuffix(c.Operator, "IfExists")
	if operator == "Null" {
		return strconv.FormatBool(len(have) == 0) == c.Values[0]
	}
	if ifExists && len(have) == 0 {
		return true
	}
	set, single, found := strings.Cut(operator, ":")
	if !found {
		set, single = "", operator
	}
	one := func(v string) bool { return compare(single, c.Values, v) }
	switch {
	case set == "ForAllValues":
		return !slices.ContainsFunc(have, func(v string) bool { return !one(v) })
	case set == "ForAnyValue":
		return slices.ContainsFunc(have, one)
	case len(have) == 0:
		return strings.Contains(single, "Not")
	}
	return one(have[0])
}

// compare holds one value of the request against a condition's values.
func compare(operator string, want []string, have string) bool {
	equal, like := slices.Contains(want, have), matches(want, have, verbatim)
	switch operator {
	case "StringEquals":
		return equal
	case "StringNotEquals":
		return !equal
	case "StringLike", "ArnLike", "ArnEquals": // the two ARN operators behave the same
		return like
	case "StringNotLike", "ArnNotLike", "ArnNotEquals":
		return !like
	case "Bool":
		return slices.Contains(want, strings.ToLower(have))
	}
	return false // operators are checked when they are read
}

// operators are those that compare knows.
func known(operator string) error {
	bare := strings.TrimSuffix(operator, "IfExists")
	if _, single, found := strings.Cut(bare, ":"); found {
		bare = single
	}
	all := []string{"Null", "Bool", "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"}
	if !slices.Contains(all, bare) {
		return fmt.Errorf("condition operator %q is not known here", operator)
	}
	return nil
}

// Admits reports whether a role trusts a caller: what the request says of the caller is in its context, the ARN of the caller's
// role as aws:PrincipalArn. An account as principal stands for everybody in it.
func (r Role) Admits(q Request) bool {
	return slices.ContainsFunc(r.Trust, func(t Trust) bool {
		return matches(t.Actions, strings.ToLower(q.Action), strings.ToLower) && slices.ContainsFunc(t.Principals, func(p string) bool {
			root, isAccount := strings.CutSuffix(p, ":root")
			caller := q.Context["aws:PrincipalArn"]
			return len(caller) == 1 && (p == caller[0] || isAccount && strings.HasPrefix(caller[0], root+":"))
		}) && hold(t.Conditions, q)
	})
}
