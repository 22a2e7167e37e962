package kube_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cniguard/cniguard/internal/eksauth"
)

func TestAReadingHasOneToken(t *testing.T) {
	s := newScene(t)
	s.answers[pathNode], s.answers[pathConfigs] = found(customNetworking("true")), found(configs)
	s.read(t)
	if len(s.tokens) != 3 || s.tokens[1] != s.tokens[0] || s.tokens[2] != s.tokens[0] {
		t.Errorf("%d tokens, or not the same", len(s.tokens))
	}
}

// TestTokensAreSignedForTheSTSOfTheRegion takes the hosts from the SDK's own rules.
// Fact 6.5/regional.
func TestTokensAreSignedForTheSTSOfTheRegion(t *testing.T) {
	for _, region := range []string{
		"us-east-1", "us-west-2", "eu-central-1", "ap-southeast-7", "il-central-1", "mx-central-1", "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1",
		"us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eu-isoe-west-1", "eusc-de-east-1",
	} {
		t.Run(region, func(t *testing.T) {
			want, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), sts.EndpointParameters{Region: &region})
			if err != nil {
				t.Fatal(err)
			}
			s := newScene(t)
			s.id.Region = region
			if got := s.read(t); got.Fault != nil {
				t.Fatal(got.Fault)
			}
			text, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(s.tokens[0], "k8s-aws-v1."))
			if err != nil {
				t.Fatal(err)
			}
			signed, err := url.Parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if signed.Host != want.URI.Host || signed.Query().Get("X-Amz-Expires") != "60" {
				t.Errorf("signed for %s, want %s; %s seconds", signed.Host, want.URI.Host, signed.Query().Get("X-Amz-Expires"))
			}
		})
	}
}

// A token is bound to the name of a cluster, and to nothing else of it: aws-iam-authenticator takes the hosts of STS of its whole partition. So
// one cluster could show it to another of that name, which lets the same role in.
func TestATokenIsGoodForClustersOfOneName(t *testing.T) {
	s := newScene(t)
	s.id.Region = "eu-west-1"
	s.answers[pathNode] = found(object("DaemonSet", nil))
	if got := s.read(t); got.Fault != nil {
		t.Errorf("a token that was made for prod in another region is not taken: %v", got.Fault)
	}
	for name, taken := range map[string]bool{"prod": true, "dev": false, "prod-2": false, "PROD": false} {
		_, err := eksauth.Verify(s.tokens[0], name, s.now, func(asked string) (string, bool) { return secret, asked == key })
		if (err == nil) != taken {
			t.Errorf("of a cluster %s: %v", name, err)
		}
	}
}

func TestLastingCredentialsMakeATokenToo(t *testing.T) {
	s := newScene(t)
	const lasting = "AKIA0000000000000001"
	s.credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: lasting, SecretAccessKey: secret}, nil
	})
	var err error
	s.answers = nil
	s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err = eksauth.Verify(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "prod", s.now, func(asked string) (string, bool) { return secret, asked == lasting })
		w.WriteHeader(http.StatusTeapot)
	})
	s.read(t)
	if err != nil {
		t.Error(err)
	}
}

func TestOneKubeReadsSeveralClustersAtATime(t *testing.T) {
	s := newScene(t)
	s.server.StartTLS()
	defer s.server.Close()
	k := s.kube(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := k.Inside(s.ctx, s.id, s.api); got.Fault != nil {
				t.Error(got.Fault)
			}
		})
	}
	wg.Wait()
	s.quiet(t)
}
