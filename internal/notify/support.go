package notify

import (
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

// Support is the text of a case for AWS Support about a change of the add-on that does not end, a line each, to be pasted as it is; none for any
// other finding. It holds no configuration values. What EKS says is cleaned.
func Support(id cluster.ID, f guard.Finding) []string {
	if f.Code != guard.UpdateStuck {
		return nil
	}
	lines := []string{"A change of an EKS add-on does not end.", "Cluster: " + tidy(id.ARN(), textLimit), "Add-on: vpc-cni"}
	for _, row := range []struct{ fact, label string }{
		{"update id", "Update id"}, {"step", "Versions"}, {"started", "Started"}, {"update status", "Status of the update"},
		{"status", "Status of the add-on"}, {"issue", "Health issue"}, {"request token", "Client request token"},
	} {
		for _, have := range f.Facts {
			if have.Name == row.fact && have.Value != "" {
				lines = append(lines, row.label+": "+tidy(have.Value, textLimit))
			}
		}
	}
	return lines
}

// support adds the text of a case, in the e-mail only: a chat and a phone have too little room.
func (p *page) support(m guard.Message) {
	if ended(m.News) {
		return
	}
	lines := Support(m.Cluster, m.Finding)
	if len(lines) == 0 {
		return
	}
	p.section("For a case with AWS Support:")
	for _, l := range lines {
		p.WriteString("  " + l + "\n") // not folded: it is pasted
	}
}
