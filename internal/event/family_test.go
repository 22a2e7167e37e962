package event_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

const (
	parameters = "detail.requestParameters"
	name       = parameters + ".name"
)

// variant is a sample with one field changed, and what it then asks for.
type variant struct {
	sample string
	field  string
	value  any // nil: the field is taken away
	kind   event.Kind
	why    string
	id     cluster.ID
	ids    []cluster.ID // of several checks
	unit   event.Unit   // of a sweep
	err    string
}

func (v variant) run(t *testing.T) {
	t.Helper()
	raw := with(t, v.sample, v.field, v.value)
	if v.err != "" {
		refused(t, raw, v.err)
		return
	}
	have, err := event.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if have.Kind != v.kind || have.Why != v.why {
		t.Errorf("want %s %q, have %s %q", v.kind, v.why, have.Kind, have.Why)
	}
	if diff := cmp.Diff(v.id, have.Cluster); diff != "" {
		t.Errorf("cluster: -want +have\n%s", diff)
	}
	if diff := cmp.Diff(v.ids, have.Clusters); diff != "" {
		t.Errorf("clusters: -want +have\n%s", diff)
	}
	if v.sample != "own-sweeping.json" && have.Unit != v.unit {
		t.Errorf("want a sweep of %v, have %v", v.unit, have.Unit)
	}
}

// Facts 1.2/failed, 1.2/encoded, 1.2/epoch, 1.7/amazon.
func TestCallsOfTheEKSAPI(t *testing.T) {
	const update = "update-addon.json"
	const why = "CloudTrail UpdateAddon"
	wantName := name + ": want a cluster's name, or the ARN of a cluster of 111122223333 in eu-central-1, have "
	for title, v := range map[string]variant{
		"the detail-type begins with Amazon": {sample: update, field: "detail-type",
			value: "Amazon API Call via CloudTrail", kind: event.Check, why: why, id: prodEU},
		"the name is a plain ARN": {sample: update, field: name,
			value: prodEU.ARN(), kind: event.Check, why: why, id: prodEU},
		"a letter of the name is percent-encoded": {sample: update, field: name,
			value: "prod%2Deu", kind: event.Check, why: why, id: prodEU},
		"the responseElements are null": {sample: update, field: "detail.responseElements",
			value: json.RawMessage("null"), kind: event.Check, why: why, id: prodEU},
		"the responseElements are a list": {sample: update, field: "detail.responseElements",
			value: []int{1}, kind: event.Check, why: why, id: prodEU},
		"the caller is of another account": {sample: update, field: "detail.userIdentity.accountId",
			value: "999999999999", kind: event.Check, why: why, id: prodEU},
		"the call was read-only": {sample: update, field: "detail.readOnly",
			value: true, kind: event.Check, why: why, id: prodEU},
		"the error code is empty": {sample: update, field: "detail.errorCode",
			value: "", kind: event.Check, why: why, id: prodEU},
		"CloudTrail does not say the region": {sample: update, field: "detail.awsRegion",
			kind: event.Check, why: why, id: prodEU},
		"a call that failed has no parameters": {sample: "update-addon-failed.json", field: parameters,
			value: json.RawMessage("null"), kind: event.Skip, why: `failed UpdateAddon: "ResourceInUseException"`},
		"the name is a list in a call that does not matter": {sample: "other-call.json", field: name,
			value: []string{"x"}, kind: event.Skip, why: `other call: "CreateNodegroup"`},
		"the cluster's own call names an add-on": {sample: "delete-cluster.json", field: parameters + ".addonName",
			value: "coredns", kind: event.Check, why: "CloudTrail DeleteCluster", id: prodEU},
		"another add-on is deleted": {sample: "delete-addon.json", field: parameters + ".addonName",
			value: "kube-proxy", kind: event.Skip, why: `other add-on: "kube-proxy"`},
		"another add-on is created": {sample: "create-addon.json", field: parameters + ".addonName",
			value: "aws-ebs-csi-driver", kind: event.Skip, why: `other add-on: "aws-ebs-csi-driver"`},

		"the call has no name":          {sample: update, field: "detail.eventName", err: "detail.eventName: want the name of an API call, have nothing"},
		"the add-on is missing":         {sample: update, field: parameters + ".addonName", err: parameters + ".addonName: want an add-on's name, have nothing"},
		"the add-on is an object":       {sample: update, field: parameters + ".addonName", value: struct{}{}, err: parameters + ".addonName: want a string, have an object"},
		"the parameters are missing":    {sample: update, field: parameters, err: parameters + ": want an object, have nothing"},
		"the parameters are a string":   {sample: update, field: parameters, value: "x", err: parameters + ": want an object, have a string"},
		"the error code is a number":    {sample: update, field: "detail.errorCode", value: 400, err: "detail.errorCode: want a string, have a number"},
		"the name is empty":             {sample: update, field: name, value: "", err: wantName + "nothing"},
		"the name is true":              {sample: update, field: name, value: true, err: name + ": want a string, have a bool"},
		"the name is a path":            {sample: update, field: name, value: "..%2Fprod", err: wantName + `"..%2Fprod"`},
		"the name is encoded twice":     {sample: update, field: name, value: "prod%252Deu", err: wantName + `"prod%252Deu"`},
		"the ARN has no name":           {sample: update, field: name, value: "arn:aws:eks:eu-central-1:111122223333:cluster/", err: wantName},
		"the ARN is of an add-on":       {sample: update, field: name, value: "arn:aws:eks:eu-central-1:111122223333:addon/prod-eu/vpc-cni/1", err: wantName},
		"the ARN is of another region":  {sample: update, field: name, value: "arn:aws:eks:us-east-1:111122223333:cluster/prod-eu", err: wantName},
		"the ARN is of another cloud":   {sample: update, field: name, value: "arn:aws-cn:eks:eu-central-1:111122223333:cluster/prod-eu", err: wantName},
		"the region is of another case": {sample: update, field: "detail.awsRegion", value: "EU-CENTRAL-1", err: "detail.awsRegion: want the envelope's region eu-central-1"},
	} {
		t.Run(title, v.run)
	}
}

// Fact 1.5/shape.
func TestAlarms(t *testing.T) {
	const inAlarm, nonce = "alarm-to-alarm.json", "K3QZ7M2VXWPLT5ORJAYB6DNHCE"
	for title, v := range map[string]variant{
		"the alarm has too little data": {sample: inAlarm, field: "detail.state.value",
			value: "INSUFFICIENT_DATA", kind: event.Check, why: `alarm is "INSUFFICIENT_DATA"`, id: prodEU},
		"the configuration is missing": {sample: inAlarm, field: "detail.configuration",
			kind: event.Check, why: `alarm is "ALARM"`, id: prodEU},
		"the alarm watches an expression": {sample: inAlarm, field: "detail.configuration.metrics",
			value: []map[string]string{{"id": "e1", "expression": "m1*2"}}, kind: event.Check, why: `alarm is "ALARM"`, id: prodEU},
		"the name has the prefix only": {sample: inAlarm, field: "detail.alarmName",
			value: "cniguard-lambda-errors", kind: event.Skip, why: `other alarm: "cniguard-lambda-errors"`},
		"another's alarm has a shape of its own": {sample: "alarm-foreign.json", field: "detail.configuration",
			value: []int{1}, kind: event.Skip, why: `other alarm: "orders-queue-age"`},

		"a contributor says nothing of itself": {sample: "alarm-contributor.json", field: "detail.alarmContributor",
			kind: event.Check, why: `alarm is "ALARM"`, id: prodEU},
		"another's contributor changes": {sample: "alarm-contributor.json", field: "detail.alarmName",
			value: "DynamoDBInsightsAlarm", kind: event.Skip, why: `other alarm: "DynamoDBInsightsAlarm"`},
		"an alarm that is deleted has no state any more": {sample: "alarm-deleted.json", field: "detail.state",
			kind: event.Check, why: `alarm's configuration: "delete"`, id: prodEU},
		"the alarm was made to watch another cluster": {sample: "alarm-updated.json", field: "detail.configuration.metrics",
			value: json.RawMessage(`[{"metricStat":{"metric":{"dimensions":{"ClusterName":"other"}}}}]`),
			kind:  event.Check, why: `alarm's configuration: "update"`, id: prodEU},
		"an operation of a later day": {sample: "alarm-updated.json", field: "detail.operation",
			value: "disable", kind: event.Check, why: `alarm's configuration: "disable"`, id: prodEU},
		"the doctor's alarm is back": {sample: "alarm-probe.json", field: "detail.state.value",
			value: "OK", kind: event.Probe, why: `doctor's alarm is "OK"`},
		"the doctor's alarm watches anything": {sample: "alarm-probe.json", field: "detail.configuration",
			value: []int{1}, kind: event.Probe, why: `doctor's alarm is "ALARM"`},
		"the doctor's alarm is deleted": {sample: "alarm-deleted.json", field: "detail.alarmName",
			value: "cniguard-doctor-" + nonce, kind: event.Skip, why: `other alarm: "cniguard-doctor-` + nonce + `"`},
		"a name that only begins as the doctor's": {sample: "alarm-probe.json", field: "detail.alarmName",
			value: "cniguard-doctor-" + nonce + "2", kind: event.Skip, why: `other alarm: "cniguard-doctor-` + nonce + `2"`},
		"a cluster that is called as the doctor's alarm": {sample: "alarm-probe.json", field: "detail.alarmName",
			value: "cniguard-doctor-" + nonce + "-pod-subnets", kind: event.Check, why: `alarm is "ALARM"`,
			id: cluster.ID{Account: hub.Account, Region: hub.Region, Name: "doctor-" + nonce}},
		"another's alarm is deleted": {sample: "alarm-deleted.json", field: "detail.alarmName",
			value: "orders-queue-age", kind: event.Skip, why: `other alarm: "orders-queue-age"`},

		"the doctor's alarm has no state": {sample: "alarm-probe.json", field: "detail.state", err: "detail.state.value: want an alarm's state, have nothing"},
		"the doctor's alarm has no time":  {sample: "alarm-probe.json", field: "detail.state.timestamp", err: "detail.state.timestamp: want a time as"},
		"the operation is a number":       {sample: "alarm-deleted.json", field: "detail.operation", value: 1, err: "detail.operation: want a string, have a number"},
		"a contributor has no state":      {sample: "alarm-contributor.json", field: "detail.state", err: "detail.state.value: want an alarm's state, have nothing"},
		"the alarm has no name":           {sample: inAlarm, field: "detail.alarmName", err: "detail.alarmName: want an alarm's name, have nothing"},
		"the name holds no cluster":       {sample: inAlarm, field: "detail.alarmName", value: "cniguard-a b-pod-subnets", err: `detail.alarmName: want the name of a cluster's alarm, have "cniguard-a b-pod-subnets"`},
		"the state is missing":            {sample: inAlarm, field: "detail.state", err: "detail.state.value: want an alarm's state, have nothing"},
		"the state is a string":           {sample: inAlarm, field: "detail.state", value: "ALARM", err: "detail.state: want an object, have a string"},
		"the time is missing":             {sample: inAlarm, field: "detail.state.timestamp", err: "detail.state.timestamp: want a time as"},
		"the configuration is a string":   {sample: inAlarm, field: "detail.configuration", value: "x", err: "detail.configuration: want an object, have a string"},
		"the metrics are an object":       {sample: inAlarm, field: "detail.configuration.metrics", value: struct{}{}, err: "detail.configuration.metrics: want a list, have an object"},
		"the alarm is of another cluster": {sample: inAlarm, field: "detail.alarmName", value: "cniguard-prod-us-pod-subnets", err: `dimensions.ClusterName: want the alarm's cluster prod-us, have "prod-eu"`},
	} {
		t.Run(title, v.run)
	}
}

func TestWakeUps(t *testing.T) {
	for title, v := range map[string]variant{
		"a check says no reason": {sample: "own-check.json", field: "detail.why",
			kind: event.Check, why: "cniguard Check Requested", id: prodEU},
		"a check has a field of a later release": {sample: "own-check.json", field: "detail.later",
			value: 1, kind: event.Check, why: "meter: critical", id: prodEU},
		"a tick has a field it does not need": {sample: "own-tick.json", field: "detail.account",
			value: "x", kind: event.Tick, why: "cniguard Tick"},
		"a sweep begins at the first cluster": {sample: "own-sweeping.json", field: "detail.after",
			kind: event.Sweeping, why: "cniguard Sweeping"},
		"the end of a sweep is told": {sample: "own-sweep.json", field: "detail-type",
			value: "Sweep Finished", kind: event.Skip, why: `unknown event: "cniguard/Sweep Finished"`},

		"a check has no account":            {sample: "own-check.json", field: "detail.account", err: "detail.account: want an account id of twelve digits, have nothing"},
		"a check has a bad region":          {sample: "own-check.json", field: "detail.region", value: "eu", err: `detail.region: want a region, have "eu"`},
		"a check names an ARN":              {sample: "own-check.json", field: "detail.name", value: prodEU.ARN(), err: `detail.name: want a cluster's name, have "arn:`},
		"a metering has no region":          {sample: "own-metering.json", field: "detail.region", err: "detail.region: want a region, have nothing"},
		"a metering has a bad time":         {sample: "own-metering.json", field: "detail.at", value: "09:30", err: `detail.at: want a time as 2006-01-02T15:04:05Z07:00, have "09:30"`},
		"a sweep goes on after no cluster":  {sample: "own-sweeping.json", field: "detail.after", value: "a/b", err: `detail.after: want a cluster's name or nothing, have "a/b"`},
		"a sweep's account is not a number": {sample: "own-sweeping.json", field: "detail.account", value: 111122223333, err: "detail.account: want a string, have a number"},
	} {
		t.Run(title, v.run)
	}
}
