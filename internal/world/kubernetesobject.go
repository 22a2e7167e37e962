package world

import (
	"encoding/json"
	"strings"
	"time"
)

// The objects of a Kubernetes API, as far as they are served (Kubernetes API reference).

type meta struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace,omitempty"`
	UID               string            `json:"uid"`
	ResourceVersion   string            `json:"resourceVersion"`
	Generation        int               `json:"generation,omitempty"`
	CreationTimestamp time.Time         `json:"creationTimestamp"`
	Labels            map[string]string `json:"labels,omitempty"`
	Annotations       map[string]string `json:"annotations,omitempty"`
	ManagedFields     []managedFields   `json:"managedFields,omitempty"`
}

type managedFields struct {
	Manager     string          `json:"manager"`
	Operation   string          `json:"operation"`
	APIVersion  string          `json:"apiVersion"`
	Time        time.Time       `json:"time"`
	FieldsType  string          `json:"fieldsType"`
	FieldsV1    json.RawMessage `json:"fieldsV1"`
	Subresource string          `json:"subresource,omitempty"`
}

type daemonSet struct {
	Kind       string          `json:"kind,omitempty"` // the items of a list have none
	APIVersion string          `json:"apiVersion,omitempty"`
	Metadata   meta            `json:"metadata"`
	Spec       daemonSetSpec   `json:"spec"`
	Status     daemonSetStatus `json:"status"`
}

type daemonSetSpec struct {
	Selector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	} `json:"selector"`
	Template struct {
		Metadata struct {
			Labels map[string]string `json:"labels"`
		} `json:"metadata"`
		Spec podSpec `json:"spec"`
	} `json:"template"`
	RevisionHistoryLimit int `json:"revisionHistoryLimit"`
}

type podSpec struct {
	InitContainers     []container `json:"initContainers,omitempty"`
	Containers         []container `json:"containers"`
	RestartPolicy      string      `json:"restartPolicy"`
	ServiceAccountName string      `json:"serviceAccountName,omitempty"`
	ServiceAccount     string      `json:"serviceAccount,omitempty"`
	HostNetwork        bool        `json:"hostNetwork"`
}

type container struct {
	Name            string   `json:"name"`
	Image           string   `json:"image"`
	Env             []envVar `json:"env,omitempty"`
	ImagePullPolicy string   `json:"imagePullPolicy"`
}

type envVar struct {
	Name      string     `json:"name"`
	Value     string     `json:"value,omitempty"`
	ValueFrom *envSource `json:"valueFrom,omitempty"`
}

type envSource struct {
	FieldRef struct {
		APIVersion string `json:"apiVersion"`
		FieldPath  string `json:"fieldPath"`
	} `json:"fieldRef"`
}

type daemonSetStatus struct {
	CurrentNumberScheduled int `json:"currentNumberScheduled"`
	NumberMisscheduled     int `json:"numberMisscheduled"`
	DesiredNumberScheduled int `json:"desiredNumberScheduled"`
	NumberReady            int `json:"numberReady"`
	UpdatedNumberScheduled int `json:"updatedNumberScheduled,omitempty"`
	ObservedGeneration     int `json:"observedGeneration"`
}

type partialObject struct {
	Kind       string `json:"kind"`
	APIVersion string `json:"apiVersion"`
	Metadata   meta   `json:"metadata"`
}

type eniConfig struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   meta   `json:"metadata"`
	Spec       struct {
		Subnet string `json:"subnet"`
	} `json:"spec"`
}

type list[T any] struct {
	Kind       string   `json:"kind"`
	APIVersion string   `json:"apiVersion"`
	Metadata   listMeta `json:"metadata"`
	Items      []T      `json:"items"`
}

type listMeta struct {
	ResourceVersion string `json:"resourceVersion"`
	Continue        string `json:"continue,omitempty"`
}

type status struct {
	Kind       string         `json:"kind"`
	APIVersion string         `json:"apiVersion"`
	Metadata   struct{}       `json:"metadata"`
	Status     string         `json:"status"`
	Message    string         `json:"message"`
	Reason     string         `json:"reason"`
	Details    *statusDetails `json:"details,omitempty"`
	Code       int            `json:"code"`
}

type statusDetails struct {
	Name  string `json:"name,omitempty"`
	Group string `json:"group,omitempty"`
	Kind  string `json:"kind,omitempty"`
}

// fieldsOf are the fields of containers that a manager wrote, as managedFields writes them.
func fieldsOf(containers []Container, what Wrote) json.RawMessage {
	all := make([]string, len(containers))
	for i, c := range containers {
		fields := `"f:image":{},"f:name":{}`
		if what == WroteEnv {
			var env []string
			for _, name := range sorted(c.Env) {
				env = append(env, keyOf(name)+`:{".":{},"f:name":{},"f:value":{}}`)
			}
			fields = `"f:env":{` + strings.Join(env, ",") + `}`
		}
		all[i] = keyOf(c.Name) + `:{` + fields + `}`
	}
	return json.RawMessage(`{"f:spec":{"f:template":{"f:spec":{"f:containers":{` + strings.Join(all, ",") + `}}}}}`)
}

// keyOf is the key of an item of a list in managedFields, whose items have names.
func keyOf(name string) string { return string(encode(`k:{"name":` + string(encode(name)) + `}`)) }
