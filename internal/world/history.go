package world

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// Kind is what kind of entry one is.
type Kind string

// The kinds of entries.
const (
	Called    Kind = "call"       // an attempt of an API call; Call is set
	Truth     Kind = "truth"      // the state of the world changed
	Sent      Kind = "event"      // an event was published, lost or delivered
	Invoked   Kind = "invocation" // an invocation of a function started or ended
	Published Kind = "message"    // SNS took a message
)

// Entry is one thing that happened in a world.
type Entry struct {
	At      time.Time
	Kind    Kind
	Call    *Call      // Called
	Cluster cluster.ID // what it is about; the zero ID: no cluster
	What    string     // one of few words, as "add-on", "alarm", "outage", "lost", "timed out"
	Text    string     // the rest, for people
	Data    any        // the rest, for programs; each What has its type
}

// String is the entry as one line. Equal histories have equal lines. Configuration values are left out.
func (e Entry) String() string {
	at := e.At.UTC().Format("2006-01-02T15:04:05.000")
	if e.Call != nil {
		return at + " " + e.Call.String()
	}
	parts := []string{at, string(e.Kind), e.What}
	if e.Cluster != (cluster.ID{}) {
		parts = append(parts, e.Cluster.String())
	}
	if e.Text != "" {
		parts = append(parts, e.Text)
	}
	return strings.Join(parts, " ")
}

// String is the call as one line without its time.
func (c *Call) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "call %s:%s %s/%s by %s try %d %s", c.Service, c.Op, c.Account, c.Region, c.Principal, c.Try, brief(c.In))
	if c.Invocation != "" {
		b.WriteString(" in " + c.Invocation)
	}
	switch {
	case c.Err == nil:
		b.WriteString(" ok")
	case c.Effect:
		b.WriteString(" done, but " + c.Err.Error())
	default:
		b.WriteString(" " + c.Err.Error())
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

// history is what happened, for those who look on.
type history struct {
	watchers []func(Entry)
	record   bool
	entries  []Entry
}

// Watch calls f at each entry, in the order of time, while the world stands still. f must not call the world's services.
func (h *history) Watch(f func(Entry)) { h.watchers = append(h.watchers, f) }

// Record keeps the entries from now on, for History.
func (h *history) Record(on bool) { h.record = on }

// History is what was recorded.
func (h *history) History() []Entry { return h.entries }

// Lines is what was recorded, a line an entry.
func (h *history) Lines() []string {
	lines := make([]string, len(h.entries))
	for i, e := range h.entries {
		lines[i] = e.String()
	}
	return lines
}

// noted reports whether anybody looks on. Entries that take work to make are made only then.
func (h *history) noted() bool { return h.record || len(h.watchers) > 0 }

func (h *history) note(e Entry) {
	if h.record {
		h.entries = append(h.entries, e)
	}
	for _, f := range h.watchers {
		f(e)
	}
}

// truth notes that the state of something changed: what is one of few words, data and text say the rest.
func (w *World) truth(id cluster.ID, what string, data any, text string) {
	w.note(Entry{At: w.Now(), Kind: Truth, Cluster: id, What: what, Data: data, Text: text})
}

// brief writes the fields of an SDK input that are set, in the order of the type. What differs from run to run is left out,
// and so is what may be secret.
func brief(in any) string {
	v := reflect.Indirect(reflect.ValueOf(in))
	if v.Kind() != reflect.Struct {
		return "{}"
	}
	var parts []string
	for i := range v.NumField() {
		switch f := v.Type().Field(i); {
		case !f.IsExported() || v.Field(i).IsZero():
		case varies(f.Name):
		case f.Name == "ConfigurationValues":
			parts = append(parts, f.Name+":…")
		default:
			parts = append(parts, f.Name+":"+value(v.Field(i)))
		}
	}
	return "{" + strings.Join(parts, " ") + "}"
}

// varies reports whether a field, or an attribute of an item, differs from run to run or may be secret.
func varies(name string) bool {
	return slices.Contains([]string{"ClientRequestToken", "RoleSessionName", "DurationSeconds", "ExternalId", "token"}, name)
}

// value writes one value, following pointers, which fmt would print as addresses.
func value(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return value(v.Elem())
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return t.UTC().Format(time.RFC3339Nano)
		}
		return brief(v.Interface())
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = value(v.Index(i))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case reflect.Map: // those of the SDK have texts as keys
		var parts []string
		for _, k := range v.MapKeys() {
			if !varies(k.String()) {
				parts = append(parts, k.String()+":"+value(v.MapIndex(k)))
			}
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, " ") + "}"
	}
	return fmt.Sprint(v.Interface())
}
