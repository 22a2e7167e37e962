package stack_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/cniguard/cniguard/infra/stack"
)

// accepted are the findings of cdk-nag that stand, each with its reason. A finding that is not here fails the test, and so does one
// here that is not found any more.
func accepted() map[string]string {
	const (
		names   = "clusters come and go, and are known by their names alone"
		network = "Lambda wants these on all resources to attach a function to a VPC, and the function's code is denied them"
		streams = "a log stream for each execution environment, of the own log group"
		eks     = "IAM5[Resource::arn:aws:eks:*:<AWS::AccountId>:"
		logs    = "IAM5[Resource::arn:aws:logs:eu-central-1:444455556666:log-group:/aws/lambda/cniguard-"
	)
	return map[string]string{
		"SQS3 Failed":                       "it is the dead-letter queue itself; an alarm watches it",
		"IAM5[Resource::*] Observer":        "EKS, EC2 and CloudWatch know no resource for lists; metrics are held by their namespace",
		eks + "cluster/*] Observer":         names,
		eks + "nodegroup/*] Observer":       names,
		eks + "fargateprofile/*] Observer":  names,
		eks + "addon/*/vpc-cni/*] Observer": names,
		eks + "addon/*/vpc-cni/*] Updater":  names,
		"IAM5[Resource::arn:aws:cloudwatch:*:<AWS::AccountId>:alarm:cniguard-*] Observer": "the alarms of clusters, by the prefix that all of them have",
		"IAM5[Resource::arn:aws:iam::*:role/eks/vpc-cni-*] Updater":                       "the pattern is what the deployment configured",
		"IAM5[Resource::*] urgent/Role":                                                   network,
		"IAM5[Resource::*] bulk/Role":                                                     network,
		logs + "urgent:*] urgent/Role":                                                    streams,
		logs + "bulk:*] bulk/Role":                                                        streams,
	}
}

func TestNagFindsOnlyWhatIsAccepted(t *testing.T) {
	reasons, found := accepted(), map[string]bool{}
	for name, c := range map[string]stack.Config{"least": least(t), "full": full(t)} {
		app := stack.NewApp(t.TempDir())
		s, err := stack.NewHub(app, c)
		if err != nil {
			t.Fatal(err)
		}
		awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)}), nil)
		messages := assertions.Annotations_FromStack(s)
		any := assertions.Match_AnyValue()
		for _, m := range append(*messages.FindError(str("*"), any), *messages.FindWarning(str("*"), any)...) {
			finding := nagged(m.Entry.Data, *m.Id)
			if found[finding] = true; reasons[finding] == "" {
				t.Errorf("%s: %s", name, finding)
			}
		}
	}
	for finding := range reasons {
		if !found[finding] {
			t.Errorf("is not found any more, and need not be accepted: %s", finding)
		}
	}
}

// nagged is a finding in a line: the rule with what it is about, and the construct without the CDK's hashes.
func nagged(data any, id string) string {
	rule, _, _ := strings.Cut(data.(string), ": ")
	return regexp.MustCompile(`^AwsSolutions-`).ReplaceAllString(rule, "") + " " + strings.TrimPrefix(id, "/cniguard/")
}

func str(s string) *string { return &s }
