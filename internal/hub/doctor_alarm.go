package hub

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/fault"
)

// Probe is an alarm in the hub that Doctor makes, and that watches nothing. Its errors are faults.
type Probe interface {
	// Make makes it.
	Make(ctx context.Context, name string) error
	// Ring has it change to ALARM.
	Ring(ctx context.Context, name string) error
	// Remove deletes it. That there is none is no error.
	Remove(ctx context.Context, name string) error
	// Old are the names of those that were made before an instant, and still stand.
	Old(ctx context.Context, before time.Time) ([]string, error)
}

const (
	alarmPath = "alarm path"
	listen    = 2 * time.Second // how often the ledger is asked
	// forgotten is after how long nobody waits for an alarm's event any more. Of one that is waited for longer the event was sent long ago.
	forgotten = 10 * time.Minute
)

// RoundTrip tries the way that alarms' events take: it has an alarm of its own change its state, and waits until the function that got
// the event has noted it in the ledger. The alarm is removed whatever comes of it, also when ctx ends.
func (d Doctor) RoundTrip(ctx context.Context) Diagnosis {
	if d.Wait <= 0 {
		return Diagnosis{What: alarmPath, Health: Unknown, Text: "it was not tried"}
	}
	nonce := rand.Text()
	if _, err := d.Ledger.Arrived(ctx, nonce); err != nil { // nor could the event be seen to arrive
		return d.unanswered(alarmPath, "dynamodb:GetItem", err)
	}
	name := alarm.Probe(nonce)
	if err := d.Probe.Make(ctx, name); err != nil && !inDoubt(err) && ctx.Err() == nil {
		return d.unanswered(alarmPath, "cloudwatch:PutMetricAlarm", err)
	}
	found := d.hear(ctx, nonce)
	if err := d.Probe.Remove(context.WithoutCancel(ctx), name); err != nil {
		return problem(alarmPath, found.Text+"; and the alarm "+name+" could not be removed: "+err.Error(), "delete it by hand: it does no harm, and costs as any alarm")
	}
	return found
}

// abandoned removes the alarms of earlier round trips that did not come to remove them: they were killed, or lost the network. A doctor
// that makes no alarm only names them.
func (d Doctor) abandoned(ctx context.Context) Diagnosis {
	const what, do = "abandoned alarms", "delete them by hand: they do no harm, and cost as any alarm"
	names, err := d.Probe.Old(ctx, d.Now.Add(-forgotten))
	switch {
	case err != nil:
		return d.unanswered(what, "cloudwatch:DescribeAlarms", err)
	case len(names) == 0:
		return fine(what, "no earlier doctor left one")
	case d.Wait <= 0:
		return problem(what, "earlier doctors left "+strings.Join(names, ", "), do+"; or let the doctor wait for an alarm, then it removes them")
	}
	var wrong []string
	for _, name := range names {
		if err := d.Probe.Remove(ctx, name); err != nil {
			wrong = append(wrong, name+": "+err.Error())
		}
	}
	if len(wrong) > 0 {
		return problem(what, "could not be removed: "+strings.Join(wrong, "; "), do)
	}
	return fine(what, "removed, as earlier doctors left them: "+strings.Join(names, ", "))
}

// inDoubt reports whether what failed may have been done all the same.
func inDoubt(err error) bool {
	f := fault.Of(err)
	return f != nil && f.InDoubt
}

// hear has the alarm change its state, and waits for the event.
func (d Doctor) hear(ctx context.Context, nonce string) Diagnosis {
	if err := d.Probe.Ring(ctx, alarm.Probe(nonce)); err != nil && ctx.Err() == nil {
		return d.unanswered(alarmPath, "cloudwatch:SetAlarmState", err)
	}
	for rung := d.Clock.Now(); ; {
		arrived, err := d.Ledger.Arrived(ctx, nonce)
		waited := d.Clock.Now().Sub(rung)
		switch {
		case arrived:
			return fine(alarmPath, fmt.Sprintf("an alarm's event arrived after %.0f s", waited.Seconds()))
		case ctx.Err() != nil:
			return Diagnosis{What: alarmPath, Health: Unknown, Text: "it was interrupted"}
		case waited >= d.Wait && err != nil:
			return d.unanswered(alarmPath, "dynamodb:GetItem", err)
		case waited >= d.Wait:
			return problem(alarmPath, "the alarm's event did not arrive within "+minutes(d.Wait),
				"look at the rule cniguard-ip-alarms on the default bus, at the log of cniguard-urgent, and with `cniguard failed list` at what it failed at")
		}
		_ = d.Clock.Sleep(ctx, listen) // that ctx ended is seen above
	}
}

// minutes writes a time to wait, as "2 minutes" or "90 s".
func minutes(d time.Duration) string {
	if n := d / time.Minute; n > 1 && d%time.Minute == 0 {
		return fmt.Sprintf("%d minutes", n)
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
