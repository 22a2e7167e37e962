package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
)

// Trails is what Doctor needs of CloudTrail in one region.
type Trails interface {
	DescribeTrails(context.Context, *cloudtrail.DescribeTrailsInput, ...func(*cloudtrail.Options)) (*cloudtrail.DescribeTrailsOutput, error)
	GetTrailStatus(context.Context, *cloudtrail.GetTrailStatusInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetTrailStatusOutput, error)
	GetEventSelectors(context.Context, *cloudtrail.GetEventSelectorsInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetEventSelectorsOutput, error)
}

// trails is whether a trail records management events in each region of the fleet: without one EventBridge hears nothing of API calls
// there (EventBridge user guide, "AWS service events delivered via AWS CloudTrail"), and a change is seen by the next sweep only. Of
// other accounts than the hub's a trail of the organisation tells; else nobody here can know.
func (d Doctor) trails(ctx context.Context, units []event.Unit) []Diagnosis {
	var all []Diagnosis
	byRegion := map[string][]string{}
	var regions []string
	for _, u := range units {
		if byRegion[u.Region] == nil {
			regions = append(regions, u.Region)
		}
		byRegion[u.Region] = append(byRegion[u.Region], u.Account)
	}
	slices.Sort(regions)
	for _, region := range regions {
		all = append(all, d.trail(ctx, region, byRegion[region]))
	}
	return all
}

func (d Doctor) trail(ctx context.Context, region string, accounts []string) Diagnosis {
	what := "trail in " + region
	r, err := d.recorded(ctx, d.Trails(region))
	others := slices.DeleteFunc(slices.Clone(accounts), func(a string) bool { return a == d.Place.Account })
	const do = "create a trail that records management events in all regions, best for the whole organisation; until then changes are seen by the next sweep"
	switch {
	case err != nil:
		return d.unanswered(what, "cloudtrail:DescribeTrails", err)
	case r.organisation != "":
		return fine(what, "trail "+r.organisation+" of the organisation records management events")
	case r.own != "" && len(others) == 0:
		return fine(what, "trail "+r.own+" records management events")
	case r.foreign != "":
		return Diagnosis{What: what, Health: Unknown, Text: "organisation trail " + r.foreign + " is seen; whether it records management events cannot be read from here",
			Do: "look in its account whether it is on, and records management events of all kinds in all regions"}
	case r.fault != nil:
		return d.unanswered(what, r.fault.Op, r.fault)
	case r.own == "" && len(others) < len(accounts):
		return problem(what, "no trail of account "+d.Place.Account+" records management events there", do)
	}
	text := fmt.Sprintf("no trail of the organisation is seen from here, and accounts %s may have their own", strings.Join(others, ", "))
	return Diagnosis{What: what, Health: Unknown, Text: text, Do: do}
}

// recorded is what the trails of a region tell. Names are of one trail each; empty: there is none.
type recorded struct {
	own, organisation string       // it records management events: for the hub's account, and for the whole organisation
	foreign           string       // it is the organisation's and of another account, where alone more can be read of it
	fault             *fault.Fault // of one that could not be read
}

// recorded looks at every trail. An organisation's trail is replicated in its members (CloudTrail API reference, DescribeTrails), while its
// event selectors are read in the account that it belongs to.
func (d Doctor) recorded(ctx context.Context, c Trails) (r recorded, err error) {
	out, err := c.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)}) // those of other home regions too
	if err != nil {
		return r, err
	}
	for _, t := range out.TrailList {
		name, whole := aws.ToString(t.Name), aws.ToBool(t.IsOrganizationTrail)
		if whole && !strings.Contains(aws.ToString(t.TrailARN), ":"+d.Place.Account+":") {
			r.foreign = name
			continue
		}
		switch records, f := records(ctx, c, t.TrailARN); {
		case f != nil:
			r.fault = f
		case !records:
		case whole:
			r.organisation = name
		default:
			r.own = name
		}
	}
	return r, nil
}

// records reports whether a trail is on and records the calls that change something.
func records(ctx context.Context, c Trails, arn *string) (bool, *fault.Fault) {
	status, err := c.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: arn})
	if err != nil || !aws.ToBool(status.IsLogging) {
		return false, access.Fault("cloudtrail:GetTrailStatus", err)
	}
	selectors, err := c.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: arn})
	return err == nil && managed(selectors), access.Fault("cloudtrail:GetEventSelectors", err)
}

// managed reports whether a trail records the calls that change something.
func managed(s *cloudtrail.GetEventSelectorsOutput) bool {
	return slices.ContainsFunc(s.EventSelectors, func(e types.EventSelector) bool {
		return aws.ToBool(e.IncludeManagementEvents) && e.ReadWriteType != types.ReadWriteTypeReadOnly
	}) || slices.ContainsFunc(s.AdvancedEventSelectors, func(a types.AdvancedEventSelector) bool {
		management, readOnly := false, false
		for _, f := range a.FieldSelectors {
			management = management || aws.ToString(f.Field) == "eventCategory" && slices.Contains(f.Equals, "Management")
			readOnly = readOnly || aws.ToString(f.Field) == "readOnly" && slices.Contains(f.Equals, "true")
		}
		return management && !readOnly
	})
}
