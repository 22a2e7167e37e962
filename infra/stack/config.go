// Package stack is what cniguard consists of in AWS, a construct a file: the hub, and the member that every account has.
package stack

import (
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// Config is what a deployment may choose. Package settings fills it in from the CDK's context and checks it; the stacks take
// it as it is.
type Config struct {
	Hub          event.Unit   // the account and region of the hub
	Fleet        []event.Unit // the policy's accounts and regions
	Zip          string       // file with the function's program and its compiled policy
	Email        string       // is subscribed to the topic for people on call
	Organization string       // ID, as o-exampleorgid; empty: accounts of the fleet are let in one by one
	Units        []string     // IDs of the organisational units that the member is rolled out to; none: it is deployed by hand
	Management   bool         // whether the hub's account is the organisation's management account, and no delegated administrator
	Updates      bool         // whether the updater role exists
	PassRoles    []string     // ARN patterns of the add-on roles that the updater may pass on; needed for Updates
	AlarmTopics  []string     // ARNs of the SNS topics that alarms may name as actions
	ExternalID   string       // is asked for when a role is assumed; empty: is not
	// AccessEntries are the clusters, all of them in the fleet, whose Kubernetes API the observer may read.
	AccessEntries []cluster.ID
	Network       Network // of the functions; empty: they are in no VPC
	Urgent, Bulk  Function
	LogDays       int    // how long logs are kept
	LogLevel      string // debug, info, warn or error
}

// Network is where in a VPC the functions are attached: both lists have entries, or none has.
type Network struct {
	Subnets        []string // IDs, in the hub's region
	SecurityGroups []string // IDs, in the subnets' VPC
}

// Function is what may be chosen for one of the two functions.
type Function struct {
	Concurrency int // reserved; 0: none, since new accounts have too little to reserve from
}
