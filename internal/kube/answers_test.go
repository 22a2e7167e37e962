package kube_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	daemonSets  = "/apis/apps/v1/namespaces/kube-system/daemonsets"
	accounts    = "/api/v1/namespaces/kube-system/serviceaccounts/"
	pathNode    = daemonSets + "/aws-node"
	pathList    = daemonSets + "?limit=500"
	pathAccount = accounts + "aws-node"
	pathConfigs = "/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs?limit=500"
)

// object is one that is called aws-node, as JSON.
func object(kind string, annotations map[string]string) string {
	version := map[string]string{"DaemonSet": "apps/v1", "ServiceAccount": "v1"}[kind]
	metadata := map[string]any{"name": "aws-node", "namespace": "kube-system", "annotations": annotations}
	return encode(map[string]any{
		"apiVersion": version, "kind": kind, "metadata": metadata, "spec": podSpec(map[string]any{"serviceAccountName": "aws-node"}), "status": nodes(3, 3),
	})
}

// customNetworking is a DaemonSet that wants ENIConfigs, by the value of its variable.
func customNetworking(value string) string {
	return encode(map[string]any{
		"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": map[string]any{"name": "aws-node", "namespace": "kube-system"},
		"spec":   podSpec(map[string]any{"serviceAccountName": "aws-node"}, map[string]any{"name": "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "value": value}),
		"status": nodes(3, 3),
	})
}

// nodes is the status of a DaemonSet.
func nodes(desired, updated int) map[string]any {
	return map[string]any{"desiredNumberScheduled": desired, "updatedNumberScheduled": updated, "observedGeneration": 1}
}

// switchedOff is a DaemonSet that runs on no node.
func switchedOff() string {
	return strings.Replace(object("DaemonSet", nil), `"desiredNumberScheduled":3`, `"desiredNumberScheduled":0`, 1)
}

func podSpec(spec map[string]any, env ...map[string]any) map[string]any {
	spec["containers"] = []map[string]any{{
		"name": "aws-node", "image": "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni:v1.7.5", "env": env,
	}}
	return map[string]any{"template": map[string]any{"spec": spec}}
}

func encode(v map[string]any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// found answers 200 with a body.
func found(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Add("Set-Cookie", "session=1")
		_, _ = io.WriteString(w, body)
	}
}

// refusal answers with a Status, which has the token in it, as do its headers.
func refusal(code int, reason string) http.HandlerFunc { return absence(code, reason, "", "") }

// absence is the Status about an object.
func absence(code int, reason, kind, name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "https://"+sent[len(sent)-40:]+".example.com/")
		w.Header().Set("Warning", sent)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, encode(map[string]any{
			"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": "not with " + sent, "reason": reason, "code": code,
			"details": map[string]any{"kind": kind, "name": name},
		}))
	}
}

// status answers with a body.
func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// endless sends until nobody reads.
func endless(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		for chunk := bytes.Repeat([]byte(" "), 1<<16); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
}

// repeating answers with a text that has the token in place of TOKEN, with an escape of JSON in front, and
// pieces of 100 bytes in place of PIECE0, PIECE1 and so on, and 24
// in place of SHORT.
func repeating(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		said := strings.ReplaceAll(text, "TOKEN", `\u006b`+token[1:])
		said = strings.ReplaceAll(said, "SHORT", token[200:224])
		for i := range len(token)/100 - 1 {
			said = strings.ReplaceAll(said, fmt.Sprint("PIECE", i), token[100*i:100*i+100])
		}
		_, _ = io.WriteString(w, said)
	}
}

// echo answers with the token in all places.
func echo(w http.ResponseWriter, r *http.Request) {
	sent := r.Header.Get("Authorization")
	_, _ = fmt.Fprintf(w, `{"apiVersion": %q, "kind": %[1]q, "metadata": {"name": %[1]q, "labels": {%[1]q: %[1]q}}, %[1]q: %[1]q}`, sent)
}

// boasting answers with headers of 100 KB.
func boasting(w http.ResponseWriter, _ *http.Request) {
	for i := range 100 {
		w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
	}
}

// padded is a JSON text with white space behind it.
func padded(text string, size int) string { return text + strings.Repeat(" ", size-len(text)) }
