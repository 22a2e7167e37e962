package telemetry

import (
	"encoding/json"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// Namespace is the CloudWatch namespace of the program's own metrics.
const Namespace = "CNIGuard"

// Counter is one of the program's own metrics: a count of what happened in an invocation.
type Counter int

// The counters.
const (
	Checks       Counter = iota // clusters that were checked
	Skipped                     // events that asked for nothing
	Malformed                   // events that could not be read
	Refused                     // events of an account that may not ask, or that is not in the fleet
	Unknown                     // checks that left something unknown
	Conflicts                   // saves that lost against another check
	AlarmsPut                   // alarms that were put or removed
	Updates                     // updates of the add-on that were started
	Told                        // messages that were published
	TellFailed                  // messages that could not be published; they stay in the outbox
	ActFailed                   // changes that AWS refused
	NotListed                   // accounts and regions whose clusters could not be listed
	NotMetered                  // clusters whose pod subnets could not be measured
	Ticks                       // ticks, whatever came of them
	LedgerFailed                // invocations that the ledger failed
	Overdue                     // clusters whose last check is older than two sweeps
	Meters                      // times that the metering of the fleet was asked for
	Waiting                     // messages and digests that some topic lacks for longer than it may
	Sweeps                      // sweeps of the whole fleet that finished
	counters
)

// String is the metric's name.
func (c Counter) String() string {
	names := [counters]string{
		"Checks", "Skipped", "Malformed", "Refused", "Unknown", "Conflicts", "AlarmsPut", "Updates", "Told", "TellFailed",
		"ActFailed", "NotListed", "NotMetered", "Ticks", "LedgerFailed", "Overdue", "Meters", "Waiting", "Sweeps",
	}
	if c < 0 || c >= counters {
		return fmt.Sprintf("Counter(%d)", int(c))
	}
	return names[c]
}

// Counters lists all counters.
func Counters() []Counter {
	all := make([]Counter, counters)
	for i := range all {
		all[i] = Counter(i)
	}
	return all
}

// Counts holds the counters of one invocation. The zero Counts is ready, and may be used by many goroutines.
type Counts struct{ n [counters]atomic.Int64 }

// Add adds n to a counter.
func (c *Counts) Add(k Counter, n int) { c.n[k].Add(int64(n)) }

// Flush writes the counts as one line in CloudWatch's embedded metric format (CloudWatch user guide, "Specification: Embedded
// metric format") and sets them to zero. CloudWatch Logs makes metrics of the line; no API is called.
//
// The one dimension is the function's name, which must not be empty. A cluster is never a dimension: 10,000 of them would
// cost 3,000 USD a month for each metric. A count of zero is left out, so that what never happens costs nothing; Checks is
// always there, so that its absence means that the function does not run.
func (c *Counts) Flush(w io.Writer, function string, at time.Time) error {
	line := map[string]any{"Function": function}
	var metrics []metric
	for _, k := range Counters() {
		if n := c.n[k].Swap(0); n != 0 || k == Checks {
			line[k.String()] = n
			metrics = append(metrics, metric{Name: k.String(), Unit: "Count"})
		}
	}
	line["_aws"] = metadata{
		Timestamp:         at.UnixMilli(),
		CloudWatchMetrics: []directive{{Namespace: Namespace, Dimensions: [][]string{{"Function"}}, Metrics: metrics}},
	}
	if err := json.NewEncoder(w).Encode(line); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// metadata, directive and metric are the parts of an embedded metric format document, with its own names.
type metadata struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

type metric struct {
	Name string
	Unit string
}
