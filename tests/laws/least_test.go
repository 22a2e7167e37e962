package laws_test

import (
	"maps"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
	"github.com/cniguard/cniguard/tests/iam"
)

// The template of a hub with everything chosen: what is deployed, as infra's own tests keep it.
const hubTemplate = "../../infra/stack/testdata/hub-full.json"

// The hub of that template, and an account of its fleet. What a random world calls hub and members is called by these names
// before it is asked for.
const (
	deployedHub    = "444455556666"
	deployedMember = "111122223333"
	deployedRegion = "eu-central-1"
)

// roles reads the roles of the template as an account has them.
func roles(account string) map[string]iam.Role {
	raw, err := os.ReadFile(hubTemplate)
	if err != nil {
		panic(err)
	}
	t, err := iam.Read(raw, iam.Place{Partition: "aws", Region: deployedRegion, Account: account})
	if err != nil {
		panic(err)
	}
	all, err := t.Roles()
	if err != nil {
		panic(err)
	}
	return all
}

// granted are the roles by the account that they are in. The functions' roles are in the hub only.
var granted = sync.OnceValue(func() map[string]map[string]iam.Role {
	return map[string]map[string]iam.Role{deployedHub: roles(deployedHub), deployedMember: roles(deployedMember)}
})

// asPerson is what people's commands use in a simulation, where a person may enter accounts like the functions. Against AWS they
// have the policies of package stack's approvers, and enter none.
func asPerson(action string) bool {
	switch action {
	case "events:PutEvents", "sts:AssumeRole", "ledger:Load", "ledger:In", "ledger:Orders", "ledger:Fleet", "ledger:Rollout", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:BatchGetItem":
		return true
	}
	return false
}

// least is law 12: what is granted is what is used. That everything granted is used is asked over all scenes; see TestLaws.
func least(s *stage) law {
	const name = "Least"
	asked := map[string]bool{}
	return law{name: name, called: func(c *world.Call, _ *work) {
		id := cluster.ID{Account: c.Account, Region: c.Region, Name: c.Cluster}
		if strings.Contains(c.Principal, ":role/person/") {
			if !asPerson(c.Action()) {
				s.breaks(name, id, "a person's command called %s", c.Action())
			}
			return
		}
		if c.Service == "kubernetes" {
			if what := pries(c); what != "" {
				s.breaks(name, id, "the cluster's own API was asked for %s", what)
			}
			return
		}
		role := granted()[deployedAccount(c.Account)][c.Principal[strings.LastIndexByte(c.Principal, '/')+1:]]
		for _, q := range requests(c) {
			key := role.Name + " " + q.Action + " " + q.Resource
			if len(q.Context) == 0 && asked[key] {
				continue
			}
			asked[key] = true
			q.Context = byCode(role.Name, q.Context)
			allowed, by := role.Allows(q)
			if !allowed {
				s.breaks(name, id, "%s called %s on %s, which its policies do not allow (%v)", c.Principal, q.Action, q.Resource, by)
				continue
			}
			s.used[role.Name+" "+by.ID+" "+q.Action] = true
			for _, r := range by.Resources {
				if iam.Like(r, q.Resource) {
					s.used[role.Name+" "+by.ID+" "+r] = true
				}
			}
		}
		if into, q, is := entered(c); is && !granted()[deployedAccount(c.Account)][into].Admits(q) {
			s.breaks(name, id, "%s assumed %s, which does not trust it", c.Principal, into)
		}
	}}
}

// byCode adds to a request of a function's own code what Lambda has in it, and in no other (Lambda developer guide, "Using source
// function ARN to control function access behavior").
func byCode(role string, context map[string][]string) map[string][]string {
	if !isFunctions(role) {
		return context
	}
	context = maps.Clone(context)
	if context == nil {
		context = map[string][]string{}
	}
	context["lambda:SourceFunctionArn"] = []string{inHub("lambda", "function:"+role)}
	return context
}

// isFunctions reports whether a role is that of one of the two functions.
func isFunctions(role string) bool { return role == "cniguard-urgent" || role == "cniguard-bulk" }

// byAWS is what the functions' roles are granted for what AWS does in their name, which no call of the program shows.
func byAWS() map[string]string {
	const attach = "Lambda attaches a function to a VPC with its role (Lambda developer guide, \"Giving Lambda functions access to resources in an Amazon VPC\")"
	return map[string]string{
		"ec2:AssignPrivateIpAddresses": attach, "ec2:CreateNetworkInterface": attach, "ec2:DeleteNetworkInterface": attach,
		"ec2:DescribeNetworkInterfaces": attach, "ec2:DescribeSubnets": attach, "ec2:UnassignPrivateIpAddresses": attach,
		"logs:CreateLogStream": "Lambda writes the log with the function's role (Lambda developer guide, \"Log function permissions\")",
		"logs:PutLogEvents":    "Lambda writes the log with the function's role (Lambda developer guide, \"Log function permissions\")",
		"sqs:SendMessage":      "Lambda and Scheduler keep what failed with the role (Lambda developer guide, \"Adding a destination\"; Scheduler user guide, \"Configuring a dead-letter queue\")",
	}
}

// unused are the permissions of the deployed roles that no world used, and for which AWS has no use either.
func unused(used map[string]bool) (all []string) {
	for _, role := range granted()[deployedHub] {
		if role.Name == "cniguard-forwarder" || role.Name == "cniguard-scheduler" {
			continue // EventBridge's own hands: tests of package stack hold what they may
		}
		for _, st := range role.Statements {
			if !st.Allow {
				continue
			}
			needed := true
			for _, action := range st.Actions {
				if isFunctions(role.Name) && byAWS()[action] != "" {
					needed = false
				} else if !used[role.Name+" "+st.ID+" "+action] {
					all = append(all, role.Name+" is granted "+action+" ("+st.ID+")")
				}
			}
			for _, r := range st.Resources {
				if needed && !used[role.Name+" "+st.ID+" "+r] {
					all = append(all, role.Name+" is granted "+st.ID+" on "+r)
				}
			}
		}
	}
	return all
}

// What a function's role has for Lambda's hands, its own code may not use.
func TestAFunctionsCodeMayNotTouchItsNetwork(t *testing.T) {
	for _, name := range []string{"cniguard-urgent", "cniguard-bulk"} {
		role := granted()[deployedHub][name]
		for action := range byAWS() {
			if !strings.HasPrefix(action, "ec2:") {
				continue
			}
			if may, _ := role.Allows(iam.Request{Action: action, Resource: "*"}); !may {
				t.Errorf("Lambda may not call %s as %s; is the template of a hub in a VPC?", action, name)
			}
			if may, _ := role.Allows(iam.Request{Action: action, Resource: "*", Context: byCode(name, nil)}); may {
				t.Errorf("the code of %s may call %s", name, action)
			}
		}
	}
}

func TestAGrantThatNobodyUsesIsFound(t *testing.T) {
	if n := len(unused(map[string]bool{})); n < 40 {
		t.Errorf("only %d grants are asked for; is the template read?", n)
	}
}
