package world_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/world"
)

func TestEKSTellsHowAClustersOwnAPIIsReached(t *testing.T) {
	seen := map[string]bool{}
	for name, c := range map[string]struct {
		region, dns     string
		api             world.API
		public, private bool
		cidrs           string
		mode            types.AuthenticationMode
	}{
		"a public endpoint":          {"eu-central-1", "amazonaws.com", world.API{}, true, false, "0.0.0.0/0", "API_AND_CONFIG_MAP"},
		"a private one in China":     {"cn-north-1", "amazonaws.com.cn", world.API{Endpoint: world.PrivateEndpoint, AuthenticationMode: "API"}, false, true, "0.0.0.0/0", "API"},
		"one that is open to others": {"eu-west-1", "amazonaws.com", world.API{Endpoint: world.RestrictedEndpoint, AuthenticationMode: "CONFIG_MAP"}, true, true, "198.51.100.0/24", "CONFIG_MAP"},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, func(s *world.Spec) {
				s.Clusters = []world.Cluster{{Name: "prod", Account: hubAccount, Region: c.region, Kubernetes: "1.33", API: c.api}}
			})
			s.at(0, func(ctx context.Context, client *world.Client) {
				out, err := client.In(c.region).DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
				if err != nil {
					t.Fatal(err)
				}
				is, net := out.Cluster, out.Cluster.ResourcesVpcConfig
				if net.EndpointPublicAccess != c.public || net.EndpointPrivateAccess != c.private || strings.Join(net.PublicAccessCidrs, " ") != c.cidrs || is.AccessConfig.AuthenticationMode != c.mode {
					t.Errorf("%+v, %+v", *net, *is.AccessConfig)
				}
				form := regexp.MustCompile(`^https://[0-9A-F]{32}\.gr7\.` + c.region + `\.eks\.` + regexp.QuoteMeta(c.dns) + `$`)
				if !form.MatchString(*is.Endpoint) || seen[*is.Endpoint] {
					t.Errorf("the endpoint is %s", *is.Endpoint)
				}
				seen[*is.Endpoint] = true
				text, err := base64.StdEncoding.DecodeString(*is.CertificateAuthority.Data)
				block, rest := pem.Decode(text)
				if err != nil || block == nil || len(rest) > 0 {
					t.Fatalf("the authority is %q, %v", text, err)
				}
				if ca, err := x509.ParseCertificate(block.Bytes); err != nil || !ca.IsCA || ca.CheckSignatureFrom(ca) != nil {
					t.Errorf("the authority's certificate: %v, %v", ca, err)
				}
			})
		})
	}
	s := set(t, 1, inside(func(c *world.Cluster) { c.CreatedAt = time.Hour }))
	s.at(time.Hour+time.Second, func(ctx context.Context, c *world.Client) {
		out, err := c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
		if err != nil || out.Cluster.Endpoint != nil || out.Cluster.CertificateAuthority.Data != nil {
			t.Errorf("of a cluster that is being created it tells %v, %v", out.Cluster, err)
		}
	})
}

// A test's server stands where the world says that the cluster is, and other programs read it as they would read EKS.
func TestAClustersOwnAPICanBeServed(t *testing.T) {
	s := set(t, 1, inside())
	server := httptest.NewTLSServer(s.API(prod))
	defer server.Close()
	s.Expose(prod, server.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	const usual = "https://902745A2743A8479CE985EDE3047D853.gr7.eu-central-1.eks.amazonaws.com"
	elsewhere, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, usual, http.NoBody)
	if _, err := s.send(elsewhere); err == nil {
		t.Error("it stands at its usual place too")
	}
	var at, bearer string
	roots := x509.NewCertPool()
	s.at(0, func(ctx context.Context, c *world.Client) {
		out, err := c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
		if err != nil {
			t.Fatal(err)
		}
		ca, _ := base64.StdEncoding.DecodeString(*out.Cluster.CertificateAuthority.Data)
		k, _ := c.Assume(observer, hubRegion).Retrieve(ctx)
		at, bearer = *out.Cluster.Endpoint, "Bearer "+token(ctx, k, "prod", s.Now())
		if !roots.AppendCertsFromPEM(ca) {
			t.Error("the authority is none")
		}
	})
	client := server.Client()
	way := client.Transport.(*http.Transport)
	way.TLSClientConfig.RootCAs, way.DisableKeepAlives = roots, true // it would try again on a connection that was kept
	get := func(path string) (int, string, error) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, at+path, http.NoBody)
		r.Header.Set("Authorization", bearer)
		got, err := client.Do(r)
		if err != nil {
			return 0, "", err
		}
		body, err := io.ReadAll(got.Body)
		_ = got.Body.Close()
		return got.StatusCode, got.Header.Get("Content-Type") + string(body), err
	}
	if status, body, err := get(daemonSets + "/aws-node"); status != 200 || !strings.HasPrefix(body, `application/json{"kind":"DaemonSet"`) {
		t.Errorf("%d %s %v", status, body, err)
	}
	if status, _, err := get("/api/v1/secrets"); status != 403 {
		t.Errorf("%d %v", status, err)
	}
	s.CrashAt(1, false)
	if _, _, err := get(daemonSets); err == nil {
		t.Error("a call that never came is answered")
	}
	s.at(0, func(ctx context.Context, c *world.Client) { // the same cluster, without a network
		if got, err := s.ask(ctx, c.Assume(observer, hubRegion), question{}); got.status != 200 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestCredentialsAreThoseOfTheRole(t *testing.T) {
	for name, m := range map[string]func(*world.World) mount{"SDK": sdk, "direct": direct} {
		s := set(t, 1, faults(world.Fault{Service: "sts", Principal: "updater", Code: "AccessDenied"}))
		s.at(0, func(ctx context.Context, _ *world.Client) {
			as := m(s.World)
			one, err := as(observer, hubRegion).keys.Retrieve(ctx)
			two, also := as(observer, "eu-west-1").keys.Retrieve(ctx)
			if err != nil || also != nil || one.AccessKeyID != two.AccessKeyID || one.SecretAccessKey == "" || one.SessionToken == "" {
				t.Errorf("%s: %v %v, %v %v", name, one, two, err, also)
			}
			if own, err := as("", hubRegion).keys.Retrieve(ctx); err != nil || own.AccessKeyID == one.AccessKeyID || own.SessionToken == "" {
				t.Errorf("%s: the hub's own are %v, %v", name, own, err)
			}
			if _, err := as(strings.Replace(observer, "observer", "updater", 1), hubRegion).keys.Retrieve(ctx); code(err) != "403 AccessDenied" {
				t.Errorf("%s: of a role that is not to be had: %v", name, err)
			}
		})
		var assumed int
		for _, e := range s.entries(world.Called, "") {
			if e.Call.Op == "AssumeRole" {
				assumed++
			}
		}
		if assumed != 2 {
			t.Errorf("%s: roles were assumed %d times", name, assumed)
		}
	}
}
