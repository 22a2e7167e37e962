package guard

import (
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/fault"
)

// faults makes one finding of everything that could not be read. Which calls failed changes from check to check where an
// account is slow; only which permissions are missing is news.
func (d *draft) faults() {
	s := d.in.Seen
	f := Finding{Code: Unreadable, Severity: Warning, After: patience}
	var missing []string
	add := func(what string, ft *fault.Fault) {
		if ft == nil || ft.Kind == fault.Skip {
			return
		}
		if ft.Denied() {
			f.After = deniedAfter
			missing = append(missing, ft.Need)
			f.Facts = append(f.Facts, Fact{"need", ft.Need})
		}
		f.Facts = append(f.Facts, Fact{what, ft.Error()})
	}
	add("cluster", s.Cluster.Fault)
	if s.Cluster.Fault == nil {
		add("add-on", s.Addon.Fault)
		if s.Addon.Fault != nil || s.Addon.Value != nil { // else they were to say how a person updates by hand
			add("compatible versions", s.Catalogue.Fault)
			add("configuration schema", s.Configuration.Fault)
		}
		add("pod subnets", s.Pods.Fault)
		add("pod subnets", s.Pods.Value.Partly)
		add("alarm", s.Alarms.Fault)
		add("update", s.Update.Fault)
		add("open updates", s.Open.Fault)
		add("forecast", s.History.Fault)
		add("last change", s.LastChange.Fault)
		if d.in.Settings.Fault == nil && d.in.Settings.Value.FurtherAlarms.Has(alarm.NodeCapacity) {
			add("cni-metrics-helper", s.NodeMetrics.Fault)
		}
		if s.takesPrefixes() { // else they were to say what helps, as the network is
			add("/28 blocks", s.Blocks.Fault)
		}
	}
	add("orders", d.in.Orders.Fault)
	add("halt", d.in.Fleet.Fault)
	add("the fleet's updates", d.in.Rollout.Fault)
	if len(f.Facts) == 0 {
		return
	}
	f.Print = "faults;" + strings.Join(missing, ";")
	d.find(f)
	d.dueIn(d.retry(Unreadable))
}

// retry is how long to wait before what could not be done or read is tried again: minutes at first, an hour in the end. A fault
// must not cost a fleet a check of every cluster every five minutes; EKS shares its limits with nodes that join.
func (d *draft) retry(code Code) time.Duration {
	return retryAfter(d.in, code)
}

func retryAfter(in Input, code Code) time.Duration { return min(rarer(in, code), time.Hour) }

// rarer is a quarter of the time that a finding has lasted, so that what lasts is looked at ever more rarely.
func rarer(in Input, code Code) time.Duration {
	t, open := in.Record.Told[code]
	if !open {
		return later
	}
	return max(later, in.Now.Sub(t.First)/4)
}
