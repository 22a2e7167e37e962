package laws_test

import "testing"

// switches are the edges, and what is drawn for every scene besides.
func switches() []edge {
	return append(edges(),
		edge{name: "PRESERVE that fails on conflicts", is: func(s *scene) bool { return s.spec.Behaviour.PreserveConflicts }},
		edge{name: "tokens that are replayed", is: func(s *scene) bool { return s.spec.Behaviour.TokenReplayed }},
		edge{name: "a clock that is behind", is: func(s *scene) bool { return s.spec.Behaviour.ClockBehind > 0 }},
		edge{name: "ten days", is: (*scene).isLong},
	)
}

// among are the names of those that a scene has.
func (s *scene) among(all []edge) []string {
	var names []string
	for _, one := range all {
		if one.is(s) {
			names = append(names, one.name)
		}
	}
	return names
}

// TestEverySwitchIsDrawn asks for each switch in as many scenes as a plain test run plays, and for each two of them in as many
// as `make laws` does. A third of all scenes have edges.
func TestEverySwitchIsDrawn(t *testing.T) {
	const few, many = 150, 10_000
	all, edgy := switches(), 0
	drawn, together := map[string]int{}, map[[2]string]bool{}
	for seed := uint64(1); seed <= many; seed++ {
		s := draw(seed)
		if len(s.among(edges())) > 0 {
			edgy++
		}
		has := s.among(all)
		for i, name := range has {
			if seed <= few {
				drawn[name]++
			}
			for _, other := range has[i+1:] {
				together[[2]string{name, other}] = true
			}
		}
	}
	if edgy < many/4 || edgy > many/2 {
		t.Errorf("%d of %d scenes have edges", edgy, many)
	}
	for i, one := range all {
		if t.Logf("%4d of %d: %s", drawn[one.name], few, one.name); drawn[one.name] == 0 {
			t.Errorf("none of %d scenes has %s", few, one.name)
		}
		for _, other := range all[i+1:] {
			if !together[[2]string{one.name, other.name}] {
				t.Errorf("none of %d scenes has both %s and %s", many, one.name, other.name)
			}
		}
	}
}
