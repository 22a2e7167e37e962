package world

import (
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// mostTags is how many tags an alarm may have (API reference, TagResource).
const mostTags = 50

// AlarmTags are the tags of an alarm; nil: it has none, or there is no alarm of this name.
func (w *World) AlarmTags(account, region, name string) map[string]string {
	a, ok := w.metrics.alarms[alarmKey{account, region, name}]
	if !ok {
		return nil
	}
	return maps.Clone(a.tags)
}

// AlarmNames are the names of the alarms of an account in a region, in order.
func (w *World) AlarmNames(account, region string) []string {
	names := map[string]bool{}
	for k := range w.metrics.alarms {
		if k.account == account && k.region == region {
			names[k.name] = true
		}
	}
	return sorted(names)
}

// tagResource adds tags to an alarm and overwrites those with the same keys.
func (w *World) tagResource(c *Call, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	a, err := w.alarmOf(c, *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags := tagged(a.tags, in.Tags)
	if err := checkTags(in.Tags); err != nil || len(tags) > mostTags {
		return nil, wrongParameter("Tags")
	}
	a.tags = tags
	return &cloudwatch.TagResourceOutput{}, nil
}

func (w *World) listTagsForResource(c *Call, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	a, err := w.alarmOf(c, *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, k := range sorted(a.tags) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(k), Value: aws.String(a.tags[k])})
	}
	return out, nil
}

// alarmOf is the alarm of the caller's account and region that has an ARN. Other resources are not simulated.
func (w *World) alarmOf(c *Call, arn string) (*metricAlarm, error) {
	if !strings.HasPrefix(arn, "arn:") {
		return nil, wrongParameter("ResourceARN")
	}
	if name, ours := strings.CutPrefix(arn, alarmARN(c.Account, c.Region, "")); ours {
		if a, ok := w.metrics.alarms[alarmKey{c.Account, c.Region, name}]; ok {
			return a, nil
		}
	}
	return nil, &types.ResourceNotFoundException{Message: aws.String("Unable to find the resource: " + arn)}
}

func wrongParameter(name string) error {
	return &types.InvalidParameterValueException{Message: aws.String("The value of the parameter " + name + " is invalid.")}
}

// checkTags holds tags against the limits of the API reference, Tag: keys that begin with "aws:" are AWS's own.
func checkTags(tags []types.Tag) error {
	if len(tags) > mostTags {
		return invalid("An alarm has at most %d tags.", mostTags)
	}
	for _, t := range tags {
		if *t.Key == "" || len(*t.Key) > 128 || len(*t.Value) > 256 || strings.HasPrefix(*t.Key, "aws:") {
			return invalid("The tag %q must have a key of 1 to 128 characters that does not begin with aws:, and a value of at most 256.", *t.Key)
		}
	}
	return nil
}

// tagged are tags with some added or overwritten.
func tagged(tags map[string]string, more []types.Tag) map[string]string {
	all := make(map[string]string, len(tags)+len(more))
	maps.Copy(all, tags)
	for _, t := range more {
		all[*t.Key] = *t.Value
	}
	return all
}
