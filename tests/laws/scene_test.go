package laws_test

import (
	"fmt"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/world"
)

// scene is a world and a policy, drawn from a seed, and what else happens there.
type scene struct {
	seed   uint64
	home   home
	spec   world.Spec
	doc    policy.Document
	length time.Duration
	// quiet is when the last disturbance is over, long before a sweep that comes before the end. Zero: there is no peace.
	quiet time.Duration
	// calm scenes have no faults and nobody who takes anything back: how they end does not depend on when they are looked at.
	calm  bool
	table bool // the ledger is in a table of DynamoDB; else in memory
	raw   []rawEvent
	kills []kill
}

// rawEvent is put into the urgent function's queue as it is.
type rawEvent struct {
	at        time.Duration
	text      string
	malformed bool // else it is one that means nothing to cniguard
	probe     bool // but a note in the ledger
}

// kill ends a process at the n-th call from a time on.
type kill struct {
	at    time.Duration
	n     int
	after bool
}

const (
	hubAccount   = "111122223333"
	otherAccount = "444455556666"
	strayAccount = "777788889999" // in no fleet
	ownerAccount = "999900001111" // owns networks that are shared; in no fleet
	hubRegion    = "eu-central-1"
	otherRegion  = "us-east-1"
)

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// The ends of scenes: shortly after a sweep, of which there is one every 6 hours. A long scene is longer by ten days.
const (
	peace      = 5*time.Hour + 10*time.Minute
	peacefully = 7 * time.Hour
	calmly     = 10*time.Hour + 30*time.Minute
	long       = 10 * 24 * time.Hour
)

// draw makes the scene of a seed: always the same one.
func draw(seed uint64) scene {
	d := cast(seed, ofScene)
	s := scene{seed: seed}
	trouble := peace
	switch n := d.IntN(100); {
	case n < 50:
		s.length = d.span(2*time.Hour, 4*time.Hour)
		trouble = s.length
	case n < 53:
		s.length = d.span(12*time.Hour, 20*time.Hour)
		trouble = s.length
	case n < 97:
		s.length, s.quiet = peacefully, peace
	case n < 98:
		s.length, s.quiet = long+peacefully, long+peace
		trouble = s.quiet
	default:
		s.length, s.quiet, s.calm = calmly, peace, true
	}
	e := cast(seed, ofEdges)
	edges := s.drawEdges(e)
	s.spec = world.Spec{Start: start, Hub: world.Hub{Account: hubAccount, Region: s.home.hub}, Catalogues: catalogues(), Behaviour: behaviour(d, s.quiet > 0)}
	s.spec.Behaviour.PreserveConflicts, s.spec.Behaviour.TokenReplayed = e.chance(.4), e.chance(.4)
	s.spec.Behaviour.ClockBehind = pick(e, 0, 0, 50*time.Second)
	s.place(d, trouble)
	s.doc = s.drawPolicy(d)
	s.doc.Digest.At = s.drawHour(cast(seed, ofHours))
	s.happen(d, trouble)
	s.answer(cast(seed, ofWords), trouble)
	if !s.calm {
		s.harm(d, trouble)
	}
	if s.table = d.chance(.3); s.table {
		s.spec.Behaviour.IndexLag, s.spec.Behaviour.Unprocessed = pick(d, 0, time.Second, 20*time.Second), pick(d, 0, .3)
	}
	for _, one := range edges {
		one.set(&s, e, trouble)
	}
	return s
}

// drawHour draws when digests are due: at nine, as ever, at some time of the scene, or when all has come to rest.
func (s *scene) drawHour(d dice) string {
	within := start.Add(d.span(10*time.Minute, 7*time.Hour)).Format("15:04")
	if s.quiet > 0 {
		return pick(d, "", within, restful, restful)
	}
	return pick(d, "", within)
}

// restful is a time of day when a peaceful scene has had its last sweep.
const restful = "14:25"

// isLong reports whether a scene goes on for days. It has few clusters, and its ticks are cheap.
func (s *scene) isLong() bool { return s.length > long }

// behaviour draws every switch both ways.
func behaviour(d dice, peaceful bool) world.Behaviour {
	b := world.Behaviour{
		OneMinor: d.chance(.6), RoleKept: d.chance(.3), ConfigDropped: d.chance(.5), VersionMovesEarly: d.chance(.4), AddonEvents: d.chance(.3),
		UpdateStarts:       world.Range{Max: pick(d, 0, 20*time.Second, 90*time.Second)},
		UpdateTakes:        pick(d, world.Range{Min: time.Minute, Max: 6 * time.Minute}, world.Range{Min: 10 * time.Second, Max: 40 * time.Second}, world.Range{Min: 10 * time.Minute, Max: 50 * time.Minute}),
		Latency:            pick(d, world.Range{}, world.Range{Min: 20 * time.Millisecond, Max: 200 * time.Millisecond}, world.Range{Max: 2 * time.Second}),
		PageSize:           pick(d, 0, 1, 2, 5),
		EventsLost:         pick(d, 0, .2, 1),
		EventsDoubled:      pick(d, 0, 0, .1, .5),
		EventsDelayedMax:   pick(d, 0, 5*time.Second, 3*time.Minute),
		InvocationsDoubled: pick(d, 0, 0, .1, .5),
		AlarmDelay:         pick(d, 0, 20*time.Second, 3*time.Minute),
	}
	if !peaceful {
		b.Throttled, b.EntriesFailed = pick(d, 0, 0, .02, .2), pick(d, 0, 0, .1)
	}
	return b
}

// place draws the networks and the clusters in them.
func (s *scene) place(d dice, trouble time.Duration) {
	at := s.home
	places := []cluster.ID{{Account: hubAccount, Region: at.hub}, {Account: otherAccount, Region: at.hub}, {Account: hubAccount, Region: at.other}}
	places = some(d, pick(d, 1, 1, 2, 3), places)
	if d.chance(.05) {
		places = append(places, cluster.ID{Account: strayAccount, Region: at.hub})
	}
	clusters := pick(d, 1, 1, 2, 2, 3, 5)
	if s.isLong() {
		places, clusters = places[:1], min(clusters, 2)
	}
	for i, p := range places {
		s.spec.VPCs = append(s.spec.VPCs, drawVPC(d, p, i, trouble))
	}
	for i := range clusters {
		vpc := pick(d, s.spec.VPCs...)
		s.spec.Clusters = append(s.spec.Clusters, drawCluster(d, fmt.Sprintf("c%d", i+1), vpc, trouble))
	}
	if d.chance(.2) { // the same name elsewhere is another cluster
		vpc := s.spec.VPCs[len(s.spec.VPCs)-1]
		if first := &s.spec.Clusters[0]; first.VPC != vpc.ID {
			s.spec.Clusters = append(s.spec.Clusters, drawCluster(d, first.Name, vpc, trouble))
		}
	}
	if s.calm {
		s.becalm()
	}
}

// becalm takes out of the clusters what could make the end depend on when it was looked.
func (s *scene) becalm() {
	for i := range s.spec.VPCs {
		for j := range s.spec.VPCs[i].Subnets {
			s.spec.VPCs[i].Subnets[j].Used = []world.Point{{Addresses: 1 + i + j}}
		}
	}
}

func drawVPC(d dice, at cluster.ID, n int, trouble time.Duration) world.VPC {
	v := world.VPC{ID: fmt.Sprintf("vpc-%d", n), Account: at.Account, Region: at.Region}
	for i := range d.number(1, 4) {
		bits := pick(d, 22, 24, 24, 26, 28)
		zone := string(rune('a' + i%3))
		s := world.Subnet{ID: fmt.Sprintf("subnet-%d%c", n, 'a'+i), CIDR: fmt.Sprintf("10.%d.%d.0/%d", n, 4*i, bits), Zone: at.Region + zone}
		s.Used = drawUse(d, usable(s.CIDR), trouble)
		v.Subnets = append(v.Subnets, s)
	}
	return v
}

// drawUse draws how full a subnet is in the course of time: mostly quiet, or over the thresholds and back, or full at once.
func drawUse(d dice, most int, trouble time.Duration) []world.Point {
	part := func(percent int) int { return most * percent / 100 }
	at := func() time.Duration { return d.span(time.Minute, trouble-2*time.Minute) }
	low := part(d.number(0, 70))
	from, until := at(), at()
	if from > until {
		from, until = until, from
	}
	high := part(pick(d, 78, 81, 85, 90, 96, 100))
	points := []world.Point{{At: 0, Addresses: low}}
	switch d.IntN(12) {
	case 0: // suddenly, as when a deployment runs wild, and back
		points = append(points, world.Point{At: from, Addresses: low}, world.Point{At: from + time.Second, Addresses: high},
			world.Point{At: max(until, from+time.Minute), Addresses: high}, world.Point{At: max(until, from+time.Minute) + time.Second, Addresses: low})
	case 1: // slowly up, and it stays there
		points = append(points, world.Point{At: max(until, time.Hour/2), Addresses: high})
	case 2: // up and down
		points = append(points, world.Point{At: max(from, time.Minute), Addresses: high}, world.Point{At: max(until, from+time.Minute), Addresses: low})
	case 3: // around the warning threshold
		for t := 10 * time.Minute; t < trouble && len(points) < 12; t += 10 * time.Minute {
			points = append(points, world.Point{At: t, Addresses: part(d.number(77, 83))})
		}
	case 4: // all along
		points[0].Addresses = high
	case 5: // by night and by day, or with each job that runs every few hours
		every := pick(d, 2*time.Hour, 6*time.Hour, 12*time.Hour)
		for t := every; t < trouble; t += every {
			points = append(points, world.Point{At: t, Addresses: pick(d, low, high)})
		}
	}
	return points
}
