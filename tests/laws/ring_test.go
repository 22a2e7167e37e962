package laws_test

import (
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// ring is the event of an alarm's change of state, as CloudWatch wrote it.
type ring struct {
	Account, Region string
	DetailType      string `json:"detail-type"`
	Detail          struct {
		AlarmName string
		State     struct{ Value, Timestamp string }
	}
}

// failedAt notes the event of an alarm that a function failed at in every try: it came, and nobody noted that it did.
func (s *stage) failedAt(event []byte) {
	var r ring
	if json.Unmarshal(event, &r) == nil && r.DetailType == "CloudWatch Alarm State Change" {
		s.missed = append(s.missed, r)
	}
}

// ringsUnheard reports whether an alarm of a cluster rings and the event of just this ring ended in the failure queue. People may be told so until
// the alarm is over or somebody has the event handled again. They need not be: a failed try may have noted that it heard.
func (s *stage) ringsUnheard(a *actual) bool {
	names := []string{alarmName(a.id)}
	for _, name := range furtherNames(a.id) {
		names = append(names, name)
	}
	return slices.ContainsFunc(s.missed, func(r ring) bool {
		if r.Account != a.Account || r.Region != a.Region || !slices.Contains(names, r.Detail.AlarmName) {
			return false
		}
		m, stands := s.run.World.Alarm(a.Account, a.Region, r.Detail.AlarmName)
		return stands && m.StateValue == types.StateValueAlarm && r.Detail.State.Value == "ALARM" &&
			m.StateTransitionedTimestamp.UTC().Format("2006-01-02T15:04:05.000-0700") == r.Detail.State.Timestamp
	})
}
