package notify

import (
	"time"

	"github.com/cniguard/cniguard/internal/guard"
)

// Bus is for programs that listen on the hub's event bus. It is no topic of SNS, and none of Channels.
const Bus Channel = "bus"

// Event is a message, or a digest, for the hub's event bus: what PutEvents takes. docs/events.md is its contract.
type Event struct {
	Type      string    // detail-type: what rules select by
	Resources []string  // the cluster's ARN; none of a message about an account and region, and of a digest
	Detail    string    // as Shape.JSON, so that programs read one schema, whichever way it came
	At        time.Time // when it was seen
}

// EventOf gives a message the form of an event. It is pure, and total like Render: the JSON is the same, and so far below half of the 256 KB
// that EventBridge took of old.
func EventOf(m guard.Message) Event {
	e := Event{Type: detailType(m.News), Detail: Render(m).JSON, At: m.At}
	if m = clean(m); m.Cluster.Name != "" {
		e.Resources = []string{m.Cluster.ARN()}
	}
	return e
}

// EventOfDigest gives a digest the form of an event.
func EventOfDigest(d guard.Digest) Event {
	return Event{Type: "Digest", Detail: RenderDigest(d).JSON, At: d.At}
}

// detailType is what rules select by. There are few, and they stay: what a finding is about is in the detail.
func detailType(n guard.News) string {
	switch n {
	case guard.Opened:
		return "Finding Opened"
	case guard.Changed:
		return "Finding Changed"
	case guard.Reminded:
		return "Finding Reminded"
	case guard.Recovered, guard.Closed: // whoever keeps a list strikes it off, whatever became of the cluster
		return "Finding Resolved"
	case guard.Started:
		return "Update Started"
	case guard.Updated:
		return "Update Completed"
	case guard.NotDone:
		return "Update Failed"
	case guard.Lost:
		return "Update Lost"
	case guard.Sampled:
		return "Test"
	}
	return "News"
}
