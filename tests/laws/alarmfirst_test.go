package laws_test

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// alarmFirst is law 2: no update unless the cluster's IP alarm stands as configured and is OK, and every subnet with nodes has
// room for the restart. IPv6 clusters are exempt.
func alarmFirst(s *stage) law {
	const name = "Alarm first"
	return law{
		name: name,
		asked: func(id cluster.ID, u *ask) {
			a := s.clusters[id]
			if a.IPv6 {
				return
			}
			when := u.at.Add(-lately)
			var thresholds []float64
			for _, tags := range a.tags.since(when) {
				thresholds = append(thresholds, settingsOf(s.doc, id, tags).warning)
			}
			if !a.alarm.any(when, func(m *types.MetricAlarm) bool {
				return m != nil && m.StateValue == types.StateValueOk && slices.ContainsFunc(thresholds, func(t float64) bool { return configured(m, id, t) })
			}) {
				s.breaks(name, id, "an update to %s, but no alarm at %v %% was OK since %s", u.to, thresholds, when.Format("15:04:05"))
			}
			if len(s.podSubnets(a, when)) == 0 && len(s.podSubnets(a, u.at)) == 0 {
				s.breaks(name, id, "an update to %s, but no pod subnet is known", u.to)
			}
			before := s.nodeSubnets(a, when)
			for _, sub := range s.nodeSubnets(a, u.at) {
				if slices.Contains(before, sub) && !s.hadRoom(sub, when) {
					s.breaks(name, id, "an update to %s, but subnet %s had %d free addresses at most since %s", u.to, sub, s.free(sub, u.at), when.Format("15:04:05"))
				}
			}
		},
		entry: func(e world.Entry) {
			out, ok := e.Data.(world.Outage)
			if !ok {
				return
			}
			s.tally["outages"]++
			updates := s.run.World.Updates(e.Cluster)
			last := updates[len(updates)-1]
			if !strings.HasSuffix(last.By, "::"+e.Cluster.Account+":role/cniguard-updater") {
				return
			}
			for at := last.Created.Add(-lately); !at.After(last.Created); at = at.Add(lately / 36) {
				if s.free(out.Subnet, at) > 0 {
					return
				}
			}
			s.breaks(name, e.Cluster, "our update to %s broke the nodes on %s, which had been full all along", out.Version, out.Subnet)
		},
	}
}

// configured reports whether an alarm is the one that every cluster has, at a threshold.
func configured(m *types.MetricAlarm, id cluster.ID, threshold float64) bool {
	return aws.ToString(m.Namespace) == "CNIGuard" && aws.ToString(m.MetricName) == "WorstPodSubnetUtilization" &&
		len(m.Dimensions) == 1 && *m.Dimensions[0].Name == "ClusterName" && *m.Dimensions[0].Value == id.Name &&
		m.Statistic == types.StatisticMaximum && *m.Period == 300 && *m.EvaluationPeriods == 3 && *m.DatapointsToAlarm == 2 &&
		m.ComparisonOperator == types.ComparisonOperatorGreaterThanOrEqualToThreshold && *m.Threshold == threshold &&
		aws.ToString(m.TreatMissingData) == "missing" && aws.ToBool(m.ActionsEnabled)
}
