package world

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

const appsV1 = "apps/v1"

// answerTo answers what a caller may ask.
func (w *World) answerTo(c *eksCluster, q question) (*KubernetesAnswer, error) {
	switch q.operation() {
	case "GetDaemonSet":
		for _, s := range c.standing() {
			if s.Name == q.name {
				return found(s.object(c.id(), w.nodes(c))), nil
			}
		}
	case "ListDaemonSets":
		return w.listDaemonSets(c, q)
	case "GetServiceAccount":
		role, there := "", q.name == "default" // every namespace has that one
		for _, s := range c.standing() {
			if cmp.Or(s.ServiceAccount, "default") == q.name {
				role, there = cmp.Or(role, s.Role), true
			}
		}
		if there {
			return found(c.serviceAccount(q.name, role)), nil
		}
	case "ListENIConfigs":
		return found(w.eniConfigs(c)), nil
	}
	return nil, q.notFound()
}

func found[T any](object T) *KubernetesAnswer { return &KubernetesAnswer{Body: encode(object)} }

// listDaemonSets lists a page of DaemonSets by name; what continues a list is, in a world, the name of the next one.
func (w *World) listDaemonSets(c *eksCluster, q question) (*KubernetesAnswer, error) {
	all := slices.DeleteFunc(c.standing(), func(s standing) bool { return s.Name < q.query.Get("continue") })
	page := listMeta{ResourceVersion: versionOf(w.Now())}
	if most, _ := strconv.Atoi(q.query.Get("limit")); most > 0 && most < len(all) {
		page.Continue, all = all[most].Name, all[:most]
	}
	if q.partial {
		l := list[partialObject]{"PartialObjectMetadataList", "meta.k8s.io/v1", page, []partialObject{}}
		for _, s := range all {
			l.Items = append(l.Items, partialObject{"PartialObjectMetadata", "meta.k8s.io/v1", s.meta(c.id())})
		}
		return found(l), nil
	}
	l := list[daemonSet]{"DaemonSetList", appsV1, page, []daemonSet{}}
	for _, s := range all {
		o := s.object(c.id(), w.nodes(c))
		o.Kind, o.APIVersion = "", ""
		l.Items = append(l.Items, o)
	}
	return found(l), nil
}

func (c *eksCluster) serviceAccount(name, role string) partialObject {
	m := metaOf(c.id(), "ServiceAccount", name, c.created)
	m.Namespace = "kube-system"
	if role != "" {
		m.Annotations = map[string]string{"eks.amazonaws.com/role-arn": role}
	}
	return partialObject{"ServiceAccount", "v1", m}
}

func (w *World) eniConfigs(c *eksCluster) list[eniConfig] {
	const version = "crd.k8s.amazonaws.com/v1alpha1"
	l := list[eniConfig]{"ENIConfigList", version, listMeta{ResourceVersion: versionOf(w.Now())}, []eniConfig{}}
	for _, e := range c.ENIConfigs {
		o := eniConfig{APIVersion: version, Kind: "ENIConfig", Metadata: metaOf(c.id(), "ENIConfig", e.Name, c.created)}
		o.Spec.Subnet = e.Subnet
		l.Items = append(l.Items, o)
	}
	return l
}

// metaOf is the metadata of an object that was made and last changed at a time.
func metaOf(id cluster.ID, kind, name string, at time.Time) meta {
	sum := sha256.Sum256([]byte(id.String() + "/" + kind + "/" + name))
	uid := fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	return meta{Name: name, UID: uid, ResourceVersion: versionOf(at), CreationTimestamp: at.Truncate(time.Second)}
}

// versionOf is the resource version of what changed at a time: any number that grows.
func versionOf(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// meta is the metadata of a DaemonSet. Whoever else set fields, the controller keeps the status.
func (s standing) meta(id cluster.ID) meta {
	m := metaOf(id, "DaemonSet", s.Name, s.changed)
	m.Namespace, m.Generation, m.CreationTimestamp = "kube-system", s.generation, s.created.Truncate(time.Second)
	m.Labels, m.Annotations = s.Labels, s.Annotations
	entry := managedFields{APIVersion: appsV1, FieldsType: "FieldsV1"}
	for _, by := range s.Managers {
		entry.Manager, entry.Operation = by.Name, cmp.Or(by.Operation, "Update")
		entry.Time, entry.FieldsV1 = s.changed.Add(by.After).Truncate(time.Second), fieldsOf(s.Containers, by.Wrote)
		m.ManagedFields = append(m.ManagedFields, entry)
	}
	entry.Manager, entry.Operation, entry.Subresource = "kube-controller-manager", "Update", "status"
	entry.Time, entry.FieldsV1 = s.changed.Truncate(time.Second), []byte(`{"f:status":{"f:numberReady":{},"f:observedGeneration":{}}}`)
	m.ManagedFields = append(m.ManagedFields, entry)
	return m
}

// object is a DaemonSet as Kubernetes writes it, in a cluster of so many nodes.
func (s standing) object(id cluster.ID, nodes int) daemonSet {
	o := daemonSet{Kind: "DaemonSet", APIVersion: appsV1, Metadata: s.meta(id), Status: s.status(nodes)}
	o.Spec.RevisionHistoryLimit = 10
	o.Spec.Selector.MatchLabels = map[string]string{"k8s-app": s.Name}
	o.Spec.Template.Metadata.Labels = o.Spec.Selector.MatchLabels
	o.Spec.Template.Spec = podSpec{
		InitContainers: containersOf(s.InitContainers), Containers: containersOf(s.Containers), RestartPolicy: "Always",
		ServiceAccountName: s.ServiceAccount, ServiceAccount: s.ServiceAccount, HostNetwork: true,
	}
	return o
}

// status is how far a DaemonSet is rolled out. Every pod runs, be it as specified before or now.
func (s standing) status(nodes int) daemonSetStatus {
	if s.Desired != nil {
		nodes = *s.Desired
	}
	updated := nodes
	if s.RolledOut != nil {
		updated = min(nodes, *s.RolledOut)
	}
	return daemonSetStatus{
		CurrentNumberScheduled: nodes, DesiredNumberScheduled: nodes, NumberReady: nodes, UpdatedNumberScheduled: updated, ObservedGeneration: s.generation,
	}
}

// containersOf are containers as Kubernetes writes them. Each knows its node, as those of the VPC CNI do.
func containersOf(described []Container) []container {
	node := envVar{Name: "MY_NODE_NAME", ValueFrom: &envSource{}}
	node.ValueFrom.FieldRef.APIVersion, node.ValueFrom.FieldRef.FieldPath = "v1", "spec.nodeName"
	var all []container
	for _, d := range described {
		c := container{Name: d.Name, Image: d.Image, ImagePullPolicy: "IfNotPresent"}
		for _, name := range sorted(d.Env) {
			c.Env = append(c.Env, envVar{Name: name, Value: d.Env[name]})
		}
		c.Env = append(c.Env, node)
		all = append(all, c)
	}
	return all
}
