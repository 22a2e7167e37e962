package stack_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/infra/stack"
	"github.com/cniguard/cniguard/internal/event"
)

func member(t *testing.T, c stack.Config) map[string]any {
	t.Helper()
	raw, err := stack.MemberTemplate(c)
	if err != nil {
		t.Fatal(err)
	}
	var template map[string]any
	if err := json.Unmarshal(raw, &template); err != nil {
		t.Fatal(err)
	}
	return template
}

func TestTheMemberIsWhatItIsKnownToBe(t *testing.T) {
	golden(t, "member-least", member(t, least(t)))
	golden(t, "member-full", member(t, full(t)))
}

// memberLaws are the properties that every template of a member has.
func memberLaws(t *testing.T, c stack.Config) []law {
	t.Helper()
	granted := documented(t, c)
	return []law{
		{"a member holds roles and rules, and roles in one region only", rolesInOneRegion},
		{"roles trust the hub's functions", func(template map[string]any) complaints { return trustsTheHub(c, template) }},
		{"roles may do what docs/lambda.md lists, and no more", func(template map[string]any) complaints { return mayAsDocumented(granted, template) }},
		{entriesLaw, entriesAreLeast},
		{"access entries are where their clusters are", func(template map[string]any) complaints { return entriesAreAtHome(c.AccessEntries, template) }},
		{"rules forward AWS's events to the hub, and nothing else, in every region", forwardsToTheHub},
	}
}

func TestMembersKeepTheLaws(t *testing.T) {
	for name, c := range map[string]stack.Config{"least": least(t), "full": full(t)} {
		for _, l := range memberLaws(t, c) {
			if wrong := l.holds(member(t, c)); len(wrong) > 0 {
				t.Errorf("%s: %s:\n%s", name, l.name, wrong)
			}
		}
	}
}

func rolesInOneRegion(template map[string]any) (c complaints) {
	resources, _ := template["Resources"].(map[string]any)
	for id, r := range resources {
		switch kind := text(at(r, "Type")); kind {
		case "AWS::IAM::Role":
			c.want(id+": condition", text(at(r, "Condition")), "IsHome")
			c.want(id+": longest session", text(at(r, "Properties", "MaxSessionDuration")), "3600")
			c.want(id+": managed policies", text(at(r, "Properties", "ManagedPolicyArns")), "")
		case "AWS::Events::Rule":
			c.want(id+": condition", text(at(r, "Condition")), "")
		case "AWS::EKS::AccessEntry": // which have laws of their own
		default:
			c.add("%s is a %s", id, kind)
		}
	}
	c.want("IsHome", text(at(template, "Conditions", "IsHome")), `{"Fn::Equals":[{"Ref":"AWS::Region"},{"Ref":"HomeRegion"}]}`)
	return c
}

func trustsTheHub(config stack.Config, template map[string]any) (c complaints) {
	conditions := func(functions ...string) map[string]any {
		var roles []string
		for _, f := range functions {
			roles = append(roles, "arn:aws:iam::444455556666:role/cniguard-"+f)
		}
		all := map[string]any{"ArnEquals": map[string]any{"aws:PrincipalArn": roles}}
		if config.Organization != "" {
			all["StringEquals"] = map[string]any{"aws:PrincipalOrgID": config.Organization, "sts:ExternalId": config.ExternalID}
		}
		return all
	}
	rules := map[string]any{
		"ArnLike":      map[string]any{"aws:SourceArn": map[string]any{"Fn::Sub": "arn:aws:events:*:${AWS::AccountId}:rule/cniguard-*"}},
		"StringEquals": map[string]any{"aws:SourceAccount": map[string]any{"Ref": "AWS::AccountId"}},
	}
	hub := map[string][]string{"AWS": {"arn:aws:iam::444455556666:root"}}
	want := map[string]said{
		"Observer":  {principals: hub, condition: conditions("urgent", "bulk")},
		"Updater":   {principals: hub, condition: conditions("urgent")},
		"Forwarder": {principals: map[string][]string{"Service": {"events.amazonaws.com"}}, condition: rules},
	}
	if !config.Updates {
		delete(want, "Updater")
	}
	trusted := slices.DeleteFunc(statements(template), func(s said) bool { return len(s.principals) == 0 })
	for _, s := range trusted {
		w := want[s.in]
		c.want(s.String(), strings.Join([]string{s.effect, text(s.actions), text(s.principals), text(s.condition)}, " "),
			strings.Join([]string{"Allow", `["sts:AssumeRole"]`, text(w.principals), text(w.condition)}, " "))
	}
	if len(trusted) != len(want) {
		c.add("%d roles are trusted, want %d", len(trusted), len(want))
	}
	return c
}

func mayAsDocumented(granted map[string][]string, template map[string]any) (c complaints) {
	may := map[string][]string{}
	for _, s := range statements(template) {
		if len(s.principals) > 0 {
			continue
		}
		for _, action := range s.actions {
			for _, on := range s.on {
				may[s.in] = append(may[s.in], grant(s.effect, action, on, s.condition))
			}
		}
	}
	for id := range may {
		slices.Sort(may[id])
	}
	if diff := cmp.Diff(granted, may); diff != "" {
		c.add("(-documented +granted):\n%s", diff)
	}
	return c
}

func forwardsToTheHub(template map[string]any) (c complaints) {
	want, have := map[string]string{}, map[string]string{}
	for _, r := range event.Rules() {
		if r.Name != "checks" && r.Name != "bulk-work" {
			want["cniguard-"+r.Name] = text(r.Pattern)
		}
	}
	for _, r := range ofType(template, "AWS::Events::Rule") {
		have[text(r.props["Name"])] = text(r.props["EventPattern"])
		c.want(r.id+": bus", text(r.props["EventBusName"]), "")
		c.want(r.id+": state", text(r.props["State"]), "")
		c.want(r.id+": targets", text(r.props["Targets"]), `[{"Arn":"arn:aws:events:eu-central-1:444455556666:event-bus/cniguard","Id":"hub",`+
			`"RetryPolicy":{"MaximumEventAgeInSeconds":3600,"MaximumRetryAttempts":185},`+
			`"RoleArn":{"Fn::If":["IsHome",{"Fn::GetAtt":["Forwarder","Arn"]},{"Fn::Sub":"arn:aws:iam::${AWS::AccountId}:role/cniguard-forwarder"}]}}]`)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		c.add("rules (-want +have):\n%s", diff)
	}
	return c
}

// Each weakening is of one place in the template, and some law must see it.
func TestWeakenedMembersBreakALaw(t *testing.T) {
	c := full(t)
	laws, whole := memberLaws(t, c), member(t, c)
	for name, weaken := range map[string]func(resources map[string]any){
		"an observer that any role of the hub may be": func(r map[string]any) {
			delete(condition(r["Observer"], "AssumeRolePolicyDocument"), "ArnEquals")
		},
		"an updater that bulk may be too": func(r map[string]any) {
			condition(r["Updater"], "AssumeRolePolicyDocument")["ArnEquals"] = condition(r["Observer"], "AssumeRolePolicyDocument")["ArnEquals"]
		},
		"an updater that needs no organisation": func(r map[string]any) {
			delete(condition(r["Updater"], "AssumeRolePolicyDocument")["StringEquals"].(map[string]any), "aws:PrincipalOrgID")
		},
		"an updater of all add-ons": func(r map[string]any) {
			at(r["Updater"], "Properties", "Policies", "PolicyDocument", "Statement").([]any)[0].(map[string]any)["Resource"] = "*"
		},
		"a role that may be passed to anybody": func(r map[string]any) {
			delete(at(r["Updater"], "Properties", "Policies", "PolicyDocument", "Statement").([]any)[1].(map[string]any), "Condition")
		},
		"alarms that may act": func(r map[string]any) {
			p := at(r["Observer"], "Properties", "Policies", "PolicyDocument").(map[string]any)
			all := p["Statement"].([]any)
			p["Statement"] = slices.DeleteFunc(all, func(s any) bool { return at(s, "Sid") == "NoOtherActions" })
		},
		"an observer that may tag": func(r map[string]any) {
			p := at(r["Observer"], "Properties", "Policies", "PolicyDocument").(map[string]any)
			p["Statement"] = append(p["Statement"].([]any), map[string]any{"Effect": "Allow", "Action": "eks:TagResource", "Resource": "*"})
		},
		"an observer that may set any tag of an alarm": func(r map[string]any) {
			all := at(r["Observer"], "Properties", "Policies", "PolicyDocument").(map[string]any)["Statement"].([]any)
			tags := slices.IndexFunc(all, func(s any) bool { return at(s, "Sid") == "NoOtherTags" })
			all[tags].(map[string]any)["Condition"] = map[string]any{"Null": map[string]any{"aws:TagKeys": "true"}}
		},
		"a forwarder that strangers' rules may use": func(r map[string]any) {
			delete(condition(r["Forwarder"], "AssumeRolePolicyDocument"), "StringEquals")
		},
		"a role in every region": func(r map[string]any) { delete(r["Observer"].(map[string]any), "Condition") },
		"a session of twelve hours": func(r map[string]any) {
			at(r["Updater"], "Properties").(map[string]any)["MaxSessionDuration"] = 43200.0
		},
		"a policy of AWS's beside ours": func(r map[string]any) {
			at(r["Observer"], "Properties").(map[string]any)["ManagedPolicyArns"] = []any{"arn:aws:iam::aws:policy/ReadOnlyAccess"}
		},
		"an access entry in every account": func(r map[string]any) { delete(weak(r).resource("Access"), "Condition") },
		"an access entry for another account's cluster": func(r map[string]any) {
			weak(r).first("AWS::EKS::AccessEntry")["ClusterName"] = "prod_1"
		},
		"an access entry for another role": func(r map[string]any) {
			weak(r).first("AWS::EKS::AccessEntry")["PrincipalArn"] = map[string]any{"Fn::GetAtt": []any{"Updater", "Arn"}}
		},
		"a rule that forwards all alarms": func(r map[string]any) {
			delete(at(r["Ruleipalarms"], "Properties", "EventPattern").(map[string]any), "detail")
		},
		"a rule in the home region only": func(r map[string]any) { r["Ruleekscalls"].(map[string]any)["Condition"] = "IsHome" },
		"a rule that is missing":         func(r map[string]any) { delete(r, "Ruleekshealth") },
		"a rule without a role": func(r map[string]any) {
			delete(at(r["Ruleekscalls"], "Properties", "Targets").([]any)[0].(map[string]any), "RoleArn")
		},
	} {
		t.Run(name, func(t *testing.T) {
			template := plain(t, whole)
			weaken(template["Resources"].(map[string]any))
			if cmp.Equal(template, whole) {
				t.Fatal("nothing was weakened")
			}
			if !slices.ContainsFunc(laws, func(l law) bool { return len(l.holds(template)) > 0 }) {
				t.Error("no law sees it")
			}
		})
	}
	if n := len(slices.Collect(maps.Keys(whole["Resources"].(map[string]any)))); n != 11 {
		t.Errorf("%d resources, want three roles, five rules and three access entries", n)
	}
}

// condition is that of the first statement of a role's policy.
func condition(role any, document string) map[string]any {
	return at(role, "Properties", document, "Statement", "Condition").(map[string]any)
}
