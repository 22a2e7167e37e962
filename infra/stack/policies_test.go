package stack_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// wide are the allowances with a wildcard in them, each with its reason. Those of the member have laws of their own.
func wide() map[string]string {
	return map[string]string{
		"Key/Account kms:* on *":               "else nobody could change the key ever again (KMS developer guide, \"Default key policy\")",
		"Key/Alarms kms:Decrypt on *":          "in a key policy, * is the key itself",
		"Key/Alarms kms:GenerateDataKey* on *": "as the SNS developer guide has it; what is missing there fails in silence",
	}
}

// An allowance with a wildcard is one of those whose reason is known.
func nothingIsWide(template map[string]any) (c complaints) {
	reasons := wide()
	for _, s := range statements(template) {
		if s.effect != "Allow" || slices.Contains([]string{"Observer", "Updater", "Forwarder"}, s.in) {
			continue
		}
		for _, action := range s.actions {
			for _, on := range s.on {
				streams := strings.HasPrefix(action, "logs:") && strings.HasSuffix(on, ":log-group:/aws/lambda/cniguard-"+strings.SplitN(s.in, "Role", 2)[0]+":*")
				attached := strings.HasPrefix(action, "ec2:") && s.sid == "Attach" // see networkIsLambdas
				if allowance := fmt.Sprintf("%s %s on %s", s, action, on); strings.Contains(action+on, "*") && reasons[allowance] == "" && !streams && !attached {
					c.add("%s", allowance)
				}
			}
		}
		if slices.Contains(s.principals["AWS"], "*") && len(s.value("StringEquals", "aws:PrincipalOrgID"))+len(s.value("StringEquals", "aws:PrincipalAccount")) == 0 {
			c.add("%s allows everybody", s)
		}
	}
	return c
}

// A service that is let in acts for something of ours only: AWS calls it the confused deputy.
func servicesActForUs(template map[string]any) (c complaints) {
	// Lambda's documentation names no source that it would send when it assumes an execution role (Lambda developer guide,
	// "Defining Lambda function permissions with an execution role").
	exempt := map[string]bool{"lambda.amazonaws.com": true}
	for _, s := range statements(template) {
		for _, who := range s.principals["Service"] {
			sources := s.value("", "aws:SourceArn")
			ours := func(arn string) bool {
				return strings.Contains(arn, ":444455556666:") || strings.Contains(arn, ":${AWS::AccountId}:")
			}
			if s.effect == "Allow" && !exempt[who] && (len(sources) == 0 || slices.ContainsFunc(sources, func(a string) bool { return !ours(a) })) {
				c.add("%s lets %s act for %v", s, who, sources)
			}
		}
	}
	for _, p := range ofType(template, "AWS::Lambda::Permission") {
		if p.props["SourceArn"] == nil {
			c.add("%s lets every rule of every account in", p.id)
		}
	}
	return c
}

// ForAllValues holds as well for a request that does not have the key.
func setsAreNotEmpty(template map[string]any) (c complaints) {
	for _, s := range statements(template) {
		for operator, keys := range s.condition {
			for key := range keys.(map[string]any) {
				if s.effect == "Allow" && strings.HasPrefix(operator, "ForAllValues") && !slices.Equal(s.value("Null", key), []string{"false"}) {
					c.add("%s holds without %s", s, key)
				}
			}
		}
	}
	return c
}

// Only rules of members, by their account's role, and nobody else's events under our source.
func theBusIsShut(template map[string]any) (c complaints) {
	all := statements(template)
	allowed, denied := of(all, "Bus", "Allow"), of(all, "Bus", "Deny")
	if len(allowed) != 1 || len(denied) != 2 {
		c.add("allowed %v, denied %v", allowed, denied)
		return c
	}
	a, d, news := allowed[0], denied[0], denied[1]
	const bus = "arn:aws:events:eu-central-1:444455556666:event-bus/cniguard"
	for _, s := range []said{a, d, news} {
		c.want(s.String(), fmt.Sprint(s.actions, s.on), fmt.Sprint([]string{"events:PutEvents"}, []string{bus}))
	}
	c.want("who", fmt.Sprint(a.value("ArnLike", "aws:PrincipalArn")), "[arn:aws:iam::*:role/cniguard-forwarder]")
	c.want("for what", fmt.Sprint(a.value("ArnLike", "aws:SourceArn")), "[arn:aws:events:*:*:rule/cniguard-*]")
	org, accounts := a.value("StringEquals", "aws:PrincipalOrgID"), a.value("StringEquals", "aws:PrincipalAccount")
	if !slices.Equal(org, []string{"o-exampleorgid"}) && !slices.Equal(accounts, []string{"444455556666"}) {
		c.add("the organisation is %v, the accounts are %v", org, accounts)
	}
	c.want("denied", fmt.Sprint(d.principals["AWS"], d.value("ForAnyValue:StringLike", "events:source"), d.value("StringNotEquals", "aws:PrincipalAccount")),
		"[*] [cniguard*] [444455556666]")
	const role = "arn:aws:iam::444455556666:role/cniguard-"
	c.want("news are denied", fmt.Sprint(news.principals["AWS"], news.value("ForAnyValue:StringLike", "events:source"), news.value("ArnNotEquals", "aws:PrincipalArn")),
		fmt.Sprint([]string{"*"}, []string{"cniguard.news*"}, []string{role + "urgent", role + "bulk"}))
	return c
}

// What each function may do, and nothing else.
func functionsMay(template map[string]any) (c complaints) {
	const here = ":eu-central-1:444455556666:"
	for _, f := range []string{"urgent", "bulk"} {
		table, log := "arn:aws:dynamodb"+here+"table/cniguard", "arn:aws:logs"+here+"log-group:/aws/lambda/cniguard-"+f+":*"
		want := map[string][]string{
			"dynamodb:BatchGetItem": {table}, "dynamodb:GetItem": {table}, "dynamodb:PutItem": {table}, "dynamodb:Query": {table, table + "/index/due"},
			"sns:Publish": {"arn:aws:sns" + here + "cniguard-chat", "arn:aws:sns" + here + "cniguard-machine", "arn:aws:sns" + here + "cniguard-oncall"},
			"kms:Decrypt": {"Key.Arn"}, "kms:GenerateDataKey": {"Key.Arn"},
			"events:PutEvents":     {"arn:aws:events" + here + "event-bus/cniguard"},
			"sqs:SendMessage":      {"arn:aws:sqs" + here + "cniguard-failed"},
			"logs:CreateLogStream": {log}, "logs:PutLogEvents": {log},
			"sts:AssumeRole": assumable(template, f),
		}
		if inVPC(template) {
			for _, action := range networkActions() {
				want[action] = []string{"*"}
			}
		}
		have := map[string][]string{}
		for _, s := range statements(template) {
			if s.effect != "Allow" || !strings.HasPrefix(s.in, f) || len(s.principals) > 0 {
				continue
			}
			for _, action := range s.actions {
				have[action] = slices.Sorted(slices.Values(append(have[action], s.on...)))
			}
			if slices.Contains(s.actions, "events:PutEvents") { // else it might pose as AWS's own services
				c.want(f+" sends events of", fmt.Sprint(s.value("ForAllValues:StringEquals", "events:source")), "[cniguard cniguard.news]")
			}
		}
		if diff := cmp.Diff(want, have); diff != "" {
			c.add("%s may (-want +got):\n%s", f, diff)
		}
	}
	return c
}

// assumable are the roles that a function may assume: the updater only by urgent, and only where there is one.
func assumable(template map[string]any, function string) []string {
	var all []string
	updates := len(slices.DeleteFunc(ofType(template, "AWS::IAM::Role"), func(r resource) bool { return r.id != "Updater" })) > 0
	accounts := []string{"444455556666"}
	if updates { // the full configuration, which has a member
		accounts = append(accounts, "111122223333")
	}
	for _, account := range accounts {
		all = append(all, "arn:aws:iam::"+account+":role/cniguard-observer")
		if updates && function == "urgent" {
			all = append(all, "arn:aws:iam::"+account+":role/cniguard-updater")
		}
	}
	return slices.Sorted(slices.Values(all))
}

// IAM vouches for who wrote an order.
func ordersArePeoples(template map[string]any) (c complaints) {
	const keys = "dynamodb:LeadingKeys"
	all := statements(template)
	for id, key := range map[string]string{"Approver": "ORDER#${aws:userid}", "Operator": "HALT"} {
		for _, s := range of(all, id, "Allow") {
			if slices.Contains(s.actions, "events:PutEvents") && !slices.Equal(s.value("ForAllValues:StringEquals", "events:source"), []string{"cniguard"}) {
				c.add("%s sends events of %v", s, s.value("", "events:source"))
			}
			writes := slices.ContainsFunc(s.actions, func(a string) bool {
				return strings.HasPrefix(a, "dynamodb:") && !slices.Contains([]string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"}, a)
			})
			if writes && (!slices.Equal(s.actions, []string{"dynamodb:PutItem"}) || !slices.Equal(s.value("ForAllValues:StringEquals", keys), []string{key})) {
				c.add("%s writes %v under %v", s, s.actions, s.value("", keys))
			}
		}
	}
	for _, role := range ofType(template, "AWS::IAM::Role") {
		name := text(role.props["RoleName"])
		if name != "cniguard-urgent" && name != "cniguard-bulk" {
			continue
		}
		if !slices.ContainsFunc(of(all, role.id, "Deny"), func(s said) bool {
			return slices.Equal(s.value("ForAnyValue:StringLike", keys), []string{"ORDER#*", "HALT"}) &&
				slices.Equal(s.on, []string{"arn:aws:dynamodb:eu-central-1:444455556666:table/cniguard"}) &&
				slices.Contains(s.actions, "dynamodb:PutItem") && slices.Contains(s.actions, "dynamodb:UpdateItem") && len(s.condition) == 1
		}) {
			c.add("%s may write as a person", name)
		}
	}
	return c
}
