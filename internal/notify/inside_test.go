package notify_test

import (
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

func TestWhatKeptCniguardOutHasItsRemedy(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/cniguard-observer"
	view := "--policy-arn arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy --access-scope type=namespace,namespaces=kube-system"
	for code, want := range map[string][]string{
		guard.NoEntry:         {"aws eks create-access-entry --region eu-central-1 --cluster-name prod-eu --principal-arn " + role, "aws eks associate-access-policy", view},
		guard.OldMode:         {"authenticationMode=API_AND_CONFIG_MAP", "create-access-entry", view, "cannot be undone"},
		guard.NotAllowed:      {view, "list-associated-access-policies", "allows too little"},
		guard.PrivateEndpoint: {"inside of its VPC", "endpointPublicAccess", "selfManaged: ignore"},
		guard.ClosedEndpoint:  {"publicAccessCidrs", "NAT gateway"},
		guard.WrongCA:         {"opens TLS"},
		guard.NotKubernetes:   {"not its Kubernetes API"},
		guard.NoEndpoint:      {"no endpoint"},
		guard.OutOfReach:      {"tries again by itself"},
		guard.TooSlow:         {"tries again by itself"},
	} {
		m := sample(guard.InstallUnknown, guard.Info, "code", code, "role", role)
		text := strings.Join(strings.Fields(strings.ReplaceAll(notify.Render(m).Text, "\\\n", " ")), " ")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the message lacks %q:\n%s", code, w, text)
			}
		}
		if strings.Contains(text, "AdminView") {
			t.Errorf("%s: the message offers a policy that shows Secrets", code)
		}
	}
}

func TestTheAccessPolicyIsThatOfThePartition(t *testing.T) {
	m := sample(guard.InstallUnknown, guard.Info, "code", guard.NoEntry)
	m.Cluster.Region = "cn-north-1"
	if text := notify.Render(m).Text; !strings.Contains(text, "arn:aws-cn:eks::aws:cluster-access-policy/AmazonEKSViewPolicy") || !strings.Contains(text, "OBSERVER_ROLE_ARN") {
		t.Error(text)
	}
}

func TestNobodyIsToldToUpdateAnAddonThatIsNotThere(t *testing.T) {
	for _, name := range []string{"self-managed", "images-differ"} {
		text := notify.Render(samples()[name]).Text
		if strings.Contains(text, "update-addon") || strings.Contains(text, "describe-addon") || !strings.Contains(text, "kubectl -n kube-system get daemonset aws-node") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}
