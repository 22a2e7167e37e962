package cloud_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// wanted is the alarm of a kind with everything that a policy can ask for.
func wanted(k alarm.Kind) alarm.Spec {
	return alarm.Wish{Cluster: prod, Warning: 80.5, DaysLeft: 14, HelperID: "prod-blue", Actions: []string{"arn:a", "arn:b"}, Owner: "team a"}.Want(k)
}

func tagsOf(s alarm.Spec) []cwtypes.Tag {
	var all []cwtypes.Tag
	for _, key := range []string{"cluster", "made-by", "owner", "policy"} {
		all = append(all, cwtypes.Tag{Key: aws.String(key), Value: aws.String(s.Tags[key])})
	}
	return all
}

// put is the alarm as CloudWatch has it after it was put.
func put(t *testing.T, s alarm.Spec) cwtypes.MetricAlarm {
	t.Helper()
	f := healthy(t)
	if o := f.cloud().Do(t.Context(), prod, guard.Action{Kind: guard.PutAlarm, Alarm: s}); o.Fault != nil {
		t.Fatal(o.Fault)
	}
	return f.alarms[0]
}

// read is what is read of an alarm as CloudWatch has it.
func read(t *testing.T, a cwtypes.MetricAlarm) alarm.Spec {
	t.Helper()
	f := healthy(t)
	f.alarms = []cwtypes.MetricAlarm{a}
	got := f.cloud().Observe(t.Context(), prod).Alarms
	if got.Fault != nil || len(got.Value) != 1 {
		t.Fatalf("got %+v", got)
	}
	return got.Value[0].Spec
}

func TestAnAlarmThatWasPutIsReadAsItWasWanted(t *testing.T) {
	f := healthy(t)
	c := f.cloud()
	for _, k := range alarm.Kinds() {
		if o := c.Do(t.Context(), prod, guard.Action{Kind: guard.PutAlarm, Alarm: wanted(k)}); o.Fault != nil {
			t.Fatal(o.Fault)
		}
	}
	f.order = nil
	got := c.Observe(t.Context(), prod).Alarms
	if got.Fault != nil || len(got.Value) != 4 {
		t.Fatalf("got %+v; want all four", got)
	}
	for i, k := range alarm.Kinds() {
		want := alarm.Standing{Spec: wanted(k), State: alarm.InsufficientData, Since: start}
		want.Spec.Tags = nil // are not shown
		if diff := cmp.Diff(want, got.Value[i]); diff != "" {
			t.Errorf("%s (-want +got)\n%s", k, diff)
		}
	}
}

func TestAlarmsAreReadOnAllPages(t *testing.T) {
	f := healthy(t)
	for _, k := range alarm.Kinds() {
		f.alarms = append(f.alarms, put(t, wanted(k)))
	}
	f.cloud().Observe(t.Context(), prod)
	if n := len(f.calls["DescribeAlarms"]); n != 2 {
		t.Errorf("%d calls; want one for each of two pages", n)
	}
	f.fails["DescribeAlarms"], f.passes = code("Throttling"), map[string]int{"DescribeAlarms": 3}
	if got := f.cloud().Observe(t.Context(), prod).Alarms; got.Fault == nil || got.Value != nil {
		t.Errorf("a half is not the whole: %+v", got)
	}
}

func TestAnAlarmOnAnExpressionIsPutWithoutTheSettingsOfAMetric(t *testing.T) {
	f := healthy(t)
	spec := wanted(alarm.NodeCapacity)
	f.cloud().Do(t.Context(), prod, guard.Action{Kind: guard.PutAlarm, Alarm: spec})
	var metrics []cwtypes.MetricDataQuery
	for _, id := range []string{"assigned", "limit"} {
		metrics = append(metrics, cwtypes.MetricDataQuery{Id: aws.String(id), ReturnData: aws.Bool(false), MetricStat: &cwtypes.MetricStat{
			Metric: &cwtypes.Metric{Namespace: aws.String("Kubernetes"), MetricName: aws.String(spec.Terms[id]),
				Dimensions: []cwtypes.Dimension{{Name: aws.String("CLUSTER_ID"), Value: aws.String("prod-blue")}}},
			Period: aws.Int32(300), Stat: aws.String("Maximum"),
		}})
	}
	want := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("cniguard-prod-node-capacity"), AlarmDescription: &spec.Description,
		Metrics:           append(metrics, cwtypes.MetricDataQuery{Id: aws.String("result"), Expression: &spec.Expression, ReturnData: aws.Bool(true)}),
		EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(2), Threshold: aws.Float64(80.5), TreatMissingData: aws.String("missing"),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold,
		ActionsEnabled:     aws.Bool(true), AlarmActions: []string{"arn:a", "arn:b"}, OKActions: []string{"arn:a", "arn:b"}, Tags: tagsOf(spec),
	}
	if diff := cmp.Diff([]*cloudwatch.PutMetricAlarmInput{want}, sent[*cloudwatch.PutMetricAlarmInput](f, "PutMetricAlarm"), serde()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// unseen are the fields of an alarm that need not be compared, and why.
func unseen(math bool) map[string]string {
	is := map[string]string{
		".AlarmArn":                           "is made of the name",
		".AlarmConfigurationUpdatedTimestamp": "is no setting", ".StateReason": "is no setting", ".StateReasonData": "is no setting", ".StateValue": "is no setting",
		".StateTransitionedTimestamp": "is no setting", ".StateUpdatedTimestamp": "is no setting", ".EvaluationState": "is no setting",
		".ActionConfiguration":              "says only whether messages carry the tags",
		".EvaluateLowSampleCountPercentile": "is for percentiles, and the statistic is compared",
		".EvaluationCriteria":               "is of alarms by PromQL, which have no metric", ".EvaluationInterval": "is of alarms by PromQL, which have no metric",
		".ThresholdMetricId": "names a band among the metrics, and these are compared",
	}
	if math {
		for _, name := range []string{"Namespace", "Dimensions", "Statistic", "ExtendedStatistic", "Period", "Unit"} {
			is["."+name] = "cannot be there beside metrics"
		}
		for i := range 3 {
			is[fmt.Sprintf(".Metrics[%d].Label", i)] = "names a line of a graph"
		}
	}
	return is
}

func TestAChangeByHandOfAnyFieldOfAnAlarmIsSeen(t *testing.T) {
	for _, k := range alarm.Kinds() {
		want, known := wanted(k), unseen(k == alarm.NodeCapacity)
		like := put(t, want)
		n := len(changes(reflect.ValueOf(&like).Elem(), ""))
		for i := range n {
			a := put(t, want)
			c := changes(reflect.ValueOf(&a).Elem(), "")[i]
			if c.what == ".AlarmName changed" {
				continue // then it is another alarm
			}
			c.do()
			field, _, _ := strings.Cut(c.what, " ")
			why, exempt := known[field]
			if differ := alarm.Differs(want, read(t, a)); exempt == (len(differ) > 0) {
				t.Errorf("%s: %s: differs in %q; exempt: %q", k, c.what, differ, why)
			}
		}
		if least := map[bool]int{false: 35, true: 60}[k == alarm.NodeCapacity]; n < least {
			t.Errorf("%s: only %d changes were tried", k, n)
		}
	}
}

// edit is a change of one thing.
type edit struct {
	what string // where, and then how
	do   func()
}

// changes are all changes of v that change one thing: a value, an element more, one less, a struct that comes or goes.
func changes(v reflect.Value, at string) []edit {
	set := func(how string, to func() reflect.Value) edit { return edit{at + how, func() { v.Set(to()) }} }
	var all []edit
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				all = append(all, changes(v.Field(i), at+"."+f.Name)...)
			}
		}
	case reflect.Slice:
		v.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v)) // others may have the same
		for i := range v.Len() {
			all = append(all, changes(v.Index(i), fmt.Sprintf("%s[%d]", at, i))...)
		}
		if v.Len() > 0 {
			all = append(all, set(" shorter", func() reflect.Value { return v.Slice(0, v.Len()-1) }))
		}
		all = append(all, set(" longer", func() reflect.Value { return reflect.Append(v, filled(v.Type().Elem())) }))
	case reflect.Pointer:
		if v.IsNil() || v.Type().Elem().Kind() != reflect.Struct || v.Type() == reflect.TypeFor[*time.Time]() {
			return []edit{set(" changed", func() reflect.Value { return another(v) })}
		}
		all = append(changes(v.Elem(), at), set(" gone", func() reflect.Value { return reflect.Zero(v.Type()) }))
	case reflect.String:
		all = append(all, set(" changed", func() reflect.Value { return reflect.ValueOf(v.String() + "x").Convert(v.Type()) }))
	case reflect.Interface:
		all = append(all, set(" changed", func() reflect.Value {
			if v.Type() == reflect.TypeFor[cwtypes.EvaluationWindow]() {
				return reflect.ValueOf(&cwtypes.EvaluationWindowMemberWallClockWindow{})
			}
			return reflect.ValueOf(&cwtypes.EvaluationCriteriaMemberPromQLCriteria{})
		}))
	}
	return all
}

// another points to another value than v does.
func another(v reflect.Value) reflect.Value {
	p := filled(v.Type())
	if v.IsNil() {
		return p
	}
	switch to := p.Elem(); to.Kind() {
	case reflect.String:
		to.SetString(v.Elem().String() + "x")
	case reflect.Int32:
		to.SetInt(v.Elem().Int() + 1)
	case reflect.Float64:
		to.SetFloat(v.Elem().Float() + 1)
	case reflect.Bool:
		to.SetBool(!v.Elem().Bool())
	}
	return p
}

// filled is a value that is not the zero value, whatever its fields mean.
func filled(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(filled(t.Elem()))
	case reflect.Struct:
		for i := range v.NumField() {
			if t.Field(i).IsExported() {
				v.Field(i).Set(filled(t.Field(i).Type))
			}
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Int32:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Bool:
		v.SetBool(true)
	}
	return v
}

func TestWhatChangesNothingOfAnAlarmIsNoDifference(t *testing.T) {
	for name, c := range map[string]func(*cwtypes.MetricAlarm){
		"the order of the metrics": func(a *cwtypes.MetricAlarm) { slices.Reverse(a.Metrics) },
		"labels": func(a *cwtypes.MetricAlarm) {
			a.Metrics[0].Label, a.Metrics[2].Label = aws.String("pods"), aws.String("share")
		},
		"what is not returned, unsaid":  func(a *cwtypes.MetricAlarm) { a.Metrics[0].ReturnData = nil },
		"the default window, said":      func(a *cwtypes.MetricAlarm) { a.EvaluationWindow = &cwtypes.EvaluationWindowMemberSlidingWindow{} },
		"a warm-up of no minutes, said": func(a *cwtypes.MetricAlarm) { a.WarmUpConfiguration = &cwtypes.WarmUpConfiguration{} },
	} {
		a := put(t, wanted(alarm.NodeCapacity))
		c(&a)
		if differ := alarm.Differs(wanted(alarm.NodeCapacity), read(t, a)); len(differ) > 0 {
			t.Errorf("%s: differs in %q", name, differ)
		}
	}
}

func TestAnAlarmThatStandsIsTaggedBeforeItIsPut(t *testing.T) {
	f := healthy(t)
	f.cloud().Do(t.Context(), prod, guard.Action{Kind: guard.PutAlarm, Alarm: wanted(alarm.FreeBlocks), Retag: true})
	if want := []string{"TagResource", "PutMetricAlarm"}; !slices.Equal(f.order, want) {
		t.Errorf("called %q; want %q", f.order, want)
	}
	want := []*cloudwatch.TagResourceInput{{ResourceARN: aws.String("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:cniguard-prod-free-blocks"),
		Tags: tagsOf(wanted(alarm.FreeBlocks))}}
	if diff := cmp.Diff(want, sent[*cloudwatch.TagResourceInput](f, "TagResource"), serde()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	f = healthy(t)
	f.cloud().Do(t.Context(), prod, guard.Action{Kind: guard.PutAlarm, Alarm: wanted(alarm.FreeBlocks)})
	if want := []string{"PutMetricAlarm"}; !slices.Equal(f.order, want) {
		t.Errorf("one that does not stand: called %q; want %q", f.order, want)
	}
}

func TestAnAlarmIsNotPutWithoutItsTags(t *testing.T) {
	const op = "cloudwatch:TagResource"
	for with, want := range map[string]*fault.Fault{
		"AccessDenied":              {Kind: fault.Terminal, Op: op, Code: "AccessDenied", Need: op, Text: "because"},
		"Throttling":                {Kind: fault.Retry, Op: op, Code: "Throttling", Text: "because"},
		"InternalServiceFault":      {Kind: fault.Retry, Op: op, Code: "InternalServiceFault", InDoubt: true, Text: "because"},
		"ResourceNotFoundException": nil, // it was removed meanwhile, and is put with its tags
	} {
		f := healthy(t)
		f.fails["TagResource"] = code(with)
		got := f.cloud().Do(t.Context(), prod, guard.Action{Kind: guard.PutAlarm, Alarm: wanted(alarm.PodSubnets), Retag: true})
		if diff := cmp.Diff(want, got.Fault); diff != "" {
			t.Errorf("%s (-want +got)\n%s", with, diff)
		}
		if puts := len(f.calls["PutMetricAlarm"]); (puts == 1) != (want == nil) {
			t.Errorf("%s: put %d times", with, puts)
		}
	}
}

func TestTheAlarmsOfAUnitAreThoseOfClusters(t *testing.T) {
	f := healthy(t)
	for _, name := range []string{
		"cniguard-test-node-capacity", "cniguard-prod-pod-subnets", "cniguard-prod-free-blocks", "cniguard-a-b-days-left",
		"cniguard-doctor-K3QZ7M2VXWPLT5ORJAYB6DNHCE", "cniguard-Errors", "cniguard--pod-subnets", "cniguard-prod", "other-prod-pod-subnets", "CNIGUARD-prod-pod-subnets",
	} {
		f.alarms = append(f.alarms, cwtypes.MetricAlarm{AlarmName: &name, AlarmDescription: aws.String("… Made and kept by cniguard …")})
	}
	f.alarms = append(f.alarms, cwtypes.MetricAlarm{}, cwtypes.MetricAlarm{AlarmName: aws.String("cniguard-named-alike-pod-subnets")})
	got, err := f.cloud().Alarms(t.Context(), unit)
	want := []string{"cniguard-a-b-days-left", "cniguard-prod-free-blocks", "cniguard-prod-pod-subnets", "cniguard-test-node-capacity"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	first := &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("cniguard-"), AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm}, MaxRecords: aws.Int32(100)}
	calls := sent[*cloudwatch.DescribeAlarmsInput](f, "DescribeAlarms")
	if diff := cmp.Diff(first, calls[0], serde()); diff != "" || len(calls) != 5 || f.calls["DescribeAlarms"][0].role != access.Observer {
		t.Errorf("%d calls, want 5 by the observer; the first (-want +got)\n%s", len(calls), diff)
	}
}

func TestAlarmsThatCannotAllBeListedAreAnError(t *testing.T) {
	for with, want := range map[string]fault.Fault{
		"AccessDenied": {Kind: fault.Terminal, Op: "cloudwatch:DescribeAlarms", Code: "AccessDenied", Need: "cloudwatch:DescribeAlarms", Text: "because"},
		"Throttling":   {Kind: fault.Retry, Op: "cloudwatch:DescribeAlarms", Code: "Throttling", Text: "because"},
	} {
		f := healthy(t)
		for _, name := range []string{"cniguard-a-days-left", "cniguard-b-days-left", "cniguard-c-days-left"} {
			f.alarms = append(f.alarms, cwtypes.MetricAlarm{AlarmName: &name})
		}
		f.fails["DescribeAlarms"], f.passes = code(with), map[string]int{"DescribeAlarms": 1}
		got, err := f.cloud().Alarms(t.Context(), unit)
		if ft := fault.Of(err); ft == nil || *ft != want || got != nil {
			t.Errorf("%s: %q, %+v; want %+v", with, got, ft, want)
		}
		if text := "list the alarms of 111122223333 in eu-central-1: " + want.Error(); err.Error() != text {
			t.Errorf("got %v; want %s", err, text)
		}
	}
	if got, err := healthy(t).cloud().Alarms(t.Context(), unit); err != nil || len(got) != 0 {
		t.Errorf("where there are none: %q, %v", got, err)
	}
}

func TestAnAlarmIsInItsStateSinceItCameIntoIt(t *testing.T) {
	f := healthy(t)
	a := standing(kept(prod))
	later := start.Add(time.Hour)
	a.StateUpdatedTimestamp = &later
	f.alarms = []cwtypes.MetricAlarm{a}
	if got := f.cloud().Observe(t.Context(), prod).Alarms.Value[0].Since; !got.Equal(later) {
		t.Errorf("without a transition since %s", got)
	}
	f.alarms[0].StateTransitionedTimestamp = &start
	if got := f.cloud().Observe(t.Context(), prod).Alarms.Value[0].Since; !got.Equal(start) {
		t.Errorf("with one since %s", got)
	}
}
