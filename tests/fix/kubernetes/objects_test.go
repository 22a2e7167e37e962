package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// object is one of Kubernetes, as JSON has it.
type object map[string]any

// objects are those of a manifest, by kind and name.
type objects map[string]object

const (
	node    = "DaemonSet/aws-node"
	account = "ServiceAccount/aws-node"
	rules   = "ClusterRole/aws-node"
)

// manifestFile is the release manifest that stands in testdata for a tag; empty: none does.
func manifestFile(tag string) string {
	return map[string]string{
		"v1.7.10": "v1.7", "v1.9.3": "v1.9.3", "v1.12.6": "v1.12.6", "v1.14.1": "v1.14.1", "v1.18.5": "v1.18.5", "v1.22.4": "v1.22.4",
	}[tag]
}

func manifestText(t *testing.T, tag string) []byte {
	t.Helper()
	text, err := os.ReadFile("../testdata/manifests/aws-k8s-cni-" + manifestFile(tag) + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// manifest is a release's own.
func manifest(t *testing.T, tag string) objects {
	t.Helper()
	return parse(t, manifestText(t, tag))
}

// parse reads the objects of a YAML text, as kubectl does.
func parse(t *testing.T, text []byte) objects {
	t.Helper()
	all, decoder := objects{}, utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var o object
		if err := decoder.Decode(&o); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if len(o) > 0 {
			all[o["kind"].(string)+"/"+o["metadata"].(map[string]any)["name"].(string)] = o
		}
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func decode[T any](t *testing.T, text []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// daemonSet is the aws-node among objects, with Kubernetes' own types.
func (o objects) daemonSet(t *testing.T) appsv1.DaemonSet {
	t.Helper()
	return decode[appsv1.DaemonSet](t, encode(t, o[node]))
}

// clone is a copy that shares nothing.
func (o objects) clone(t *testing.T) objects {
	t.Helper()
	return decode[objects](t, encode(t, o))
}
