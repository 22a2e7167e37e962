package world

import "time"

// Spec describes a world: what is in it, how it behaves, and what happens to it. It is plain data; times are offsets from
// Start. A file describes one too: see ReadSpec.
type Spec struct {
	Start      time.Time              `yaml:"start"`      // virtual time begins here; it must not be zero
	Hub        Hub                    `yaml:"hub"`        // where the product runs
	VPCs       []VPC                  `yaml:"vpcs"`       // networks; clusters name them
	Clusters   []Cluster              `yaml:"clusters"`   // those that exist at the start, and those that are created later
	Catalogues map[string][]Catalogue `yaml:"catalogues"` // what DescribeAddonVersions lists of vpc-cni, by Kubernetes version, in AWS's order
	Faults     []Fault                `yaml:"faults"`     // the first that applies to a call is injected
	Disabled   []Disabled             `yaml:"disabled"`   // regions that are switched off in an account
	Grants     []Grant                `yaml:"grants"`     // none: everything is allowed to everyone
	Topics     []string               `yaml:"topics"`     // ARNs of the SNS topics that exist; none: every topic does
	Behaviour  Behaviour              `yaml:"behaviour"`  // switches: what AWS does not promise either way
	Updates    []UpdateScript         `yaml:"updates"`    // the first that fits an update says how it ends; none: it succeeds
	Changes    []Change               `yaml:"changes"`    // what others do to clusters
	Events     []TimedEvent           `yaml:"events"`     // events that are put on the hub's bus as they are
	Orders     []Order                `yaml:"orders"`     // what people order. The world only carries them, for whoever wires the ledger
}

// Hub is the account and region where the product runs.
type Hub struct {
	Account string `yaml:"account"`
	Region  string `yaml:"region"`
}

// Cluster is an EKS cluster.
type Cluster struct {
	Name            string            `yaml:"name"`
	Account         string            `yaml:"account"`
	Region          string            `yaml:"region"`
	Kubernetes      string            `yaml:"kubernetes"`   // version, as "1.33"
	Status          string            `yaml:"status"`       // empty: ACTIVE; else fixed at this, as "FAILED"
	IPv6            bool              `yaml:"ipv6"`         // pods get IPv6 addresses
	AutoMode        bool              `yaml:"autoMode"`     // EKS Auto Mode runs the network itself
	Tags            map[string]string `yaml:"tags"`         // of the cluster
	CreatedAt       time.Duration     `yaml:"createdAt"`    // zero: there from the start; else CreateCluster is called then, and it is ACTIVE minutes later
	DeletedAt       time.Duration     `yaml:"deletedAt"`    // zero: never; else DeleteCluster is called then, and it is gone minutes later
	Addon           *Addon            `yaml:"addon"`        // the managed vpc-cni; nil: none
	VPC             string            `yaml:"vpc"`          // id; empty only if no subnet is named below
	ControlPlane    []string          `yaml:"controlPlane"` // ids of the control plane's subnets
	Nodegroups      []Nodegroup       `yaml:"nodegroups"`
	FargateProfiles []FargateProfile  `yaml:"fargateProfiles"`
	Instances       []Instance        `yaml:"instances"`
	API             API               `yaml:"api"`
	DaemonSets      []DaemonSet       `yaml:"daemonSets"` // of kube-system; the one of the managed add-on is there by itself
	ENIConfigs      []ENIConfig       `yaml:"eniConfigs"`
	NodeMetrics     *NodeMetrics      `yaml:"metricsHelper"` // nil: cni-metrics-helper is not installed
	Copies          int               `yaml:"copies"`        // so many clusters, NAME-1 to NAME-n; zero: the one
}

// Addon is a managed vpc-cni add-on.
type Addon struct {
	Version       string            `yaml:"version"`       // as "v1.18.5-eksbuild.1"
	Status        string            `yaml:"status"`        // empty: ACTIVE
	Role          string            `yaml:"role"`          // service-account role ARN; empty: the node role
	Configuration string            `yaml:"configuration"` // configuration values; never printed
	PodIdentities []string          `yaml:"podIdentities"` // ARNs of pod identity associations
	Tags          map[string]string `yaml:"tags"`          // of the add-on
	Issues        []Issue           `yaml:"issues"`        // health issues
	// Conflicts are fields that somebody else set, as `DaemonSet.apps aws-node - .spec.template.spec.tolerations`. Under NONE an update
	// or a creation fails on them, OVERWRITE resets them, PRESERVE leaves them (facts-eks-vpc-cni 2.1).
	Conflicts []string `yaml:"conflicts"`
}

// Issue is a health issue of an add-on, or what an update failed with.
type Issue struct {
	Code      string   `yaml:"code"` // as "InsufficientNumberOfReplicas"
	Message   string   `yaml:"message"`
	Resources []string `yaml:"resources"` // what it is about
}

// Nodegroup is a managed node group.
type Nodegroup struct {
	Name    string   `yaml:"name"`
	Subnets []string `yaml:"subnets"` // ids
}

// FargateProfile is a Fargate profile.
type FargateProfile struct {
	Name    string   `yaml:"name"`
	Subnets []string `yaml:"subnets"` // ids
}

// Catalogue is one version that DescribeAddonVersions lists for a Kubernetes version.
type Catalogue struct {
	Version    string `yaml:"version"`
	Default    bool   `yaml:"default"`
	Compatible bool   `yaml:"compatible"` // false: listed with empty compatibilities, which means that it cannot be installed (facts-eks-vpc-cni 2.5)
	// Refuses are configuration values that the version's schema does not have, as "env.ENABLE_POD_ENI": an update to it that sends one is
	// refused (amazon-vpc-cni-k8s #2173).
	Refuses []string `yaml:"refuses"`
	// Architectures are those of the nodes that it has images for; none: amd64 and arm64.
	Architectures []string `yaml:"architectures"`
	// Schema is the JSON schema of its configuration values, where they differ in more than Refuses; empty: it takes everything else.
	Schema string `yaml:"schema"`
}

// Fault makes calls fail, or slow. Every field that is set must fit the call.
type Fault struct {
	Service   string        `yaml:"service"`   // IAM prefix, as "eks", "ec2", "cloudwatch", "sns", "events", "dynamodb", "sts"; "kubernetes", "ledger"; empty: all but sts, ledger
	Operation string        `yaml:"operation"` // as "DescribeAddon"; empty: any
	Account   string        `yaml:"account"`
	Region    string        `yaml:"region"`
	Cluster   string        `yaml:"cluster"`   // name
	Principal string        `yaml:"principal"` // part of the caller's ARN, or of the role's that is assumed
	From      time.Duration `yaml:"from"`      // the fault begins
	Until     time.Duration `yaml:"until"`     // the fault ends; zero: never

	Chance  float64       `yaml:"chance"`  // of a call that fits, from 0 to 1; zero: 1
	Times   int           `yaml:"times"`   // how often; zero: without end
	Code    string        `yaml:"code"`    // of the error, as "ThrottlingException"; "ConnectionReset": no answer at all; empty: no error, only Latency
	Message string        `yaml:"message"` // of the error; empty: one that says that it was injected
	Status  int           `yaml:"status"`  // HTTP; zero: the usual one for the code
	Latency time.Duration `yaml:"latency"` // added to the call's
	After   bool          `yaml:"after"`   // the call has its effect, and only its answer is replaced by the error
}

// Disabled is a region that an account has switched off. Its services know no credentials of the account then.
type Disabled struct {
	Account string        `yaml:"account"`
	Region  string        `yaml:"region"`
	From    time.Duration `yaml:"from"`
	Until   time.Duration `yaml:"until"` // zero: it stays so
}

// Grant is all that a role may do.
type Grant struct {
	Role    string   `yaml:"role"`    // name; other principals are not restricted
	Actions []string `yaml:"actions"` // as "eks:DescribeAddon"
}

// Range is a duration that is drawn between two, both included.
type Range struct {
	Min time.Duration `yaml:"min"`
	Max time.Duration `yaml:"max"`
}

// Behaviour says what AWS does where its promises leave room, or where sources disagree. The zero Behaviour is a quiet AWS
// that answers at once; see Likely.
type Behaviour struct {
	OneMinor           bool          `yaml:"oneMinor"`           // UpdateAddon refuses to move by more than one minor version (facts-eks-vpc-cni 3)
	RoleKept           bool          `yaml:"roleKept"`           // UpdateAddon without a role keeps the role; AWS's documentation says that it is dropped (2.1)
	ConfigDropped      bool          `yaml:"configDropped"`      // UpdateAddon without configuration values drops them; documents imply that they are kept (2.1)
	PreserveConflicts  bool          `yaml:"preserveConflicts"`  // an update under PRESERVE fails on an add-on's Conflicts as under NONE
	TokenReplayed      bool          `yaml:"tokenReplayed"`      // UpdateAddon with a token that was used answers with that update; else it starts another (2.1)
	ClockBehind        time.Duration `yaml:"clockBehind"`        // how far EKS's clock, which stamps updates, is behind that of the functions
	VersionMovesEarly  bool          `yaml:"versionMovesEarly"`  // the new version shows while the update is in progress, and after it failed
	UpdateStarts       Range         `yaml:"updateStarts"`       // for so long after UpdateAddon the add-on still shows its old status (eksctl #7269)
	UpdateTakes        Range         `yaml:"updateTakes"`        // from then on until the update ends; zero: 3 minutes
	Latency            Range         `yaml:"latency"`            // of every call
	Throttled          float64       `yaml:"throttled"`          // chance that a call is throttled, from 0 to 1
	PageSize           int           `yaml:"pageSize"`           // most items in a page; zero: 100
	AddonEvents        bool          `yaml:"addonEvents"`        // "EKS Addon Update Succeeded" and the like are sent (1.1)
	EventsLost         float64       `yaml:"eventsLost"`         // chance that a best-effort event is lost
	AlarmEventsLost    float64       `yaml:"alarmEventsLost"`    // chance that an alarm's change of state is: the way to the hub is broken, as CloudWatch guarantees delivery (1.5)
	EventsDoubled      float64       `yaml:"eventsDoubled"`      // chance that any event is delivered twice
	EventsDelayedMax   time.Duration `yaml:"eventsDelayedMax"`   // longest time from an event to its delivery; so events overtake each other
	EntriesFailed      float64       `yaml:"entriesFailed"`      // chance that an entry of PutEvents fails while the call succeeds
	InvocationsDoubled float64       `yaml:"invocationsDoubled"` // chance that a function gets an event twice
	AlarmDelay         time.Duration `yaml:"alarmDelay"`         // from the minute of a point to the evaluation that sees it; zero: 1 minute
	IndexLag           time.Duration `yaml:"indexLag"`           // how far DynamoDB's indexes, and reads that are not consistent, are behind (facts-aws.md, 2.2)
	TrailLag           time.Duration `yaml:"trailLag"`           // from a call until CloudTrail's event history has it
	Unprocessed        float64       `yaml:"unprocessed"`        // chance that BatchGetItem leaves some of its items for a later call
}

// Likely is the behaviour that the facts point to, with latencies like those of the real services.
func Likely() Behaviour {
	return Behaviour{
		OneMinor:         true,
		UpdateStarts:     Range{0, 20 * time.Second},
		UpdateTakes:      Range{time.Minute, 6 * time.Minute},
		Latency:          Range{20 * time.Millisecond, 200 * time.Millisecond},
		EventsDelayedMax: 5 * time.Second,
		TrailLag:         5 * time.Minute,
	}
}

// Outcome is how an update ends.
type Outcome string

// The ends of an update. One that hangs stays in progress for ever (containers-roadmap #2242).
const (
	Succeed Outcome = "succeed"
	Fail    Outcome = "fail"
	Degrade Outcome = "degrade"
	Hang    Outcome = "hang"
	Cancel  Outcome = "cancel" // Cancelled, and the add-on as it was
)

// UpdateScript says how an update of the add-on ends.
type UpdateScript struct {
	Cluster string  `yaml:"cluster"` // name; empty: any
	To      string  `yaml:"to"`      // prefix of the version; empty: any
	Outcome Outcome `yaml:"outcome"`
	Issue   Issue   `yaml:"issue"` // Fail and Degrade; without a code it is InsufficientNumberOfReplicas
	Times   int     `yaml:"times"` // how many updates; zero: all
}

// Deed is what somebody else does to a cluster.
type Deed string

// The deeds of others.
const (
	UpgradeCluster Deed = "upgrade cluster" // Kubernetes
	CreateAddon    Deed = "create add-on"   // Addon
	UpdateAddon    Deed = "update add-on"   // Addon; ends as UpdateScripts say
	DeleteAddon    Deed = "delete add-on"
	ChangeHealth   Deed = "change health"   // Issues, with which a managed add-on at rest is DEGRADED; none: it is ACTIVE
	TagCluster     Deed = "tag cluster"     // Tags replace the cluster's
	GrantAccess    Deed = "grant access"    // Role may read kube-system half a minute later: an access entry, then its policy
	ApplyDaemonSet Deed = "apply daemonSet" // DaemonSet, with kubectl or the like, of which AWS hears nothing
)

// Change is something that somebody else does to a cluster.
type Change struct {
	At         time.Duration     `yaml:"at"`
	Account    string            `yaml:"account"` // the cluster
	Region     string            `yaml:"region"`
	Name       string            `yaml:"name"`
	Do         Deed              `yaml:"do"`
	Kubernetes string            `yaml:"kubernetes"` // UpgradeCluster
	Addon      *Addon            `yaml:"addon"`      // CreateAddon; UpdateAddon: its version, role and configuration
	Issues     []Issue           `yaml:"issues"`     // ChangeHealth
	Resolve    string            `yaml:"resolve"`    // CreateAddon, UpdateAddon: NONE, OVERWRITE or PRESERVE; empty: NONE
	Agent      string            `yaml:"agent"`      // CreateAddon, UpdateAddon: the call's user agent; a service, as cloudformation.amazonaws.com: it makes the call
	Preserve   bool              `yaml:"preserve"`   // DeleteAddon: its DaemonSet stays behind, and nobody manages it
	Tags       map[string]string `yaml:"tags"`       // TagCluster
	Role       string            `yaml:"role"`       // GrantAccess: name of a role in the cluster's account
	DaemonSet  *DaemonSet        `yaml:"daemonSet"`  // ApplyDaemonSet
}

// TimedEvent is an event that is put on the hub's bus.
type TimedEvent struct {
	At     time.Duration `yaml:"at"`
	Source string        `yaml:"source"` // as "aws.health"
	Type   string        `yaml:"type"`   // the detail-type
	// Account and Region are the origin's; empty: the hub's.
	Account   string   `yaml:"account"`
	Region    string   `yaml:"region"`
	Resources []string `yaml:"resources"`
	Detail    string   `yaml:"detail"` // JSON
}

// OrderKind is what a person orders.
type OrderKind string

// The orders of people.
const (
	Approve  OrderKind = "approve"
	Deny     OrderKind = "deny"
	Halt     OrderKind = "halt"
	Teardown OrderKind = "teardown" // a halt that has every alarm removed too
	Resume   OrderKind = "resume"
	Mute     OrderKind = "mute"
	Unmute   OrderKind = "unmute"
	Ack      OrderKind = "ack"
)

// Order is what a person orders at a time.
type Order struct {
	At      time.Duration `yaml:"at"`
	Kind    OrderKind     `yaml:"kind"`
	Account string        `yaml:"account"` // the cluster; of those that are not to the whole fleet
	Region  string        `yaml:"region"`
	Name    string        `yaml:"name"`
	To      string        `yaml:"to"`      // Approve: the last version approved
	Finding string        `yaml:"finding"` // Mute, Unmute and Ack: what they are about
	For     time.Duration `yaml:"for"`     // Mute and Ack: how long they hold; 0: for Ack the usual time
	By      string        `yaml:"by"`
	Because string        `yaml:"because"`
}
