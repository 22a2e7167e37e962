package cni_test

import (
	"testing"

	"github.com/cniguard/cniguard/internal/cni"
)

func TestRegistry(t *testing.T) {
	for region, want := range map[string]struct {
		account, domain string
		known           bool
	}{
		"eu-central-1":   {"602401143452", "amazonaws.com", true},
		"eu-central-2":   {"900612956339", "amazonaws.com", true},
		"us-gov-west-1":  {"013241004608", "amazonaws.com", true},
		"cn-north-1":     {"918309763551", "amazonaws.com.cn", true},
		"cn-northwest-1": {"961992271922", "amazonaws.com.cn", true},
		"us-isob-east-1": {"187977181151", "sc2s.sgov.gov", true},
		"xx-new-1":       {"602401143452", "amazonaws.com", false},
	} {
		t.Run(region, func(t *testing.T) {
			account, domain, known := cni.Registry(region)
			if account != want.account || domain != want.domain || known != want.known {
				t.Errorf("%s %s %t, want %+v", account, domain, known, want)
			}
		})
	}
}

func TestAnAgentBelongsToARelease(t *testing.T) {
	for v, want := range map[string]string{
		"v1.14.1": "v1.0.2", "v1.18.5-eksbuild.1": "v1.1.3", "v1.22.4": "v1.4.0", "v1.23.1": "v1.4.2", "v1.13.4": "", "v1.19.3": "", "latest": "",
	} {
		if got := cni.Agent(cni.Parse(v)); got != want {
			t.Errorf("with %s %q, want %q", v, got, want)
		}
	}
}
