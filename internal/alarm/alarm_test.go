package alarm_test

import (
	crypto "crypto/rand"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
)

var prod = cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod"}

func TestWantIsTheAlarmOfOneCluster(t *testing.T) {
	got := alarm.Want(prod, 82.5)
	if !strings.Contains(got.Description, "cluster prod ") || !strings.Contains(got.Description, "82.5 %") {
		t.Errorf("the description names neither cluster nor threshold: %s", got.Description)
	}
	got.Description = ""
	want := alarm.Spec{
		Name: "cniguard-prod-pod-subnets", Namespace: "CNIGuard", Metric: "WorstPodSubnetUtilization",
		Dimensions: map[string]string{"ClusterName": "prod"}, Statistic: "Maximum", Period: 300, Evaluation: 3, Points: 2,
		Comparison: "GreaterThanOrEqualToThreshold", Threshold: 82.5, Missing: "missing",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text := alarm.Want(prod, 80).Description; !strings.Contains(text, " 80 %") {
		t.Errorf("a whole number is not written as one: %s", text)
	}
}

func TestTheLongestClusterNameFitsCloudWatch(t *testing.T) {
	// 255 characters of a name, 1024 of a description, 255 of a dimension's value (CloudWatch API reference, PutMetricAlarm).
	longest := alarm.Want(cluster.ID{Account: prod.Account, Region: prod.Region, Name: strings.Repeat("w", 100)}, 99.99)
	if n := utf8.RuneCountInString(longest.Name); n > 255 {
		t.Errorf("a name of %d characters", n)
	}
	if n := utf8.RuneCountInString(longest.Description); n > 1024 {
		t.Errorf("a description of %d characters", n)
	}
	if n := utf8.RuneCountInString(longest.Dimensions[alarm.Dimension]); n > 255 {
		t.Errorf("a dimension of %d characters", n)
	}
}

func TestClusterReadsTheNamesOfOurAlarmsOnly(t *testing.T) {
	for name, c := range map[string]struct {
		alarm, want string
		ours        bool
	}{
		"our own":                                     {"cniguard-prod-pod-subnets", "prod", true},
		"a cluster that is named like an alarm":       {"cniguard-cniguard-x-pod-subnets-pod-subnets", "cniguard-x-pod-subnets", true},
		"one without our prefix":                      {"prod-pod-subnets", "", false},
		"one of ours for something else":              {"cniguard-prod-dead-letters", "prod-dead-letters", false},
		"one without a cluster":                       {"cniguard--pod-subnets", "", false},
		"one in which prefix and ending run together": {"cniguard-pod-subnets", "", false},
		"one that only begins with our prefix's word": {"cniguardian-prod-pod-subnets", "", false},
		"one in other letters":                        {"CNIGuard-prod-pod-subnets", "", false},
		"nothing":                                     {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ours := alarm.Cluster(c.alarm)
			if ours != c.ours || ours && got != c.want {
				t.Errorf("%q, %v; want %q, %v", got, ours, c.want, c.ours)
			}
		})
	}
}

func TestAnAlarmsNameIsReadBackAsItsCluster(t *testing.T) {
	round := func(seed uint64) bool {
		r := rand.New(rand.NewPCG(seed, 1))
		// Names are made of what could confuse: the parts of an alarm's name.
		var b strings.Builder
		for range 1 + r.IntN(5) {
			b.WriteString([]string{"a", "cniguard-", "-pod-subnets", "pod", "-", "_"}[r.IntN(6)])
		}
		id := cluster.ID{Account: prod.Account, Region: prod.Region, Name: b.String()}
		got, ours := alarm.Cluster(alarm.Name(id))
		return ours && got == id.Name
	}
	if err := quick.Check(round, nil); err != nil {
		t.Error(err)
	}
}

// changed is the alarm with one field set to another value.
func changed(t *testing.T, field int) alarm.Spec {
	t.Helper()
	s := alarm.Want(prod, 80)
	v := reflect.ValueOf(&s).Elem().Field(field)
	switch v.Interface().(type) {
	case string:
		v.SetString(v.String() + "x")
	case int:
		v.SetInt(v.Int() + 1)
	case float64:
		v.SetFloat(v.Float() + 0.5)
	case map[string]string:
		v.Set(reflect.ValueOf(map[string]string{"ClusterName": "other"}))
	case []string:
		v.Set(reflect.ValueOf([]string{"arn:aws:sns:eu-central-1:111122223333:page"}))
	default:
		t.Fatalf("no other value is known for a %s", v.Type())
	}
	return s
}

func TestDiffersNamesTheFieldThatDiffers(t *testing.T) {
	want := map[string][]string{
		"Name":        nil, // alarms are compared under one name
		"Description": {"description"},
		"Namespace":   {"metric"}, "Metric": {"metric"},
		"Dimensions": {"dimensions"},
		"Statistic":  {"statistic"},
		"Period":     {"period"},
		"Evaluation": {"evaluation"}, "Points": {"evaluation"},
		"Comparison": {"threshold"}, "Threshold": {"threshold"},
		"Missing": {"missing data"},
		"Actions": {"actions"},
	}
	spec, standing := reflect.TypeFor[alarm.Spec](), alarm.Want(prod, 80)
	for i := range spec.NumField() {
		name := spec.Field(i).Name
		t.Run(name, func(t *testing.T) {
			names, known := want[name]
			if !known {
				t.Fatal("nobody has said whether two alarms differ in this field")
			}
			if diff := cmp.Diff(names, alarm.Differs(standing, changed(t, i))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// random is an alarm near the wanted one: some of its fields are others.
func random(t *testing.T, r *rand.Rand) alarm.Spec {
	t.Helper()
	s := alarm.Want(prod, 80)
	for i := range reflect.TypeFor[alarm.Spec]().NumField() {
		if r.IntN(3) == 0 {
			reflect.ValueOf(&s).Elem().Field(i).Set(reflect.ValueOf(changed(t, i)).Field(i))
		}
	}
	return s
}

func TestDiffersIsSymmetricNamesNothingTwiceAndNothingOfEqualAlarms(t *testing.T) {
	lawful := func(x, y uint64) bool {
		a, b := random(t, rand.New(rand.NewPCG(x, 1))), random(t, rand.New(rand.NewPCG(y, 1)))
		seen := map[string]bool{}
		for _, field := range alarm.Differs(a, b) {
			if seen[field] {
				return false
			}
			seen[field] = true
		}
		a2 := a
		a2.Name = b.Name
		return cmp.Equal(alarm.Differs(a, b), alarm.Differs(b, a)) && len(alarm.Differs(a, a)) == 0 &&
			(len(seen) == 0) == cmp.Equal(a2, b)
	}
	if err := quick.Check(lawful, &quick.Config{MaxCount: 1000}); err != nil {
		t.Error(err)
	}
}

func TestNoActionsAndAnEmptyListOfActionsAreTheSame(t *testing.T) {
	a, b := alarm.Want(prod, 80), alarm.Want(prod, 80)
	b.Actions = []string{}
	if diff := alarm.Differs(a, b); len(diff) > 0 {
		t.Errorf("differ in %v", diff)
	}
}

func TestTheAlarmCanReachItsPoints(t *testing.T) {
	if alarm.Points > alarm.Evaluation || alarm.Points < 1 {
		t.Errorf("%d of %d points", alarm.Points, alarm.Evaluation)
	}
	// "The evaluation period times the period must be at most one day" (CloudWatch API reference, PutMetricAlarm).
	if alarm.Period*alarm.Evaluation > 86400 || alarm.Period%60 != 0 {
		t.Errorf("%d periods of %d s", alarm.Evaluation, alarm.Period)
	}
}

func TestTheNameOfAProbeIsReadBackAsItsNonceAndIsNoClusters(t *testing.T) {
	for range 100 {
		nonce := crypto.Text()
		name := alarm.Probe(nonce)
		if got, ours := alarm.Nonce(name); !ours || got != nonce {
			t.Errorf("%s is read as %q, %v", name, got, ours)
		}
		if id, is := alarm.Cluster(name); is {
			t.Errorf("%s is taken for the alarm of cluster %s", name, id)
		}
	}
}

func TestOnlyTheWholeNameOfAProbeIsOne(t *testing.T) {
	const nonce = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	named := func(cluster string) string {
		id := prod
		id.Name = cluster
		return alarm.Name(id)
	}
	for name, alarmName := range map[string]string{
		"a cluster's":                         named("prod"),
		"that of a cluster named like one":    named("doctor-" + nonce),
		"that of a cluster named like it all": named(alarm.Probe(nonce)),
		"one with too little":                 alarm.Probe(nonce[1:]),
		"one with too much":                   alarm.Probe(nonce + "A"),
		"one in small letters":                alarm.Probe(strings.ToLower(nonce)),
		"one with a digit that is not used":   alarm.Probe(nonce[1:] + "0"),
		"one with a hyphen":                   alarm.Probe(nonce[1:] + "-"),
		"one of something else":               "cniguard-" + nonce,
		"one without the prefix":              "doctor-" + nonce,
		"one without a nonce":                 alarm.Probe(""),
	} {
		if got, is := alarm.Nonce(alarmName); is {
			t.Errorf("%s, %s, is taken for the probe %s", name, alarmName, got)
		}
	}
}
