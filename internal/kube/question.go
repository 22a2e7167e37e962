package kube

// question is one GET.
type question struct {
	op       string // as "GetDaemonSet"
	path     string // with the query
	accept   string
	resource string // what is asked for, as "daemonsets"
	name     string // of the one object that is asked for; empty: a list is
}

const (
	asJSON = "application/json"
	// asMetadata leaves out what a list is not read for; an API that does not know it sends the whole.
	asMetadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1," + asJSON
)

func nodeQuestion() question {
	return question{"GetDaemonSet", "/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node", asJSON, "daemonsets", "aws-node"}
}

func othersQuestion() question {
	return question{"ListDaemonSets", "/apis/apps/v1/namespaces/kube-system/daemonsets?limit=500", asMetadata, "daemonsets", ""}
}

func accountQuestion(name string) question {
	return question{"GetServiceAccount", "/api/v1/namespaces/kube-system/serviceaccounts/" + name, asJSON, "serviceaccounts", name}
}

func configsQuestion() question {
	return question{"ListENIConfigs", "/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs?limit=500", asJSON, "eniconfigs", ""}
}

func (q question) operation() string { return "kubernetes:" + q.op }

// status is how a Kubernetes API says why there is no object (Kubernetes API reference, Status).
type status struct {
	Kind    string `json:"kind"`
	Reason  string `json:"reason"`
	Details struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	} `json:"details"`
}

// deniedBy reports whether a body says that exactly the object that was asked for is not there. A 404 of anything else says nothing
// of it.
func (q question) deniedBy(body []byte) bool {
	s, err := decode[status](body)
	return err == nil && s.Kind == "Status" && s.Reason == "NotFound" && q.name != "" && s.Details.Name == q.name && s.Details.Kind == q.resource
}
