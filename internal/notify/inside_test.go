package notify_test

import (
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

// Fact 6.5/no-admin.
func TestWhatKeptCniguardOutHasItsRemedy(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/cniguard-observer"
	view := "--policy-arn arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy --access-scope type=namespace,namespaces=kube-system"
	for code, want := range map[string][]string{
		guard.NoEntry:         {"aws eks create-access-entry --region eu-central-1 --cluster-name prod-eu --principal-arn " + role, "aws eks associate-access-policy", view, "has no access entry"},
		guard.OldMode:         {"authenticationMode=API_AND_CONFIG_MAP", "aws eks wait cluster-active --region eu-central-1 --name prod-eu aws eks create-access-entry", view, "cannot be undone", "aws-auth only"},
		guard.NotAllowed:      {view, "list-associated-access-policies", "allows too little"},
		guard.PrivateEndpoint: {"is private", "functionSubnets", "endpointPublicAccess", "selfManaged: ignore"},
		guard.ClosedEndpoint:  {"publicAccessCidrs", "NAT gateway"},
		guard.WrongCA:         {"opens TLS"},
		guard.NotKubernetes:   {"no Kubernetes API"},
		guard.NoEndpoint:      {"no endpoint"},
		guard.NoKnownCNI:      {"no CNI that is known", "another namespace", "kubectl get daemonsets -A"},
		guard.OddInstall:      {"not as the VPC CNI's own", "by hand"},
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

func TestARecoverySaysWhatIsKnownNow(t *testing.T) {
	m := sample(guard.InstallUnknown, guard.Info)
	m.News, m.Verdict.Install = guard.Recovered, guard.Answer{Word: "other", Because: "there is no DaemonSet aws-node; Cilium runs the network"}
	if got := notify.Render(m).Text; !strings.Contains(strings.Join(strings.Fields(got), " "), "which CNI runs is known: there is no DaemonSet aws-node; Cilium") {
		t.Error(got)
	}
	for _, code := range []guard.Code{guard.InstallUnknown, guard.VersionOutdated, guard.ImagesDiffer} {
		m := sample(code, guard.Warning)
		m.News, m.Verdict.Install = guard.Recovered, guard.Answer{Word: "unknown", Because: "EKS manages no add-on, and the policy says selfManaged: ignore"}
		text := strings.Join(strings.Fields(notify.Render(m).Text), " ")
		if !strings.Contains(text, "nobody looks any more whether "+string(code)+" is over") || strings.Contains(text, "no longer older") {
			t.Error(text)
		}
	}
}
