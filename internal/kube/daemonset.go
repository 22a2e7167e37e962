package kube

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// metadata is what is read of an object's own, or a list's.
type metadata struct {
	Name          string            `json:"name"`
	Namespace     string            `json:"namespace"`
	Created       string            `json:"creationTimestamp"`
	Generation    int64             `json:"generation"` // counts the changes of the specification, from 1
	Labels        map[string]string `json:"labels"`
	Annotations   map[string]string `json:"annotations"`
	ManagedFields []managedFields   `json:"managedFields"`
	Continue      string            `json:"continue"` // of a list: there is another page
}

type daemonSet struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
	Spec       struct {
		Template struct {
			Spec podSpec `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
	Status *rollout `json:"status"` // nil: its controller has not said anything yet
}

// rollout is how far the controller is, which leaves out what is 0 (Kubernetes API reference, DaemonSetStatus).
type rollout struct {
	Desired  int64 `json:"desiredNumberScheduled"`
	Updated  int64 `json:"updatedNumberScheduled"`
	Observed int64 `json:"observedGeneration"` // the generation that these numbers are of
}

type podSpec struct {
	InitContainers     []container `json:"initContainers"`
	Containers         []container `json:"containers"`
	ServiceAccountName string      `json:"serviceAccountName"`
	ServiceAccount     string      `json:"serviceAccount"` // the deprecated name of the same
}

type container struct {
	Name    string     `json:"name"`
	Image   string     `json:"image"`
	Env     []variable `json:"env"`
	EnvFrom []struct{} `json:"envFrom"`
}

type variable struct {
	Name      string    `json:"name"`
	Value     string    `json:"value"`
	ValueFrom *struct{} `json:"valueFrom"`
}

// ReadDaemonSet reads the DaemonSet aws-node of kube-system from the JSON of the Kubernetes API, and the name of its pods' service
// account. The role and the ENIConfigs are left empty: they stand in other objects. An error names the field that is not as it must be,
// and repeats nothing of the body. Where there is no status it counts as 0 nodes, and as not settled.
func ReadDaemonSet(body []byte) (guard.DaemonSet, string, error) {
	d, err := decode[daemonSet](body)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return guard.DaemonSet{}, "", fmt.Errorf("read DaemonSet aws-node: %w", err)
	}
	pod := d.Spec.Template.Spec
	node, _ := only(pod.Containers, "aws-node")
	setup, setups := only(pod.InitContainers, "aws-vpc-cni-init") // there is none before v1.7.0
	agent, _ := only(pod.Containers, "aws-eks-nodeagent")         // there is none before v1.14.0

	env := environment(node.Env)
	main, read := parseImage(node.Image), readVersion(parseImage(node.Image), env.literal(versionEnv))
	if node.Name == "" {
		read = reading{raw: "no container aws-node", from: "none of the containers is named aws-node"}
	}
	ds := guard.DaemonSet{
		Version: read.version, Raw: clean(read.raw), From: clean(read.from),
		Image: clean(node.Image), Init: clean(setup.Image), Agent: clean(agent.Image),
		Differ: clean(differ(read.version, main, parseImage(setup.Image))), Same: setups == 0 || same(read.version, parseImage(setup.Image)),
		Manifest: manifest(read.version, env.literal(versionEnv), d.Metadata.Labels["app.kubernetes.io/version"]),
		By:       installedBy(d.Metadata), Env: env.facts(), Other: env.others(), Unread: env.unread(),
	}
	if s := d.Status; s != nil {
		ds.Desired, ds.Updated = int(s.Desired), int(s.Updated)
		ds.Settled = s.Observed >= d.Metadata.Generation && s.Updated >= s.Desired
	}
	if len(node.EnvFrom) > 0 {
		ds.Unread = append(ds.Unread, "the variables that aws-node takes from other objects (envFrom)")
	}
	return ds, pod.account(), nil
}

// oddity is an error about what is a DaemonSet as Kubernetes has them, and not as the VPC CNI's own.
type oddity string

func (o oddity) Error() string { return string(o) }

// check finds the first field that is not as it must be: first for a DaemonSet, then for the VPC CNI's own.
func (d daemonSet) check() error {
	pod := d.Spec.Template.Spec
	switch {
	case d.APIVersion != "apps/v1":
		return errors.New("apiVersion: want apps/v1")
	case d.Kind != "DaemonSet":
		return errors.New("kind: want DaemonSet")
	case len(pod.Containers) == 0:
		return errors.New("spec.template.spec.containers: want at least one")
	case d.Status != nil && min(d.Status.Desired, d.Status.Updated) < 0:
		return errors.New("status: want no negative number of nodes")
	case d.Metadata.Name != "aws-node":
		return oddity("metadata.name: want aws-node")
	case d.Metadata.Namespace != "kube-system":
		return oddity("metadata.namespace: want kube-system")
	case !objectName.MatchString(pod.account()) || len(pod.account()) > 253:
		return oddity("spec.template.spec.serviceAccountName: want the name of an object")
	}
	return pod.twice()
}

// twice is an error about containers that have one name, of those that are read by it.
func (p podSpec) twice() error {
	for _, c := range []struct {
		field, name string
		all         []container
	}{
		{"containers", "aws-node", p.Containers}, {"initContainers", "aws-vpc-cni-init", p.InitContainers}, {"containers", "aws-eks-nodeagent", p.Containers},
	} {
		if _, n := only(c.all, c.name); n > 1 {
			return oddity(fmt.Sprintf("spec.template.spec.%s: want at most one that is named %s, there are %d", c.field, c.name, n))
		}
	}
	return nil
}

// objectName is what Kubernetes lets a service account be called: it becomes part of a path.
var objectName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func (p podSpec) account() string { return cmp.Or(p.ServiceAccountName, p.ServiceAccount, "default") }

// only is the container of that name, and how many there are.
func only(all []container, name string) (found container, n int) {
	for _, c := range all {
		if c.Name == name {
			found, n = c, n+1
		}
	}
	return found, n
}

// manifest is the version that the manifest was written for, where that is not the one that runs. The environment is part of what was
// tested with it; the label is decoration: that of v1.18.5's own manifest says v1.18.4.
func manifest(node cni.Version, env, label string) string {
	stated := cni.Parse(env)
	if !stated.Known() {
		stated = cni.Parse(label)
	}
	if !stated.Known() || sameRelease(node, stated) {
		return ""
	}
	return stated.String()
}

// How much is kept of texts of which there are many, in runes: a record has room for all of them at their longest.
const (
	longestValue = 100 // of a variable of the environment
	longestMark  = 200 // of a line of evidence
	longestName  = 64  // of an ENIConfig, and of the subnet that it names
)

func clean(s string) string { return plain.Clean(s, plain.Text) }

// decode reads a JSON object. Its errors name a field and repeat nothing of the body, which may hold what is nobody's business.
func decode[T any](body []byte) (T, error) {
	var v T
	err := json.Unmarshal(body, &v)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return v, fmt.Errorf("%s: want %s", clean(cmp.Or(wrong.Field, "the answer")), inWords(wrong.Type))
	case err != nil:
		return v, errors.New("want JSON")
	}
	return v, nil
}

func inWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Slice:
		return "a list"
	case reflect.Int64:
		return "a whole number"
	}
	return "an object"
}
