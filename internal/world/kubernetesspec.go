package world

import "time"

// API is how a cluster's own Kubernetes API is reached, and who is let in.
type API struct {
	AuthenticationMode string   `yaml:"authenticationMode"` // as EKS writes it; empty: API_AND_CONFIG_MAP
	Endpoint           Endpoint `yaml:"endpoint"`           // empty: PublicEndpoint
	// Readers are names of roles in the cluster's account that may read kube-system: an access entry with AmazonEKSViewPolicy for that
	// namespace; in a cluster that knows no entries, what stands for it in the ConfigMap aws-auth.
	Readers    []string `yaml:"readers"`
	Entries    []string `yaml:"entries"`    // names of roles that have an access entry, and no policy with it: they may do nothing
	ENIConfigs bool     `yaml:"eniConfigs"` // readers may list ENIConfigs too, which AmazonEKSViewPolicy does not allow: they are custom resources
}

// Endpoint is from where a cluster's own API can be reached. The functions are outside of every VPC, at no address that is let in.
type Endpoint string

// The endpoints.
const (
	PublicEndpoint     Endpoint = "public"     // from everywhere
	PrivateEndpoint    Endpoint = "private"    // from its VPC
	RestrictedEndpoint Endpoint = "restricted" // from its VPC, and from some public addresses
)

// DaemonSet is a DaemonSet of the namespace kube-system.
type DaemonSet struct {
	Name           string            `yaml:"name"` // as "aws-node", which is the VPC CNI
	Labels         map[string]string `yaml:"labels"`
	Annotations    map[string]string `yaml:"annotations"`
	Managers       []Writer          `yaml:"managers"` // who set its fields, besides the controller that keeps its status
	InitContainers []Container       `yaml:"initContainers"`
	Containers     []Container       `yaml:"containers"`
	ServiceAccount string            `yaml:"serviceAccount"` // name; empty: "default". It is there
	Role           string            `yaml:"role"`           // IAM role ARN in the service account's annotation; empty: it has none
	// Desired is on how many nodes it is to run; nil: on one for each node group and each running instance, but for those of EKS Auto Mode. 0
	// is as a node selector that fits no node.
	Desired   *int `yaml:"desired"`
	RolledOut *int `yaml:"rolledOut"` // how many of them run it as it is specified now; nil: all
}

// Writer is one of those who wrote fields of an object: a field manager, as Kubernetes keeps it in managedFields.
type Writer struct {
	Name      string        `yaml:"name"`      // as "helm"
	Operation string        `yaml:"operation"` // Apply or Update; empty: Update
	Wrote     Wrote         `yaml:"wrote"`     // empty: WroteImage
	After     time.Duration `yaml:"after"`     // how long after the DaemonSet was applied it last wrote
}

// Wrote is what a writer wrote of the containers.
type Wrote string

// What writers wrote.
const (
	WroteImage Wrote = "image"
	WroteEnv   Wrote = "env"
)

// Container is a container of a DaemonSet's pods.
type Container struct {
	Name  string            `yaml:"name"`
	Image string            `yaml:"image"`
	Env   map[string]string `yaml:"env"`
}

// ENIConfig is a custom resource of the VPC CNI: with custom networking, the subnet of the pods in a zone.
type ENIConfig struct {
	Name   string `yaml:"name"`
	Subnet string `yaml:"subnet"` // id
}
