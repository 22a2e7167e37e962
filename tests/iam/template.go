package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Place is where a template is deployed.
type Place struct {
	Partition, Region, Account string
	Parameters                 map[string]string // those without a default, or with another value
}

// Template is a synthesized template.
type Template struct {
	at         Place
	parameters map[string]parameter
	conditions map[string]any
	resources  map[string]resource
}

type parameter struct{ Default any }

type resource struct {
	Type       string
	Condition  string
	Properties map[string]any
}

// Read reads a template as JSON.
func Read(raw []byte, at Place) (*Template, error) {
	var in struct {
		Parameters map[string]parameter
		Conditions map[string]any
		Resources  map[string]resource
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	return &Template{at: at, parameters: in.Parameters, conditions: in.Conditions, resources: in.Resources}, nil
}

// Roles are the roles that exist at the template's place, by name, with the statements of their inline and attached policies.
func (t *Template) Roles() (map[string]Role, error) {
	roles := map[string]Role{}
	var wrong []error
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		r := t.resources[id]
		if r.Type != "AWS::IAM::Role" || !t.exists(r) {
			continue
		}
		role, err := t.role(id)
		wrong = append(wrong, err)
		roles[role.Name] = role
	}
	return roles, errors.Join(wrong...)
}

// Policies are the customer managed policies, by name.
func (t *Template) Policies() (map[string][]Statement, error) {
	policies := map[string][]Statement{}
	var wrong []error
	for id, r := range t.resources {
		if r.Type == "AWS::IAM::ManagedPolicy" && t.exists(r) {
			name := t.physical(id)
			statements, err := t.statements(name, r.Properties["PolicyDocument"])
			wrong = append(wrong, err)
			policies[name] = statements
		}
	}
	return policies, errors.Join(wrong...)
}

func (t *Template) exists(r resource) bool {
	return r.Condition == "" || t.condition(t.conditions[r.Condition])
}

func (t *Template) role(id string) (Role, error) {
	r := t.resources[id]
	role := Role{Name: t.physical(id)}
	var wrong []error
	add := func(name string, document any) {
		s, err := t.statements(name, document)
		role.Statements, wrong = append(role.Statements, s...), append(wrong, err)
	}
	for _, p := range list(r.Properties["Policies"]) {
		inline := p.(map[string]any)
		add(fmt.Sprint(t.value(inline["PolicyName"])), inline["PolicyDocument"])
	}
	for other, p := range t.resources {
		attached := p.Type == "AWS::IAM::Policy" || p.Type == "AWS::IAM::ManagedPolicy"
		if !attached || !t.exists(p) {
			continue
		}
		mine := func(v any) bool { return t.value(v) == role.Name }
		if slices.ContainsFunc(list(p.Properties["Roles"]), mine) {
			add(t.physical(other), p.Properties["PolicyDocument"])
		}
	}
	if n := len(list(r.Properties["ManagedPolicyArns"])); n > 0 {
		wrong = append(wrong, fmt.Errorf("role %s: managed policies of AWS are not read here", role.Name))
	}
	trust, err := t.trust(r.Properties["AssumeRolePolicyDocument"])
	role.Trust = trust
	return role, errors.Join(append(wrong, err)...)
}

func (t *Template) statements(policy string, document any) ([]Statement, error) {
	var all []Statement
	var wrong []error
	for i, raw := range documented(document) {
		s := Statement{ID: fmt.Sprintf("%s#%d", policy, i), Allow: raw["Effect"] == "Allow", Actions: t.texts(raw["Action"]), Resources: t.texts(raw["Resource"])}
		if sid, _ := raw["Sid"].(string); sid != "" {
			s.ID = policy + "." + sid
		}
		conditions, err := t.conditionsOf(raw["Condition"])
		if len(s.Actions) == 0 || len(s.Resources) == 0 {
			err = errors.Join(err, errors.New("it has no Action or no Resource"))
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("statement %s: %w", s.ID, err))
		}
		s.Conditions = conditions
		all = append(all, s)
	}
	return all, errors.Join(wrong...)
}

func (t *Template) trust(document any) ([]Trust, error) {
	var all []Trust
	var wrong []error
	for _, raw := range documented(document) {
		conditions, err := t.conditionsOf(raw["Condition"])
		one := Trust{Actions: t.texts(raw["Action"]), Conditions: conditions}
		principals, _ := raw["Principal"].(map[string]any)
		for _, p := range principals {
			one.Principals = append(one.Principals, t.texts(p)...)
		}
		all, wrong = append(all, one), append(wrong, err)
	}
	return all, errors.Join(wrong...)
}

func (t *Template) conditionsOf(block any) ([]Condition, error) {
	var all []Condition
	var wrong []error
	operators, _ := block.(map[string]any)
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		wrong = append(wrong, known(operator))
		keys, _ := operators[operator].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			all = append(all, Condition{Operator: operator, Key: key, Values: t.texts(keys[key])})
		}
	}
	return all, errors.Join(wrong...)
}

func documented(document any) []map[string]any {
	d, _ := document.(map[string]any)
	var all []map[string]any
	for _, s := range list(d["Statement"]) {
		all = append(all, s.(map[string]any))
	}
	return all
}

// list is a value as a list: JSON policies write a list of one without brackets.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// texts are the values of a list, resolved. A list inside of it, as Fn::If gives one, is part of it.
func (t *Template) texts(v any) []string {
	var all []string
	for _, one := range list(v) {
		switch r := t.value(one).(type) {
		case nil: // AWS::NoValue
		case []any:
			all = append(all, t.texts(r)...)
		default:
			all = append(all, fmt.Sprint(r))
		}
	}
	return all
}
