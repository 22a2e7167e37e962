package guard_test

import (
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// An alarm that should go and may not be read is asked for less and less often, of a cluster that is gone too.
func TestAnAlarmThatMayNotBeReadIsAskedForLessAndLessOften(t *testing.T) {
	for name, change := range map[string]func(*guard.Input){
		"alarms are off":      func(in *guard.Input) { in.Settings.Value.Alarms = false },
		"the cluster is gone": func(in *guard.Input) { in.Seen.Cluster = guard.Read[*guard.Cluster](nil) },
	} {
		t.Run(name, func(t *testing.T) {
			l := &life{t: t, in: fine()}
			change(&l.in)
			l.in.Seen.Alarms = guard.Hidden[[]alarm.Standing](denied("cloudwatch:DescribeAlarms"))
			checks := 0
			for began := l.in.Now; l.in.Now.Sub(began) < 12*time.Hour; checks++ {
				rec := l.check()
				if rec.Gone || rec.Due.Before(l.in.Now.Add(5*time.Minute)) || rec.Due.After(l.in.Now.Add(time.Hour)) {
					t.Fatalf("gone %t, after %s looked at again in %s", rec.Gone, l.in.Now.Sub(began), rec.Due.Sub(l.in.Now))
				}
				l.after(rec.Due.Sub(l.in.Now))
			}
			l.heard("opened unreadable")
			if checks > 30 {
				t.Errorf("%d checks in 12 hours", checks)
			}
		})
	}
}

// An alarm that may not be put costs no check every five minutes; one that was put is looked at soon.
func TestAnAlarmThatMayNotBePutIsTriedLessAndLessOften(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Seen.Alarms.Value = nil
	deny := func() time.Duration {
		need := "cloudwatch:PutMetricAlarm"
		return l.check(guard.Outcome{Fault: &fault.Fault{Kind: fault.Terminal, Op: need, Need: need}}).Due.Sub(l.in.Now)
	}
	wait, tries := deny(), 1
	for began := l.in.Now; l.in.Now.Sub(began) < 12*time.Hour; tries++ {
		if wait < 5*time.Minute || wait > time.Hour {
			t.Fatalf("after %s the next try comes in %s", l.in.Now.Sub(began), wait)
		}
		l.after(wait)
		wait = deny()
	}
	l.heard("opened alarm-failed")
	if tries > 30 {
		t.Errorf("%d tries in 12 hours", tries)
	}
	l.after(wait)
	if wait := l.check(guard.Outcome{}).Due.Sub(l.in.Now); wait != 5*time.Minute {
		t.Errorf("the alarm was put, and is looked at in %s", wait)
	}
}
