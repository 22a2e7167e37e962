package world_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/world"
)

func entry(change func(*types.PutEventsRequestEntry)) types.PutEventsRequestEntry {
	e := types.PutEventsRequestEntry{Source: aws.String("cniguard"), DetailType: aws.String("Wake"), Detail: aws.String(`{"n":1}`)}
	change(&e)
	return e
}

func as(*types.PutEventsRequestEntry) {}

// hear deploys a function that gets every event of a source, and returns what it got so far.
func (s *stage) hear(source string) *[]string {
	var got []string
	s.Deploy(world.Function{Name: "f", Timeout: time.Minute, Boot: func() world.Handler {
		return func(_ context.Context, raw []byte) error { got = append(got, string(raw)); return nil }
	}, Rules: []event.Rule{{Name: "all", Pattern: event.Pattern{"source": event.Values{Exact: []string{source}}}}}})
	return &got
}

func TestPutEventsFailsEntryByEntry(t *testing.T) {
	s := set(t, 1, nil)
	got := s.hear("cniguard")
	s.at(0, func(ctx context.Context, c *world.Client) {
		out, err := c.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
			entry(as),
			entry(func(e *types.PutEventsRequestEntry) { e.Source = nil }),
			entry(func(e *types.PutEventsRequestEntry) { e.DetailType = aws.String("") }),
			entry(func(e *types.PutEventsRequestEntry) { e.Detail = nil }),
			entry(func(e *types.PutEventsRequestEntry) { e.Detail = aws.String(`{"n":`) }),
			entry(func(e *types.PutEventsRequestEntry) { e.Detail = aws.String(`[1]`) }),
			entry(func(e *types.PutEventsRequestEntry) { e.Source = aws.String("aws.eks") }),
			entry(func(e *types.PutEventsRequestEntry) { e.Detail = aws.String(`{"n":2}`) }),
		}})
		if err != nil {
			t.Error(err)
			return
		}
		var codes []string
		for _, e := range out.Entries {
			codes = append(codes, aws.ToString(e.ErrorCode))
			if (e.EventId == nil) == (e.ErrorCode == nil) {
				t.Errorf("id %v and code %v", e.EventId, e.ErrorCode)
			}
		}
		want := []string{"", "InvalidArgument", "InvalidArgument", "InvalidArgument", "MalformedDetail", "MalformedDetail", "NotAuthorizedForSourceException", ""}
		if diff := cmp.Diff(want, codes); diff != "" || out.FailedEntryCount != 6 {
			t.Errorf("%d failed; %s", out.FailedEntryCount, diff)
		}
	})
	s.until(time.Minute)
	if len(*got) != 2 {
		t.Errorf("%d events arrived, want the two good ones:\n%s", len(*got), strings.Join(*got, "\n"))
	}
}

func TestPutEventsLimits(t *testing.T) {
	big := func(size int) []types.PutEventsRequestEntry {
		return []types.PutEventsRequestEntry{entry(func(e *types.PutEventsRequestEntry) {
			e.Detail = aws.String(`{"n":"` + strings.Repeat("a", size-len("cniguard")-len("Wake")-len(`{"n":""}`)) + `"}`)
		})}
	}
	for name, c := range map[string]struct {
		entries []types.PutEventsRequestEntry
		code    string
	}{
		"ten entries are taken":        {slices.Repeat([]types.PutEventsRequestEntry{entry(as)}, 10), ""},
		"eleven entries are not":       {slices.Repeat([]types.PutEventsRequestEntry{entry(as)}, 11), "ValidationException"},
		"no entry is not taken":        {[]types.PutEventsRequestEntry{}, "ValidationException"},
		"a byte below a MB is taken":   {big(1<<20 - 1), ""},
		"a MB is not taken":            {big(1 << 20), "ValidationException"},
		"entries are counted together": {append(big(1<<20-19), entry(as)), "ValidationException"},
	} {
		t.Run(name, func(t *testing.T) {
			set(t, 1, nil).at(0, func(ctx context.Context, client *world.Client) {
				if _, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: c.entries}); codeOf(err) != c.code {
					t.Errorf("%v, want %q", err, c.code)
				}
			})
		})
	}
}

func TestSomeEntriesFailWhereAWSFails(t *testing.T) {
	s := set(t, 1, func(spec *world.Spec) { spec.Behaviour.EntriesFailed = 0.5 })
	got := s.hear("cniguard")
	failed := 0
	s.at(0, func(ctx context.Context, c *world.Client) {
		for range 10 {
			out, err := c.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: slices.Repeat([]types.PutEventsRequestEntry{entry(as)}, 10)})
			if err != nil {
				t.Error(err)
				return
			}
			failed += int(out.FailedEntryCount)
		}
	})
	s.until(time.Minute)
	if failed < 25 || failed > 75 || len(*got) != 100-failed {
		t.Errorf("%d failed and %d arrived of 100", failed, len(*got))
	}
}

func TestTheEnvelope(t *testing.T) {
	s := set(t, 1, func(spec *world.Spec) {
		spec.Events = []world.TimedEvent{{
			At: time.Minute + 500*time.Millisecond, Source: "aws.health", Type: "AWS Health Event", Account: "444455556666", Detail: `{"service": "EKS"}`,
			Resources: []string{"arn:aws:eks:eu-central-1:444455556666:cluster/prod"},
		}}
	})
	got := s.hear("aws.health")
	s.until(time.Hour)
	want := `{"version":"0","id":"ID","detail-type":"AWS Health Event","source":"aws.health",` +
		`"account":"444455556666","time":"2026-11-23T12:01:00Z","region":"eu-central-1",` +
		`"resources":["arn:aws:eks:eu-central-1:444455556666:cluster/prod"],"detail":{"service":"EKS"}}`
	if len(*got) != 1 {
		t.Fatalf("%d events", len(*got))
	}
	id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}`)
	if diff := cmp.Diff(want, id.ReplaceAllString((*got)[0], "ID")); diff != "" {
		t.Error(diff)
	}
}

// wakes sends numbered events of our own, which are durable.
func (s *stage) wakes(n int) {
	s.plan(0, func(ctx context.Context, c *world.Client) {
		for i := range n {
			_, err := c.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
				entry(func(e *types.PutEventsRequestEntry) { e.Detail = aws.String(fmt.Sprintf(`{"n":%d}`, i)) }),
			}})
			if err != nil {
				s.Error(err)
			}
		}
	})
}

func numbers(events []string) (all []int) {
	for _, raw := range events {
		var e struct{ Detail struct{ N int } }
		_ = json.Unmarshal([]byte(raw), &e)
		all = append(all, e.Detail.N)
	}
	return all
}

func TestDurableEventsAreNeverLostButDoubledAndReordered(t *testing.T) {
	s := set(t, 1, func(spec *world.Spec) {
		spec.Behaviour.EventsLost, spec.Behaviour.EventsDoubled, spec.Behaviour.EventsDelayedMax = 1, 0.3, time.Minute
	})
	got := s.hear("cniguard")
	s.wakes(50)
	s.until(10 * time.Second)
	if n := len(*got); n == 0 || n > 30 {
		t.Errorf("%d events came within ten seconds, want some", n)
	}
	s.until(time.Hour)
	all := numbers(*got)
	if slices.IsSorted(all) {
		t.Error("the events came in order")
	}
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != 50 || len(all) < 55 || len(all) > 80 {
		t.Errorf("%d events with doubles, want all 50, some twice: %v", len(all), all)
	}
}

func TestAQuietBusDeliversOnceInTime(t *testing.T) {
	s := set(t, 1, nil)
	got := s.hear("cniguard")
	s.wakes(20)
	s.until(0)
	if all := numbers(*got); len(all) != 20 {
		t.Errorf("%v", all)
	}
	if other := s.hear("another"); len(*other) != 0 {
		t.Error("an event of another source was delivered")
	}
}

// estate is a cluster with an add-on that somebody updates every hour.
func estate(spec *world.Spec) {
	spec.Clusters = []world.Cluster{{
		Name: "prod", Account: hubAccount, Region: hubRegion, Kubernetes: "1.33", Addon: &world.Addon{Version: "v1.18.5-eksbuild.1", Role: "arn:aws:iam::111122223333:role/cni"},
	}}
	spec.Catalogues = map[string][]world.Catalogue{"1.33": {{Version: "v1.19.0-eksbuild.1", Compatible: true}, {Version: "v1.18.5-eksbuild.1", Compatible: true}}}
}

// Facts 1.1/silent, 1.2/resources-empty, 1.2/name, 1.2/epoch, 1.2/echo.
func TestCloudTrailTellsOfOurOwnUpdate(t *testing.T) {
	s := set(t, 1, estate)
	got := s.hear("aws.eks")
	s.at(time.Minute, func(ctx context.Context, c *world.Client) {
		_, err := c.UpdateAddon(ctx, &eks.UpdateAddonInput{
			ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni"), AddonVersion: aws.String("v1.19.0-eksbuild.1"),
			ServiceAccountRoleArn: aws.String("arn:aws:iam::111122223333:role/cni"),
		})
		if err != nil {
			t.Error(err)
		}
	})
	s.until(time.Hour)
	if len(*got) != 1 {
		t.Fatalf("%d events:\n%s", len(*got), strings.Join(*got, "\n"))
	}
	var e struct {
		DetailType string `json:"detail-type"`
		Resources  []string
		Detail     struct {
			EventSource, EventName, AWSRegion string
			UserIdentity                      struct{ ARN string }
			RequestParameters                 struct{ Name, AddonName, AddonVersion, ServiceAccountRoleArn string }
			ResponseElements                  struct {
				Update struct {
					ID, Status string
					CreatedAt  float64
				}
			}
			ErrorCode *string
		}
	}
	if err := json.Unmarshal([]byte((*got)[0]), &e); err != nil {
		t.Fatal(err)
	}
	d := e.Detail
	if e.DetailType != "AWS API Call via CloudTrail" || len(e.Resources) != 0 || d.EventSource != "eks.amazonaws.com" || d.EventName != "UpdateAddon" ||
		d.AWSRegion != hubRegion || d.UserIdentity.ARN != caller || d.RequestParameters.Name != "prod" || d.RequestParameters.AddonName != "vpc-cni" ||
		d.RequestParameters.AddonVersion != "v1.19.0-eksbuild.1" || d.ResponseElements.Update.Status != "InProgress" ||
		d.ResponseElements.Update.CreatedAt == 0 || d.ErrorCode != nil {
		t.Errorf("%s", (*got)[0])
	}
	if trigger, err := event.Decode([]byte((*got)[0])); err != nil || trigger.Kind != event.Check || trigger.Cluster.Name != "prod" {
		t.Errorf("package event reads it as %+v, %v", trigger, err)
	}
}

// Fact 1.1/shapes.
func TestEKSsOwnEventsOfAddonsComeInEveryShapeThatAReaderMustBear(t *testing.T) {
	shapes := map[string]bool{}
	for seed := range uint64(40) {
		s := set(t, seed, func(spec *world.Spec) {
			estate(spec)
			spec.Behaviour.AddonEvents = true
			spec.Changes = []world.Change{{
				At: time.Hour, Account: hubAccount, Region: hubRegion, Name: "prod", Do: world.UpdateAddon, Addon: &world.Addon{Version: "v1.19.0-eksbuild.1"},
			}}
		})
		got := s.hear("aws.eks")
		s.until(24 * time.Hour)
		for _, raw := range *got {
			var e struct {
				DetailType string `json:"detail-type"`
				Resources  []string
				Detail     map[string]string
			}
			if json.Unmarshal([]byte(raw), &e) != nil || e.DetailType != "EKS Addon Update Succeeded" {
				continue // CloudTrail's
			}
			shapes[fmt.Sprint(e.Resources, e.Detail)] = true
			if _, err := event.Decode([]byte(raw)); err != nil {
				t.Errorf("package event: %v", err)
			}
		}
	}
	want := map[string]bool{
		"[] map[]": true, "[arn:aws:eks:eu-central-1:111122223333:cluster/prod] map[]": true, "[] map[addonName:vpc-cni clusterName:prod]": true,
		"[arn:aws:eks:eu-central-1:111122223333:cluster/prod] map[addonName:vpc-cni clusterName:prod]": true,
	}
	if diff := cmp.Diff(want, shapes); diff != "" {
		t.Error(diff)
	}
}

// Fact 1.2/trail.
func TestCloudTrailTellsOfOthersAndIsBestEffort(t *testing.T) {
	deeds := func(spec *world.Spec) {
		estate(spec)
		spec.Clusters = append(spec.Clusters, world.Cluster{
			Name: "new", Account: hubAccount, Region: hubRegion, Kubernetes: "1.33", CreatedAt: time.Hour, DeletedAt: 10 * time.Hour,
		})
		id := world.Change{Account: hubAccount, Region: hubRegion, Name: "prod"}
		for i, do := range []world.Deed{world.UpdateAddon, world.UpgradeCluster, world.DeleteAddon, world.CreateAddon} {
			change := id
			change.At, change.Do, change.Kubernetes = time.Duration(i+2)*time.Hour, do, "1.33"
			change.Addon = &world.Addon{Version: "v1.19.0-eksbuild.1"}
			spec.Changes = append(spec.Changes, change)
		}
	}
	names := func(s *stage) (names []string) {
		got := s.hear("aws.eks")
		s.until(24 * time.Hour)
		for _, raw := range *got {
			var e struct {
				Detail struct {
					EventName         string
					RequestParameters struct{ Name string }
				}
			}
			_ = json.Unmarshal([]byte(raw), &e)
			names = append(names, e.Detail.EventName+" "+e.Detail.RequestParameters.Name)
		}
		return names
	}
	want := []string{"CreateCluster new", "UpdateAddon prod", "UpdateClusterVersion prod", "DeleteAddon prod", "CreateAddon prod", "DeleteCluster new"}
	if diff := cmp.Diff(want, names(set(t, 1, deeds))); diff != "" {
		t.Error(diff)
	}
	lost := set(t, 1, func(spec *world.Spec) { deeds(spec); spec.Behaviour.EventsLost = 1 })
	if got := names(lost); len(got) != 0 {
		t.Errorf("all best-effort events are to be lost; %v arrived", got)
	}
	if n := len(lost.entries(world.Sent, "lost")); n != len(want) {
		t.Errorf("the history has %d lost events, want %d", n, len(want))
	}
}

func TestOneSeedIsOneHistoryOfEvents(t *testing.T) {
	play := func(seed uint64) []string {
		s := set(t, seed, func(spec *world.Spec) {
			estate(spec)
			spec.Behaviour = world.Likely()
			spec.Behaviour.EventsDoubled, spec.Behaviour.EventsDelayedMax, spec.Behaviour.InvocationsDoubled = 0.5, time.Minute, 0.5
		})
		s.hear("cniguard")
		s.wakes(20)
		s.until(time.Hour)
		return s.Lines()
	}
	if diff := cmp.Diff(play(7), play(7)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(play(7), play(8)) {
		t.Error("two seeds gave one history")
	}
}
