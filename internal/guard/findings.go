package guard

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// The findings.
const (
	// VersionOutdated is a vpc-cni below the floor.
	VersionOutdated Code = "version-outdated"
	// VersionUnknown is a vpc-cni whose version cannot be compared.
	VersionUnknown Code = "version-unknown"
	// InstallUnknown is a cluster without a managed vpc-cni, whose own install could not be read.
	InstallUnknown Code = "install-unknown"
	// ImagesDiffer is a self-managed aws-node whose init container is of another version.
	ImagesDiffer Code = "images-differ"
	// ReleaseBad is a release that is known to break networking.
	ReleaseBad Code = "release-known-bad"
	// CapacityLow is a pod subnet above the warning or the critical threshold; the severity says which.
	CapacityLow Code = "capacity-low"
	// BlocksLow is a pod subnet whose /28 blocks run out, where nodes take prefixes; the severity says how far.
	BlocksLow Code = "blocks-low"
	// NodesFull is a cluster whose nodes can hold hardly any more addresses for pods, as cni-metrics-helper says.
	NodesFull Code = "nodes-full"
	// CapacitySoon is a pod subnet that has room, and is forecast to be full within days.
	CapacitySoon Code = "capacity-soon"
	// CapacityUnknown is a cluster whose pod subnets could not be found.
	CapacityUnknown Code = "capacity-unknown"
	// ControlPlaneRoom is a subnet of the control plane with too few free addresses for an upgrade of Kubernetes.
	ControlPlaneRoom Code = "control-plane-room"
	// MetricSilent is an alarm that gets no data.
	MetricSilent Code = "metric-silent"
	// AlarmUnheard is an alarm in ALARM whose event never came.
	AlarmUnheard Code = "alarm-unheard"
	// AlarmFailed is an alarm that could not be put or removed.
	AlarmFailed Code = "alarm-failed"
	// AddonUnhealthy is an add-on that EKS says is degraded or failed.
	AddonUnhealthy Code = "addon-unhealthy"
	// Unreadable is something that could not be read.
	Unreadable Code = "unreadable"
	// UnitUnreadable is an account and region whose clusters could not be listed. It is a finding of the unit, not of a cluster.
	UnitUnreadable Code = "unit-unreadable"
	// UpdateBlocked is an update that is wanted and allowed, and held by a gate that a person must open.
	UpdateBlocked Code = "update-blocked"
	// UpdateStuck is an update of ours that has not ended in time.
	UpdateStuck Code = "update-stuck"
	// UpdateAside is a cluster that is not updated any more until a person approves again.
	UpdateAside Code = "update-set-aside"
	// UpdatesHalted is a failed update after which the fleet is not updated any more until a person resumes.
	UpdatesHalted Code = "updates-halted"
	// ExemptionEnds is an exemption of the policy that ends soon.
	ExemptionEnds Code = "exemption-ends"
	// UpdateProgress carries the news of a step: started, updated, failed. It is no finding that stands.
	UpdateProgress Code = "update-progress"
	// Trial carries the sample by which a person tries a channel. It is no finding that stands.
	Trial Code = "test"
)

// Codes lists the findings that Decide and Conclude may raise.
func Codes() []Code {
	return []Code{
		VersionOutdated, VersionUnknown, InstallUnknown, ImagesDiffer, ReleaseBad, CapacityLow, BlocksLow, NodesFull, CapacitySoon, CapacityUnknown,
		ControlPlaneRoom, MetricSilent, AlarmUnheard, AlarmFailed, AddonUnhealthy, Unreadable, UnitUnreadable, UpdateBlocked, UpdateStuck, UpdateAside,
		UpdatesHalted, ExemptionEnds,
	}
}

// Answerable lists the findings that a person may mute, unmute and acknowledge: those of clusters.
func Answerable() []Code {
	return slices.DeleteFunc(Codes(), func(c Code) bool { return c == UnitUnreadable })
}

// String is the severity in lower case.
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Warning:
		return "warning"
	case Critical:
		return "critical"
	}
	return "none"
}

// How long things take, or may take. They are the product's defaults.
const (
	Soak         = 30 * time.Minute // between a proved step and the next
	RetryAfter   = 15 * time.Minute // between a failed try and the next
	StuckAfter   = 40 * time.Minute // an update that is still in progress
	MaxTries     = 2                // of one step, then it is set aside
	lostAfter    = 5 * time.Minute  // a step without an update id was never started
	silentAfter  = 20 * time.Minute // three meters and a late tick
	rings        = 12 * time.Minute // from a crossing to the alarm, at most: see package alarm; and a minute
	unheardAfter = 10 * time.Minute // an alarm's event, which comes within seconds
	patience     = 30 * time.Minute // a fault that may pass by itself is told after this
	budgetAfter  = 30 * time.Minute // an update that waits for others to end
	deniedAfter  = 10 * time.Minute // a denied reading; IAM changes take minutes to arrive
	soon         = time.Minute      // at the next tick
	later        = 5 * time.Minute  // at the tick after
	asideTold    = 24 * time.Hour   // a step that is set aside is its own news; that it still is, another
	// remindEvery is the interval of reminders of critical findings. What else stands is in the daily digest.
	remindEvery = 4 * time.Hour
	// A finding that comes back within flaps of its end is over once it stayed away for calmFirst, and twice as long each further time, up
	// to calmMost.
	flaps     = 24 * time.Hour
	calmFirst = 15 * time.Minute
	calmMost  = 4 * time.Hour
	// hysteresis is how far, in percentage points, utilisation must fall below a threshold before the finding ends.
	hysteresis = 2
)

// ApprovalValid is how long an approval or a denial holds.
const ApprovalValid = 7 * 24 * time.Hour

// How long a person's word on a finding holds.
const (
	MuteAtMost  = 30 * 24 * time.Hour // nothing is muted for ever: who did it may have left
	MuteAtLeast = 5 * time.Minute     // the tick: what ends sooner may be over before anybody looks
	AckUsually  = 24 * time.Hour      // an acknowledgement that does not say how long
)

// minutes writes a duration for people, to the minute: "15 minutes", "6 h", "2 days 3 h".
func minutes(d time.Duration) string {
	d = d.Round(time.Minute)
	days, hours, rest := int(d/(24*time.Hour)), int(d%(24*time.Hour)/time.Hour), int(d%time.Hour/time.Minute)
	var parts []string
	add := func(n int, unit string) {
		if n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+unit)
		}
	}
	add(days, "days")
	add(hours, "h")
	if days == 0 {
		add(rest, "minutes")
	}
	if len(parts) == 0 {
		return "less than a minute"
	}
	return strings.Join(parts, " ")
}

// urgent reports whether people are told of a finding at once: what is critical, what one of the alarms rings for, and what nodes or an update
// suffer from now. All else can wait for the digest.
func urgent(code Code, severity Severity) bool {
	switch code {
	case CapacityLow, BlocksLow, NodesFull, AddonUnhealthy, UpdateProgress, UpdateStuck, UpdateAside, UpdatesHalted:
		return true
	}
	return severity == Critical
}
