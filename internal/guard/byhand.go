package guard

// ByHand is what a person needs to know to update the VPC CNI of a cluster without cniguard. It holds no configuration values, which may be secret.
type ByHand struct {
	Kubernetes string   `json:"kubernetes,omitempty"` // the cluster's version, as "1.33"
	Managed    bool     `json:"managed,omitempty"`    // EKS manages the add-on
	Role       string   `json:"role,omitempty"`       // service-account role ARN of the managed add-on; empty: the node role
	Configured bool     `json:"configured,omitempty"` // the managed add-on has configuration values
	Prefixes   bool     `json:"prefixes,omitempty"`   // nodes take /28 prefixes, or may: then there is no way back below v1.9.0
	Listed     string   `json:"listed,omitempty"`     // the compatible release that has the installed version; empty: EKS lists none, so that there is no way back to it
	Path       []string `json:"path,omitempty"`       // the releases to go through, as EKS lists them, whoever installed it; empty: see Why
	Gaps       []string `json:"gaps,omitempty"`       // the steps that skip minor versions, a sentence each
	Why        string   `json:"why,omitempty"`        // the path in words, or why there is none
	// Refused are the variables of an aws-node that EKS does not manage which the schema of the first release on the path, or of Listed, refuses as
	// configuration values.
	Refused   []string `json:"refused,omitempty"`
	Unchecked string   `json:"unchecked,omitempty"` // why they were not held against a schema; empty: they were, or there are none
}
