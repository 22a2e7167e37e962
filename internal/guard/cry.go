package guard

import (
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
)

// cryAfter is how long an alarm must have rung. Whoever comes sooner is Lambda's first try; the next may find the ledger again.
const cryAfter = time.Minute

// cryUntil is how long an alarm may have rung: its event is dropped after an hour.
const cryUntil = time.Hour

// Cry is what people are told of a cluster whose alarms ring while nothing is known of it, since the ledger cannot be reached: of each alarm that
// went to ALARM of late its finding, with what was read. The keys are the same until the alarm rings anew. What people know already, as far
// as the record could be read, and what is muted is not told.
func Cry(in Input, p Plan) []Message {
	var messages []Message
	c := conclusion{in: in}
	for _, kind := range alarm.Kinds() {
		code, cannotWait := alarming(kind)
		a, stands := in.standing(kind)
		age := in.Now.Sub(a.Since)
		if !cannotWait || !stands || a.State != alarm.InAlarm || age < cryAfter || age > cryUntil {
			continue
		}
		known := in.Record.Told[code]
		if word := in.word(code, known.Word); known.Times > 0 || word != nil && word.Kind == Muting {
			continue
		}
		f := Finding{Code: code, Severity: Warning, Facts: stateOf(a)}
		if i := slices.IndexFunc(p.Findings, func(f Finding) bool { return f.Code == code }); i >= 0 {
			f = p.Findings[i]
		}
		f.Facts = append(slices.Clone(f.Facts), Fact{"ledger", "cannot be reached: the alarm alone tells this; when the ledger is back it is told anew, if it still stands"})
		thread := c.thread(code, a.Since)
		m := Message{
			Key: thread + "-0", Thread: thread, News: Opened, Cluster: in.ID, Owner: in.owner(), Finding: f, Verdict: p.Verdict,
			First: a.Since, At: in.Now,
		}
		if addon := in.Seen.Addon; addon.Fault == nil && addon.Value != nil {
			m.Version = addon.Value.Raw
		}
		messages = append(messages, m)
	}
	return messages
}

// alarming is the finding that an alarm rings for, of those that cannot wait.
func alarming(k alarm.Kind) (Code, bool) {
	code, ok := map[alarm.Kind]Code{
		alarm.PodSubnets: CapacityLow, alarm.FreeBlocks: BlocksLow, alarm.NodeCapacity: NodesFull,
	}[k]
	return code, ok
}
