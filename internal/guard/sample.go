package guard

import (
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// Sample is a message about nothing, by which a person sees whether a channel works. Key tells it from all others; by is who asked for it,
// untrusted. It is of no cluster, but of the hub's account and region.
func Sample(key, by, account, region string, at time.Time) Message {
	return Message{
		Key: key, Thread: key, News: Sampled, Cluster: cluster.ID{Account: account, Region: region}, At: at,
		Finding: Finding{Code: Trial, Severity: Info, Facts: []Fact{{"asked for", by}}},
	}
}
