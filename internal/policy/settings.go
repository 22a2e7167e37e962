package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cni"
)

// Mode says how far cniguard may go with the add-on of a cluster.
type Mode string

// The modes, each of which allows more than the one before.
const (
	Observe Mode = "observe" // report only
	Approve Mode = "approve" // update when a person has approved the steps
	Auto    Mode = "auto"    // update
)

func modes() []Mode { return []Mode{Observe, Approve, Auto} }

// UnmarshalText reads a mode. The error names those there are.
func (m *Mode) UnmarshalText(text []byte) error {
	if !slices.Contains(modes(), Mode(text)) {
		return fmt.Errorf("%q is not a mode; allowed: observe, approve, auto", text)
	}
	*m = Mode(text)
	return nil
}

// Owned is the Owner of settings that claim the add-on for cniguard.
const Owned = "cniguard"

// Settings are what holds for one cluster. They can be compared.
type Settings struct {
	Mode     Mode
	Floor    cni.Version // below it a version is outdated
	Target   cni.Target  // where an update leads
	Warning  float64     // percent of the worst pod subnet; the alarm's threshold; below Critical
	Critical float64     // percent, at most 100
	DaysLeft int         // until the worst pod subnet is full, by forecast, below which people are told; 0: never
	Alarms   bool        // whether the alarm is made and kept
	// SelfManaged is whether the cluster's own API is read where EKS does not manage the add-on.
	SelfManaged bool
	Owner       string // Owned: the policy says that cniguard owns the add-on where no other owner is found; else empty

	OwnerTag string // key of the tag that names who answers for a cluster, in any spelling of the letters

	AlarmActions  Topics // what the alarms tell themselves, beside the event that cniguard reads
	FurtherAlarms Kinds  // beside that on the pod subnets; none where Alarms is false
	// HelperID is the CLUSTER_ID under which cni-metrics-helper publishes; empty: the cluster's name.
	HelperID string

	Windows Windows // when an update may start
	Freezes Freezes // when none starts, whatever Windows says
	Exempt  Exempt  // until when none starts, in whose name; no rule sets it
}

// BuiltIn is what holds where a policy says nothing.
func BuiltIn() Settings {
	return Settings{Mode: Observe, Floor: cni.DefaultFloor(), Target: cni.ToFloor, Warning: 80, Critical: 95, DaysLeft: 7, Alarms: true, SelfManaged: true, OwnerTag: "owner"}
}

// Forecasts reports whether people are told in advance that a pod subnet will be full. The alarms' metric is what a forecast rests on.
func (s Settings) Forecasts() bool { return s.DaysLeft > 0 && s.Alarms }

// loosest is at least as loose as any settings, in every field.
func loosest() Settings { return Settings{Mode: Auto, Warning: 100, Critical: 100, Owner: Owned} }

// field is all that there is to know about one setting.
type field struct {
	name    string
	allowed string                       // for people
	of      func(*Set) **string          // its place in a Set; nil: it is a list there
	list    func(*Set) **[]string        // the list's place
	sep     string                       // between two entries of the list; empty: a space
	empty   string                       // the text of a list with no entry; empty: none
	parse   func(*Settings, string) bool // false: the text is not allowed
	text    func(Settings) string        // canonical; parse reads it
	copy    func(to *Settings, from Settings)
	tighter func(a, b Settings) bool // a is strictly tighter than b; never, where there is no such order
}

// fields lists every setting in the order of the documentation.
func fields() []field {
	return slices.Concat(versionFields(), alarmFields(), clusterFields(), watchFields(), calendarFields())
}

// versionFields say which version is wanted, and what may be done for it.
func versionFields() []field {
	return []field{
		{
			name: "mode", allowed: "observe, approve, auto",
			of:      func(s *Set) **string { return &s.Mode },
			parse:   func(s *Settings, text string) bool { return s.Mode.UnmarshalText([]byte(text)) == nil },
			text:    func(s Settings) string { return string(s.Mode) },
			copy:    func(to *Settings, from Settings) { to.Mode = from.Mode },
			tighter: func(a, b Settings) bool { return slices.Index(modes(), a.Mode) < slices.Index(modes(), b.Mode) },
		},
		{
			name: "floor", allowed: "a release without -eksbuild, as v1.8.0",
			of:      func(s *Set) **string { return &s.Floor },
			parse:   func(s *Settings, text string) bool { return parseFloor(&s.Floor, text) },
			text:    func(s Settings) string { return s.Floor.String() },
			copy:    func(to *Settings, from Settings) { to.Floor = from.Floor },
			tighter: func(a, b Settings) bool { return cni.Compare(a.Floor, b.Floor) > 0 },
		},
		{
			name: "target", allowed: "floor, default, latest, or a version as v1.18.5 or v1.18.5-eksbuild.1",
			of:      func(s *Set) **string { return &s.Target },
			parse:   func(s *Settings, text string) bool { return text != "" && s.Target.UnmarshalText([]byte(text)) == nil },
			text:    func(s Settings) string { return s.Target.String() },
			copy:    func(to *Settings, from Settings) { to.Target = from.Target },
			tighter: func(_, _ Settings) bool { return false },
		},
	}
}

// alarmFields say from where on a cluster is short of addresses, and whether alarms watch it.
func alarmFields() []field {
	return []field{
		{
			name: "warning", allowed: percent,
			of:      func(s *Set) **string { return &s.Warning },
			parse:   func(s *Settings, text string) bool { return parsePercent(&s.Warning, text) },
			text:    func(s Settings) string { return strconv.FormatFloat(s.Warning, 'f', -1, 64) },
			copy:    func(to *Settings, from Settings) { to.Warning = from.Warning },
			tighter: func(a, b Settings) bool { return a.Warning < b.Warning },
		},
		{
			name: "critical", allowed: percent,
			of:      func(s *Set) **string { return &s.Critical },
			parse:   func(s *Settings, text string) bool { return parsePercent(&s.Critical, text) },
			text:    func(s Settings) string { return strconv.FormatFloat(s.Critical, 'f', -1, 64) },
			copy:    func(to *Settings, from Settings) { to.Critical = from.Critical },
			tighter: func(a, b Settings) bool { return a.Critical < b.Critical },
		},
		{
			name: "daysLeft", allowed: "a whole number of days from 1 to 30, or off",
			of:      func(s *Set) **string { return &s.DaysLeft },
			parse:   func(s *Settings, text string) bool { return parseDays(&s.DaysLeft, text) },
			text:    func(s Settings) string { return cmp.Or(strings.TrimLeft(strconv.Itoa(s.DaysLeft), "0"), "off") },
			copy:    func(to *Settings, from Settings) { to.DaysLeft = from.DaysLeft },
			tighter: func(a, b Settings) bool { return a.DaysLeft > b.DaysLeft },
		},
		{
			name: "alarms", allowed: "on, off",
			of:      func(s *Set) **string { return &s.Alarms },
			parse:   func(s *Settings, text string) bool { return parseSwitch(&s.Alarms, text) },
			text:    func(s Settings) string { return map[bool]string{true: "on", false: "off"}[s.Alarms] },
			copy:    func(to *Settings, from Settings) { to.Alarms = from.Alarms },
			tighter: func(a, b Settings) bool { return a.Alarms && !b.Alarms },
		},
	}
}

// clusterFields say who updates a cluster, and whether cniguard looks inside.
func clusterFields() []field {
	return []field{
		{
			name: "owner", allowed: "cniguard, unknown",
			of:      func(s *Set) **string { return &s.Owner },
			parse:   func(s *Settings, text string) bool { return parseOwner(&s.Owner, text) },
			text:    func(s Settings) string { return map[bool]string{true: Owned, false: "unknown"}[s.Owner == Owned] },
			copy:    func(to *Settings, from Settings) { to.Owner = from.Owner },
			tighter: func(a, b Settings) bool { return a.Owner != Owned && b.Owner == Owned },
		},
		{
			name: "selfManaged", allowed: "read, ignore",
			of: func(s *Set) **string { return &s.SelfManaged },
			parse: func(s *Settings, text string) bool {
				s.SelfManaged = text == reads
				return text == reads || text == ignores
			},
			text:    func(s Settings) string { return map[bool]string{true: reads, false: ignores}[s.SelfManaged] },
			copy:    func(to *Settings, from Settings) { to.SelfManaged = from.SelfManaged },
			tighter: func(a, b Settings) bool { return a.SelfManaged && !b.SelfManaged },
		},
		{
			name: "ownerTag", allowed: "a tag's key, of up to 128 characters",
			of:      func(s *Set) **string { return &s.OwnerTag },
			parse:   func(s *Settings, text string) bool { return parseTagKey(&s.OwnerTag, text) },
			text:    func(s Settings) string { return s.OwnerTag },
			copy:    func(to *Settings, from Settings) { to.OwnerTag = from.OwnerTag },
			tighter: func(_, _ Settings) bool { return false },
		},
	}
}

// watchFields say what else is watched, and who else hears of it.
func watchFields() []field {
	return []field{
		{
			name: "alarmActions", allowed: "a list of ARNs of SNS topics",
			list:    func(s *Set) **[]string { return &s.AlarmActions },
			parse:   func(s *Settings, text string) bool { s.AlarmActions = topicsOf(text); return true }, // checked one by one
			text:    func(s Settings) string { return cmp.Or(string(s.AlarmActions), none) },
			copy:    func(to *Settings, from Settings) { to.AlarmActions = from.AlarmActions },
			tighter: func(_, _ Settings) bool { return false },
		},
		{
			name: "furtherAlarms", allowed: "a list of alarms",
			list:  func(s *Set) **[]string { return &s.FurtherAlarms },
			parse: func(s *Settings, text string) bool { s.FurtherAlarms = kindsOf(text); return true }, // checked one by one
			text:  func(s Settings) string { return cmp.Or(string(s.FurtherAlarms), none) },
			copy:  func(to *Settings, from Settings) { to.FurtherAlarms = from.FurtherAlarms },
			tighter: func(a, b Settings) bool {
				return a.FurtherAlarms != b.FurtherAlarms && a.FurtherAlarms.include(b.FurtherAlarms)
			},
		},
		{
			name: "metricsHelperID", allowed: "a CLUSTER_ID of up to 255 letters, digits, inner spaces and - _ . : / = + @, or name for the cluster's own name",
			of:      func(s *Set) **string { return &s.HelperID },
			parse:   func(s *Settings, text string) bool { return parseHelperID(&s.HelperID, text) },
			text:    func(s Settings) string { return cmp.Or(s.HelperID, itsName) },
			copy:    func(to *Settings, from Settings) { to.HelperID = from.HelperID },
			tighter: func(_, _ Settings) bool { return false },
		},
	}
}

// The texts of selfManaged.
const (
	reads   = "read"
	ignores = "ignore"
)

// none is the text of a list with no entry.
const none = "none"

// given is the text of a field in a Set; false: it is not there.
func (f field) given(s *Set) (string, bool) {
	if f.list == nil {
		text := *f.of(s)
		return deref(text), text != nil
	}
	entries := *f.list(s)
	return cmp.Or(strings.Join(deref(entries), cmp.Or(f.sep, " ")), cmp.Or(f.empty, none)), entries != nil
}

// give writes the text of a field into a Set.
func (f field) give(s *Set, text string) {
	if f.list == nil {
		*f.of(s) = &text
		return
	}
	entries := []string{}
	if text != cmp.Or(f.empty, none) {
		entries = strings.Split(text, cmp.Or(f.sep, " "))
	}
	*f.list(s) = &entries
}

// deref is what a pointer leads to, or nothing.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

const percent = "a number of percent above 0 and up to 100, without a sign, as 80"

func parseFloor(into *cni.Version, text string) bool {
	v := cni.Parse(text)
	*into = v
	return v.Known() && v.Pre == "" && v.Build == 0
}

func parsePercent(into *float64, text string) bool {
	if strings.Trim(text, "0123456789.") != "" {
		return false // what Go calls a number besides: 0x50, 8e1, +80, NaN, Inf
	}
	f, err := strconv.ParseFloat(text, 64)
	*into = f
	return err == nil && f > 0 && f <= 100
}

// farthest is as many days as a forecast looks ahead: capacity.Horizon.
const farthest = 30

func parseDays(into *int, text string) bool {
	var on bool
	if text == "0" || parseSwitch(&on, text) && !on {
		*into = 0
		return true
	}
	if strings.Trim(text, "0123456789") != "" {
		return false // a sign
	}
	days, err := strconv.Atoi(text)
	*into = days
	return err == nil && days > 0 && days <= farthest
}

func parseSwitch(into *bool, text string) bool {
	switch strings.ToLower(text) {
	case "on", "true", "yes":
		*into = true
	case "off", "false", "no":
		*into = false
	default:
		return false
	}
	return true
}

// parseTagKey reads the key of a tag (EKS user guide, "Tag your resources").
func parseTagKey(into *string, text string) bool {
	*into = text
	odd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune(" +-=._:/@", r)
	}
	return text != "" && strings.TrimSpace(text) == text && utf8.RuneCountInString(text) <= 128 && !strings.ContainsFunc(text, odd)
}

func parseOwner(into *string, text string) bool {
	switch text {
	case Owned:
		*into = Owned
	case "unknown":
		*into = ""
	default:
		return false
	}
	return true
}

// pair is two settings that must fit each other.
type pair struct {
	names [2]string
	fits  func(Settings) bool
	must  string // for people
}

func pairs() []pair {
	return []pair{
		{[2]string{"warning", "critical"}, func(s Settings) bool { return s.Warning < s.Critical }, "warning must be below critical"},
		{[2]string{"target", "floor"}, reaches, "a target must reach the floor"},
		{[2]string{"furtherAlarms", "daysLeft"}, countable, "the alarm days-left needs a number of days"},
	}
}

// reaches reports whether the target, where it is a version, satisfies the floor.
func reaches(s Settings) bool {
	pin := cni.Parse(s.Target.String())
	return !pin.Known() || pin.Satisfies(s.Floor)
}

// countable reports whether there is a number for an alarm on the days left.
func countable(s Settings) bool { return s.DaysLeft > 0 || !s.FurtherAlarms.Has(alarm.DaysLeft) }

// index is the place of a name in fields().
func index(name string) int {
	return slices.IndexFunc(fields(), func(f field) bool { return f.name == name })
}

// names are those of all settings.
func names() []string {
	var all []string
	for _, f := range fields() {
		all = append(all, f.name)
	}
	return all
}

// describe names fields with their values, as "warning 80 and critical 70".
func describe(s Settings, indices ...int) string {
	table := fields()
	words := make([]string, len(indices))
	for i, at := range indices {
		words[i] = table[at].name + " " + table[at].text(s)
	}
	return strings.Join(words, " and ")
}
