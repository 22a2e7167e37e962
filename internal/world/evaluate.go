package world

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Period is what one period of an alarm's metric came to. Its letters are those of the tables in the CloudWatch user guide,
// "Configuring how CloudWatch alarms treat missing data".
type Period byte

// What a period came to.
const (
	NoData    Period = '-'
	Within    Period = '0'
	Breaching Period = 'X'
)

// lookBack is how many periods before the evaluation periods CloudWatch reads to make up for missing ones. The user guide's
// examples read five periods for three; the exact number is not published.
const lookBack = 2

// Evaluation is how an alarm is evaluated: Points of Periods must breach.
type Evaluation struct {
	Periods int
	Points  int
	// Missing says what a missing period counts as: missing, ignore, breaching or notBreaching.
	Missing string
}

// State is the state of an alarm that was in a state and now sees periods, the oldest first. Real data is used before
// missing periods are filled in (CloudWatch user guide, "How alarm state is evaluated when data is missing").
func (e Evaluation) State(seen []Period, was types.StateValue) types.StateValue {
	real, breaching, oldest := 0, 0, 0
	for age := 1; age <= len(seen) && real < e.Periods; age++ {
		switch seen[len(seen)-age] {
		case Breaching:
			real, breaching, oldest = real+1, breaching+1, age
		case Within:
			real++
		}
	}
	filled := e.Periods - real
	switch {
	case breaching >= e.Points:
		return types.StateValueAlarm
	case filled == 0 || e.Missing == "notBreaching":
		return types.StateValueOk
	case e.Missing == "breaching":
		if breaching+filled >= e.Points {
			return types.StateValueAlarm
		}
		return types.StateValueOk
	case breaching < real:
		return types.StateValueOk
	case e.Missing == "ignore":
		return was
	case real == 0:
		return types.StateValueInsufficientData
	case oldest >= e.Points:
		// Only breaching points are left, and even a good next point could not have prevented the alarm.
		return types.StateValueAlarm
	}
	return was
}
