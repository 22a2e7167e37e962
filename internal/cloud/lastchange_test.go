package cloud_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/events"
	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// LookupEvents finds by the event's name, two events a page.
func (c client) LookupEvents(ctx context.Context, in *cloudtrail.LookupEventsInput, o ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	if err := c.record(ctx, "LookupEvents", in, o); err != nil {
		return nil, err
	}
	a := in.LookupAttributes
	if len(a) != 1 || a[0].AttributeKey != trailtypes.LookupAttributeKeyEventName {
		c.t.Errorf("looked up by %v; want the event's name", a)
	}
	found := slices.DeleteFunc(slices.Clone(c.trail), func(e trailtypes.Event) bool {
		return *e.EventName != *a[0].AttributeValue || in.StartTime != nil && e.EventTime.Before(*in.StartTime)
	})
	some, next := page(found, in.NextToken)
	return &cloudtrail.LookupEventsOutput{Events: some, NextToken: next}, nil
}

// heard is the event of a sample of events/, changed, as CloudTrail's event history has it, so many hours before the start.
func heard(t *testing.T, sample string, hours int, change map[string]any) trailtypes.Event {
	t.Helper()
	raw, err := events.Files.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	var envelope struct{ Detail map[string]any }
	if err := json.Unmarshal(raw, &envelope); err != nil {
		t.Fatal(err)
	}
	at := start.Add(-time.Duration(hours) * time.Hour)
	envelope.Detail["eventTime"] = at
	for k, v := range change {
		envelope.Detail[k] = v
	}
	detail, err := json.Marshal(envelope.Detail)
	if err != nil {
		t.Fatal(err)
	}
	return trailtypes.Event{EventName: aws.String(envelope.Detail["eventName"].(string)), EventTime: &at, CloudTrailEvent: aws.String(string(detail))}
}

const terraform = "APN/1.0 HashiCorp/1.0 Terraform/1.9.0 (+https://www.terraform.io) terraform-provider-aws/6.32.1"

// Facts 1.2/name, 1.2/encoded, 1.2/failed, 1.2/service-role.
func TestTheLastChangeIsThatOfTheClustersAddonByOthers(t *testing.T) {
	id := cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod-eu"}
	by := func(agent string) map[string]any { return map[string]any{"userAgent": agent} }
	of := func(tool, agent string, hours int) *guard.LastChange {
		return &guard.LastChange{Call: "UpdateAddon", Tool: tool, Agent: agent, At: start.Add(-time.Duration(hours) * time.Hour)}
	}
	refused := by("aws-cli/2.31.0")
	refused["errorCode"] = "AccessDenied"
	refusedTool := by(terraform)
	refusedTool["errorCode"] = "ResourceInUseException"
	bare := by(terraform)
	bare["requestParameters"], bare["errorCode"] = nil, "AccessDenied"
	other, tools := heard(t, "update-addon.json", 1, nil), heard(t, "update-addon.json", 3, by(terraform))
	byTerraform := of("Terraform", "Terraform/1.9.0", 3)
	type history = []trailtypes.Event
	for name, c := range map[string]struct {
		trail history
		want  *guard.LastChange
	}{
		"none":                      {nil, &guard.LastChange{}},
		"of a person":               {history{other, tools}, of("", "", 1)},
		"of Terraform":              {history{tools, heard(t, "update-addon.json", 5, nil)}, byTerraform},
		"behind cniguard's own":     {history{heard(t, "update-addon-own.json", 1, nil), heard(t, "update-addon-own.json", 2, nil), tools}, byTerraform},
		"behind one that EKS makes": {history{heard(t, "update-addon-by-eks.json", 1, nil), tools}, byTerraform},
		"behind that of another add-on": {
			history{heard(t, "update-addon-other.json", 1, nil), tools}, byTerraform,
		},
		"behind one that a person may not make": {
			history{heard(t, "update-addon.json", 1, refused), tools}, byTerraform,
		},
		"of CloudFormation for somebody": {
			history{heard(t, "update-addon.json", 1, by("cloudformation.amazonaws.com"))}, of("CloudFormation", "cloudformation.amazonaws.com", 1),
		},
		"of the cluster by its ARN": {
			history{heard(t, "update-addon-encoded.json", 1, by("eksctl/0.200.0"))}, of("eksctl", "eksctl/0.200.0", 1),
		},
		"of a tool that EKS refused": {
			history{heard(t, "update-addon.json", 1, refusedTool), heard(t, "update-addon.json", 3, nil)}, of("Terraform", "Terraform/1.9.0", 1),
		},
		"nothing is known of what it is of": {history{heard(t, "update-addon.json", 1, bare)}, &guard.LastChange{}},
		"a creation after it": {
			history{heard(t, "create-addon.json", 1, by("Pulumi/1.0 "+terraform)), heard(t, "update-addon.json", 3, nil)},
			&guard.LastChange{Call: "CreateAddon", Tool: "Pulumi", Agent: "Pulumi/1.0", At: start.Add(-time.Hour)},
		},
		"a creation before it": {history{other, heard(t, "create-addon.json", 5, by(terraform))}, of("", "", 1)},
		"an agent that does not print": {
			history{heard(t, "update-addon.json", 1, by("terraform/\x1b[31m1"+strings.Repeat("9", 500)))}, of("Terraform", "terraform/", 1),
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			f.trail = c.trail
			got := f.cloud().LastChange(t.Context(), id)
			if diff := cmp.Diff(c.want, got.Value); diff != "" || got.Fault != nil {
				t.Errorf("%v (-want +got)\n%s", got.Fault, diff)
			}
			for _, c := range f.calls["LookupEvents"] {
				if c.role != access.Observer {
					t.Errorf("asked as %v, want the observer", c.role)
				}
			}
		})
	}
}

func TestALastChangeThatCannotBeKnownIsAFault(t *testing.T) {
	many := make([]trailtypes.Event, 0, 50)
	for i := range 50 {
		many = append(many, heard(t, "update-addon-other.json", i, nil))
	}
	torn := heard(t, "update-addon.json", 1, nil)
	torn.CloudTrailEvent = aws.String(`{"eventTime":`)
	const unknown = "an event of CloudTrail is not of the form that is known: unexpected end of JSON input"
	for name, c := range map[string]struct {
		trail []trailtypes.Event
		fails string
		want  fault.Fault
	}{
		"denied":         {nil, "AccessDeniedException", fault.Fault{Kind: fault.Terminal, Code: "AccessDeniedException", Need: "cloudtrail:LookupEvents", Text: "because"}},
		"throttled":      {nil, "ThrottlingException", fault.Fault{Kind: fault.Retry, Code: "ThrottlingException", Text: "because"}},
		"a long list":    {many, "", fault.Fault{Kind: fault.Terminal, Text: "none of the last 1000 calls of UpdateAddon is of this cluster"}},
		"a torn event":   {[]trailtypes.Event{torn}, "", fault.Fault{Kind: fault.Terminal, Text: unknown}},
		"no event in it": {[]trailtypes.Event{{EventName: torn.EventName, EventTime: torn.EventTime}}, "", fault.Fault{Kind: fault.Terminal, Text: unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			f.trail = c.trail
			if c.fails != "" {
				f.fails["LookupEvents"] = code(c.fails)
			}
			c.want.Op = "cloudtrail:LookupEvents"
			got := f.cloud().LastChange(t.Context(), prod)
			if got.Fault == nil || *got.Fault != c.want || got.Value != nil {
				t.Errorf("got %v, %+v; want %+v", got.Value, got.Fault, c.want)
			}
		})
	}
}

func TestLookUpsKeepTheirDistance(t *testing.T) {
	f := healthy(t)
	for i := range 6 {
		f.trail = append(f.trail, heard(t, "update-addon-other.json", i, nil))
	}
	f.cloud().LastChange(t.Context(), prod)
	// Three pages of updates and one of creations, a second each on this clock, and two pauses.
	if took, want := f.clock.Now().Sub(start), 4*time.Second+2*500*time.Millisecond; took != want {
		t.Errorf("it took %s, want %s", took, want)
	}
}
