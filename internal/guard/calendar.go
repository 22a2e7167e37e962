package guard

import "time"

// noZone is why a gate is shut that the policy's checker could read and this process cannot.
const noZone = "the policy's windows and freezes could not be read: a time zone is not known here"

// shutFreeze holds steps back while the policy freezes updates.
func shutFreeze(in Input, _ Step) (string, time.Time) {
	if f := in.Settings.Fault; f != nil {
		return unread("the policy", f), time.Time{}
	}
	switch thaws := in.Settings.Value.Freezes.Thaws(in.Now); {
	case thaws.IsZero():
		return noZone, thaws
	case thaws.After(in.Now):
		return "the policy freezes updates", thaws
	}
	return "", time.Time{}
}

// shutWindow lets a step start in the policy's windows only. When the next one opens during a freeze, it waits for one after that.
func shutWindow(in Input, _ Step) (string, time.Time) {
	if f := in.Settings.Fault; f != nil {
		return unread("the policy", f), time.Time{}
	}
	s := in.Settings.Value
	if s.Windows.Open(in.Now) {
		return "", time.Time{}
	}
	opens := s.Opens(in.Now)
	if opens.IsZero() {
		return noZone, opens
	}
	return "none of the policy's windows for updates is open", opens
}
