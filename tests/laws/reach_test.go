package laws_test

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// reach is law 11: after a sweep every cluster has the alarm that the policy wants, and no other; what is gone has none; and
// nobody else's alarm was ever touched.
func reach(s *stage) law {
	const name = "Reach"
	return law{
		name: name,
		called: func(c *world.Call, _ *work) {
			var names []string
			switch in := c.In.(type) {
			case *cloudwatch.PutMetricAlarmInput:
				names = []string{*in.AlarmName}
			case *cloudwatch.DeleteAlarmsInput:
				names = in.AlarmNames
			}
			for _, n := range names {
				if !s.isOurAlarm(c, n) {
					s.breaks(name, cluster.ID{Account: c.Account, Region: c.Region}, "%s of alarm %s, which is not ours", c.Op, n)
				}
			}
		},
		end: func() {
			s.checkForeign(name)
			if s.quiet == 0 {
				return
			}
			for _, a := range s.clusters {
				if watches(s.doc, a.id) && !s.obscured(a.id) {
					s.checkAlarm(name, a)
					s.checkFurther(name, a)
				}
			}
		},
	}
}

func (s *stage) isOurAlarm(c *world.Call, alarm string) bool {
	return slices.ContainsFunc(s.spec.Clusters, func(one world.Cluster) bool {
		id := cluster.ID{Name: one.Name}
		ours := append(slices.Collect(maps.Values(furtherNames(id))), alarmName(id))
		return one.Account == c.Account && one.Region == c.Region && slices.Contains(ours, alarm)
	})
}

func (s *stage) checkForeign(law string) {
	for _, own := range s.foreign {
		if _, stands := s.run.World.Alarm(own.Account, own.Region, own.Name); !stands {
			s.breaks(law, cluster.ID{Account: own.Account, Region: own.Region}, "the alarm %s of others is gone", own.Name)
		}
	}
}

// checkAlarm compares the alarm of a cluster with what the policy wants. Where the pod subnets are not known, or nothing of a
// cluster is judged, what stands stays.
func (s *stage) checkAlarm(law string, a *actual) {
	status, have := a.state.now().status, a.alarm.now()
	set := settingsOf(s.doc, a.id, a.tags.now())
	wanted := set.alarms && !a.IPv6
	switch {
	case status != "" && status != "ACTIVE":
	case status == "" && have != nil:
		s.breaks(law, a.id, "the cluster is gone, and its alarm stands")
	case status == "" || len(s.podSubnets(a, s.run.Now())) == 0 && set.alarms:
	case !wanted && have != nil:
		s.breaks(law, a.id, "the alarm stands, and it should not: alarms %t, IPv6 %t", set.alarms, a.IPv6)
	case wanted && have == nil:
		s.breaks(law, a.id, "the alarm does not stand")
	case wanted && !configured(have, a.id, set.warning):
		s.breaks(law, a.id, "the alarm is not as configured: threshold %g, want %g", *have.Threshold, set.warning)
	default:
		s.tally["alarms compared at the end"]++
	}
}
