package kube_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/kube"
	"github.com/cniguard/cniguard/internal/plain"
)

func FuzzReadDaemonSet(f *testing.F) {
	for _, body := range corpus(f) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ds, account, err := kube.ReadDaemonSet(body)
		if err != nil {
			if text := err.Error(); plain.Clean(text, plain.Line) != text || !cmp.Equal(ds, guard.DaemonSet{}) || account != "" {
				t.Errorf("with the error %q: %+v, %q", text, ds, account)
			}
			return
		}
		bounded(t, ds)
		source := slices.Contains([]string{"image tag", "image tag, beside a digest", "VPC_CNI_VERSION"}, ds.From)
		if ds.Version.Known() != source || ds.From == "" || ds.Raw == "" {
			t.Errorf("%s is read from %q: %q", ds.Version, ds.From, ds.Raw)
		}
		if ds.Version.Known() && ds.Version.String() != ds.Raw && "v"+ds.Raw != ds.Version.String() {
			t.Errorf("%s is read from %q", ds.Version, ds.Raw)
		}
		if account == "" || strings.ContainsAny(account, "/?#%\\ ") {
			t.Errorf("service account %q", account)
		}
		again, sameAccount, err := kube.ReadDaemonSet(withMore(body))
		if diff := cmp.Diff(ds, again); err != nil || diff != "" || account != sameAccount {
			t.Errorf("with a field more: %v, %q, %s", err, sameAccount, diff)
		}
	})
}

// withMore is an object with a field more, which nobody knows.
func withMore(body []byte) []byte {
	return bytes.Replace(body, []byte("{"), []byte(`{"ofTheNextVersion":[{"a":{"b":null}},1.5e3,"\u202e"],`), 1)
}

// bounded fails where something that is kept of a DaemonSet is not a clean, short text, or there is too much of it.
func bounded(t *testing.T, ds guard.DaemonSet) {
	t.Helper()
	texts := slices.Concat([]string{ds.Raw, ds.From, ds.Image, ds.Init, ds.Agent, ds.Differ, ds.Manifest, ds.By.Name}, ds.By.Evidence, ds.Other, ds.Unread)
	for _, e := range ds.Env {
		texts = append(texts, e.Name, e.Value)
	}
	for _, text := range texts {
		if plain.Clean(text, plain.Text) != text {
			t.Errorf("%q is not clean, or too long", text)
		}
	}
	within := func(most int, texts ...string) {
		for _, text := range texts {
			if plain.Clean(text, most) != text {
				t.Errorf("%q is longer than %d", text, most)
			}
		}
	}
	within(200, ds.By.Evidence...)
	within(64, ds.Other...)
	for _, e := range ds.Env {
		within(100, e.Value)
	}
	for _, e := range ds.ENIConfigs {
		within(64, e.Name, e.Value)
	}
	if len(ds.By.Evidence) > 12 || len(ds.Env) > 20 || len(ds.Unread) > 20 || len(ds.Other) > 31 {
		t.Errorf("%d lines of evidence, %d variables, %d unread", len(ds.By.Evidence), len(ds.Env), len(ds.Unread))
	}
	if (ds.By.Name == "") != (ds.By.Confidence == "") || ds.By.Name != "" && len(ds.By.Evidence) == 0 {
		t.Errorf("%+v says who installed it without saying why", ds.By)
	}
	if !slices.IsSortedFunc(ds.Env, func(a, b guard.Fact) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%v is not in order", ds.Env)
	}
}

// BenchmarkReadDaemonSet reads an object as large as those of real clusters are, most of it managedFields.
func BenchmarkReadDaemonSet(b *testing.B) {
	var d map[string]any
	if err := json.Unmarshal(corpus(b)["manifest-v1.22.4"], &d); err != nil {
		b.Fatal(err)
	}
	own := map[string]any{}
	for i := range 150 {
		own[fmt.Sprintf(`k:{"name":"VARIABLE_%d"}`, i)] = map[string]any{".": map[string]any{}, "f:name": map[string]any{}, "f:value": map[string]any{}}
	}
	var managers []map[string]any
	for _, name := range []string{"helm", "kubectl-edit", "eks", "Terraform"} {
		m := manager(name, "2026-01-01T00:00:00Z", true)
		m["fieldsV1"].(map[string]any)["f:metadata"] = map[string]any{"f:annotations": own}
		managers = append(managers, m)
	}
	d["metadata"].(map[string]any)["managedFields"] = managers
	body := []byte(encode(d))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if ds, _, err := kube.ReadDaemonSet(body); err != nil || !ds.Version.Known() {
			b.Fatal(ds, err)
		}
	}
}
