package stack

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseks"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// newAccessEntries let an account's observer read the network of clusters from their Kubernetes APIs: each where its cluster is, since
// a member's template is the same for all accounts and regions. AmazonEKSViewPolicy is the least of EKS's own policies that has
// DaemonSets and service accounts, and it has no Secrets, which AmazonEKSAdminViewPolicy shows (EKS user guide, "Review access
// policy permissions").
func newAccessEntries(scope constructs.Construct, clusters []cluster.ID, observer *string) {
	own := constructs.NewConstruct(scope, str("Access")) // in it ids have a hash: names may differ in a hyphen only
	places := map[event.Unit]awscdk.CfnCondition{}
	for _, id := range clusters {
		u := unitOf(id)
		if places[u] == nil {
			places[u] = newPlace(scope, u)
		}
		awseks.NewCfnAccessEntry(own, str(id.Account+"-"+id.Region+"-"+id.Name), &awseks.CfnAccessEntryProps{
			ClusterName: str(id.Name), PrincipalArn: observer, Type: str("STANDARD"),
			AccessPolicies: []any{awseks.CfnAccessEntry_AccessPolicyProperty{
				PolicyArn:   str("arn:" + cluster.PartitionOf(id.Region).Name + ":eks::aws:cluster-access-policy/AmazonEKSViewPolicy"),
				AccessScope: awseks.CfnAccessEntry_AccessScopeProperty{Type: str("namespace"), Namespaces: strs("kube-system")},
			}},
		}).CfnOptions().SetCondition(places[u])
	}
}

// newPlace holds in the stack of an account and region.
func newPlace(scope constructs.Construct, u event.Unit) awscdk.CfnCondition {
	return awscdk.NewCfnCondition(scope, str("In-"+u.Account+"-"+u.Region), &awscdk.CfnConditionProps{Expression: awscdk.Fn_ConditionAnd(
		awscdk.Fn_ConditionEquals(awscdk.Fn_Ref(str("AWS::AccountId")), u.Account),
		awscdk.Fn_ConditionEquals(awscdk.Fn_Ref(str("AWS::Region")), u.Region),
	)})
}

func unitOf(id cluster.ID) event.Unit { return event.Unit{Account: id.Account, Region: id.Region} }

// only are the clusters whose account and region fit.
func only(clusters []cluster.ID, fit func(event.Unit) bool) []cluster.ID {
	return slices.DeleteFunc(slices.Clone(clusters), func(id cluster.ID) bool { return !fit(unitOf(id)) })
}
