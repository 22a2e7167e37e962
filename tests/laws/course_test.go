package laws_test

import (
	"fmt"
	"time"

	"github.com/cniguard/cniguard/internal/world"
)

// happen draws what others do in the course of a scene: to clusters, to the bus, and what people order.
func (s *scene) happen(d dice, trouble time.Duration) {
	at := func() time.Duration { return d.span(2*time.Minute, trouble-20*time.Minute) }
	if s.calm { // others are early
		at = func() time.Duration { return d.span(2*time.Minute, time.Hour) }
	}
	for range pick(d, 0, 0, 1, 2, 3) {
		s.spec.Changes = append(s.spec.Changes, s.drawChange(d, at()))
	}
	if !s.calm {
		for range pick(d, 0, 0, 1, 2) {
			s.spec.Updates = append(s.spec.Updates, drawScript(d))
		}
	}
	s.order(d, at, trouble)
	for range pick(d, 0, 0, 1, 2) {
		s.spec.Events = append(s.spec.Events, s.drawEvent(d, at()))
	}
	if d.chance(.3) {
		e := pick(d, rawEvents()...)
		e.at = at()
		s.raw = append(s.raw, e)
	}
}

func (s *scene) drawChange(d dice, at time.Duration) world.Change {
	c := pick(d, s.spec.Clusters...)
	ch := world.Change{At: at, Account: c.Account, Region: c.Region, Name: c.Name}
	deeds := []world.Deed{world.UpgradeCluster, world.CreateAddon, world.UpdateAddon, world.DeleteAddon, world.TagCluster, world.TagCluster}
	if s.calm {
		deeds = []world.Deed{world.CreateAddon} // an update would race with ours
	}
	ch.Do = pick(d, deeds...)
	switch ch.Do {
	case world.UpgradeCluster:
		ch.Kubernetes = pick(d, "1.24", "1.29")
	case world.CreateAddon, world.UpdateAddon:
		ch.Addon = &world.Addon{Version: pick(d, installed(c.Kubernetes)...), Role: pick(d, "", roleARN(c, "other")), Configuration: pick(d, "", `{"env":{}}`)}
	case world.TagCluster:
		ch.Tags = drawTags(d, .3)
	}
	return ch
}

func drawScript(d dice) world.UpdateScript {
	u := world.UpdateScript{Outcome: pick(d, world.Fail, world.Fail, world.Degrade, world.Hang), Times: d.number(1, 3)}
	if d.chance(.3) {
		u.To = pick(d, "v1.8", "v1.9", "v1.1", "v1.2")
	}
	if d.chance(.3) {
		u.Issue = world.Issue{Code: "ConfigurationConflict", Message: "Conflicts found.\nDaemonSet aws-node - .spec"}
	}
	return u
}

// order draws what people order. Nobody orders the same thing twice in the same minute.
func (s *scene) order(d dice, at func() time.Duration, trouble time.Duration) {
	give := func(kind world.OrderKind, by string, c world.Cluster, when time.Duration) {
		o := world.Order{At: when, Kind: kind, By: by, Because: "the laws"}
		if kind == world.Approve || kind == world.Deny {
			o.Account, o.Region, o.Name = c.Account, c.Region, c.Name
		}
		s.spec.Orders = append(s.spec.Orders, o)
	}
	for _, c := range s.spec.Clusters {
		if d.chance(.5) {
			for range d.number(1, 4) {
				give(world.Approve, pick(d, "ann", "bob"), c, at())
				if d.chance(.2) {
					s.spec.Orders[len(s.spec.Orders)-1].To = pick(d, s.spec.Catalogues[c.Kubernetes]...).Version
				}
			}
		}
		if d.chance(.1) && !s.calm {
			give(world.Deny, pick(d, "ann", "cem"), c, at())
		}
	}
	if d.chance(.2) {
		when := at()
		if s.calm {
			give(world.Halt, "eve", world.Cluster{}, when)
			give(world.Resume, "eve", world.Cluster{}, when+5*time.Minute)
			return
		}
		give(world.Halt, "eve", world.Cluster{}, when)
		if d.chance(.7) {
			give(world.Resume, "dan", world.Cluster{}, when+d.span(time.Minute, trouble-when))
		}
	}
}

// probed is the detail of a change of the doctor's alarm.
const probed = `{"alarmName":"cniguard-doctor-K3QZ7M2VXWPLT5ORJAYB6DNHCE","state":{"value":"ALARM","timestamp":"2026-03-02T08:00:00.000+0000"}}`

// drawEvent is an event on the bus that should change nothing.
func (s *scene) drawEvent(d dice, at time.Duration) world.TimedEvent {
	region := s.spec.Hub.Region
	kind := "AWS API Call via CloudTrail"
	if partition(region) == "aws-cn" {
		kind = pick(d, kind, "Amazon API Call via CloudTrail")
	}
	trail := func(name, parameters string) world.TimedEvent {
		return world.TimedEvent{Source: "aws.eks", Type: kind,
			Detail: fmt.Sprintf(`{"eventSource":"eks.amazonaws.com","eventName":%q,"awsRegion":%q,"requestParameters":%s}`, name, region, parameters)}
	}
	e := pick(d,
		trail("UpdateAddon", `{"name":"c1","addonName":"vpc-cni","addonVersion":"v1.99.0-eksbuild.1"}`),
		trail("DeleteCluster", `{"name":"c1"}`),
		trail("CreateCluster", `{"name":"nobody-knows-it"}`),
		world.TimedEvent{Source: "aws.health", Type: "AWS Health Event", Detail: `{"service":"EKS"}`},
		world.TimedEvent{Source: "cniguard", Type: "Check Requested", Account: strayAccount,
			Detail: fmt.Sprintf(`{"account":%q,"region":%q,"name":"c1"}`, hubAccount, region)},
		world.TimedEvent{Source: "cniguard", Type: "Sweep", Account: otherAccount, Detail: `{}`},
		world.TimedEvent{Source: "aws.cloudwatch", Type: "CloudWatch Alarm State Change",
			Detail: `{"alarmName":"cniguard-c1-pod-subnets","state":{"value":"OK","timestamp":"2026-03-02T08:00:00.000+0000"}}`},
		world.TimedEvent{Source: "aws.cloudwatch", Type: "CloudWatch Alarm State Change", Account: otherAccount, Detail: probed},
	)
	e.At = at
	return e
}

// rawEvents are what should never arrive, and does.
func rawEvents() []rawEvent {
	const envelope = `{"version":"0","id":"e-1","detail-type":%q,"source":%q,"account":"111122223333","time":"2026-03-02T08:00:00Z","region":"eu-central-1","resources":[],"detail":%s}`
	whole := func(kind, source, detail string) string { return fmt.Sprintf(envelope, kind, source, detail) }
	return []rawEvent{
		{text: `{"version":"0","id":"e-0"`, malformed: true},
		{text: `[]`, malformed: true},
		{text: whole("AWS API Call via CloudTrail", "aws.eks", `{"eventName":"UpdateAddon","requestParameters":{"name":7,"addonName":"vpc-cni"}}`), malformed: true},
		{text: whole("AWS API Call via CloudTrail", "aws.eks", `{"eventName":"DeleteCluster","requestParameters":{}}`), malformed: true},
		{text: whole("Check Requested", "cniguard", `{"account":"111122223333"}`), malformed: true},
		{text: whole("AWS API Call via CloudTrail", "aws.eks", `{"eventName":"ListClusters"}`)},
		{text: whole("CloudWatch Alarm State Change", "aws.cloudwatch", probed), probe: true},
		{text: whole("EKS Pod Identity News", "aws.eks", `{}`)},
		{text: whole("AWS API Call via CloudTrail", "aws.eks", `{"eventName":"UpdateAddon","errorCode":"AccessDenied","requestParameters":{"name":"c1","addonName":"vpc-cni"}}`)},
		{text: whole("AWS API Call via CloudTrail", "aws.eks", `{"eventName":"UpdateAddon","requestParameters":{"name":"c1","addonName":"coredns"}}`)},
	}
}
