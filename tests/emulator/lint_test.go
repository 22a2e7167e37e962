package emulator_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
)

// accepted are the rules of cfn-lint that are not followed, and why. One that finds nothing any more is to be taken out.
func accepted() map[string]string {
	return map[string]string{
		"I3011": "the ledger alone outlives its stack: queue, key and logs go with it, which is what no DeletionPolicy says",
		"I3042": "the hub's partition is known when its templates are made, and members are in the same one: so ARNs are plain text that can be read",
	}
}

func TestTheTemplatesAreCleanToCfnLint(t *testing.T) {
	t.Parallel()
	lint := python(t, "cfn-lint")
	// What the emulator cannot deploy, as access entries and a VPC, is in those that infra's tests keep.
	const kept = root + "/infra/stack/testdata/"
	all := append([]string{kept + "hub-full.json", kept + "member-full.json"}, templates(t)...)
	out, err := exec.Command(lint, append([]string{"--include-checks", "I", "--format", "json", "--"}, all...)...).Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	var findings []struct {
		Rule     struct{ ID string }
		Message  string
		Filename string
		Location struct{ Path []any }
	}
	if err := json.Unmarshal(out, &findings); err != nil {
		t.Fatalf("cfn-lint says %q: %v %s", out, err, failed.Stderr)
	}
	found := map[string]bool{}
	for _, f := range findings {
		found[f.Rule.ID] = true
		if accepted()[f.Rule.ID] == "" {
			t.Errorf("%s %s: %s at %v", f.Rule.ID, filepath.Base(f.Filename), f.Message, f.Location.Path)
		}
	}
	for id := range accepted() {
		if !found[id] {
			t.Errorf("%s is accepted, and cfn-lint does not find it any more", id)
		}
	}
}
