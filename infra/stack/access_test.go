package stack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/infra/stack"
	"github.com/cniguard/cniguard/internal/cluster"
)

// entriesAreLeast wants of each access entry that it lets the observer, and nobody else, read kube-system. Nothing else in a template
// names an access policy of EKS's.
func entriesAreLeast(template map[string]any) (c complaints) {
	const view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
	observer := "Observer.Arn"
	if at(template, "Conditions", "IsHome") != nil { // a member, which has no role elsewhere
		observer = `{"Fn::If":["IsHome",{"Fn::GetAtt":["Observer","Arn"]},{"Fn::Sub":"arn:aws:iam::${AWS::AccountId}:role/cniguard-observer"}]}`
	}
	all := ofType(template, "AWS::EKS::AccessEntry")
	for _, e := range all {
		may := maps.Clone(e.props)
		delete(may, "ClusterName")
		delete(may, "PrincipalArn")
		c.want(e.id, text(may), `{"AccessPolicies":[{"AccessScope":{"Namespaces":["kube-system"],"Type":"namespace"},"PolicyArn":"`+view+`"}],"Type":"STANDARD"}`)
		c.want(e.id+" lets in", text(e.props["PrincipalArn"]), observer)
	}
	if n := strings.Count(text(template["Resources"]), "cluster-access-policy/"); n != len(all) {
		c.add("%d access policies in %d access entries", n, len(all))
	}
	return c
}

// entriesAreAtHome wants an entry for each of the clusters that is not in the hub's account and region, made in the cluster's own.
func entriesAreAtHome(clusters []cluster.ID, template map[string]any) (c complaints) {
	var want, have []string
	for _, id := range clusters {
		if id.Region != hubUnit.Region || id.Account != hubUnit.Account {
			want = append(want, fmt.Sprintf(`%s where {"Fn::And":[{"Fn::Equals":[{"Ref":"AWS::AccountId"},"%s"]},{"Fn::Equals":[{"Ref":"AWS::Region"},"%s"]}]}`, id.Name, id.Account, id.Region))
		}
	}
	for _, e := range ofType(template, "AWS::EKS::AccessEntry") {
		have = append(have, text(e.props["ClusterName"])+" where "+text(at(template, "Conditions", text(e.whole["Condition"]))))
	}
	slices.Sort(want)
	slices.Sort(have)
	if diff := cmp.Diff(want, have); diff != "" {
		c.add("access entries (-want +have):\n%s", diff)
	}
	return c
}

func TestTheHubLetsTheObserverIntoItsOwnClustersOnly(t *testing.T) {
	var have []string
	for _, e := range ofType(hub(t, full(t)), "AWS::EKS::AccessEntry") {
		have = append(have, text(e.props["ClusterName"])+" "+text(e.whole["Condition"]))
	}
	if diff := cmp.Diff([]string{"prod-1 In444455556666eucentral1"}, have); diff != "" {
		t.Error(diff)
	}
}

// A member's template is given in the request, which has room for so many.
func TestAStackSetHasRoomForFiftyAccessEntries(t *testing.T) {
	c := full(t)
	for i := range 100 {
		c.AccessEntries = append(c.AccessEntries, cluster.ID{Account: fmt.Sprintf("%012d", i), Region: "eu-central-1", Name: strings.Repeat("n", 40)})
	}
	whole := c.AccessEntries
	c.AccessEntries = whole[:50]
	template := member(t, c)
	if raw, err := json.Marshal(template); err != nil || len(ofType(template, "AWS::EKS::AccessEntry")) != 49 {
		t.Errorf("%s, %v", raw, err)
	}
	c.AccessEntries = whole
	if _, err := stack.MemberTemplate(c); err == nil || !strings.Contains(err.Error(), "shorten passRoles or accessEntries") {
		t.Errorf("100: %v", err)
	}
}

// networkActions are those of AWSLambdaVPCAccessExecutionRole, without those for logs.
func networkActions() []string {
	return []string{
		"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
		"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
	}
}

// inVPC reports whether a function is in a VPC.
func inVPC(template map[string]any) bool {
	return slices.ContainsFunc(ofType(template, "AWS::Lambda::Function"), func(f resource) bool { return f.props["VpcConfig"] != nil })
}

// Lambda attaches a function with the function's role. Where it is to, both functions are, the role may, and their code may not.
func networkIsLambdas(template map[string]any) (c complaints) {
	attached := inVPC(template)
	for _, f := range []string{"urgent", "bulk"} {
		function := ofType(template, "AWS::Lambda::Function")[slices.IndexFunc(ofType(template, "AWS::Lambda::Function"), func(r resource) bool {
			return text(r.props["FunctionName"]) == "cniguard-"+f
		})]
		var want, have []string
		vpc := ""
		if attached {
			vpc = `{"SecurityGroupIds":["sg-0123456789abcdef0"],"SubnetIds":["subnet-0123456789abcdef0","subnet-0fedcba9876543210"]}`
			want = []string{
				fmt.Sprintf("Allow %s on [*]", networkActions()),
				fmt.Sprintf(`Deny %s on [*] if {"ArnEquals":{"lambda:SourceFunctionArn":"arn:aws:lambda:eu-central-1:444455556666:function:cniguard-%s"}}`, networkActions(), f),
			}
		}
		c.want(f+": VPC", text(function.props["VpcConfig"]), vpc)
		for _, s := range statements(template) {
			if strings.HasPrefix(s.in, f) && strings.Contains(fmt.Sprint(s.actions), "ec2:") {
				have = append(have, grant(s.effect, fmt.Sprint(s.actions), fmt.Sprint(s.on), s.condition))
			}
		}
		if diff := cmp.Diff(want, have); diff != "" {
			c.add("%s (-want +have):\n%s", f, diff)
		}
	}
	return c
}
