package kube

import (
	"slices"
	"time"
)

// managedFields is what one field manager wrote of an object (Kubernetes, "Server-Side Apply"). Only who wrote into the pods'
// specification counts: the others keep the status, restart pods or add labels.
type managedFields struct {
	Manager   string `json:"manager"`
	Operation string `json:"operation"`
	Time      string `json:"time"`
	Fields    struct {
		Spec struct {
			Template struct {
				Spec *struct {
					Containers map[string]struct {
						Image *struct{} `json:"f:image"`
					} `json:"f:containers"`
				} `json:"f:spec"`
			} `json:"f:template"`
		} `json:"f:spec"`
	} `json:"fieldsV1"`
}

// writer is who wrote into the specification of the pods.
type writer struct {
	manager, operation string
	at                 time.Time // zero: unknown
	image              bool      // it wrote the image of aws-node
	born               bool      // it wrote when the object was created, and never since
}

// writersOf are those who wrote into the specification of the pods, in the order in which the API names them.
func writersOf(m metadata) (writers []writer) {
	created, err := time.Parse(time.RFC3339, m.Created)
	for _, f := range m.ManagedFields {
		pods := f.Fields.Spec.Template.Spec
		if pods == nil {
			continue
		}
		at, _ := time.Parse(time.RFC3339, f.Time)
		writers = append(writers, writer{
			manager: f.Manager, operation: f.Operation, at: at, image: pods.Containers[`k:{"name":"aws-node"}`].Image != nil,
			born: err == nil && !at.IsZero() && !at.After(created.Add(time.Minute)),
		})
	}
	return writers
}

// String reads "manager helm wrote the image, Update, 2024-05-01T10:00:00Z".
func (w writer) String() string {
	s := "manager " + w.manager + " wrote other fields"
	if w.image {
		s = "manager " + w.manager + " wrote the image"
	}
	if w.operation != "" {
		s += ", " + w.operation
	}
	if !w.at.IsZero() {
		s += ", " + w.at.UTC().Format(time.RFC3339)
	}
	return s
}

// strangers are the writers that no installer is known for.
func strangers(writers []writer) (lines []string) {
	for _, w := range writers {
		if !slices.ContainsFunc(installers, func(i installer) bool { return like(i.managers, w.manager) }) {
			lines = append(lines, w.String())
		}
	}
	return lines
}
