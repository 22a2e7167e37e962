package remedy

import (
	"fmt"

	"github.com/cniguard/cniguard/internal/cni"
)

// What the methods share that keep the add-on as code, in a file of somebody's.

// takes says whether a step has EKS take over an aws-node that it does not manage.
func (f Facts) takes(i int) bool { return !f.Managed && i == 0 }

// hasValues says whether the add-on has configuration values, or is to get some.
func (f Facts) hasValues() bool { return f.Managed && f.Configured || f.translated() != "" }

// translated are the configuration values that an aws-node's environment becomes, where EKS does not manage it.
func (f Facts) translated() string {
	if f.Managed {
		return ""
	}
	values, _ := f.migration()
	return values
}

// declared fills the parts of each step that do not depend on the tool, and has the tool fill Change, Wait and Back, and write what it reads first into Before.
func (f Facts) declared(fill func(s *Step, i int)) ([]Step, error) {
	if !f.Managed && f.Node == nil {
		return nil, fmt.Errorf("the aws-node of %s was not read, so what EKS would reset is not known", f.Cluster.Name)
	}
	values, steps := f.translated(), f.way(cni.Version.String)
	for i := range steps {
		s := &steps[i]
		if f.takes(i) {
			*s = f.takeOver(*s, values)
			s.Before.Files, s.Change, s.Wait = s.Change.Files, Part{Say: s.Change.Say}, Part{}
		} else {
			s.Before, s.After = f.ready(*s), f.after(*s)
		}
		s.After = f.unchanged(s.After)
		fill(s, i)
		if why := f.noWayBack(*s); why != "" && !f.takes(i) {
			s.Back = Part{Say: []string{"There is no way back: " + why + "."}}
		}
	}
	return steps, nil
}

// unchanged adds to a proof that the configuration values are those of before.
func (f Facts) unchanged(p Part) Part {
	if f.hasValues() {
		p.Say = append(p.Say, "The last command compares the configuration values with those in "+valuesFile+".")
		p.Run = append(p.Run, "if [ \"$("+f.eks("describe-addon", "--query", "addon.configurationValues", "--output", "text")+")\" = \"$(cat "+valuesFile+")\" ]\n"+
			"then echo 'The configuration values are the same.'\nelse echo 'The configuration values differ.' >&2; false\nfi")
	}
	return p
}

// released is the way back from a take-over, after what the tool does first so that it does not make the add-on again.
func (f Facts) released(s Step, first ...string) Part {
	p := f.letGo(s)
	p.Run = append(first, p.Run...)
	return p
}

// notes are what to know before the first step, whatever makes it.
func (f Facts) notes(own ...string) []string {
	notes := own
	if !f.Managed {
		_, more := f.migration()
		notes = append(notes, more...)
	}
	return append(notes, f.gapNotes()...)
}

// conflicts is what EKS does in a step with fields of aws-node that others changed. It takes over nothing without OVERWRITE (EKS API reference,
// CreateAddon), and what people changed since stays with PRESERVE.
func (f Facts) conflicts(i int) string {
	if f.takes(i) {
		return "OVERWRITE"
	}
	return "PRESERVE"
}
