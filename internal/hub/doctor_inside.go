package hub

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/guard"
)

// inside tells of the clusters whose CNI EKS does not manage: how many cniguard could read, and what keeps it out of the others.
func (d Doctor) inside(kept []check.Kept) Diagnosis {
	const what = "self-managed installs"
	read, shut := 0, map[string][]string{}
	for _, k := range kept {
		switch rec := k.Record; {
		case rec.Gone:
		case rec.Hidden != "":
			shut[rec.Hidden] = append(shut[rec.Hidden], k.Cluster.String())
		case rec.Verdict.Install.Word == guard.SelfManaged || rec.Verdict.Install.Word == guard.Other:
			read++
		}
	}
	if len(shut) == 0 {
		return fine(what, fmt.Sprintf("all that were met can be read: %d", read))
	}
	var why []string
	for _, code := range slices.Sorted(maps.Keys(shut)) {
		why = append(why, fmt.Sprintf("%s: %d, as %s", code, len(shut[code]), shut[code][0]))
	}
	return Diagnosis{What: what, Health: Unknown, Text: fmt.Sprintf("read: %d; not read, %s", read, strings.Join(why, "; ")),
		Do: "docs/self-managed.md has the way in for each, and the message about each cluster its commands; or set `selfManaged: ignore` in the policy"}
}
