package kube_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

const (
	get        = "kubernetes:GetDaemonSet"
	notAsked   = "HOST answered what was not asked for: read DaemonSet aws-node: "
	notFound   = "HOST answered 404 without saying what it has not found"
	restricted = "no connection to HOST, which answers only 203.0.113.0/24, 2001:db8::/32"
)

func terminal(code, text string) fault.Fault {
	return fault.Fault{Kind: fault.Terminal, Op: get, Code: code, Text: text}
}

func passing(code, text string) fault.Fault {
	return fault.Fault{Kind: fault.Retry, Op: get, Code: code, Text: text}
}

func closed(code, text string) fault.Fault {
	return fault.Fault{Kind: fault.Terminal, Op: get, Code: code, Text: text, Need: role}
}

// hides has the scene read, and wants its fault.
func (s *scene) hides(t *testing.T, want fault.Fault) {
	t.Helper()
	got := s.read(t)
	if got.Value != nil || got.Fault == nil {
		t.Fatalf("read %+v", got)
	}
	is := *got.Fault
	is.Text = s.withoutHost(is.Text)
	if diff := cmp.Diff(want, is); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsAnsweredInsteadOfADaemonSet(t *testing.T) {
	answered := func(code int) string { return fmt.Sprintf("HOST answered %d", code) }
	unknown := "HOST answered 401 to " + role
	node := func(f http.HandlerFunc) func(*scene) { return func(s *scene) { s.answers[pathNode] = f } }
	whole := object("DaemonSet", nil)
	for name, c := range map[string]struct {
		arrange func(*scene)
		want    fault.Fault
	}{
		"401 where there are access entries": {node(refusal(401, "Unauthorized")), closed(guard.NoEntry, unknown)},
		"401 where there are only access entries": {
			func(s *scene) { s.api.Authentication = "API"; node(refusal(401, "Unauthorized"))(s) }, closed(guard.NoEntry, unknown),
		},
		"401 where there are no access entries": {
			func(s *scene) { s.api.Authentication = "CONFIG_MAP"; node(refusal(401, "Unauthorized"))(s) },
			closed(guard.OldMode, unknown+" and takes no access entries"),
		},
		"401 of a cluster of which EKS does not say": {
			func(s *scene) { s.api.Authentication = ""; node(refusal(401, "Unauthorized"))(s) }, closed(guard.NoEntry, unknown),
		},
		"403": {node(refusal(403, "Forbidden")), closed(guard.NotAllowed, "HOST answered 403 to "+role+" for daemonsets aws-node")},

		"404 as a page":                  {node(http.NotFound), terminal(guard.NotKubernetes, notFound)},
		"404 of another object":          {node(absence(404, "NotFound", "daemonsets", "kube-proxy")), terminal(guard.NotKubernetes, notFound)},
		"404 of another kind":            {node(absence(404, "NotFound", "namespaces", "aws-node")), terminal(guard.NotKubernetes, notFound)},
		"404 of nothing":                 {node(absence(404, "NotFound", "", "")), terminal(guard.NotKubernetes, notFound)},
		"404 for another reason":         {node(absence(404, "Gone", "daemonsets", "aws-node")), terminal(guard.NotKubernetes, notFound)},
		"404 that is no Status":          {node(status(404, whole)), terminal(guard.NotKubernetes, notFound)},
		"404 with the body of the asked": {node(status(404, strings.Replace(whole, "DaemonSet", "Status", 1))), terminal(guard.NotKubernetes, notFound)},
		"404 of another form":            {node(status(404, `{"kind": "Error", "reason": "NotFound", "details": {"name": "aws-node", "kind": "daemonsets"}}`)), terminal(guard.NotKubernetes, notFound)},
		"404 of more than 2 MB":          {node(status(404, strings.Repeat("x", 3<<20))), terminal(guard.NotKubernetes, "HOST sent more than 2 MB")},
		"429":                            {node(refusal(429, "TooManyRequests")), passing("429", answered(429))},
		"500":                            {node(refusal(500, "InternalError")), passing("500", answered(500))},
		"503":                            {node(refusal(503, "ServiceUnavailable")), passing("503", answered(503))},
		"504 without an end":             {node(endless(504)), passing("504", answered(504))},
		"409":                            {node(refusal(409, "Conflict")), terminal(guard.NotKubernetes, answered(409))},
		"406":                            {node(refusal(406, "NotAcceptable")), terminal(guard.NotKubernetes, answered(406))},
		"204":                            {node(status(204, "")), terminal(guard.NotKubernetes, answered(204))},
		"206":                            {node(status(206, whole)), terminal(guard.NotKubernetes, answered(206))},
		"a page":                         {node(found("<html>sign in</html>")), terminal(guard.NotKubernetes, notAsked+"want JSON")},
		"nothing":                        {node(found("")), terminal(guard.NotKubernetes, notAsked+"want JSON")},
		"half of a DaemonSet":            {node(found(whole[:len(whole)/2])), terminal(guard.NotKubernetes, notAsked+"want JSON")},
		"two DaemonSets":                 {node(found(whole + whole)), terminal(guard.NotKubernetes, notAsked+"want JSON")},
		"another kind":                   {node(found(object("ServiceAccount", nil))), terminal(guard.NotKubernetes, notAsked+"apiVersion: want apps/v1")},
		"a Status with 200":              {node(found(`{"kind": "Status", "apiVersion": "v1", "reason": "NotFound"}`)), terminal(guard.NotKubernetes, notAsked+"apiVersion: want apps/v1")},
		"more than 2 MB":                 {node(found(padded(whole, 2<<20+1))), terminal(guard.NotKubernetes, "HOST sent more than 2 MB")},
		"an answer without an end":       {node(endless(200)), terminal(guard.NotKubernetes, "HOST sent more than 2 MB")},
		"the token, in all places":       {node(echo), terminal(guard.NotKubernetes, notAsked+"apiVersion: want apps/v1")},
		"a negative number of nodes": {
			node(found(strings.Replace(whole, `"desiredNumberScheduled":3`, `"desiredNumberScheduled":-3`, 1))),
			terminal(guard.NotKubernetes, notAsked+"status: want no negative number of nodes"),
		},
		"headers of more than 64 KiB": {node(boasting), passing(guard.OutOfReach, "the connection to HOST broke off")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.arrange(s)
			s.hides(t, c.want)
			if len(s.asked) != 1 {
				t.Errorf("asked for %q", s.paths())
			}
		})
	}
}

func TestTheTokenIsNotKeptHoweverItIsSentBack(t *testing.T) {
	back := terminal(guard.NotKubernetes, "HOST sent back what it was sent")
	whole := object("DaemonSet", map[string]string{"meta.helm.sh/release-name": "RELEASE"})
	env := func(value string) string {
		return strings.Replace(customNetworking("true"), `"env":[`, `"env":[{"name":"MAX_ENI","value":"`+value+`"},`, 1)
	}
	for name, body := range map[string]string{
		"as an image's tag, with an escape of JSON": strings.Replace(whole, "v1.7.5", "TOKEN", 1),
		"in an image's digest, with invisible text": strings.Replace(whole, "v1.7.5", `\u200bTOKEN\u200b`, 1),
		"a piece of it in a variable":               env("PIECE3"),
		"pieces of it in several variables":         strings.Replace(env("PIECE3"), `"name":"MAX_ENI"`, `"name":"WARM_IP_TARGET","value":"PIECE3"},{"name":"MAX_ENI"`, 1),
		"a piece of it as the release's name":       strings.Replace(whole, "RELEASE", "PIECE2", 1),
		"a piece of it in a label that is evidence": strings.Replace(whole, `"annotations"`, `"labels":{"aws.cdk.eks/prune-PIECE2":""},"annotations"`, 1),
		"a piece of it as the name of a field manager": strings.Replace(whole, `"annotations"`,
			`"managedFields":[{"manager":"PIECE3","fieldsV1":{"f:spec":{"f:template":{"f:spec":{}}}}}],"annotations"`, 1),
		"a piece of it within other text":                   env("a SHORT b"),
		"as the name of a variable whose value is not kept": strings.Replace(env("1"), `"name":"MAX_ENI"`, `"name":"A_SHORT"`, 1),
		"24 bytes of it": env("SHORT"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.answers[pathNode] = repeating(body)
			s.hides(t, back)
		})
	}
	for name, c := range map[string]struct{ path, body, op string }{
		"as the name of an ENIConfig": {
			pathConfigs, strings.Replace(configs, `"eu-central-1a"`, `"PIECE1"`, 1), "ListENIConfigs",
		},
		"as the subnet of an ENIConfig":    {pathConfigs, strings.Replace(configs, `"subnet-0a"`, `"subnet-PIECE3"`, 1), "ListENIConfigs"},
		"as the role of a service account": {pathAccount, object("ServiceAccount", map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/PIECE1PIECE2"}), "GetServiceAccount"},
	} {
		t.Run("beside the DaemonSet "+name, func(t *testing.T) {
			s := newScene(t)
			s.answers[pathNode], s.answers[pathConfigs] = found(customNetworking("true")), found(configs)
			s.answers[c.path] = repeating(c.body)
			got := s.read(t)
			if got.Fault != nil || len(got.Value.Node.Unread) != 1 {
				t.Fatalf("%+v", got)
			}
			if line := s.withoutHost(got.Value.Node.Unread[0]); line != "kubernetes:"+c.op+": NotKubernetes: HOST sent back what it was sent" {
				t.Error(line)
			}
		})
	}
}

func TestADaemonSetThatIsNotAsTheVPCCNIsOwn(t *testing.T) {
	whole := object("DaemonSet", nil)
	container := func(list, name string) string {
		one := `{"name":"` + name + `","image":"a"}`
		return strings.Replace(whole, `"`+list+`":[`, `"`+list+`":[`+one+`,`+one+`,`, 1)
	}
	withSetup := strings.Replace(whole, `"containers":[`, `"initContainers":[{"name":"aws-vpc-cni-init"},{"name":"aws-vpc-cni-init"}],"containers":[`, 1)
	for name, c := range map[string]struct{ body, why string }{
		"it has another name":     {strings.Replace(whole, `"name":"aws-node","namespace"`, `"name":"aws-vpc-cni","namespace"`, 1), "metadata.name: want aws-node"},
		"it is in another place":  {strings.Replace(whole, "kube-system", "default", 1), "metadata.namespace: want kube-system"},
		"it has aws-node thrice":  {container("containers", "aws-node"), "spec.template.spec.containers: want at most one that is named aws-node, there are 3"},
		"it has two node agents":  {container("containers", "aws-eks-nodeagent"), "spec.template.spec.containers: want at most one that is named aws-eks-nodeagent, there are 2"},
		"it has two set-ups":      {withSetup, "spec.template.spec.initContainers: want at most one that is named aws-vpc-cni-init, there are 2"},
		"its account is no name":  {strings.Replace(whole, `"serviceAccountName":"aws-node"`, `"serviceAccountName":"../x"`, 1), "spec.template.spec.serviceAccountName: want the name of an object"},
		"its account is too long": {strings.Replace(whole, `"serviceAccountName":"aws-node"`, `"serviceAccountName":"`+strings.Repeat("a", 254)+`"`, 1), "spec.template.spec.serviceAccountName: want the name of an object"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.answers[pathNode] = found(c.body)
			s.hides(t, passing(guard.OddInstall, "HOST has a DaemonSet that is not as the VPC CNI's own: "+c.why))
			if len(s.asked) != 1 {
				t.Errorf("asked for %q", s.paths())
			}
		})
	}
}

func TestAnAnswerMayHaveJust2MB(t *testing.T) {
	s := newScene(t)
	s.answers[pathNode] = found(padded(object("DaemonSet", nil), 2<<20))
	if got := s.read(t); got.Fault != nil {
		t.Error(got.Fault)
	}
}

func TestWhereThereIsNoAwsNodeTheListDecides(t *testing.T) {
	list := func(f fault.Fault) fault.Fault { f.Op = "kubernetes:ListDaemonSets"; return f }
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   fault.Fault
	}{
		"one that may not be read is not an empty one": {
			refusal(403, "Forbidden"), list(closed(guard.NotAllowed, "HOST answered 403 to "+role+" for daemonsets")),
		},
		"one that is not found is not an empty one": {absence(404, "NotFound", "daemonsets", ""), list(terminal(guard.NotKubernetes, notFound))},
		"one of something else is not an empty one": {
			found(configs), list(terminal(guard.NotKubernetes, "HOST answered what was not asked for: read the DaemonSets of kube-system: "+
				"apiVersion, kind: want meta.k8s.io/v1 PartialObjectMetadataList or apps/v1 DaemonSetList")),
		},
		"an API that is down has not said": {refusal(500, "InternalError"), list(passing("500", "HOST answered 500"))},
		"one with aws-node, which came meanwhile, is not without it": {
			found(names("cilium", "aws-node")),
			list(passing(guard.OddInstall, "HOST has a DaemonSet that is not as the VPC CNI's own: metadata.name: one is aws-node, which was not there before")),
		},
		"one with the VPC CNI under another name is not without it": {
			found(partial("", `{"metadata": {"name": "aws-vpc-cni", "labels": {"k8s-app": "aws-node"}}}`)),
			list(passing(guard.OddInstall, "HOST has a DaemonSet that is not as the VPC CNI's own: metadata.labels, k8s-app: one of another name says aws-node")),
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.answers[pathNode], s.answers[pathList] = absence(404, "NotFound", "daemonsets", "aws-node"), c.answer
			s.hides(t, c.want)
		})
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			s := newScene(t)
			called := false
			elsewhere := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
			elsewhere.Config.ConnState = func(net.Conn, http.ConnState) { called = true }
			elsewhere.TLS = s.server.TLS.Clone()
			elsewhere.StartTLS()
			s.answers[pathNode] = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL+"/", code) }
			s.hides(t, terminal(guard.NotKubernetes, fmt.Sprintf("HOST answered %d", code)))
			elsewhere.Close()
			if called || len(s.tokens) != 1 {
				t.Errorf("the target was contacted: %t; %d requests", called, len(s.tokens))
			}
		})
	}
}

func TestATokenThatEKSDoesNotTake(t *testing.T) {
	for name, arrange := range map[string]func(*scene){
		"is that of another cluster":   func(s *scene) { s.id.Name = "dev" },
		"is too old":                   func(s *scene) { s.later = 16 * time.Minute },
		"is signed with another key":   func(s *scene) { s.secret = "another" },
		"is from before its time":      func(s *scene) { s.later = -6 * time.Minute },
		"is of a role that is unknown": func(s *scene) { s.answers[pathNode] = refusal(401, "Unauthorized") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			arrange(s)
			s.hides(t, closed(guard.NoEntry, "HOST answered 401 to "+role))
		})
	}
}

func TestAFaultOfTheCredentialsIsTheReadings(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want fault.Fault
	}{
		"a role that may not be assumed": {
			&smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform sts:AssumeRole"},
			fault.Fault{Kind: fault.Terminal, Op: "sts:AssumeRole", Code: "AccessDenied", Need: "sts:AssumeRole", Text: "not authorized to perform sts:AssumeRole"},
		},
		"an STS that does not answer": {context.DeadlineExceeded, fault.Fault{Kind: fault.Retry, Op: "sts:AssumeRole", Text: "context deadline exceeded"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, c.err })
			s.hides(t, c.want)
		})
	}
}
