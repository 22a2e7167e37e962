package world

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
)

// question is what a request asks of a Kubernetes API (Kubernetes documentation, "API access control", request attributes).
type question struct {
	verb, group, version, namespace, resource, name string

	query   url.Values
	partial bool // only the metadata of a list's items (Kubernetes documentation, "Metadata-only fetches")
}

// questionOf reads a request. Of a path that names no resource only the verb is set.
func questionOf(r *http.Request) question {
	q := question{query: r.URL.Query(), partial: strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")}
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case path[0] == "api" && len(path) > 2:
		q.version, path = path[1], path[2:]
	case path[0] == "apis" && len(path) > 3:
		q.group, q.version, path = path[1], path[2], path[3:]
	default:
		path = nil
	}
	if len(path) > 2 && path[0] == "namespaces" {
		q.namespace, path = path[1], path[2:]
	}
	if len(path) > 0 {
		q.resource = path[0]
		q.name = strings.Join(path[1:], "/")
	}
	q.verb = verbOf(r.Method, q.name)
	return q
}

func verbOf(method, name string) string {
	switch {
	case method != http.MethodGet:
		return map[string]string{http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete"}[method]
	case name == "":
		return "list"
	}
	return "get"
}

// operation is the name of what is asked for: Other, where it is not simulated.
func (q question) operation() string {
	switch q.verb + " " + q.group + "/" + q.version + "/" + q.resource {
	case "get apps/v1/daemonsets":
		return "GetDaemonSet"
	case "list apps/v1/daemonsets":
		return "ListDaemonSets"
	case "get /v1/serviceaccounts":
		return "GetServiceAccount"
	case "list crd.k8s.amazonaws.com/v1alpha1/eniconfigs":
		return "ListENIConfigs"
	}
	return "Other"
}

// about is the resource in the words of Kubernetes' errors, as `daemonsets.apps "aws-node"`.
func (q question) about() string {
	about := q.resource
	if q.group != "" {
		about += "." + q.group
	}
	if q.name != "" {
		about += ` "` + q.name + `"`
	}
	return about
}

func (q question) notFound() error { return modelled(kubernetes, "NotFound", q.about()+" not found") }

func (q question) forbidden(user string) error {
	where := "at the cluster scope"
	if q.namespace != "" {
		where = `in the namespace "` + q.namespace + `"`
	}
	return modelled(kubernetes, "Forbidden", q.about()+` is forbidden: User "`+user+`" cannot `+q.verb+` resource "`+q.resource+`" in API group "`+q.group+`" `+where)
}

// failure is an error as Kubernetes writes it: a Status, which says of what is forbidden or not found what it is.
func (q question) failure(err smithy.APIError, code int) []byte {
	s := status{Kind: "Status", APIVersion: "v1", Status: "Failure", Message: err.ErrorMessage(), Reason: err.ErrorCode(), Code: code}
	if s.Reason == "NotFound" || s.Reason == "Forbidden" {
		s.Details = &statusDetails{q.name, q.group, q.resource}
	}
	return encode(s)
}
