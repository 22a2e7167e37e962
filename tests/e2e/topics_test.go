package e2e_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/world"
)

// The cluster is outdated too, which can wait: so people are told of its full subnet only, and programs of both.
func TestEachTopicIsToldInItsShapeAndPeopleWhatIsUrgent(t *testing.T) {
	t.Parallel()
	const fullSubject = "ALARM: CRITICAL: prod-eu: a pod subnet is running out of IP addresses, 96.8 % used"
	s := set(t, func(spec *world.Spec) { spec.VPCs[0].Subnets[0].Used = []world.Point{{Addresses: 243}} })
	f := s.function(event.Urgent, observing, map[string]string{"CNIGUARD_TOPIC_CHAT": chat})
	f.succeeds(sample(t, "update-addon.json"))
	f.succeeds(sample(t, "update-addon.json")) // nothing is told twice

	var told []string
	for _, m := range s.told() {
		finding := attribute(m, "finding")
		told = append(told, aws.ToString(m.TopicArn)+" "+finding+" "+shape(t, aws.ToString(m.MessageStructure), aws.ToString(m.Message)))
		want := map[string]string{"capacity-low": fullSubject, "version-outdated": subject}[finding]
		if aws.ToString(m.Subject) != want {
			t.Errorf("%s: the subject is %q, want %q", finding, aws.ToString(m.Subject), want)
		}
	}
	for _, e := range s.heard() {
		var detail struct{ Finding string }
		if err := json.Unmarshal([]byte(e.Detail), &detail); err != nil {
			t.Fatal(err)
		}
		told = append(told, "bus "+detail.Finding+" "+shape(t, "", e.Detail)+" "+e.DetailType)
	}
	slices.Sort(told)
	want := []string{
		chat + " capacity-low custom notification",
		machine + " capacity-low cniguard.message/1", machine + " version-outdated cniguard.message/1",
		oncall + " capacity-low by protocol",
		"bus capacity-low cniguard.message/1 Finding Opened", "bus version-outdated cniguard.message/1 Finding Opened",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +have):\n%s", diff)
	}
}

// shape is what a message is written for.
func shape(t *testing.T, structure, message string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(message), &fields); err != nil {
		t.Fatal(err)
	}
	switch {
	case structure == "json" && fields["default"] != "":
		return "by protocol"
	case fields["source"] == "custom":
		return "custom notification"
	}
	schema, _ := fields["schema"].(string)
	return schema
}
