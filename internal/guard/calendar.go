package guard

// noZone is why a gate is shut that the policy's checker could read and this process cannot.
func noZone() Reason {
	return Reason{Text: "the policy's windows and freezes could not be read: a time zone is not known here", Fault: true}
}

// shutFreeze holds steps back while the policy freezes updates.
func shutFreeze(in Input, _ Step) Reason {
	if f := in.Settings.Fault; f != nil {
		return hidden("the policy", f)
	}
	switch thaws := in.Settings.Value.Freezes.Thaws(in.Now); {
	case thaws.IsZero():
		return noZone()
	case thaws.After(in.Now):
		return Reason{Text: "the policy freezes updates", Until: thaws}
	}
	return Reason{}
}

// shutWindow lets a step start in the policy's windows only. When the next one opens during a freeze, it waits for one after that.
func shutWindow(in Input, _ Step) Reason {
	if f := in.Settings.Fault; f != nil {
		return hidden("the policy", f)
	}
	s := in.Settings.Value
	if s.Windows.Open(in.Now) {
		return Reason{}
	}
	opens := s.Opens(in.Now)
	if opens.IsZero() {
		return noZone()
	}
	return Reason{Text: "none of the policy's windows for updates is open", Until: opens}
}
