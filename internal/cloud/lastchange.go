package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

const (
	lookupOp = "cloudtrail:LookupEvents"
	// mostLookups is how many pages of 50 events each are looked through for one call's name. They are the calls on all add-ons of all
	// clusters of the account and region: LookupEvents finds by one attribute only, and which resources EKS's events name is not documented.
	mostLookups = 20
	// betweenLookups is how far apart they are. CloudTrail answers two a second in an account and region, for all who are there
	// (CloudTrail API reference, LookupEvents).
	betweenLookups = 500 * time.Millisecond
)

// LastChange reads the last CreateAddon or UpdateAddon of a cluster's vpc-cni that neither cniguard's updater nor EKS itself made, of the
// last 90 days; CloudTrail's event history is there without a trail, and up to 15 minutes late (CloudTrail user guide, "Working with
// CloudTrail event history"). A call that EKS refused counts only as a tool's: it would be made again. The fault is also of a list that
// is too long to be looked through: what it hides is not known.
func (c *Cloud) LastChange(ctx context.Context, id cluster.ID) guard.Reading[*guard.LastChange] {
	last := &guard.LastChange{}
	for _, name := range []string{"UpdateAddon", "CreateAddon"} {
		if f := c.lookUp(ctx, id, name, last); f != nil {
			return guard.Hidden[*guard.LastChange](f)
		}
	}
	return guard.Read(last)
}

// lookUp puts into last the last call of a name, where it is later than what is there.
func (c *Cloud) lookUp(ctx context.Context, id cluster.ID, name string, last *guard.LastChange) *fault.Fault {
	in := &cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: &name}}}
	if !last.At.IsZero() {
		in.StartTime = &last.At
	}
	api, own := c.at(access.Observer, id.Account, id.Region).CloudTrail, c.at(access.Updater, id.Account, id.Region).Role
	n := 0
	for out, f := range pages(ctx, c.clock, lookupOp, cloudtrail.NewLookupEventsPaginator(api, in)) {
		if f != nil {
			return f
		}
		for _, e := range out.Events { // the latest first
			call, err := toCall(aws.ToString(e.CloudTrailEvent))
			if err != nil {
				return &fault.Fault{Kind: fault.Terminal, Op: lookupOp, Text: err.Error()}
			}
			if call.changed(id, own) && call.Time.After(last.At) {
				*last = call.told(name)
				return nil
			}
		}
		if n++; n == mostLookups && out.NextToken != nil {
			return &fault.Fault{Kind: fault.Terminal, Op: lookupOp, Text: fmt.Sprintf("none of the last %d calls of %s is of this cluster", n*50, name)}
		}
		if out.NextToken != nil {
			if err := c.clock.Sleep(ctx, betweenLookups); err != nil {
				return &fault.Fault{Kind: fault.Retry, Op: lookupOp, Text: "it could not be read in time"}
			}
		}
	}
	return nil
}

// trailCall is what CloudTrail keeps of a call on an add-on: facts-eks-vpc-cni 1.2.
type trailCall struct {
	Time     time.Time `json:"eventTime"`
	Agent    string    `json:"userAgent"`
	Address  string    `json:"sourceIPAddress"`
	Error    string    `json:"errorCode"`
	Identity struct {
		InvokedBy string `json:"invokedBy"` // an AWS service that made the call for somebody
		Session   struct {
			Issuer struct {
				ARN string `json:"arn"` // of the role
			} `json:"sessionIssuer"`
		} `json:"sessionContext"`
	} `json:"userIdentity"`
	Parameters struct { // null for some calls that failed
		Name  string `json:"name"` // the cluster's name or ARN, with the path's escapes
		Addon string `json:"addonName"`
	} `json:"requestParameters"`
}

func toCall(event string) (c trailCall, err error) {
	if err := json.Unmarshal([]byte(event), &c); err != nil {
		return c, fmt.Errorf("an event of CloudTrail is not of the form that is known: %s", plain.Clean(err.Error(), plain.Text))
	}
	return c, nil
}

// changed reports whether the call tells who looks after the cluster's add-on. EKS makes calls of its own in the course of others' updates.
func (t trailCall) changed(id cluster.ID, own string) bool {
	name, err := url.PathUnescape(t.Parameters.Name)
	if err != nil || name != id.Name && name != id.ARN() || t.Parameters.Addon != addonName {
		return false
	}
	if t.Identity.InvokedBy == "eks.amazonaws.com" || own != "" && t.Identity.Session.Issuer.ARN == own {
		return false
	}
	tool, _ := t.tool()
	return t.Error == "" || tool != ""
}

func (t trailCall) tool() (name, word string) {
	return guard.Tool(t.Agent + " " + t.Address + " " + t.Identity.InvokedBy)
}

func (t trailCall) told(name string) guard.LastChange {
	tool, word := t.tool()
	return guard.LastChange{Call: name, Tool: tool, Agent: plain.Clean(word, plain.Text), At: t.Time}
}
