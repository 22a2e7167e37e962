package kube

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

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
// and repeats nothing of the body.
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
	setup, _ := only(pod.InitContainers, "aws-vpc-cni-init") // there is none before v1.7.0
	agent, _ := only(pod.Containers, "aws-eks-nodeagent")    // there is none before v1.14.0

	env := environment(node.Env)
	main, read := parseImage(node.Image), readVersion(parseImage(node.Image), env.literal(versionEnv))
	ds := guard.DaemonSet{
		Version: read.version, Raw: clean(read.raw), From: clean(read.from),
		Image: clean(node.Image), Init: clean(setup.Image), Agent: clean(agent.Image),
		Differ:   clean(differ(read.version, main, parseImage(setup.Image))),
		Manifest: manifest(read.version, env.literal(versionEnv), d.Metadata.Labels["app.kubernetes.io/version"]),
		By:       installedBy(d.Metadata), Env: env.facts(), Unread: env.unread(),
	}
	if len(node.EnvFrom) > 0 {
		ds.Unread = append(ds.Unread, "the variables that aws-node takes from other objects (envFrom)")
	}
	return ds, pod.account(), nil
}

// check finds the first field that is not as it must be.
func (d daemonSet) check() error {
	pod := d.Spec.Template.Spec
	_, nodes := only(pod.Containers, "aws-node")
	_, setups := only(pod.InitContainers, "aws-vpc-cni-init")
	_, agents := only(pod.Containers, "aws-eks-nodeagent")
	switch {
	case d.APIVersion != "apps/v1":
		return errors.New("apiVersion: want apps/v1")
	case d.Kind != "DaemonSet":
		return errors.New("kind: want DaemonSet")
	case d.Metadata.Name != "aws-node":
		return errors.New("metadata.name: want aws-node")
	case d.Metadata.Namespace != "kube-system":
		return errors.New("metadata.namespace: want kube-system")
	case nodes != 1:
		return fmt.Errorf("spec.template.spec.containers: want one that is named aws-node, there are %d", nodes)
	case setups > 1:
		return fmt.Errorf("spec.template.spec.initContainers: want at most one that is named aws-vpc-cni-init, there are %d", setups)
	case agents > 1:
		return fmt.Errorf("spec.template.spec.containers: want at most one that is named aws-eks-nodeagent, there are %d", agents)
	case !objectName.MatchString(pod.account()) || len(pod.account()) > 253:
		return errors.New("spec.template.spec.serviceAccountName: want the name of an object")
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

// matter are the variables of aws-node that decide how many IP addresses it takes, from where, and whether it tells (README of
// amazon-vpc-cni-k8s, "CNI Configuration Variables"), by name. The values of others are never kept.
var matter = []string{
	"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "CLUSTER_NAME", "DISABLE_METRICS", "DISABLE_NETWORK_RESOURCE_PROVISIONING", "ENABLE_IPv4", "ENABLE_IPv6",
	"ENABLE_MULTI_NIC", "ENABLE_POD_ENI", "ENABLE_PREFIX_DELEGATION", "ENABLE_SUBNET_DISCOVERY", "ENI_CONFIG_ANNOTATION_DEF", "ENI_CONFIG_LABEL_DEF",
	"IP_COOLDOWN_PERIOD", "MAX_ENI", "MINIMUM_IP_TARGET", "WARM_ENI_TARGET", "WARM_IP_TARGET", "WARM_PREFIX_TARGET",
}

// environment is a container's variables.
type environment []variable

// last is the variable of that name. Where there are several, the last holds, as for the kubelet.
func (e environment) last(name string) (found variable, is bool) {
	for _, v := range e {
		if v.Name == name {
			found, is = v, true
		}
	}
	return found, is
}

// elsewhere reports whether the value stands in another object or variable.
func (v variable) elsewhere() bool { return v.ValueFrom != nil || strings.Contains(v.Value, "$(") }

// literal is the value of a variable; empty where it is none, or stands elsewhere.
func (e environment) literal(name string) string {
	if v, _ := e.last(name); !v.elsewhere() {
		return v.Value
	}
	return ""
}

func (e environment) facts() (facts []guard.Fact) {
	for _, name := range matter {
		if v, is := e.last(name); is && !v.elsewhere() {
			facts = append(facts, guard.Fact{Name: name, Value: clean(v.Value)})
		}
	}
	return facts
}

func (e environment) unread() (why []string) {
	for _, name := range append([]string{versionEnv}, matter...) {
		if v, is := e.last(name); is && v.elsewhere() {
			why = append(why, name+": its value stands elsewhere")
		}
	}
	return why
}

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
