package world_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/cniguard/cniguard/internal/world"
)

// tried is what prod's own API answers to the observer within five seconds, and how long that took.
func (s *stage) tried() (got answer, took time.Duration, err error) {
	s.at(s.Now().Sub(noon), func(ctx context.Context, c *world.Client) {
		began := s.Now()
		ctx, cancel := s.clock.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		got, err = s.ask(ctx, c.Assume(observer, hubRegion), question{})
		took = s.Now().Sub(began)
	})
	s.until(s.Now().Sub(noon) + time.Hour)
	return got, took, err
}

func TestAnswersOfAFaultAreThoseOfAKubernetesAPI(t *testing.T) {
	for name, c := range map[string]struct {
		fault world.Fault
		code  int
		why   string // the reason
	}{
		"a reason has its status":                  {world.Fault{Code: "ServiceUnavailable"}, 503, "ServiceUnavailable"},
		"or another one":                           {world.Fault{Code: "Forbidden", Status: 401}, 401, "Forbidden"},
		"a time-out":                               {world.Fault{Code: "Timeout"}, 504, "Timeout"},
		"of one status the code says which reason": {world.Fault{Code: "ServerTimeout"}, 500, "ServerTimeout"},
		"too many":                                 {world.Fault{Code: "TooManyRequests"}, 429, "TooManyRequests"},
		"a code of AWS becomes the reason of its status": {world.Fault{Code: "ThrottlingException"}, 429, "TooManyRequests"},
		"AWS's denial": {world.Fault{Code: "AccessDeniedException"}, 403, "Forbidden"},
		"AWS's outage": {world.Fault{Code: "ServerException"}, 500, "InternalError"},
		"a code of AWS with a status that is no reason's": {world.Fault{Code: "BadGateway", Status: 502}, 502, "InternalError"},
	} {
		t.Run(name, func(t *testing.T) {
			c.fault.Operation, c.fault.Message = "GetDaemonSet", "no"
			s := set(t, 1, func(s *world.Spec) { inside()(s); s.Faults = []world.Fault{c.fault} })
			got, _, err := s.tried()
			var said struct {
				Kind, Reason, Message string
				Code                  int
			}
			if err := json.Unmarshal([]byte(got.body), &said); err != nil {
				t.Fatal(err)
			}
			if err != nil || got.status != c.code || said.Kind != "Status" || said.Code != c.code || said.Reason != c.why || said.Message != "no" {
				t.Errorf("%v, %+v", err, got)
			}
		})
	}
}

func TestFaultsThatLeaveNoAnswer(t *testing.T) {
	var authority x509.UnknownAuthorityError
	var name *net.DNSError
	for what, c := range map[string]struct {
		fault world.Fault
		is    func(error) bool
		took  time.Duration
	}{
		"the connection is reset":      {world.Fault{Code: "ConnectionReset"}, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }, 0},
		"nothing answers":              {world.Fault{Code: "ConnectionTimedOut"}, func(err error) bool { return errors.Is(err, syscall.ETIMEDOUT) }, 0},
		"its name has no address":      {world.Fault{Code: "NoSuchHost"}, func(err error) bool { return errors.As(err, &name) && name.IsNotFound }, 0},
		"somebody else has its place":  {world.Fault{Code: "UnknownAuthority"}, func(err error) bool { return errors.As(err, &authority) }, 0},
		"it takes longer than allowed": {world.Fault{Latency: time.Minute}, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }, 5 * time.Second},
	} {
		t.Run(what, func(t *testing.T) {
			c.fault.Service = "kubernetes"
			s := set(t, 1, func(s *world.Spec) { inside()(s); s.Faults = []world.Fault{c.fault} })
			if _, took, err := s.tried(); !c.is(err) || took != c.took {
				t.Errorf("after %s: %v", took, err)
			}
		})
	}
}

func TestFaultsOfAnyServiceHitClustersToo(t *testing.T) {
	for what, c := range map[string]struct {
		fault world.Fault
		want  int
	}{
		"of any service":         {world.Fault{Code: "Timeout", From: time.Hour}, 504},
		"of this cluster":        {world.Fault{Code: "Timeout", Cluster: "prod", Account: hubAccount, Region: hubRegion, From: time.Hour}, 504},
		"of this caller":         {world.Fault{Code: "Timeout", Principal: "cniguard-observer", From: time.Hour}, 504},
		"not of another service": {world.Fault{Service: "ec2", Code: "Timeout", From: time.Hour}, 200},
		"not of another cluster": {world.Fault{Cluster: "dev", Code: "Timeout", From: time.Hour}, 200},
		"not of the ledger":      {world.Fault{Service: "ledger", Code: "Timeout", From: time.Hour}, 200},
	} {
		t.Run(what, func(t *testing.T) {
			s := set(t, 1, func(s *world.Spec) {
				inside()(s)
				s.Faults = []world.Fault{c.fault}
				s.Grants = []world.Grant{{Role: "cniguard-observer", Actions: nil}} // a cluster's own API does not ask IAM
			})
			var got answer
			s.at(0, func(ctx context.Context, c *world.Client) {
				r, _ := http.NewRequestWithContext(ctx, http.MethodGet, endpoint(t, ctx, c)+daemonSets, http.NoBody)
				k, _ := c.Assume(observer, hubRegion).Retrieve(ctx)
				_ = s.clock.Sleep(ctx, time.Hour)
				r.Header.Set("Authorization", "Bearer "+token(ctx, k, "prod", s.Now()))
				got, _ = s.send(r)
			})
			if s.until(2 * time.Hour); got.status != c.want {
				t.Errorf("it gives %+v", got)
			}
		})
	}
	s := set(t, 1, func(s *world.Spec) { inside()(s); s.Behaviour.Throttled = 1 })
	s.at(0, func(ctx context.Context, c *world.Client) {
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://902745a2743a8479ce985ede3047d853.gr7.eu-central-1.eks.amazonaws.com:443/", http.NoBody)
		if got, err := s.send(r); err != nil || got.status != 429 {
			t.Errorf("throttled it gives %v, %v", got, err)
		}
	})
}

func endpoint(t testing.TB, ctx context.Context, c *world.Client) string {
	t.Helper()
	out, err := c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Cluster.Endpoint
}

// Fact 6.5/private.
func TestAnEndpointThatTheFunctionsCannotReachTimesOut(t *testing.T) {
	for _, e := range []world.Endpoint{world.PrivateEndpoint, world.RestrictedEndpoint} {
		for seed := range uint64(4) { // a call whose time is up may have had its effect; not so this one
			s := set(t, seed, func(s *world.Spec) {
				inside(func(c *world.Cluster) { c.API.Endpoint = e })(s)
				s.Faults = []world.Fault{{Service: "kubernetes", Code: "ServiceUnavailable"}} // nobody answers with it
			})
			if _, took, err := s.tried(); !errors.Is(err, context.DeadlineExceeded) || took != 5*time.Second {
				t.Errorf("%s: after %s %v", e, took, err)
			}
			calls := s.entries(world.Called, "")
			if last := calls[len(calls)-1].Call; last.Op != "GetDaemonSet" || last.Effect || last.Principal != observer {
				t.Errorf("%s: the last call is %s", e, last)
			}
			s.plan(2*time.Hour, func(ctx context.Context, c *world.Client) {
				began := s.Now()
				_, err := s.ask(ctx, c.Assume(observer, hubRegion), question{})
				if took := s.Now().Sub(began); !errors.Is(err, syscall.ETIMEDOUT) || took != 127*time.Second {
					t.Errorf("%s: without a deadline after %s %v", e, took, err)
				}
			})
			s.until(3 * time.Hour)
			if s.Reads(prod, observer) {
				t.Errorf("%s: the world says that the role reads", e)
			}
		}
	}
}

func TestAClusterThatIsNotThereHasNoAddress(t *testing.T) {
	s := set(t, 1, inside(func(c *world.Cluster) { c.CreatedAt, c.DeletedAt = time.Hour, 2*time.Hour }))
	const host = "https://902745A2743A8479CE985EDE3047D853.gr7.eu-central-1.eks.amazonaws.com/"
	for at, there := range map[time.Duration]bool{0: false, time.Hour + time.Minute: false, 90 * time.Minute: true, 3 * time.Hour: false} {
		s.plan(at, func(ctx context.Context, c *world.Client) {
			for address, there := range map[string]bool{host: there, "https://127.0.0.1/": false} {
				r, _ := http.NewRequestWithContext(ctx, http.MethodGet, address, strings.NewReader(""))
				got, err := s.send(r)
				var name *net.DNSError
				if there != (err == nil && got.status == 401) || !there && !errors.As(err, &name) {
					t.Errorf("at %s %s gives %v, %v", at, address, got, err)
				}
			}
			if s.Reads(prod, observer) != there {
				t.Errorf("at %s the world says that the role reads: %t", at, !there)
			}
		})
	}
	s.until(4 * time.Hour)
}

func TestCallsOfAClustersOwnAPIAreInTheHistory(t *testing.T) {
	run := func(crash int) *stage {
		s := set(t, 1, func(s *world.Spec) {
			inside()(s)
			s.Behaviour.Latency = world.Range{Min: time.Second, Max: time.Second}
		})
		s.CrashAt(crash, true)
		s.plan(0, func(ctx context.Context, c *world.Client) {
			if _, err := s.ask(ctx, c.Assume(observer, hubRegion), question{path: daemonSets + "?limit=500"}); err != nil {
				t.Error(err)
			}
		})
		s.until(time.Minute)
		return s
	}
	s := run(0)
	const want = "2026-11-23T12:00:02.000 call kubernetes:ListDaemonSets 111122223333/eu-central-1 by " + observer + " try 1 {Method:GET Path:" + daemonSets + "?limit=500} ok"
	calls := s.entries(world.Called, "")
	last := calls[len(calls)-1]
	out, _ := last.Call.Out.(*world.KubernetesAnswer)
	if last.String() != want || last.Call.Cluster != "prod" || last.Call.Took != time.Second || !last.Call.Effect || out == nil || !strings.Contains(string(out.Body), "kube-proxy") {
		t.Errorf("%s\n%s\n%+v", want, last, last.Call)
	}
	if s.Calls() != 2 {
		t.Errorf("%d calls count as crash points; want DescribeCluster and this one", s.Calls())
	}
	if died := run(2).entries(world.Truth, "crash"); len(died) != 1 || died[0].Text != "after kubernetes:ListDaemonSets, call 2" {
		t.Errorf("the caller dies %v", died)
	}
}
