package world

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/cluster"
)

func cloudtrailCalls() map[string]handler {
	return map[string]handler{"LookupEvents": on((*World).lookupEvents)}
}

const (
	lookups    = 2 // a second in one account and region (CloudTrail API reference, LookupEvents)
	lookupPage = 50
	trailKept  = 90 * 24 * time.Hour // the event history (CloudTrail user guide, "Working with CloudTrail event history")
)

// remember adds a call to the event history, which has the calls that change something, whether EKS took them or not, and needs no trail.
func (w *World) remember(id cluster.ID, d trailDetail) {
	if w.trailed == nil {
		w.trailed = map[place][]trailDetail{}
	}
	p := place{id.Account, id.Region}
	w.trailed[p] = append(w.trailed[p], d)
}

// refused keeps a call that EKS refused. Rules never hear of it here: theirs ask for calls without an error (event.Rules).
func (w *World) refused(id cluster.ID, by caller, op string, why error, request map[string]any) {
	d := w.heard(id, by, op, request, nil)
	d.ErrorCode = "InternalFailure"
	var api smithy.APIError
	if errors.As(why, &api) {
		d.ErrorCode = api.ErrorCode()
	}
	w.remember(id, d)
}

// lookupEvents lists the events of the account and region, the latest first. It finds by one attribute, or by none. What happened a moment
// ago is not there yet: see Behaviour.TrailLag.
func (w *World) lookupEvents(c *Call, in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
	if !w.admits(c, lookups) {
		return nil, modelled("cloudtrail", "ThrottlingException", "Rate exceeded")
	}
	switch {
	case in.MaxResults != nil && (*in.MaxResults < 1 || *in.MaxResults > lookupPage):
		return nil, &types.InvalidMaxResultsException{Message: aws.String("A max results value of 1 to 50 is expected.")}
	case len(in.LookupAttributes) > 1 || len(in.LookupAttributes) == 1 && in.LookupAttributes[0].AttributeKey != types.LookupAttributeKeyEventName:
		return nil, &types.InvalidLookupAttributesException{Message: aws.String("Only one attribute, and of those only EventName, is simulated.")}
	case in.StartTime != nil && in.EndTime != nil && in.StartTime.After(*in.EndTime):
		return nil, &types.InvalidTimeRangeException{Message: aws.String("The start time is after the end time.")}
	}
	var found []types.Event
	for _, d := range slices.Backward(w.trailed[place{c.Account, c.Region}]) {
		if w.looksUp(in, d) {
			found = append(found, d.event())
		}
	}
	usual := int32(lookupPage)
	from, until, next, err := w.page(len(found), in.NextToken, cmp.Or(in.MaxResults, &usual), lookupPage)
	if err != nil {
		return nil, &types.InvalidNextTokenException{Message: aws.String(err.Error())}
	}
	return &cloudtrail.LookupEventsOutput{Events: found[from:until], NextToken: next}, nil
}

func (w *World) looksUp(in *cloudtrail.LookupEventsInput, d trailDetail) bool {
	age := w.Now().Sub(d.EventTime)
	switch {
	case age > trailKept, age < w.spec.Behaviour.TrailLag:
		return false
	case in.StartTime != nil && d.EventTime.Before(*in.StartTime), in.EndTime != nil && d.EventTime.After(*in.EndTime):
		return false
	}
	return len(in.LookupAttributes) == 0 || aws.ToString(in.LookupAttributes[0].AttributeValue) == d.EventName
}

func (d trailDetail) event() types.Event {
	return types.Event{
		EventId: aws.String(d.EventID), EventName: aws.String(d.EventName), EventSource: aws.String(d.EventSource), EventTime: aws.Time(d.EventTime),
		ReadOnly: aws.String("false"), CloudTrailEvent: aws.String(string(encode(d))),
	}
}
