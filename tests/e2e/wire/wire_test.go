package wire_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/sim"
	"github.com/cniguard/cniguard/internal/world"
	"github.com/cniguard/cniguard/tests/e2e/wire"
)

const (
	account = "111122223333"
	region  = "eu-central-1"
	role    = "arn:aws:iam::111122223333:role/cniguard-urgent"
	topic   = "arn:aws:sns:eu-central-1:111122223333:cniguard"
)

// stage is a world on the network.
type stage struct {
	*wire.Handler
	config aws.Config // of the SDK, as the role
}

func set(t *testing.T, change func(*world.Spec)) stage {
	t.Helper()
	s := spec()
	if change != nil {
		change(&s)
	}
	clock := sim.New(s.Start, 1)
	w, err := world.New(s, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(clock.Close)
	w.Record(true)
	w.CreateTable(ledger)
	keys, err := w.Config(role, account, region).Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := wire.New(w)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return stage{h, aws.Config{
		Region: region, BaseEndpoint: &server.URL, HTTPClient: server.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil }),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}}
}

func (s stage) calls() (calls []*world.Call) {
	s.With(func(w *world.World) {
		for _, e := range w.History() {
			if e.Call != nil {
				calls = append(calls, e.Call)
			}
		}
	})
	return calls
}

var likeSDK = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ResultMetadata" }, cmp.Ignore()),
	cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && strings.HasPrefix(f.Name(), "noSmithy")
	}, cmp.Ignore()),
}

func TestTheSDKHearsOverTheNetworkWhatItHearsFromTheWorldItself(t *testing.T) {
	clock := sim.New(spec().Start, 1)
	defer clock.Close()
	w, err := world.New(spec(), clock)
	if err != nil {
		t.Fatal(err)
	}
	w.Record(true)
	w.CreateTable(ledger)
	clock.Run(clock.Now().Add(settled))
	var want []said
	clock.Spawn(context.Background(), "direct", 0, func(ctx context.Context) { want = script(ctx, w.Config(role, account, region)) })
	clock.Run(clock.Now())

	s := set(t, nil)
	s.With(func(overNetwork *world.World) { overNetwork.Clock().Run(overNetwork.Now().Add(settled)) })
	have := script(t.Context(), s.config)
	for i := range min(len(want), len(have)) {
		if diff := cmp.Diff(want[i], have[i], likeSDK); diff != "" {
			t.Errorf("%s (-world itself +network):\n%s", want[i].Op, diff)
		}
	}
	if len(want) != len(have) {
		t.Errorf("%d calls of the world itself, %d over the network", len(want), len(have))
	}

	var lines []string
	s.With(func(overNetwork *world.World) { lines = overNetwork.Lines() })
	if diff := cmp.Diff(w.Lines(), lines); diff != "" {
		t.Errorf("the world saw other calls (-itself +network):\n%s", diff)
	}
	fields := map[string]int{}
	for _, one := range have {
		fields[one.Op] = max(fields[one.Op], filled(one.Out))
	}
	for m := range reflect.TypeFor[*world.Client]().Methods() {
		if !m.Type.IsVariadic() {
			continue
		}
		most, called := fields[m.Name+"Output"]
		reads := slices.ContainsFunc([]string{"Describe", "Get", "List", "Lookup"}, func(verb string) bool { return strings.HasPrefix(m.Name, verb) })
		switch {
		case !called:
			t.Errorf("%s was not called", m.Name)
		case reads && most == 0:
			t.Errorf("%s never answered with anything", m.Name)
		}
	}
}

// filled is how many fields of an output say something.
func filled(output any) (n int) {
	v := reflect.Indirect(reflect.ValueOf(output))
	for i := 0; v.IsValid() && i < v.NumField(); i++ {
		f := v.Field(i)
		empty := f.IsZero() || f.Kind() == reflect.Slice && f.Len() == 0
		if name := v.Type().Field(i).Name; name != "ResultMetadata" && name != "NextToken" && !empty {
			n++
		}
	}
	return n
}

func TestTheSDKsRetriesAreItsOwn(t *testing.T) {
	for _, c := range []struct {
		name, code string
		tries      []int
		failed     bool
	}{
		{"a throttled call is tried again", "ThrottlingException", []int{1, 2}, false},
		{"a connection that is reset is tried again", "ConnectionReset", []int{1, 2}, false},
		{"a refused call is not", "AccessDeniedException", []int{1}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := set(t, func(s *world.Spec) {
				s.Faults = []world.Fault{{Operation: "DescribeCluster", Code: c.code, Times: 1}}
			})
			_, err := eks.NewFromConfig(s.config).DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("prod")})
			if (err != nil) != c.failed {
				t.Errorf("error %v; want one: %t", err, c.failed)
			}
			var tries []int
			for _, call := range s.calls() {
				tries = append(tries, call.Try)
			}
			if !slices.Equal(tries, c.tries) {
				t.Errorf("tries %v, want %v", tries, c.tries)
			}
		})
	}
}

func TestAnEmptyListIsSentAsOne(t *testing.T) {
	s := set(t, nil)
	updates, err := eks.NewFromConfig(s.config).ListUpdates(t.Context(), &eks.ListUpdatesInput{Name: aws.String("prod"), AddonName: aws.String("vpc-cni")})
	if err != nil || updates.UpdateIds == nil {
		t.Errorf("ListUpdates: %+v, %v", updates, err)
	}
	elsewhere := []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{"vpc-2"}}}
	subnets, err := ec2.NewFromConfig(s.config).DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{Filters: elsewhere})
	if err != nil || subnets.Subnets == nil {
		t.Errorf("DescribeSubnets: %+v, %v", subnets, err)
	}
}

func TestTimePassesOnlyAsCallsTakeIt(t *testing.T) {
	s := set(t, func(s *world.Spec) {
		s.Behaviour.Latency = world.Range{Min: 1500 * time.Millisecond, Max: 1500 * time.Millisecond}
	})
	if _, err := eks.NewFromConfig(s.config).ListClusters(t.Context(), &eks.ListClustersInput{}); err != nil {
		t.Fatal(err)
	}
	s.With(func(w *world.World) {
		if took := w.Now().Sub(spec().Start); took != 1500*time.Millisecond {
			t.Errorf("the call took %s of virtual time, want 1.5s", took)
		}
	})
}

func TestWhatIsNoCallIsRefused(t *testing.T) {
	s := set(t, nil)
	server := httptest.NewServer(s)
	defer server.Close()
	keys, err := s.config.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key, service string) string {
		return "AWS4-HMAC-SHA256 Credential=" + key + "/20261123/eu-central-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
	}
	known, form, target, rpc := keys.AccessKeyID, "Content-Type: application/x-www-form-urlencoded", "X-Amz-Target: AWSEvents.PutEvents", "Smithy-Protocol: rpc-v2-cbor"
	for _, c := range []struct {
		name, method, path, header, auth, body string
		status                                 int
		want                                   string
	}{
		{"not signed", "GET", "/clusters", "", "", "", 400, "MissingAuthenticationToken"},
		{"a key that nobody has", "GET", "/clusters", "", sign("AKIANOBODY", "eks"), "", 403, "UnrecognizedClientException"},
		{"a key that nobody has, for EC2", "POST", "/", form, sign("AKIANOBODY", "ec2"), "Action=DescribeSubnets", 401, "<Code>AuthFailure</Code>"},
		{"a path that is none of EKS's", "GET", "/clusters/prod/identity", "", sign(known, "eks"), "", 404, "not found"},
		{"an operation of another service than it is signed for", "GET", "/clusters", "", sign(known, "ec2"), "", 400, "UnknownOperationException"},
		{"an operation that is not simulated", "POST", "/", form, sign(known, "ec2"), "Action=DescribeAddresses", 400, "<Code>UnknownOperationException</Code>"},
		{"a form without an action", "POST", "/", form, sign(known, "ec2"), "Version=1", 400, "no Action"},
		{"a field that does not exist", "POST", "/clusters/prod/addons/vpc-cni/update", "", sign(known, "eks"), `{"addonVersio":"v1"}`, 400, "addonVersio is not a field"},
		{"a text where a list is wanted", "POST", "/clusters/prod/addons/vpc-cni/update", "", sign(known, "eks"), `{"podIdentityAssociations":["x"]}`, 400, "ValidationException"},
		{"a field that is missing", "POST", "/", target, sign(known, "events"), `{}`, 400, "ValidationException"},
		{"a body that is cut off", "POST", "/", target, sign(known, "events"), `{"Entries":[`, 400, "ValidationException"},
		{"no number where one is wanted", "GET", "/clusters?maxResults=many", "", sign(known, "eks"), "", 400, "ValidationException"},
		{"an operation in CBOR that is not simulated", "POST", "/service/GraniteServiceVersion20100801/operation/ListDashboards", rpc, sign(known, "monitoring"), "", 400,
			"X-Amzn-Query-Error: UnknownOperationException;Sender"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", c.auth)
			if name, value, found := strings.Cut(c.header, ": "); found {
				r.Header.Set(name, value)
			}
			answer, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			var body strings.Builder
			if err := answer.Write(&body); err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != c.status || !strings.Contains(body.String(), c.want) {
				t.Errorf("status %d, want %d with %q:\n%s", answer.StatusCode, c.status, c.want, body.String())
			}
		})
	}
	if calls := s.calls(); len(calls) > 0 {
		t.Errorf("the world was called: %v", calls)
	}
}
