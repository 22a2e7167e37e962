package stack_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden templates anew")

// template is what a stack synthesizes, as plain JSON.
func template(t *testing.T, s awscdk.Stack) map[string]any {
	t.Helper()
	return plain(t, *assertions.Template_FromStack(s, nil).ToJSON())
}

// plain is a deep copy of JSON, so that a test may change it.
func plain(t *testing.T, v map[string]any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// golden compares a template with testdata/<name>.json, in which the hashes of assets are blank.
func golden(t *testing.T, name string, template map[string]any) {
	t.Helper()
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(template); err != nil {
		t.Fatal(err)
	}
	blank := regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAll(got.Bytes(), []byte("HASH"))
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, blank, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(blank)); diff != "" {
		t.Errorf("%s is not what is synthesized (-update writes it anew):\n%s", file, diff)
	}
}
