package stack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/infra/stack"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// members are the stacks beside the hub's, by the name under which the CDK's command knows them.
func members(t *testing.T, c stack.Config) map[string]awscdk.Stack {
	t.Helper()
	app := stack.NewApp(t.TempDir())
	hub := awscdk.NewStack(app, new("hub"), nil)
	raw, err := stack.MemberTemplate(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.NewMembers(app, hub, c, raw); err != nil {
		t.Fatal(err)
	}
	all := map[string]awscdk.Stack{}
	for _, child := range *app.Node().Children() {
		if s, ok := child.(awscdk.Stack); ok && s != hub {
			all[*s.Node().Id()] = s
			if len(*s.Dependencies()) != 1 {
				t.Errorf("%s does not wait for the hub", *s.Node().Id())
			}
		}
	}
	return all
}

func TestTheStackSetIsWhatTheGoldenTemplateSays(t *testing.T) {
	c := full(t)
	whole := template(t, members(t, c)["cniguard-members"])
	properties, _ := at(whole, "Resources", "Members", "Properties").(map[string]any)
	var body any
	if err := json.Unmarshal([]byte(properties["TemplateBody"].(string)), &body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(any(member(t, c)), body); diff != "" {
		t.Errorf("it rolls out another template than the member's:\n%s", diff)
	}
	properties["TemplateBody"] = "as in member-full.json"
	golden(t, "members-full", whole)
}

func TestTheHubsOtherRegionsHaveRulesAndNoRoles(t *testing.T) {
	c := full(t)
	c.Fleet = append(c.Fleet, event.Unit{Account: c.Hub.Account, Region: "us-east-1"})
	c.AccessEntries = append(c.AccessEntries, cluster.ID{Account: c.Hub.Account, Region: "us-east-1", Name: "prod"})
	all := members(t, c)
	s := all["cniguard-member-us-east-1"]
	if len(all) != 2 || s == nil {
		t.Fatalf("%d stacks; want the StackSet's and that of the hub's account in us-east-1", len(all))
	}
	if *s.Account() != c.Hub.Account || *s.Region() != "us-east-1" || *s.StackName() != "cniguard-member" {
		t.Errorf("it is %s in %s of %s", *s.StackName(), *s.Region(), *s.Account())
	}
	whole := template(t, s)
	if home := at(whole, "Parameters", "HomeRegion", "Default"); home != c.Hub.Region {
		t.Errorf("it would make the account's roles in %v; the hub's stack has them, in %s", home, c.Hub.Region)
	}
	c.AccessEntries = c.AccessEntries[len(c.AccessEntries)-1:]
	for _, l := range memberLaws(t, c) {
		if wrong := l.holds(whole); len(wrong) > 0 {
			t.Errorf("%s:\n%s", l.name, wrong)
		}
	}
}

func TestWithoutOrganisationalUnitsThereIsNoStackSet(t *testing.T) {
	if all := members(t, least(t)); len(all) != 0 {
		t.Errorf("%d stacks beside the hub's; want none: it is alone", len(all))
	}
}

// A region of the fleet in which the hub is not, and no other, can be a home.
func TestTheHomeRegionIsAlwaysOneThatTheMemberIsDeployedTo(t *testing.T) {
	c := full(t)
	c.Fleet = []event.Unit{{Account: "111122223333", Region: "us-east-1"}, {Account: "111122223333", Region: "ap-southeast-2"}}
	c.AccessEntries = nil
	home := at(member(t, c), "Parameters", "HomeRegion", "Default")
	set := template(t, members(t, c)["cniguard-members"])
	deployed := texts(at(set, "Resources", "Members", "Properties", "StackInstancesGroup", "Regions"))
	order := texts(at(set, "Resources", "Members", "Properties", "OperationPreferences", "RegionOrder"))
	if want := []string{"ap-southeast-2", "us-east-1"}; home != want[0] || !slices.Equal(deployed, want) || !slices.Equal(order, want) {
		t.Errorf("home %v, deployed to %v in the order %v", home, deployed, order)
	}
}

func TestWhoRollsOutIsTheDelegatedAdministratorUnlessItIsTheManagementAccount(t *testing.T) {
	c := full(t)
	for _, want := range []string{"DELEGATED_ADMIN", "SELF"} {
		c.Management = want == "SELF"
		if have := at(template(t, members(t, c)["cniguard-members"]), "Resources", "Members", "Properties", "CallAs"); have != want {
			t.Errorf("management account %v: %v, want %s", c.Management, have, want)
		}
	}
}

func TestATemplateTooLargeForAStackSetIsRefused(t *testing.T) {
	c := full(t)
	c.PassRoles = slices.Repeat([]string{"arn:aws:iam::*:role/" + strings.Repeat("a", 500)}, 100)
	if _, err := stack.MemberTemplate(c); err == nil || !strings.Contains(err.Error(), "CloudFormation takes 51200; shorten passRoles") {
		t.Errorf("%v", err)
	}
}
