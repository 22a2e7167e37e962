package relief

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cniguard/cniguard/internal/capacity"
)

// How much is kept of what a cluster may have any number of. A part of the nodes would make wrong sums, so that of more nothing is known.
const (
	mostNodes  = 100 // kinds of nodes
	mostTypes  = 100
	mostRanges = 100
	mostUnread = 10
)

// Bounded are the facts as a record keeps them. Of the ranges only those matter that overlap capacity.PodSpace, where free ones are looked for;
// where they are too many, all of it counts as taken. Bounding twice changes nothing.
func (f Facts) Bounded() Facts {
	if len(f.Nodes) > mostNodes {
		f.Nodes = nil
	}
	if len(f.Types) > mostTypes {
		f.Types = f.nodeTypes()
	}
	space := capacity.PodSpace()
	near := slices.DeleteFunc(slices.Clone(f.Taken), func(p netip.Prefix) bool { return !space.Overlaps(p) })
	switch {
	case len(near) > mostRanges:
		f.Taken = []netip.Prefix{space}
	case len(near) > 0 || len(f.Taken) == 0:
		f.Taken = near
	default:
		f.Taken = f.Taken[:1] // they were read, and none is in the way
	}
	if more := len(f.Unread) - mostUnread; more > 1 { // the one that says how many there are more takes a place itself
		f.Unread = append(slices.Clone(f.Unread[:mostUnread]), fmt.Sprintf("%d more", more))
	}
	return f
}
