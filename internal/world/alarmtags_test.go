package world_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

func tags(pairs ...string) (all []types.Tag) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return all
}

const fullARN = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:full"

func TestAlarmsHaveTags(t *testing.T) {
	s := set(t, 1, nil)
	s.at(0, func(ctx context.Context, c *world.Client) {
		want := func(step string, want map[string]string) {
			t.Helper()
			if diff := cmp.Diff(want, s.AlarmTags(hubAccount, hubRegion, "full")); diff != "" {
				t.Errorf("%s: %s", step, diff)
			}
		}
		put := func(pairs ...string) {
			in := fullness("full")
			in.Tags = tags(pairs...)
			if _, err := c.PutMetricAlarm(ctx, in); err != nil {
				t.Error(err)
			}
		}
		tag := func(pairs ...string) {
			if _, err := c.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: aws.String(fullARN), Tags: tags(pairs...)}); err != nil {
				t.Error(err)
			}
		}
		put("owner", "cniguard", "cluster", "prod")
		want("tags of a put that creates the alarm are its own", map[string]string{"owner": "cniguard", "cluster": "prod"})
		put("owner", "somebody", "more", "1")
		want("tags of a put that updates it are ignored", map[string]string{"owner": "cniguard", "cluster": "prod"})
		tag("cluster", "dev", "policy", "")
		want("TagResource adds and overwrites", map[string]string{"owner": "cniguard", "cluster": "dev", "policy": ""})
		out, err := c.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String(fullARN)})
		var got []string
		if err == nil {
			for _, g := range out.Tags {
				got = append(got, *g.Key+"="+*g.Value)
			}
		}
		if diff := cmp.Diff([]string{"cluster=dev", "owner=cniguard", "policy="}, got); err != nil || diff != "" {
			t.Errorf("ListTagsForResource: %v %s", err, diff)
		}
		s.AlarmTags(hubAccount, hubRegion, "full")["owner"] = "a test"
		want("what is done to a copy does not show", map[string]string{"owner": "cniguard", "cluster": "dev", "policy": ""})
		if _, err := c.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"full"}}); err != nil {
			t.Error(err)
		}
		want("they go with the alarm", nil)
		put()
		want("and do not come back with another of the name", map[string]string{})
	})
}

func TestTagsThatAreRefused(t *testing.T) {
	var fifty []string
	for i := range 50 {
		fifty = append(fifty, fmt.Sprint("key-", i), "")
	}
	for name, c := range map[string]struct {
		arn  string
		tags []types.Tag
		code string
	}{
		"of no alarm":                    {strings.Replace(fullARN, ":full", ":none", 1), tags("a", "b"), "404 ResourceNotFoundException"},
		"of an alarm of another account": {strings.Replace(fullARN, hubAccount, "444455556666", 1), tags("a", "b"), "404 ResourceNotFoundException"},
		"of an alarm of another region":  {strings.Replace(fullARN, hubRegion, "eu-west-1", 1), tags("a", "b"), "404 ResourceNotFoundException"},
		"of what is no ARN":              {"full", tags("a", "b"), "400 InvalidParameterValue"},
		"with a key of AWS's":            {fullARN, tags("aws:a", "b"), "400 InvalidParameterValue"},
		"with an empty key":              {fullARN, tags("", "b"), "400 InvalidParameterValue"},
		"with a key of 129 characters":   {fullARN, tags(strings.Repeat("k", 129), "b"), "400 InvalidParameterValue"},
		"with a value of 257 characters": {fullARN, tags("a", strings.Repeat("v", 257)), "400 InvalidParameterValue"},
		"the 51st with those it has":     {fullARN, tags(fifty...), "400 InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, nil)
			in := fullness("full")
			in.Tags = tags("owner", "cniguard")
			s.alarm(0, in)
			s.at(time.Second, func(ctx context.Context, k *world.Client) {
				if _, err := k.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: &c.arn, Tags: c.tags}); !strings.HasPrefix(code(err), c.code) {
					t.Errorf("TagResource: %s, want %s", code(err), c.code)
				}
				_, err := k.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: &c.arn})
				if want := c.code; c.arn != fullARN && !strings.HasPrefix(code(err), want) {
					t.Errorf("ListTagsForResource: %s, want %s", code(err), want)
				}
			})
			if diff := cmp.Diff(map[string]string{"owner": "cniguard"}, s.AlarmTags(hubAccount, hubRegion, "full")); diff != "" {
				t.Errorf("a call that failed has changed them: %s", diff)
			}
		})
	}
	set(t, 1, nil).at(0, func(ctx context.Context, k *world.Client) {
		in := fullness("full")
		in.Tags = tags(append(fifty, "one more", "")...)
		if _, err := k.PutMetricAlarm(ctx, in); code(err) != "400 ValidationError" {
			t.Errorf("a put with 51 tags: %s", code(err))
		}
	})
}

// Facts-aws 3.1: an alarm with tags needs cloudwatch:TagResource when it is created.
func TestOnlyWhoMayTagCreatesAnAlarmWithTags(t *testing.T) {
	grant := func(actions ...string) func(*world.Spec) {
		return func(spec *world.Spec) { spec.Grants = []world.Grant{{Role: "cniguard", Actions: actions}} }
	}
	for name, c := range map[string]struct {
		actions []string
		tags    []types.Tag
		before  bool
		want    string
	}{
		"without the grant an alarm with tags is denied": {[]string{"cloudwatch:PutMetricAlarm"}, tags("a", "b"), false, "403 AccessDenied"},
		"without the grant one without tags is made":     {[]string{"cloudwatch:PutMetricAlarm"}, nil, false, "ok"},
		"with the grant one with tags is made":           {[]string{"cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"}, tags("a", "b"), false, "ok"},
		"without the grant an update ignores the tags":   {[]string{"cloudwatch:PutMetricAlarm"}, tags("a", "b"), true, "ok"},
		"who may only tag may not put":                   {[]string{"cloudwatch:TagResource"}, tags("a", "b"), false, "403 AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, grant(c.actions...))
			if c.before {
				s.alarm(0, fullness("full"))
			}
			s.at(time.Second, func(ctx context.Context, k *world.Client) {
				in := fullness("full")
				in.Tags = c.tags
				if _, err := k.PutMetricAlarm(ctx, in); code(err) != c.want {
					t.Errorf("got %s, want %s", code(err), c.want)
				}
			})
			if _, made := s.Alarm(hubAccount, hubRegion, "full"); made != (c.want == "ok") {
				t.Errorf("made: %t", made)
			}
		})
	}
}

func TestAlarmNamesAreThoseOfAnAccountAndRegionInOrder(t *testing.T) {
	s := set(t, 1, nil)
	for i, name := range []string{"c", "a", "b"} {
		s.alarm(time.Duration(i)*time.Second, fullness(name))
	}
	s.at(5*time.Second, func(ctx context.Context, _ *world.Client) {
		if _, err := s.Client(caller, hubAccount, "eu-west-1").PutMetricAlarm(ctx, fullness("elsewhere")); err != nil {
			t.Error(err)
		}
	})
	if diff := cmp.Diff([]string{"a", "b", "c"}, s.AlarmNames(hubAccount, hubRegion)); diff != "" {
		t.Error(diff)
	}
}
