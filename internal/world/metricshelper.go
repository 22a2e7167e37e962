package world

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/cluster"
)

// NodeMetrics is AWS's cni-metrics-helper in a cluster. As long as the cluster is there it publishes what the aws-node of all nodes say
// together: the metrics assignIPAddresses, totalIPAddresses and maxIPAddresses of the namespace Kubernetes, of which each has one
// dimension, CLUSTER_ID, and two points of the same value a minute, so that sums are doubled (facts-eks-vpc-cni 4.1). Helpers with
// the same id in an account and region publish the same metrics.
type NodeMetrics struct {
	ID       string        `yaml:"id"`       // the value of CLUSTER_ID; empty: the cluster's name. It may be another, as "k8s-cluster"
	Assigned []Point       `yaml:"assigned"` // addresses that pods have; as Subnet.Used
	Total    []Point       `yaml:"total"`    // addresses that the nodes hold
	Max      []Point       `yaml:"max"`      // addresses that the nodes could hold
	StopsAt  time.Duration `yaml:"stopsAt"`  // zero: never
}

// run is one metric that one helper publishes. Its points are computed where they are read: an event a minute for each of some
// thousand clusters would cost more than all else.
type run struct {
	cluster    cluster.ID
	points     []Point
	start      time.Time // of the world
	begin, end int64     // the minutes in which it publishes, at their beginning; end is not one of them
}

// never is a minute that does not come. It leaves room for sums.
const never = math.MaxInt64 / 4

// openRuns has the helpers of the clusters publish.
func (w *World) openRuns() {
	for i := range w.spec.Clusters {
		c := &w.spec.Clusters[i]
		h := c.NodeMetrics
		if h == nil {
			continue
		}
		id := c.Name
		if h.ID != "" {
			id = h.ID
		}
		dimensions := []types.Dimension{{Name: aws.String("CLUSTER_ID"), Value: aws.String(id)}}
		r := run{cluster: c.id(), start: w.spec.Start, begin: w.minuteFrom(c.CreatedAt), end: never}
		for _, end := range []time.Duration{c.DeletedAt, h.StopsAt} {
			if end > 0 {
				r.end = min(r.end, w.minuteFrom(end))
			}
		}
		publish := func(name string, points []Point) {
			one := r
			one.points = points
			s := w.metrics.of(place{c.Account, c.Region}, "Kubernetes", name, dimensions)
			s.runs = append(s.runs, &one)
		}
		publish("assignIPAddresses", h.Assigned)
		publish("totalIPAddresses", h.Total)
		publish("maxIPAddresses", h.Max)
	}
}

// minuteFrom is the first minute that does not begin before an offset.
func (w *World) minuteFrom(offset time.Duration) int64 {
	return minuteOf(w.spec.Start.Add(offset + time.Minute - 1))
}

// number is what is published in a minute of the run.
func (r *run) number(minute int64) float64 {
	return float64(used(r.points, time.Unix(minute*60, 0).Sub(r.start)))
}

// over calls f with what is published from one minute until before another.
func (r *run) over(from, until int64, f func(datum)) {
	for m := max(from, r.begin); m < min(until, r.end); m++ {
		n := r.number(m)
		f(datum{m, 2, 2 * n, n, n})
	}
}

// bounds are those of what is published from one minute until before another; false: nothing is. Between two points of the description
// the numbers only rise or only fall.
func (r *run) bounds(from, until int64) (bounds, bool) {
	from, until = max(from, r.begin), min(until, r.end)
	if from >= until {
		return bounds{}, false
	}
	first, last := r.number(from), r.number(until-1)
	b := bounds{math.Min(first, last), math.Max(first, last)}
	for _, p := range r.points {
		turn := minuteOf(r.start.Add(p.At))
		for m := max(turn, from); m <= min(turn+1, until-1); m++ {
			n := r.number(m)
			b = b.and(bounds{n, n})
		}
	}
	return b, true
}

// published checks what a cluster's helper is to publish.
func (v *validation) published(field string, h *NodeMetrics) {
	if h == nil {
		return
	}
	fits := len(h.ID) <= 1024 && !strings.HasPrefix(h.ID, ":") && strings.IndexFunc(h.ID, func(r rune) bool { return r < ' ' || r > '~' }) < 0
	v.check(fits, field+".id", quote(h.ID)+" is not the value of a metric's dimension", "want at most 1024 ASCII characters, and no colon first")
	v.check(h.StopsAt >= 0, field+".stopsAt", "is negative", "want an offset from the start, or nothing")
	for _, m := range []struct {
		name   string
		points []Point
	}{{"assigned", h.Assigned}, {"total", h.Total}, {"max", h.Max}} {
		for i, p := range m.points {
			at := fmt.Sprintf("%s.%s[%d]", field, m.name, i)
			v.check(i == 0 || p.At > m.points[i-1].At, at+".at", p.At.String()+" is not after the point before", "want points in the order of time")
			v.check(p.Addresses >= 0, at+".addresses", "is negative", "want a number of addresses")
		}
	}
}
