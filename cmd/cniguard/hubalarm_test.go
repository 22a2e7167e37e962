package main

import (
	"bytes"
	"net/http"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/cniguard/cniguard/events"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/event"
)

// cloudWatch answers what is asked about alarms, in Smithy's CBOR. A change of state is handled at once, as the functions do.
func (s *served) cloudWatch(w http.ResponseWriter, op string, body []byte) {
	status, answer := http.StatusOK, cbor.Map{}
	if code := s.refuse[op]; code != "" {
		status, answer = http.StatusBadRequest, cbor.Map{"__type": cbor.String(code), "message": cbor.String("it is refused")}
	} else if op == "DescribeAlarms" {
		answer["MetricAlarms"] = s.abandoned
	} else {
		s.alarm(op, body)
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	w.WriteHeader(status)
	_, _ = w.Write(cbor.Encode(answer)) // who went away gets no answer
}

// abandon leaves an alarm there that a doctor made an hour ago.
func (s *served) abandon() {
	s.abandoned = cbor.List{cbor.Map{
		"AlarmName":                          cbor.String("cniguard-doctor-K3QZ7M2VXWPLT5ORJAYB6DNHCE"),
		"AlarmConfigurationUpdatedTimestamp": &cbor.Tag{ID: 1, Value: cbor.Uint(hubNow.Add(-time.Hour).Unix())},
	}}
}

func (s *served) alarm(op string, body []byte) {
	v, err := cbor.Decode(body)
	if err != nil {
		panic(err) // the SDK writes CBOR
	}
	name, given := v.(cbor.Map)["AlarmName"].(cbor.String)
	if !given {
		name = v.(cbor.Map)["AlarmNames"].(cbor.List)[0].(cbor.String)
	}
	kind := "other"
	if _, is := alarm.Nonce(string(name)); is {
		kind = "doctor's"
	}
	s.calls = append(s.calls, op+" of the "+kind)
	if op == "DeleteAlarms" {
		s.abandoned = nil
	}
	if op == "SetAlarmState" && !s.mute {
		s.hear(string(name))
	}
}

// hear does with the event of an alarm what the urgent function does.
func (s *served) hear(name string) {
	raw, err := events.Files.ReadFile("alarm-probe.json")
	if err != nil {
		panic(err) // it is embedded
	}
	raw = bytes.ReplaceAll(raw, []byte("cniguard-doctor-K3QZ7M2VXWPLT5ORJAYB6DNHCE"), []byte(name))
	if t, err := event.Decode(raw); err == nil && t.Kind == event.Probe {
		note := map[string]any{"pk": map[string]any{"S": "DOCTOR"}, "sk": map[string]any{"S": t.Nonce}}
		s.items[keyOf(note)] = note
	}
}
