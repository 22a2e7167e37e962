package remedy_test

import (
	"testing"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/remedy"
)

func TestOnlyEKSNeedsToListWhatOneGoesBackTo(t *testing.T) {
	known := guard.ByHand{Kubernetes: "1.31", Listed: "v1.18.5-eksbuild.1", Path: []string{"v1.19.3-eksbuild.1"}}
	for m, want := range map[remedy.Method]bool{remedy.Manifest: true, remedy.Helm: true, remedy.Addon: false, remedy.Terraform: false} {
		f := managedFacts("eu-central-1", m, known)
		f.Listed = ""
		fix, err := remedy.For(f, m)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(fix.Steps[0].Back.Run) > 0; got != want {
			t.Errorf("%s has a way back to a version that EKS does not list: %t, want %t", m, got, want)
		}
	}
}
