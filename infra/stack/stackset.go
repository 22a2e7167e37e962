package stack

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

const (
	memberName  = name + "-member"
	membersName = name + "-members"
	// maxTemplate is how many bytes a template may have that is given in the request itself (CloudFormation user guide,
	// "Understand CloudFormation quotas").
	maxTemplate = 51_200
	// aroundMember is room for the rest of the StackSet's template, in bytes.
	aroundMember = 4_000
)

// MemberTemplate is the member as a template for any account and region of the fleet, as JSON on one line: it has no assets and
// needs nothing of the CDK where it is deployed. Its one parameter, HomeRegion, names the region in which an account has the
// roles; there it must be deployed first, since EventBridge refuses a rule whose role it cannot assume.
func MemberTemplate(c Config) ([]byte, error) {
	out, err := os.MkdirTemp("", memberName)
	if err != nil {
		return nil, fmt.Errorf("write the member's template: %w", err)
	}
	defer os.RemoveAll(out) //nolint:errcheck // it is in the system's folder for such files
	app := NewApp(out)
	if _, err := newMemberStack(app, c, ""); err != nil {
		return nil, err
	}
	template, err := json.Marshal(app.Synth(nil).GetStackByName(str(memberName)).Template())
	if err != nil {
		return nil, fmt.Errorf("write the member's template: %w", err)
	}
	within, err := json.Marshal(string(template)) // the StackSet's own template holds it as a text, in which each quote takes two bytes
	if err != nil {
		return nil, fmt.Errorf("write the member's template: %w", err)
	}
	if n := len(within) + aroundMember; n > maxTemplate {
		return nil, fmt.Errorf("write the member's template: with its StackSet it has %d bytes, and CloudFormation takes %d; shorten passRoles or accessEntries", n, maxTemplate)
	}
	return template, nil
}

// NewApp is an app that writes into a folder. Its templates hold what the stacks say and no more, and look at nothing else in
// the account: that a region is bootstrapped is what the CDK's command asks, where it deploys.
func NewApp(out string) awscdk.App {
	return awscdk.NewApp(&awscdk.AppProps{
		Outdir: str(out), AnalyticsReporting: ptr(false),
		DefaultStackSynthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{GenerateBootstrapVersionRule: ptr(false)}),
	})
}

// NewMembers adds to an app what brings the member to the rest of the fleet, to be deployed after the hub: a stack for each other
// region of the hub's account and, where organisational units are given, a StackSet of the template for all other accounts.
func NewMembers(app constructs.Construct, hub awscdk.Stack, c Config, template []byte) error {
	for _, region := range regions(c.Fleet) {
		u := event.Unit{Account: c.Hub.Account, Region: region}
		if u == c.Hub || !slices.Contains(c.Fleet, u) {
			continue
		}
		s, err := newMemberStack(app, c, region)
		if err != nil {
			return err
		}
		s.AddStackDependency(hub, str("the hub's stack has the account's roles, and the bus"))
	}
	if len(c.Units) == 0 {
		return nil
	}
	s := awscdk.NewStack(app, str(membersName), &awscdk.StackProps{
		Env:         &awscdk.Environment{Account: str(c.Hub.Account), Region: str(c.Hub.Region)},
		Description: str("cniguard's member in the accounts of an organisation"),
		Synthesizer: plainSynthesizer(),
	})
	s.AddStackDependency(hub, str("members send to the hub's bus"))
	newStackSet(s, c, template)
	return nil
}

// newMemberStack is the member as a stack: of the hub's account in a region, or, where that is empty, of any account and region.
func newMemberStack(scope constructs.Construct, c Config, region string) (awscdk.Stack, error) {
	id, home, props := memberName, homeRegion(c), awscdk.StackProps{
		StackName:   str(memberName),
		Description: str("cniguard in one account and region: the roles of the hub's functions, and rules that send events to the hub"),
		Synthesizer: plainSynthesizer(),
	}
	fit := func(u event.Unit) bool { return u.Account != c.Hub.Account }
	if region != "" {
		fit = func(u event.Unit) bool { return u == event.Unit{Account: c.Hub.Account, Region: region} }
		id, home = memberName+"-"+region, c.Hub.Region // where the hub's own stack has the account's roles
		props.Env = &awscdk.Environment{Account: str(c.Hub.Account), Region: str(region)}
	}
	s := awscdk.NewStack(scope, str(id), &props)
	parameter := awscdk.NewCfnParameter(s, str("HomeRegion"), &awscdk.CfnParameterProps{
		Type: str("String"), Default: str(home), AllowedValues: strs(regions(append([]event.Unit{c.Hub}, c.Fleet...))...),
		Description: str("The one region in which this account has the roles. Deploy there first, and delete there last."),
	})
	isHome := awscdk.NewCfnCondition(s, str("IsHome"), &awscdk.CfnConditionProps{
		Expression: awscdk.Fn_ConditionEquals(awscdk.Fn_Ref(str("AWS::Region")), parameter.ValueAsString()),
	})
	// In the home region what needs a role waits for it, elsewhere it is there.
	arnOf := func(role awsiam.CfnRole, name string) *string {
		return awscdk.Fn_ConditionIf(isHome.LogicalId(), role.AttrArn(), awscdk.Fn_Sub(str(roleARN(c.Hub, "${AWS::AccountId}", name)), nil)).ToString()
	}
	member := NewMember(s, c, isHome)
	newAccessEntries(s, only(c.AccessEntries, fit), arnOf(member.Observer, observerRole))
	return s, newForwarder(s, c.Hub, arnOf(member.Forwarder, forwarderRole))
}

// plainSynthesizer makes stacks that need no bootstrapping of their region: they have no assets.
func plainSynthesizer() awscdk.IStackSynthesizer { return awscdk.NewBootstraplessSynthesizer(nil) }

// homeRegion is the region in which accounts have their roles: the hub's, as in the hub's own account, or where the fleet is not
// in it, the first of the fleet's.
func homeRegion(c Config) string {
	all := regions(c.Fleet)
	if slices.Contains(all, c.Hub.Region) {
		return c.Hub.Region
	}
	return all[0]
}

// regions are the regions of some accounts, each once and in order.
func regions(units []event.Unit) []string {
	var all []string
	for _, u := range units {
		all = append(all, u.Region)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// newStackSet brings the member to every account of the organisational units, also to those that join later, in all regions of the
// fleet. It passes over the hub's account, whose roles the hub's own stack has; the organisation's management account AWS passes
// over by itself (CloudFormation user guide, "StackSets with service-managed permissions").
func newStackSet(scope constructs.Construct, c Config, template []byte) {
	home := homeRegion(c)
	order := append([]string{home}, slices.DeleteFunc(regions(c.Fleet), func(r string) bool { return r == home })...)
	caller := "DELEGATED_ADMIN"
	if c.Management {
		caller = "SELF"
	}
	awscdk.NewCfnStackSet(scope, str("Members"), &awscdk.CfnStackSetProps{
		StackSetName:    str(memberName),
		Description:     str("cniguard's member: roles of the hub's functions, and rules that send events to the hub"),
		PermissionModel: str("SERVICE_MANAGED"),
		CallAs:          str(caller),
		Capabilities:    strs("CAPABILITY_NAMED_IAM"),
		TemplateBody:    str(string(template)),
		AutoDeployment: awscdk.CfnStackSet_AutoDeploymentProperty{
			Enabled: true, RetainStacksOnAccountRemoval: false,
		},
		ManagedExecution: map[string]any{"Active": true}, // operations wait for each other
		OperationPreferences: awscdk.CfnStackSet_OperationPreferencesProperty{
			// The roles first. One account that refuses, say by a service control policy, keeps no other unwatched.
			RegionConcurrencyType: str("SEQUENTIAL"), RegionOrder: strs(order...),
			FailureTolerancePercentage: num(100), MaxConcurrentPercentage: num(100),
		},
		StackInstancesGroup: []any{awscdk.CfnStackSet_StackInstancesProperty{
			Regions: strs(order...),
			DeploymentTargets: awscdk.CfnStackSet_DeploymentTargetsProperty{
				OrganizationalUnitIds: strs(c.Units...), AccountFilterType: str("DIFFERENCE"), Accounts: strs(c.Hub.Account),
			},
		}},
	})
}
