// Package settings reads what a deployment may choose from the CDK's context, and checks all of it before any construct exists:
// what is wrong is one list, and each mistake names the key, the value and what is allowed. It is pure: files are read by a
// function that it is given.
package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/infra/stack"
	"github.com/cniguard/cniguard/internal/bundle"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/strictyaml"
)

// Source is where settings come from.
type Source struct {
	Context  map[string]any               // the CDK's
	Known    event.Unit                   // of the credentials, as the CDK's command finds them; may be empty
	ReadFile func(string) ([]byte, error) // as os.ReadFile
	Now      time.Time                    // of the deployment: no exemption of the policy may be over
}

// Deployment is what is deployed.
type Deployment struct {
	Config stack.Config // without Zip: nothing is written here
	Zip    []byte       // the Lambda's, with the compiled policy
}

// Read reads the settings. The error joins all mistakes; those of the policy's file have the file and the line.
func Read(s Source) (Deployment, error) {
	r := reader{Source: s}
	r.options()
	r.hub()
	r.together()
	r.network()
	rules := r.policy()
	r.entries(rules)
	packed := r.pack(rules)
	if len(r.mistakes) > 0 {
		return Deployment{}, errors.Join(r.mistakes...)
	}
	r.answers.config.Fleet = rules.Units()
	r.answers.config.AlarmTopics = rules.Topics()
	return Deployment{Config: r.answers.config, Zip: packed}, nil
}

// reader collects answers and mistakes.
type reader struct {
	Source
	answers  answers
	wrong    map[string]bool // keys
	mistakes []error
}

// mistake reads "context KEY: what is wrong; what is allowed", as mistakes in files do.
func (r *reader) mistake(key, text, hint string) {
	r.mistakes = append(r.mistakes, policy.Mistake{Field: "context " + key, Text: text, Hint: hint})
	if r.wrong == nil {
		r.wrong = map[string]bool{}
	}
	r.wrong[key] = true
}

// options takes every key over by itself.
func (r *reader) options() {
	var keys []string
	for _, o := range Options() {
		keys = append(keys, o.Key)
		r.option(o)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Context)) {
		if !slices.Contains(keys, key) && !isOfCDK(key) {
			r.mistake(fmt.Sprintf("%.64q", key), "unknown key", strictyaml.Suggest(key, keys))
		}
	}
}

func (r *reader) option(o Option) {
	value := o.Default
	switch given := r.Context[o.Key].(type) {
	case nil:
	case string:
		if given != "" {
			value = given
		}
	default:
		r.mistake(o.Key, fmt.Sprintf("%v is not text", given), `write it in quotes`)
		return
	}
	if value == "" {
		if o.Required {
			r.mistake(o.Key, "is missing", "give "+o.Allowed)
		}
		return
	}
	for _, part := range o.set(&r.answers, value) {
		r.mistake(o.Key, fmt.Sprintf("%.100q is not allowed", part), "allowed: "+o.Allowed)
	}
}

// isOfCDK reports whether a key is one of the CDK's own: feature flags and what its command adds and remembers.
func isOfCDK(key string) bool {
	return strings.HasPrefix(key, "@aws-cdk/") || strings.HasPrefix(key, "aws:cdk") || key == "cli-telemetry" || key == "acknowledged-issue-numbers"
}

// hub is where the hub is: what is given, else what the credentials are for.
func (r *reader) hub() {
	hub := event.Unit{Account: r.answers.account, Region: r.answers.region}
	if hub.Account == "" {
		hub.Account = r.Known.Account
	}
	if hub.Region == "" {
		hub.Region = r.Known.Region
	}
	if hub.Account == "" && !r.wrong["account"] {
		r.mistake("account", "is not known", `sign in to AWS (aws sts get-caller-identity says where), or give the hub's account to synthesize without`)
	}
	if hub.Region == "" && !r.wrong["region"] {
		r.mistake("region", "is not known", "set AWS_REGION, or give the hub's region")
	}
	r.answers.config.Hub = hub
}

// together checks what must fit.
func (r *reader) together() {
	c := r.answers.config
	switch {
	case r.wrong["updates"] || r.wrong["passRoles"]:
	case c.Updates && len(c.PassRoles) == 0:
		r.mistake("passRoles", "is missing, and required when updates are enabled",
			"give the roles that the add-on may have, as arn:aws:iam::*:role/eks-addons/*: EKS has them passed on with every update")
	case !c.Updates && len(c.PassRoles) > 0:
		r.mistake("passRoles", "is given, and updates are not enabled", "leave it out, or give updates=true")
	}
	if len(c.Units) > 0 && c.Organization == "" && !r.wrong["organization"] {
		r.mistake("organization", "is missing, and required for organizationalUnits", "give the ID of the organisation that they are in, as o-exampleorgid")
	}
	if c.Management && len(c.Units) == 0 && !r.wrong["organizationalUnits"] {
		r.mistake("managementAccount", "is true, and there are no organizationalUnits", "leave it out: it says who rolls out to them")
	}
	if c.Hub.Region == "" || r.wrong["passRoles"] {
		return
	}
	own := "arn:" + cluster.PartitionOf(c.Hub.Region).Name + ":"
	for _, arn := range c.PassRoles {
		if !strings.HasPrefix(arn, own) {
			r.mistake("passRoles", fmt.Sprintf("%q is in another partition than the hub", arn), "allowed: "+own+"…")
		}
	}
}

// policy reads and checks the policy; nil where it is wrong.
func (r *reader) policy() *policy.Policy {
	file := r.answers.policy
	if file == "" {
		return nil
	}
	data, ok := r.file("policy", file, "docs/policy.md says what a policy is")
	if !ok {
		return nil
	}
	rules, err := source.HandedIn(file, data, r.Now)
	if err != nil {
		r.mistakes = append(r.mistakes, err)
		return nil
	}
	home := r.answers.config.Hub.Region
	for _, u := range rules.Units() {
		if home != "" && cluster.PartitionOf(u.Region) != cluster.PartitionOf(home) {
			r.mistake("policy", fmt.Sprintf("%s: the fleet has %s in %s, which the hub in %s cannot reach", file, u.Account, u.Region, home),
				"deploy a hub in each partition of AWS")
		}
	}
	return rules
}

// pack puts the policy into the Lambda's zip.
func (r *reader) pack(rules *policy.Policy) []byte {
	release, ok := r.file("zip", r.answers.zip, "run make build, or give a release's remediator-arm64.zip")
	if !ok || rules == nil {
		return nil
	}
	packed, err := bundle.Repack(release, rules)
	if err != nil {
		r.mistake("zip", r.answers.zip+": "+err.Error(), "run make build, or give a release's remediator-arm64.zip")
	}
	return packed
}

func (r *reader) file(key, name, hint string) ([]byte, bool) {
	data, err := r.ReadFile(name)
	if err == nil {
		return data, true
	}
	var reason *fs.PathError
	text := err.Error()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = "there is no such file"
	case errors.As(err, &reason):
		text = reason.Err.Error()
	}
	r.mistake(key, name+": "+text, hint)
	return nil, false
}
