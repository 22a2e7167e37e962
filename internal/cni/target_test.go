package cni_test

import (
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/cni"
)

func TestParseTarget(t *testing.T) {
	for in, want := range map[string]cni.Target{
		"": cni.ToFloor, "floor": cni.ToFloor, "default": cni.ToDefault, "latest": cni.ToLatest,
		"v1.18.5": "v1.18.5", "1.18.5": "v1.18.5", "1.18.5-eksbuild.1": "v1.18.5-eksbuild.1",
	} {
		got, err := cni.ParseTarget(in)
		if err != nil || got != want {
			t.Errorf("ParseTarget(%q) = %q, %v, want %q", in, got, err, want)
		}
		text, _ := got.MarshalText()
		var back cni.Target = "other"
		if err := back.UnmarshalText(text); err != nil || back != want {
			t.Errorf("%q comes back from %q as %q, %v", want, text, back, err)
		}
	}
	for _, in := range []string{"newest", "Latest", "v1.18", " floor", "v1.9.0-rc1", "v1.18.5-acme", "unknown"} {
		_, err := cni.ParseTarget(in)
		if err == nil || !strings.Contains(err.Error(), "want floor, default, latest, or a version as v1.18.5") {
			t.Errorf("ParseTarget(%q): %v", in, err)
		}
		kept := cni.ToLatest
		if err := kept.UnmarshalText([]byte(in)); err == nil || kept != cni.ToLatest {
			t.Errorf("UnmarshalText(%q) left %q, %v", in, kept, err)
		}
	}
}
