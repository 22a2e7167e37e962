package check

import (
	"context"
	"slices"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// standing lists the clusters' alarms of a unit, at the beginning of its sweep: before the clusters are listed, so that one which is created in
// between does not lose its alarm. Alarms that cannot be listed are left for the next sweep.
func (e Engine) standing(ctx context.Context, u event.Unit, after string) []string {
	if after != "" {
		return nil
	}
	names, err := e.Observer.Alarms(ctx, u)
	if err != nil {
		e.Log.ErrorContext(ctx, "alarms not listed", "account", u.Account, "region", u.Region, "error", err.Error())
		return nil
	}
	return names
}

// mostOrphans is how many are dropped in one sweep: the checks are to come soon.
const mostOrphans = 50

// dropOrphans removes the alarms of clusters that neither EKS nor the ledger knows: of a record that was lost, or of another deployment
// that is gone. A cluster that is recorded gets its leave in its own check.
func (e Engine) dropOrphans(ctx context.Context, u event.Unit, standing, clusters []string) {
	left := mostOrphans
	for _, name := range standing {
		if left == 0 {
			return // the next sweep goes on
		}
		of, _ := alarm.Cluster(name)
		if _, lives := slices.BinarySearch(clusters, of); lives {
			continue
		}
		id := cluster.ID{Account: u.Account, Region: u.Region, Name: of}
		left--
		o := e.Actor.Do(ctx, id, guard.Action{Kind: guard.DropAlarm, Alarm: alarm.Spec{Name: name}, Why: "there is no such cluster"})
		if o.Fault != nil {
			e.Counts.Add(telemetry.ActFailed, 1)
			e.Log.ErrorContext(ctx, "orphan not dropped", telemetry.Cluster(id), "alarm", name, "error", o.Fault.Error())
			continue
		}
		e.Counts.Add(telemetry.AlarmsPut, 1)
		e.Log.InfoContext(ctx, "orphan dropped", telemetry.Cluster(id), "alarm", name)
	}
}
