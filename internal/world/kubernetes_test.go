package world_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

const (
	daemonSets      = "/apis/apps/v1/namespaces/kube-system/daemonsets"
	serviceAccounts = "/api/v1/namespaces/kube-system/serviceaccounts"
	eniConfigs      = "/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs"

	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// helm is an aws-node that somebody installed with Helm.
func helm() world.DaemonSet {
	return world.DaemonSet{
		Name: "aws-node", Labels: map[string]string{"k8s-app": "aws-node"}, Annotations: map[string]string{"meta.helm.sh/release-name": "aws-vpc-cni"},
		Managers:       []world.Writer{{Name: "helm"}, {Name: "kubectl-set", Operation: "Apply", Wrote: world.WroteEnv, After: 24 * time.Hour}},
		InitContainers: []world.Container{{Name: "aws-vpc-cni-init", Image: "example.com/amazon-k8s-cni-init:v1.7.5"}},
		Containers:     []world.Container{{Name: "aws-node", Image: "example.com/amazon-k8s-cni:v1.7.5", Env: map[string]string{"WARM_IP_TARGET": "5", "A": ""}}},
		ServiceAccount: "aws-node", Role: role,
	}
}

func proxy() world.DaemonSet {
	return world.DaemonSet{Name: "kube-proxy", Containers: []world.Container{{Name: "kube-proxy", Image: "example.com/kube-proxy"}}}
}

// inside is house, where somebody else installed the VPC CNI and the observer may look at it.
func inside(changes ...func(*world.Cluster)) func(*world.Spec) {
	return with(func(s *world.Spec) {
		c := &s.Clusters[0]
		c.Addon, c.DaemonSets, c.API.Readers = nil, []world.DaemonSet{helm(), proxy()}, []string{"cniguard-observer"}
		c.ENIConfigs = []world.ENIConfig{{Name: "eu-central-1a", Subnet: "subnet-a"}}
		for _, change := range changes {
			change(c)
		}
	})
}

// question is a request to prod's own API. Empty fields: it gets aws-node, with a token that was made for prod now.
type question struct {
	method, path, accept string

	token func(token string) string // changes the header's
	of    string                    // name of the cluster that the token is for
	age   time.Duration             // of the token
}

type answer struct {
	status int
	kind   string
	body   string
}

// ask asks prod's own API with somebody's credentials.
func (s *stage) ask(ctx context.Context, keys aws.CredentialsProvider, q question) (answer, error) {
	k, err := keys.Retrieve(ctx)
	if err != nil {
		return answer{}, err
	}
	out, err := s.Client(caller, hubAccount, hubRegion).DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
	if err != nil {
		return answer{}, err
	}
	if q.path == "" {
		q.path = daemonSets + "/aws-node"
	}
	if q.of == "" {
		q.of = "prod"
	}
	r, err := http.NewRequestWithContext(ctx, q.method, *out.Cluster.Endpoint+q.path, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	bearer := "Bearer " + token(ctx, k, q.of, s.Now().Add(-q.age))
	if q.token != nil {
		bearer = q.token(bearer)
	}
	r.Header = http.Header{"Authorization": {bearer}, "Accept": {q.accept}}
	return s.send(r)
}

// send sends a request on the clusters' way.
func (s *stage) send(r *http.Request) (answer, error) {
	got, err := s.Kubernetes().RoundTrip(r)
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header.Get("Content-Type"), string(body)}, errors.Join(err, got.Body.Close())
}

// token is a cluster's token, which the SDK signs.
func token(ctx context.Context, keys aws.Credentials, name string, at time.Time) string {
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://sts."+hubRegion+".amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", http.NoBody)
	r.Header.Set("X-K8s-Aws-Id", name)
	signed, _, _ := v4.NewSigner().PresignHTTP(ctx, keys, r, emptyHash, "sts", hubRegion, at)
	return "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(signed))
}

// asked is what prod's own API answers to a role at noon.
func (s *stage) asked(role string, q question) (got answer) {
	s.Helper()
	s.at(s.Now().Sub(noon), func(ctx context.Context, c *world.Client) {
		var err error
		if got, err = s.ask(ctx, c.Assume(role, hubRegion), q); err != nil {
			s.Error(err)
		}
	})
	return got
}

// Fact 6.5/view.
func TestWhoMayReadACluster(t *testing.T) {
	all := []question{{}, {path: daemonSets}, {path: serviceAccounts + "/aws-node"}, {path: eniConfigs}}
	api := func(a world.API) func(*world.Cluster) { return func(c *world.Cluster) { c.API = a } }
	own, others := []string{"cniguard-observer"}, []string{"another"}
	for name, c := range map[string]struct {
		api   world.API
		role  string
		want  []int
		reads bool
	}{
		"a reader reads kube-system, and no custom resources":          {world.API{Readers: own}, observer, []int{200, 200, 200, 403}, true},
		"a reader that may reads custom resources too":                 {world.API{Readers: own, ENIConfigs: true}, observer, []int{200, 200, 200, 200}, true},
		"a reader where there are only access entries":                 {world.API{Readers: own, AuthenticationMode: "API"}, observer, []int{200, 200, 200, 403}, true},
		"a reader of the ConfigMap, where there are no access entries": {world.API{Readers: own, AuthenticationMode: "CONFIG_MAP"}, observer, []int{200, 200, 200, 403}, true},
		"an entry without a policy is forbidden everything":            {world.API{Entries: own, ENIConfigs: true}, observer, []int{403, 403, 403, 403}, false},
		"an entry is none where there are no access entries":           {world.API{Entries: own, AuthenticationMode: "CONFIG_MAP"}, observer, []int{401, 401, 401, 401}, false},
		"a role that nobody let in is not known":                       {world.API{Readers: others, Entries: others}, observer, []int{401, 401, 401, 401}, false},
		"a role of another account is not the one of its name":         {world.API{Readers: own}, strings.Replace(observer, hubAccount, "444455556666", 1), []int{401, 401, 401, 401}, false},
		"a role with a path is known by its name":                      {world.API{Readers: own}, strings.Replace(observer, "role/", "role/ops/", 1), []int{200, 200, 200, 403}, true},
		"a role whose name differs in case is another":                 {world.API{Readers: []string{"CNIGuard-Observer"}}, observer, []int{401, 401, 401, 401}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, inside(api(c.api)))
			var got []int
			for _, q := range all {
				got = append(got, s.asked(c.role, q).status)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if s.Reads(prod, c.role) != c.reads {
				t.Errorf("the world says that the role reads: %t", !c.reads)
			}
		})
	}
}

func TestWhatIsNotSimulatedIsForbidden(t *testing.T) {
	s := set(t, 1, inside(func(c *world.Cluster) { c.API.ENIConfigs = true }))
	for _, q := range []question{
		{method: http.MethodPost, path: daemonSets}, {method: http.MethodPut}, {method: http.MethodPatch}, {method: http.MethodDelete}, {method: http.MethodOptions},
		{path: "/api/v1/namespaces/kube-system/secrets"}, {path: "/apis/apps/v1/daemonsets"}, {path: "/apis/apps/v1/namespaces/default/daemonsets"},
		{path: "/apis/apps/v1/namespaces/default/daemonsets/aws-node"}, {path: "/apis/apps/v1beta1/namespaces/kube-system/daemonsets"}, {path: "/apis/apps"},
		{path: "/apis/crd.k8s.amazonaws.com/v1alpha1/namespaces/kube-system/eniconfigs"}, {path: eniConfigs + "/eu-central-1a"}, {path: serviceAccounts}, {path: "/"}, {path: "/version"},
	} {
		if got := s.asked(observer, q); got.status != http.StatusForbidden {
			t.Errorf("%s %s gives %d", q.method, q.path, got.status)
		}
	}
	for _, e := range s.entries(world.Called, "") {
		if e.Call.Service == "kubernetes" && e.Call.Op != "Other" && e.Call.Op != "ListDaemonSets" && e.Call.Op != "GetDaemonSet" && e.Call.Op != "ListENIConfigs" {
			t.Errorf("it is called %s", e.Call.Action())
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	const unauthorized = `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}`
	for name, c := range map[string]struct {
		q    question
		want int
	}{
		"one that is right":         {question{}, 200},
		"none":                      {question{token: func(string) string { return "" }}, 401},
		"one of another scheme":     {question{token: func(t string) string { return strings.Replace(t, "Bearer", "Basic", 1) }}, 401},
		"one that is no token":      {question{token: func(string) string { return "Bearer x" }}, 401},
		"one of another cluster":    {question{of: "dev"}, 401},
		"one of a quarter ago":      {question{age: 15 * time.Minute}, 200},
		"one that has expired":      {question{age: 15*time.Minute + time.Second}, 401},
		"one of the future":         {question{age: -6 * time.Minute}, 401},
		"one that somebody changed": {question{token: func(t string) string { return t[:len(t)-3] + "AAA" }}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, inside())
			got := s.asked(observer, c.q)
			if got.status != c.want || c.want == 401 && got != (answer{401, "application/json", unauthorized}) {
				t.Errorf("it gives %+v", got)
			}
		})
	}
	t.Run("one of a key that nobody has, or of a wrong secret", func(t *testing.T) {
		s := set(t, 1, inside())
		s.at(0, func(ctx context.Context, c *world.Client) {
			right, err := c.Assume(observer, hubRegion).Retrieve(ctx)
			if err != nil {
				t.Fatal(err)
			}
			unknown, wrong := right, right
			unknown.AccessKeyID, wrong.SecretAccessKey = "ASIA9999999999999999", "guess"
			for _, k := range []aws.Credentials{unknown, wrong} {
				got, err := s.ask(ctx, aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return k, nil }), question{})
				if err != nil || got != (answer{401, "application/json", unauthorized}) {
					t.Errorf("%+v, %v", got, err)
				}
			}
		})
	})
	t.Run("one of a region that is switched off", func(t *testing.T) {
		s := set(t, 1, func(s *world.Spec) {
			inside()(s)
			s.Disabled = []world.Disabled{{Account: hubAccount, Region: hubRegion, From: time.Hour}}
		})
		s.at(0, func(ctx context.Context, c *world.Client) {
			k, _ := c.Assume(observer, hubRegion).Retrieve(ctx)
			out, _ := c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
			r, _ := http.NewRequestWithContext(ctx, http.MethodGet, *out.Cluster.Endpoint+daemonSets, http.NoBody)
			_ = s.clock.Sleep(ctx, 2*time.Hour)
			r.Header.Set("Authorization", "Bearer "+token(ctx, k, "prod", s.Now()))
			if got, err := s.send(r); err != nil || got.status != 401 {
				t.Errorf("%v, %v", got, err)
			}
		})
		s.until(3 * time.Hour)
	})
}

func TestAnswersAreAsKubernetesWritesThem(t *testing.T) {
	const (
		partial = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
		status  = `{"fieldsType":"FieldsV1","manager":"kube-controller-manager","operation":"Update","subresource":"status","apiVersion":"apps/v1","time":"2025-11-23T12:00:00Z",
			"fieldsV1":{"f:status":{"f:numberReady":{},"f:observedGeneration":{}}}}`
		node = `"metadata":{"name":"aws-node","namespace":"kube-system","uid":"UID","resourceVersion":"1763899200","generation":2,"creationTimestamp":"2025-11-23T12:00:00Z",
			"labels":{"k8s-app":"aws-node"},"annotations":{"meta.helm.sh/release-name":"aws-vpc-cni"},"managedFields":[
			{"manager":"helm","operation":"Update","apiVersion":"apps/v1","time":"2025-11-23T12:00:00Z","fieldsType":"FieldsV1",
				"fieldsV1":{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"aws-node\"}":{"f:image":{},"f:name":{}}}}}}}},
			{"manager":"kubectl-set","operation":"Apply","apiVersion":"apps/v1","time":"2025-11-24T12:00:00Z","fieldsType":"FieldsV1",
				"fieldsV1":{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"aws-node\"}":{"f:env":{
					"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"WARM_IP_TARGET\"}":{".":{},"f:name":{},"f:value":{}}}}}}}}}},` + status + `]}`
		proxy = `"metadata":{"name":"kube-proxy","namespace":"kube-system","uid":"UID","resourceVersion":"1763899200","generation":1,"creationTimestamp":"2025-11-23T12:00:00Z","managedFields":[` + status + `]}`
		self  = `{"name":"MY_NODE_NAME","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"spec.nodeName"}}}`
		spec  = `"spec":{"revisionHistoryLimit":10,"selector":{"matchLabels":{"k8s-app":"aws-node"}},"template":{"metadata":{"labels":{"k8s-app":"aws-node"}},"spec":{
			"initContainers":[{"name":"aws-vpc-cni-init","image":"example.com/amazon-k8s-cni-init:v1.7.5","imagePullPolicy":"IfNotPresent","env":[` + self + `]}],
			"containers":[{"name":"aws-node","image":"example.com/amazon-k8s-cni:v1.7.5","imagePullPolicy":"IfNotPresent","env":[{"name":"A"},{"name":"WARM_IP_TARGET","value":"5"},` + self + `]}],
			"restartPolicy":"Always","serviceAccountName":"aws-node","serviceAccount":"aws-node","hostNetwork":true}}},
			"status":{"currentNumberScheduled":2,"numberMisscheduled":0,"desiredNumberScheduled":2,"numberReady":2,"updatedNumberScheduled":2,"observedGeneration":2}`
	)
	for name, c := range map[string]struct {
		q    question
		code int
		want string
	}{
		"a DaemonSet": {question{}, 200, `{"kind":"DaemonSet","apiVersion":"apps/v1",` + node + `,` + spec + `}`},
		"one that is not there": {question{path: daemonSets + "/cilium"}, 404, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
			"message":"daemonsets.apps \"cilium\" not found","reason":"NotFound","details":{"name":"cilium","group":"apps","kind":"daemonsets"},"code":404}`},
		"the metadata of a list": {question{path: daemonSets + "?limit=500", accept: partial}, 200, `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1",
			"metadata":{"resourceVersion":"1795435200"},"items":[{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",` + node + `},{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",` + proxy + `}]}`},
		"a page of a list": {question{path: daemonSets + "?limit=1"}, 200, `{"kind":"DaemonSetList","apiVersion":"apps/v1",
			"metadata":{"resourceVersion":"1795435200","continue":"kube-proxy"},"items":[{` + node + `,` + spec + `}]}`},
		"the next page": {question{path: daemonSets + "?limit=1&continue=kube-proxy", accept: partial}, 200, `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1",
			"metadata":{"resourceVersion":"1795435200"},"items":[{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",` + proxy + `}]}`},
		"a service account with a role": {question{path: serviceAccounts + "/aws-node"}, 200, `{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"aws-node","namespace":"kube-system",
			"uid":"UID","resourceVersion":"1795435200","creationTimestamp":"2026-11-23T12:00:00Z","annotations":{"eks.amazonaws.com/role-arn":"` + role + `"}}}`},
		"the service account that every namespace has": {question{path: serviceAccounts + "/default"}, 200, `{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"default",
			"namespace":"kube-system","uid":"UID","resourceVersion":"1795435200","creationTimestamp":"2026-11-23T12:00:00Z"}}`},
		"a service account that is not there": {question{path: serviceAccounts + "/cni"}, 404, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
			"message":"serviceaccounts \"cni\" not found","reason":"NotFound","details":{"name":"cni","kind":"serviceaccounts"},"code":404}`},
		"ENIConfigs": {question{path: eniConfigs + "?limit=500"}, 200, `{"kind":"ENIConfigList","apiVersion":"crd.k8s.amazonaws.com/v1alpha1","metadata":{"resourceVersion":"1795435200"},
			"items":[{"apiVersion":"crd.k8s.amazonaws.com/v1alpha1","kind":"ENIConfig","metadata":{"name":"eu-central-1a","uid":"UID","resourceVersion":"1795435200",
			"creationTimestamp":"2026-11-23T12:00:00Z"},"spec":{"subnet":"subnet-a"}}]}`},
		"what is forbidden": {question{path: "/api/v1/namespaces/kube-system/secrets"}, 403, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Forbidden","code":403,
			"message":"secrets is forbidden: User \"arn:aws:sts::111122223333:assumed-role/cniguard-observer/session\" cannot list resource \"secrets\" in API group \"\" in the namespace \"kube-system\"",
			"details":{"kind":"secrets"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, inside(func(c *world.Cluster) { c.API.ENIConfigs = true }))
			got := s.asked(observer, c.q)
			if got.status != c.code || got.kind != "application/json" {
				t.Errorf("%d %s", got.status, got.kind)
			}
			if diff := cmp.Diff(tree(t, c.want), tree(t, uids(t, got.body))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAServiceAccountIsSharedByAllThatNameNone(t *testing.T) {
	s := set(t, 1, inside(func(c *world.Cluster) {
		c.DaemonSets = []world.DaemonSet{{Name: "aws-node", Role: role, Containers: helm().Containers}, proxy()}
	}))
	if got := s.asked(observer, question{path: serviceAccounts + "/default"}); !strings.Contains(got.body, `{"eks.amazonaws.com/role-arn":"`+role+`"}`) {
		t.Errorf("%+v", got)
	}
	if got := s.asked(observer, question{}); strings.Contains(got.body, "serviceAccount") {
		t.Errorf("the DaemonSet names one: %s", got.body)
	}
}

// uids checks and blanks the UIDs in an answer.
func uids(t *testing.T, body string) string {
	t.Helper()
	const key = `"uid":"`
	at := strings.Index(body, key)
	if at < 0 {
		return body
	}
	at += len(key)
	end := at + strings.IndexByte(body[at:], '"')
	if uid := body[at:end]; len(uid) != 36 || strings.Count(uid, "-") != 4 {
		t.Errorf("%s is no UID", uid)
	}
	return body[:at] + "UID" + uids(t, body[end:])
}

func tree(t *testing.T, body string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}
