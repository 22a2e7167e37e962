package event_test

import (
	"encoding/json"
	"testing"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/event"
)

// named is a sample that tells of the alarm with such a name, in such a state.
func named(t *testing.T, sample, name, state string) []byte {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(with(t, sample, "detail.alarmName", name), &e); err != nil {
		t.Fatal(err)
	}
	e["detail"].(map[string]any)["state"] = map[string]string{"value": state, "timestamp": "2026-11-23T09:20:12.345+0000"}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What a change of configuration shows as state is as old as it may be, and a state of a later day is none that rings.
func TestAnAlarmRangJustWhenItWentToALARM(t *testing.T) {
	changes := map[string]bool{"alarm-to-alarm.json": true, "alarm-to-ok.json": true, "alarm-contributor.json": true, "alarm-updated.json": false, "alarm-deleted.json": false}
	for sample, ofState := range changes {
		for _, k := range alarm.Kinds() {
			for _, state := range []string{string(alarm.InAlarm), string(alarm.OK), string(alarm.InsufficientData), "Alarm", "ALARM_AGAIN"} {
				have, err := event.Decode(named(t, sample, k.Name(prodEU), state))
				if err != nil {
					t.Fatalf("%s, %s in %s: %v", sample, k, state, err)
				}
				if have.Kind != event.Check || have.Cluster != prodEU || have.Rang != (ofState && state == "ALARM") {
					t.Errorf("%s, %s in %s: asks for %s of %v, rang: %t", sample, k, state, have.Kind, have.Cluster, have.Rang)
				}
			}
		}
	}
}

func TestWhatIsNoAlarmOfAClusterNeverRang(t *testing.T) {
	for name, raw := range map[string][]byte{
		"another's alarm":                named(t, "alarm-to-alarm.json", "orders-queue-age", "ALARM"),
		"one of ours for something else": named(t, "alarm-to-alarm.json", "cniguard-dead-letters", "ALARM"),
		"the doctor's":                   named(t, "alarm-probe.json", alarm.Probe("K3QZ7M2VXWPLT5ORJAYB6DNHCE"), "ALARM"),
		"one that was created":           named(t, "alarm-created.json", alarm.DaysLeft.Name(prodEU), "ALARM"),
		"a wake-up that says so":         with(t, "own-check.json", "detail.rang", true),
	} {
		t.Run(name, func(t *testing.T) {
			if have, err := event.Decode(raw); err != nil || have.Rang {
				t.Errorf("rang: %t, %v", have.Rang, err)
			}
		})
	}
}

// An alarm on metric math comes with its terms beside the expression; none of them names the cluster.
func TestAnAlarmOnAnExpressionIsRead(t *testing.T) {
	raw := with(t, "alarm-to-alarm.json", "detail.configuration.metrics", json.RawMessage(`[
		{"id": "result", "expression": "IF(limit > 0, 100 * assigned / limit, 0)", "returnData": true},
		{"id": "assigned", "metricStat": {"metric": {"namespace": "Kubernetes", "name": "assignIPAddresses", "dimensions": {"CLUSTER_ID": "blue"}}, "period": 300, "stat": "Maximum"}, "returnData": false},
		{"id": "limit", "metricStat": {"metric": {"namespace": "Kubernetes", "name": "maxIPAddresses", "dimensions": {"CLUSTER_ID": "blue"}}, "period": 300, "stat": "Maximum"}, "returnData": false}]`))
	have, err := event.Decode(raw)
	if err != nil || have.Kind != event.Check || have.Cluster != prodEU || !have.Rang {
		t.Errorf("have %+v, %v", have, err)
	}
}
