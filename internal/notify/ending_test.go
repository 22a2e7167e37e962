package notify_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

// ended is the news of an update that failed with a code, with these facts besides.
func ended(code, said, next string, pairs ...string) guard.Message {
	m := progress(guard.NotDone)
	all := []string{"from", "v1.7.5-eksbuild.2", "to", "v1.8.0-eksbuild.1", "error", said, "code", code}
	all = append(append(all, pairs...), "try", "1 of 2", "next", next)
	m.Finding.Facts = facts(all...)
	return m
}

// endings are the news of updates that ended in each way that is told apart, and what else such news may hold.
func endings() []guard.Message {
	const again, aside = "one more try in 15 minutes", "set aside, since another try would fail too, until a person approves again"
	said := map[string][]string{
		"OneMinorVersion":           {"eks:UpdateAddon: InvalidParameterException: Updating VPC-CNI can only go up or down 1 minor version at a time", aside},
		"InvalidParameterException": {"eks:UpdateAddon: InvalidParameterException: ConfigurationValue provided in request is not supported", aside},
		"AccessDeniedException": {"eks:UpdateAddon: AccessDeniedException: not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/prod-eu-cni", again,
			"need", "iam:PassRole"},
		"AccessDenied": {"sts:AssumeRole: AccessDenied: assume role arn:aws:iam::111122223333:role/cniguard-updater: not authorized", again, "need", "sts:AssumeRole"},
		"ConfigurationConflict": {"EKS says the update failed: ConfigurationConflict: Conflicts found when trying to apply.", aside,
			"field", "DaemonSet.apps aws-node - .spec.template.spec.tolerations", "way back", "v1.7.5-eksbuild.2"},
		"AdmissionRequestDenied": {"EKS says the update failed: AdmissionRequestDenied: admission webhook \"deny.example.com\" denied the request", aside,
			"no way back", "EKS does not list v1.7.5-eksbuild.2 as compatible with Kubernetes 1.29"},
		"DEGRADED": {"EKS says the update was successful, but the add-on is DEGRADED: InsufficientNumberOfReplicas: 2 of 6 aws-node pods are not ready",
			"set aside, since the add-on is at that version already, until a person approves again", "way back", "v1.7.5-eksbuild.2"},
	}
	var all []guard.Message
	for _, e := range guard.Endings() {
		s := said[e.Code]
		if s == nil {
			s = []string{"EKS says the update failed: " + e.Code + ": what EKS says of it", map[bool]string{true: aside, false: again}[e.Final]}
		}
		pairs := s[2:]
		if strings.HasPrefix(s[0], "EKS says") {
			pairs = append(pairs, "update id", "0f2bd9bb-1d5c-3c92-8ba1-8c5d0f5c9a6b")
		}
		all = append(all, ended(e.Code, s[0], s[1], pairs...))
	}
	return all
}

// What guard tells apart, people are told apart: each ending has its own next move, with commands.
func TestEachEndingHasItsNextMove(t *testing.T) {
	doOf := func(m guard.Message) string {
		_, rest, _ := strings.Cut(notify.Render(m).Text, "\nWhat to do:\n")
		do, _, _ := strings.Cut(rest, "\nConsole:")
		return do
	}
	any := doOf(ended("NoSuchCode", "x", "y"))
	seen := map[string]string{any: "any other"}
	for _, e := range guard.Endings() {
		do := doOf(ended(e.Code, "x", "y"))
		if other, same := seen[do]; same && !(other == "UPDATE_FAILED" && e.Code == "DEGRADED") || !strings.Contains(do, "Commands, for account") {
			t.Errorf("%s has what to do of %s:\n%s", e.Code, other, do)
		}
		if wants := strings.Contains(do, "cniguard approve"); wants != e.Final && e.Code != "DEGRADED" {
			t.Errorf("%s: final %t, and a new approval is asked for: %t", e.Code, e.Final, wants)
		}
		seen[do] = e.Code
	}
}

func TestTheWayBackKeepsRoleAndConfiguration(t *testing.T) {
	m := ended("InsufficientNumberOfReplicas", "x", "y", "way back", "v1.7.5-eksbuild.2")
	want := "aws eks update-addon --region eu-central-1 --cluster-name prod-eu --addon-name vpc-cni --addon-version v1.7.5-eksbuild.2 --resolve-conflicts PRESERVE " +
		"--service-account-role-arn arn:aws:iam::111122223333:role/prod-eu-cni ${config:+--configuration-values=\"$config\"}; fi"
	flat := func(m guard.Message) string {
		return strings.Join(strings.Fields(strings.ReplaceAll(notify.Render(m).Text, "\\\n", "")), " ")
	}
	if got := flat(m); !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
	if got := notify.Render(m).Chat; !strings.Contains(got, "--addon-version v1.7.5-eksbuild.2") {
		t.Errorf("the chat has no way back: %s", got)
	}
	for name, change := range map[string]func(*guard.Message){
		"the add-on was not read, nor its role": func(m *guard.Message) { m.Verdict.Install.Word = guard.Unknown },
		"the version before is none": func(m *guard.Message) {
			m.Finding.Facts = facts("code", "ConfigurationConflict", "way back", "v1.7-corp")
		},
		"it is not offered": func(m *guard.Message) { m.Finding.Facts = facts("no way back", "it is not listed") },
	} {
		m := m
		change(&m)
		if got := flat(m); strings.Contains(got, "To go back, run") || strings.Contains(got, "v1.7-corp --resolve") || strings.Contains(got, "update-addon") && name != "the version before is none" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestOnlyAnEmailHasTheTextForSupport(t *testing.T) {
	m := samples()["update-stuck"]
	m.News = guard.Opened
	s := notify.Render(m)
	for _, line := range notify.Support(m.Cluster, m.Finding) {
		if !strings.Contains(s.Text, "\n  "+line+"\n") {
			t.Errorf("the e-mail lacks %q", line)
		}
	}
	if strings.Contains(s.Chat, "Client request token:") || strings.Contains(s.SMS, "token") {
		t.Error("a chat or a phone has it too")
	}
	want := []string{
		"A change of an EKS add-on does not end.", "Cluster: arn:aws:eks:eu-central-1:111122223333:cluster/prod-eu", "Add-on: vpc-cni",
		"Update id: 0f2bd9bb-1d5c-3c92-8ba1-8c5d0f5c9a6b", "Versions: v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1", "Started: 2026-11-23T02:31:00Z",
		"Status of the update: InProgress", "Status of the add-on: UPDATING", "Health issue: InsufficientNumberOfReplicas: 2 of 6 aws-node pods are not ready",
		"Client request token: 9d1f04c7d0a34d6c8a5f6b0c2f1e7a90",
	}
	if got := notify.Support(m.Cluster, m.Finding); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := notify.Support(m.Cluster, guard.Finding{Code: guard.UpdateBlocked}); got != nil {
		t.Errorf("of another finding: %q", got)
	}
	m.News = guard.Recovered
	if strings.Contains(notify.Render(m).Text, "AWS Support") {
		t.Error("what is over is still for AWS Support")
	}
}
