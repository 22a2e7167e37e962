package world_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

// lookUp lists the calls of a name that the event history has, each as "name agent error".
func lookUp(t *testing.T, ctx context.Context, c *world.Client, name string) (calls []string) {
	t.Helper()
	in := &cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: &name}}}
	for {
		out, err := c.LookupEvents(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Events {
			var d struct {
				UserAgent, ErrorCode, SourceIPAddress string
				UserIdentity                          struct{ InvokedBy string }
			}
			if err := json.Unmarshal([]byte(*e.CloudTrailEvent), &d); err != nil {
				t.Error(err)
			}
			calls = append(calls, *e.EventName+" "+d.UserAgent+" "+d.ErrorCode+" "+d.UserIdentity.InvokedBy)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return calls
		}
	}
}

func TestTheEventHistoryHasTheCallsOfNinetyDaysTheLatestFirst(t *testing.T) {
	s := set(t, 1, func(spec *world.Spec) {
		house(spec)
		spec.Behaviour.TrailLag = 10 * time.Minute
		change := func(at time.Duration, version, agent string) {
			spec.Changes = append(spec.Changes, world.Change{
				At: at, Account: hubAccount, Region: hubRegion, Name: *cluster1, Do: world.UpdateAddon, Addon: &world.Addon{Version: version}, Agent: agent,
			})
		}
		change(time.Hour, "v1.10.0-eksbuild.1", "eksctl/0.200.0")
		change(2*time.Hour, "v9.9.9-eksbuild.1", "cloudformation.amazonaws.com")
	})
	s.at(time.Hour+9*time.Minute, func(ctx context.Context, c *world.Client) {
		if got := lookUp(t, ctx, c, "UpdateAddon"); len(got) > 0 {
			t.Errorf("found %q, which is too young", got)
		}
	})
	s.at(3*time.Hour, func(ctx context.Context, c *world.Client) {
		got := lookUp(t, ctx, c, "UpdateAddon")
		want := []string{"UpdateAddon cloudformation.amazonaws.com InvalidParameterException cloudformation.amazonaws.com", "UpdateAddon eksctl/0.200.0  "}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if got := lookUp(t, ctx, c.In("eu-west-1"), "UpdateAddon"); len(got) > 0 {
			t.Errorf("another region has %q", got)
		}
	})
	s.at(91*24*time.Hour, func(ctx context.Context, c *world.Client) {
		if got := lookUp(t, ctx, c, "UpdateAddon"); len(got) > 0 {
			t.Errorf("found %q, which is too old", got)
		}
	})
}

func TestLookUpsAreRefusedAsCloudTrailDoes(t *testing.T) {
	s := set(t, 1, house)
	by := func(key types.LookupAttributeKey) types.LookupAttribute {
		return types.LookupAttribute{AttributeKey: key, AttributeValue: aws.String("a")}
	}
	for name, c := range map[string]struct {
		in   cloudtrail.LookupEventsInput
		want string
	}{
		"a page that is too long": {cloudtrail.LookupEventsInput{MaxResults: aws.Int32(51)}, "400 InvalidMaxResultsException"},
		"two attributes": {cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{by("EventName"), by("EventName")}},
			"400 InvalidLookupAttributesException"},
		"no time":           {cloudtrail.LookupEventsInput{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(-time.Hour))}, "400 InvalidTimeRangeException"},
		"a token of nobody": {cloudtrail.LookupEventsInput{NextToken: aws.String("x")}, "400 InvalidNextTokenException"},
	} {
		s.at(s.Now().Sub(noon)+time.Minute, func(ctx context.Context, client *world.Client) {
			if _, err := client.LookupEvents(ctx, &c.in); code(err) != c.want {
				t.Errorf("%s: %s, want %s", name, code(err), c.want)
			}
		})
	}
}

func TestMoreThanTwoLookUpsASecondAreThrottled(t *testing.T) {
	s := set(t, 1, house)
	s.at(time.Minute, func(ctx context.Context, c *world.Client) {
		began := s.Now()
		for range 3 {
			if _, err := c.LookupEvents(ctx, nil); err != nil {
				t.Error(err)
			}
		}
		if s.Now().Equal(began) {
			t.Error("the third came at once")
		}
	})
}
