package guard

import (
	"slices"
	"strconv"
	"time"

	"github.com/cniguard/cniguard/internal/capacity"
)

// Outlook is what the history of a cluster's metric last said of the days until its fullest pod subnet is full.
type Outlook struct {
	capacity.Outlook                  // days from At; nothing where Silent says why
	Silent           capacity.Silence `json:"silent,omitempty"`
	At               time.Time        `json:"at"`
}

// String is the outlook in a few words, as "full in about 9 days, between 7 and 14".
func (o Outlook) String() string {
	if o.Silent != "" {
		return "no forecast: " + string(o.Silent)
	}
	return "full in " + o.Outlook.String()
}

const (
	// outlookEvery is how often the history is read at most: once a day, of the sweeps that are six hours apart.
	outlookEvery = 23 * time.Hour
	// outlookLasts is for how long an outlook counts where the history cannot be read anew.
	outlookLasts = 3 * 24 * time.Hour
	// slackDays is by how many days an outlook must be above the policy's for the finding to end: it moves by a day or two from one day to
	// the next.
	slackDays = 2
)

// watched reports whether the pod subnets of a cluster that lives are known and measured.
func (in Input) watched() bool {
	c, pods := in.Seen.Cluster, in.Seen.Pods
	return c.Fault == nil && c.Value.lives() && pods.Fault == nil && pods.Value.Exempt == "" && in.Settings.Fault == nil && in.tearsDown() == nil
}

// WantsHistory reports whether the history of the cluster's metric is to be read: once a day, where the meter publishes it and the
// policy wants a forecast.
func (in Input) WantsHistory() bool {
	return in.watched() && in.Record.Meter.Publish && in.Settings.Value.Forecasts() && in.Now.Sub(in.Record.Outlook.At) >= outlookEvery
}

// outlook is what the history says that was just read, or what was said last.
func (in Input) outlook() Outlook {
	known := in.Record.Outlook
	if history := in.Seen.History; history.Fault == nil && history.Value != nil {
		known = Outlook{At: in.Now}
		known.Outlook, known.Silent = capacity.Forecast(history.Value, in.Now)
	}
	return known
}

// soon reports whether an outlook is below the policy's days.
func (in Input) soon(o Outlook) bool {
	days := float64(in.Settings.Value.DaysLeft)
	if _, stands := in.Record.Told[CapacitySoon]; stands {
		days += slackDays
	}
	left, known := o.Left(in.Now)
	return known && o.Silent == "" && left < days
}

// outlook finds a pod subnet that has room and is forecast to be full within days. One that has none left is capacity-low's to tell: while
// that stands, this neither opens nor ends.
func (d *draft) outlook() {
	in, known := d.in, &d.plan.Outlook
	switch {
	case in.Settings.Fault != nil:
		d.blind(CapacitySoon)
		return
	case !in.Settings.Value.Forecasts(), d.plan.Verdict.Capacity.Word == NotApplicable:
		*known = Outlook{}
		return
	}
	*known = in.outlook()
	worst, any := in.Seen.Pods.Value.Worst()
	switch {
	case known.At.IsZero(): // nobody asked yet
	case !any, d.plan.Level != Fine, !known.tells(in.Now):
		d.blind(CapacitySoon)
	case in.soon(*known):
		d.find(Finding{Code: CapacitySoon, Severity: Warning, Print: "soon", Facts: slices.Concat([]Fact{
			{"full in", known.Outlook.String()},
			{"growth", known.growth()},
			{"worst subnet", place(worst)},
			{"used", percent(worst.Utilization()) + " %"},
			{"forecast of", known.At.UTC().Format(time.RFC3339)},
		}, d.helps())})
	}
}

// growth is how fast a pod subnet fills.
func (o Outlook) growth() string {
	return strconv.FormatFloat(o.Slope, 'f', 1, 64) + " percentage points a day"
}

// growth says how the fullest pod subnet came to be so full, where its history tells: day by day, or not.
func (in Input) growth() []Fact {
	o := in.outlook()
	switch {
	case in.Settings.Fault != nil || !in.Settings.Value.Forecasts() || o.At.IsZero() || in.Now.Sub(o.At) >= outlookLasts:
		return nil
	case o.Silent == "":
		return []Fact{{"growth", o.growth() + "; at that, full in " + o.Outlook.String()}}
	case o.Silent == capacity.Flat || o.Silent == capacity.Far:
		return []Fact{{"growth", "slow or none over the days before"}}
	}
	return nil
}

// Left is how many days are left now, at most capacity.Horizon, which also stands for no growth; false: there is no forecast to rest on.
func (o Outlook) Left(now time.Time) (days float64, known bool) {
	switch {
	case o.At.IsZero() || now.Sub(o.At) >= outlookLasts:
		return 0, false
	case o.Silent == capacity.Full:
		return 0, true
	case o.Silent == capacity.Flat || o.Silent == capacity.Far:
		return capacity.Horizon, true
	}
	return max(0, o.Days-now.Sub(o.At).Hours()/24), o.Silent == ""
}

// tells reports whether an outlook says anything: how many days are left, or that there is no growth to speak of. Every other silence is
// not to know, which is no end of anything.
func (o Outlook) tells(now time.Time) bool {
	return now.Sub(o.At) < outlookLasts && (o.Silent == "" || o.Silent == capacity.Flat || o.Silent == capacity.Far)
}
