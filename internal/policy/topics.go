package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// Topics are ARNs of SNS topics, in their order, with a space between two: a list that can be compared.
type Topics string

// topicsOf reads ARNs with spaces between them. It does not ask whether they are ARNs.
func topicsOf(text string) Topics {
	if text == none {
		return ""
	}
	arns := strings.Fields(text)
	slices.Sort(arns)
	return Topics(strings.Join(arns, " "))
}

// In are the topics of a region, in their order. An alarm's actions must be in its own: PutMetricAlarm answers "Invalid region
// ca-central-1 specified. Only us-west-2 is supported" (cds-snc/notification-terraform #128).
func (t Topics) In(region string) []string {
	var in []string
	for arn := range strings.FieldsSeq(string(t)) {
		if topicRegion(arn) == region {
			in = append(in, arn)
		}
	}
	return in
}

// Topics are all topics that some cluster's alarm may tell, ordered. Who deploys the policy lets CloudWatch publish to them.
func (p *Policy) Topics() []string {
	all := map[string]bool{}
	for _, r := range append([]rule{p.defaults}, p.rules...) {
		for arn := range strings.FieldsSeq(string(r.set.AlarmActions)) {
			all[arn] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// mostTopics is how many actions an alarm has for a state (CloudWatch API reference, PutMetricAlarm).
const mostTopics = 5

// topics checks a list of topics entry by entry.
func (c *checker) topics(at string, arns []string) {
	seen, in := map[string]bool{}, map[string]int{}
	for i, arn := range arns {
		place, region := fmt.Sprintf("%s[%d]", at, i), topicRegion(arn)
		switch in[region]++; {
		case region == "":
			c.mistake(place, fmt.Sprintf("%q is not the ARN of an SNS topic", arn),
				"allowed: a standard topic, as arn:aws:sns:eu-central-1:111122223333:oncall")
		case seen[arn]:
			c.mistake(place, arn+" is in the list already", "allowed: once")
		case in[region] > mostTopics:
			c.mistake(place, fmt.Sprintf("is topic %d of the list in %s", in[region], region), fmt.Sprintf("allowed: %d for an alarm", mostTopics))
		case len(c.units) > 0 && !slices.ContainsFunc(c.units, func(u event.Unit) bool { return u.Region == region }):
			c.mistake(place, region+" is not in the fleet", "allowed: topics in regions of the fleet, since an alarm tells those of its own region only")
		}
		seen[arn] = true
	}
}

// topicRegion is the region in the ARN of a standard SNS topic; empty: it is none. A name is up to 256 letters, digits, hyphens and
// underscores (SNS API reference, CreateTopic).
func topicRegion(arn string) string {
	p := strings.Split(arn, ":")
	if len(p) != 6 || p[0] != "arn" || p[2] != "sns" || !cluster.IsRegion(p[3]) || !cluster.IsAccount(p[4]) {
		return ""
	}
	region, name := p[3], p[5]
	if p[1] != cluster.PartitionOf(region).Name || name == "" || len(name) > 256 || strings.Trim(name, topicLetters) != "" {
		return ""
	}
	return region
}

const topicLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
