package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// maxSize is the most bytes an event may have. Lambda takes 1 MB in an asynchronous invocation (Lambda developer guide,
// "Lambda quotas") and EventBridge less than that in an entry (PutEvents).
const maxSize = 1 << 20

// envelope is what every event has around its detail: any file in events/.
type envelope struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       string          `json:"time"`
	Resources  json.RawMessage `json:"resources"` // read with texts
	Detail     json.RawMessage `json:"detail"`
}

// open reads the envelope as far as it is needed to look the event up.
func open(raw []byte) (envelope, error) {
	if len(raw) > maxSize {
		return envelope{}, fmt.Errorf("read event: %d bytes, at most %d are allowed", len(raw), maxSize)
	}
	e, err := object[envelope]("", raw)
	switch {
	case err != nil:
	case e.Source == "":
		err = mistake("source", "who sent the event", "")
	case e.DetailType == "":
		err = mistake("detail-type", "what the event tells", "")
	}
	if err != nil {
		return envelope{}, fmt.Errorf("read event %.64q: %w", e.ID, err)
	}
	return e, nil
}

// read reads an event of a family: first the rest of the envelope, then what the family knows of the detail.
func (e envelope) read(f family) (Trigger, error) {
	sent, err := instant("time", time.RFC3339, e.Time)
	switch {
	case e.ID == "":
		return Trigger{}, mistake("id", "the event's id", "")
	case !cluster.IsAccount(e.Account):
		return Trigger{}, mistake("account", "an account id of twelve digits", e.Account)
	case !cluster.IsRegion(e.Region):
		return Trigger{}, mistake("region", "a region", e.Region)
	case err != nil:
		return Trigger{}, err
	}
	t, err := f.read(e)
	if err != nil {
		return Trigger{}, err
	}
	t.ID, t.From = e.ID, Unit{Account: e.Account, Region: e.Region}
	if t.At.IsZero() {
		t.At = sent
	}
	return t, nil
}

// object decodes the JSON object at path. Its errors name the field by its whole path.
func object[T any](path string, raw json.RawMessage) (T, error) {
	var v T
	if len(raw) == 0 || string(raw) == "null" {
		return v, mistake(path, "an object", "")
	}
	err := json.Unmarshal(raw, &v)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		field := strings.Trim(path+"."+wrong.Field, ".")
		return v, within(field, fmt.Errorf("want %s, have %s", form(wrong.Type), article(wrong.Value)))
	}
	return v, within(path, err)
}

// instant reads a time in one layout.
func instant(field, layout, s string) (time.Time, error) {
	t, err := time.Parse(layout, s)
	if err != nil {
		return time.Time{}, mistake(field, "a time as "+layout, s)
	}
	return t.UTC(), nil
}

// mistake is a field that does not hold what it should.
func mistake(field, want, have string) error {
	if have == "" {
		return within(field, fmt.Errorf("want %s, have nothing", want))
	}
	return within(field, fmt.Errorf("want %s, have %.64q", want, have))
}

// within says where an error is; the whole event has no name.
func within(field string, err error) error {
	if err == nil || field == "" {
		return err
	}
	return fmt.Errorf("%s: %w", field, err)
}

func form(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

func article(value string) string {
	kind, _, _ := strings.Cut(value, " ")
	switch kind {
	case "array":
		return "a list"
	case "object":
		return "an object"
	}
	return "a " + kind
}
