package guard

import (
	"fmt"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/cni"
)

// API is how a cluster's own Kubernetes API is reached, as EKS tells it.
type API struct {
	Endpoint       string   // an https URL; empty: there is none yet
	CA             string   // PEM of the certificate authority that signs for it
	Authentication string   // as EKS writes it: API API_AND_CONFIG_MAP CONFIG_MAP
	Private        bool     // it answers inside of its VPC only
	PublicCIDRs    []string // from where the public endpoint may be reached
}

// Inside is what a cluster's own API tells of its network.
type Inside struct {
	Node   *DaemonSet // aws-node in kube-system; nil: there is none
	Others []string   // other CNIs whose DaemonSet stands in kube-system, as "Cilium", in order; read only where aws-node runs on no node
}

// DaemonSet is an aws-node that EKS does not manage. Its texts are untrusted, cleaned and cut.
type DaemonSet struct {
	Version    cni.Version `json:"version,omitzero"`   // of the container aws-node; unknown: see Raw and From
	Raw        string      `json:"raw,omitempty"`      // what it was read from, as "v1.7.5" or "sha256:…"
	From       string      `json:"from,omitempty"`     // where Raw stands, as "image tag" or "VPC_CNI_VERSION"; for an unknown version, why it is unknown
	Image      string      `json:"image,omitempty"`    // of the container aws-node
	Init       string      `json:"init,omitempty"`     // image of the init container aws-vpc-cni-init; empty: there is none
	Agent      string      `json:"agent,omitempty"`    // image of the node agent, which has versions of its own; empty: there is none
	Differ     string      `json:"differ,omitempty"`   // how the init container's version differs from that of aws-node; empty: it does not, or nothing tells
	Same       bool        `json:"same,omitempty"`     // the init container is of the same version, or there is none
	Manifest   string      `json:"manifest,omitempty"` // the version that the manifest was written for, where that is another; empty: it is not
	Desired    int         `json:"desired"`            // nodes that should run it
	Updated    int         `json:"updated"`            // nodes that run it as it is specified now
	Settled    bool        `json:"settled"`            // it is rolled out: nothing of an earlier specification is left
	At         time.Time   `json:"at,omitzero"`        // when it was read, in a record
	By         Installer   `json:"by,omitzero"`
	Env        []Fact      `json:"env,omitempty"`        // the environment of aws-node that matters for IP addresses, by name
	Other      []string    `json:"other,omitempty"`      // names of its further variables, whose values are not kept
	Role       string      `json:"role,omitempty"`       // IAM role ARN of its service account; empty: none, or unread
	ENIConfigs []Fact      `json:"eniConfigs,omitempty"` // with custom networking: the subnet of each ENIConfig, by name
	Unread     []string    `json:"unread,omitempty"`     // what of these could not be read, and why
}

// mostENIConfigs is how many a record keeps: of all else there is little.
const mostENIConfigs = 30

// remembered is what a record keeps of what was read then.
func (d *DaemonSet) remembered(at time.Time) *DaemonSet {
	if d == nil {
		return nil
	}
	kept := *d
	kept.At = at
	if left := len(d.ENIConfigs) - mostENIConfigs; left > 0 {
		kept.ENIConfigs = d.ENIConfigs[:mostENIConfigs]
		kept.Unread = append(slices.Clone(d.Unread), fmt.Sprintf("%d more ENIConfigs are not kept", left))
	}
	return &kept
}

// Installer is who installed something, as far as it left marks.
type Installer struct {
	Name       string     `json:"name,omitempty"` // as "Helm"; empty: nothing tells
	Confidence Confidence `json:"confidence,omitempty"`
	Evidence   []string   `json:"evidence,omitempty"` // as "annotation meta.helm.sh/release-name=aws-vpc-cni"
}

// String reads "Helm (likely)".
func (i Installer) String() string {
	if i.Name == "" {
		return "nobody who left a mark"
	}
	return i.Name + " (" + string(i.Confidence) + ")"
}

// Confidence is how sure it is who installed something.
type Confidence string

// The confidences. A guess rests on what several installers leave.
const (
	Certain Confidence = "certain"
	Likely  Confidence = "likely"
	Guess   Confidence = "guess"
)

// Why it is not known what runs inside a cluster: codes of the fault that hides it. A fault of the cluster's own API with a Need names in
// it the IAM role that was not let in.
const (
	NoEntry         = "NoAccessEntry"           // 401: the role has no access entry
	OldMode         = "ConfigMapAuthentication" // 401, and the cluster knows no access entries
	NotAllowed      = "Forbidden"               // 403: the entry allows too little
	PrivateEndpoint = "PrivateEndpoint"         // out of reach, and reachable from inside of its VPC only
	ClosedEndpoint  = "PublicAccessCidrs"       // out of reach, and its public endpoint is open to some addresses only
	OutOfReach      = "Unreachable"             // no connection, for no reason that EKS names
	TooSlow         = "Timeout"                 // it was reached, and did not answer in time
	WrongCA         = "Certificate"             // what answered has no certificate of the cluster's authority
	NotKubernetes   = "NotKubernetes"           // what answered is not a Kubernetes API: a redirect, another format, too much
	NoEndpoint      = "NoEndpoint"              // EKS names no endpoint, or none that can be used
	OddInstall      = "OddInstall"              // a DaemonSet of the VPC CNI is there, and not as the VPC CNI's own
	NoKnownCNI      = "NoKnownCNI"              // there are nodes, and no CNI that is known stands in kube-system
)
