package e2e_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/world"
)

func TestEachTopicIsToldInItsShape(t *testing.T) {
	t.Parallel()
	const account = "arn:aws:sns:eu-central-1:444455556666:"
	s := set(t, func(spec *world.Spec) {
		spec.Topics = append(spec.Topics, account+"cniguard-chat", account+"cniguard-machine")
	})
	f := s.function(event.Urgent, observing, map[string]string{
		"CNIGUARD_TOPIC_CHAT": account + "cniguard-chat", "CNIGUARD_TOPIC_MACHINE": account + "cniguard-machine",
	})
	f.succeeds(sample(t, "update-addon.json"))
	f.succeeds(sample(t, "update-addon.json")) // nothing is told twice

	var told []string
	for _, m := range s.told() {
		var fields map[string]any
		if err := json.Unmarshal([]byte(aws.ToString(m.Message)), &fields); err != nil {
			t.Fatal(err)
		}
		kind := fields["schema"]
		switch {
		case aws.ToString(m.MessageStructure) == "json":
			kind = "by protocol"
		case fields["source"] == "custom":
			kind = "custom notification"
		}
		told = append(told, aws.ToString(m.TopicArn)[len(account):]+" "+kind.(string))
		if aws.ToString(m.Subject) != subject || aws.ToString(m.MessageAttributes["finding"].StringValue) != "version-outdated" {
			t.Errorf("subject %q, attributes %v", aws.ToString(m.Subject), m.MessageAttributes)
		}
	}
	slices.Sort(told)
	if want := []string{"cniguard-chat custom notification", "cniguard-machine cniguard.message/1", "cniguard-oncall by protocol"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
