package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/cniguard/cniguard/internal/event"
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
	own, organisation, err := recording(ctx, d.Trails(region))
	others := slices.DeleteFunc(slices.Clone(accounts), func(a string) bool { return a == d.Place.Account })
	const do = "create a trail that records management events in all regions, best for the whole organisation; until then changes are seen by the next sweep"
	switch {
	case err != nil:
		return d.unanswered(what, "cloudtrail:DescribeTrails", err)
	case organisation != "":
		return fine(what, "trail "+organisation+" of the organisation records management events")
	case own == "" && len(others) < len(accounts):
		return problem(what, "no trail of account "+d.Place.Account+" records management events there", do)
	case len(others) > 0:
		text := fmt.Sprintf("no trail of the organisation is seen from here, and accounts %s may have their own", strings.Join(others, ", "))
		return Diagnosis{What: what, Health: Unknown, Text: text, Do: do}
	}
	return fine(what, "trail "+own+" records management events")
}

// recording are the names of a trail of the account and of one of the organisation that record in a region; empty: there is none.
func recording(ctx context.Context, c Trails) (own, organisation string, err error) {
	out, err := c.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)}) // those of other home regions too
	if err != nil {
		return "", "", err
	}
	for _, t := range out.TrailList {
		status, err := c.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: t.TrailARN})
		if err != nil {
			return "", "", err
		}
		if !aws.ToBool(status.IsLogging) {
			continue
		}
		selectors, err := c.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: t.TrailARN})
		switch {
		case err != nil:
			return "", "", err
		case !managed(selectors):
		case aws.ToBool(t.IsOrganizationTrail):
			organisation = aws.ToString(t.Name)
		default:
			own = aws.ToString(t.Name)
		}
	}
	return own, organisation, nil
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
