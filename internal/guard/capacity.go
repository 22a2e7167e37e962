package guard

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/fault"
)

func (d *draft) capacity() {
	pods, answer := d.in.Seen.Pods, &d.plan.Verdict.Capacity
	if pods.Fault != nil {
		d.hiddenCapacity(pods.Fault)
		return
	}
	if pods.Value.Exempt != "" {
		*answer = Answer{NotApplicable, pods.Value.Exempt}
		return
	}
	worst, any := pods.Value.Worst()
	if !any || d.in.Settings.Fault != nil {
		*answer = Answer{Unknown, "no pod subnet with IPv4 addresses is known"}
		d.blind(CapacityLow, CapacityUnknown)
		return
	}
	used := worst.Utilization()
	d.plan.Level = d.level(used)
	*answer = Answer{d.plan.Level, fmt.Sprintf("pod subnet %s is %s %% used", worst.ID, percent(used))}
	if answer.Word == Fine && pods.Value.Partly != nil {
		*answer = Answer{Unknown, unread("some pod subnets", pods.Value.Partly)}
		d.blind(CapacityLow)
	}
	severity := severityOf(d.plan.Level)
	if severity == 0 {
		return
	}
	d.find(Finding{Code: CapacityLow, Severity: severity, Print: d.plan.Level, Facts: slices.Concat([]Fact{
		{"worst subnet", place(worst)},
		{"used", percent(used) + " %"},
		{"free", addresses(worst.Free)},
		{"pod subnets", strconv.Itoa(len(pods.Value.Subnets))},
	}, d.in.growth(), d.origin(worst), d.shared(), worstZone(pods.Value), d.helps())})
}

// severityOf is that of a level of use; zero: it is fine.
func severityOf(level string) Severity {
	return map[string]Severity{WarningWord: Warning, CriticalWord: Critical}[level]
}

// hiddenCapacity answers where no pod subnet could be read. The alarm still knows what the meter measured.
func (d *draft) hiddenCapacity(f *fault.Fault) {
	answer := &d.plan.Verdict.Capacity
	*answer = Answer{Unknown, unread("the pod subnets", f)}
	if f.Kind == fault.Skip { // nothing hid them: there are none to be found
		d.blind(CapacityLow)
		d.find(Finding{Code: CapacityUnknown, Severity: Warning, Print: "none found", After: patience, Facts: []Fact{{"pod subnets", f.Text}}})
		return
	}
	d.blind(CapacityUnknown)
	a, stands := d.in.standing(alarm.PodSubnets)
	if !stands || a.State != alarm.InAlarm {
		d.blind(CapacityLow)
		return
	}
	*answer = Answer{WarningWord, "the pod subnets could not be read, and their alarm is in ALARM"}
	if was := d.in.Record.Verdict.Capacity.Word; was == CriticalWord {
		answer.Word = was
		d.blind(CapacityLow)
		return
	}
	d.find(Finding{Code: CapacityLow, Severity: Warning, Print: WarningWord, Facts: stateOf(a)})
}

// level is the word for the utilisation of the fullest pod subnet. A level once reached ends only when that is clearly below its threshold.
func (d *draft) level(used float64) string {
	s := d.in.Settings.Value
	return Level(used, s.Warning, s.Critical, d.in.Record.Meter.Level)
}

// Level is the capacity answer's word for a utilisation in percent: fine, warning or critical. Was is the word before: a level
// once reached ends only two points below its threshold, so that a subnet at the threshold is not news every five minutes.
func Level(used, warning, critical float64, was string) string {
	if was == CriticalWord {
		critical -= hysteresis
	}
	if was == CriticalWord || was == WarningWord {
		warning -= hysteresis
	}
	switch {
	case used >= critical:
		return CriticalWord
	case used >= warning:
		return WarningWord
	}
	return Fine
}

// addresses reads "1 address" or "20 addresses".
func addresses(n int) string {
	if n == 1 {
		return "1 address"
	}
	return strconv.Itoa(n) + " addresses"
}

// few names a few things, and how many more there are.
func few(all []string, most int) string {
	text := strings.Join(all[:min(most, len(all))], ", ")
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func percent(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
