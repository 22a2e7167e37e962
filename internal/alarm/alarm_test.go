package alarm_test

import (
	crypto "crypto/rand"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
)

var prod = cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod"}

// kept is the alarm that the built-in settings call for.
func kept(id cluster.ID) alarm.Spec {
	return alarm.Wish{Cluster: id, Warning: 80, Owner: id.Account}.Want(alarm.PodSubnets)
}

func TestClusterReadsTheNamesOfOurAlarmsOnly(t *testing.T) {
	for name, c := range map[string]struct {
		alarm, want string
		ours        bool
	}{
		"our own":           {"cniguard-prod-pod-subnets", "prod", true},
		"our own on blocks": {"cniguard-prod-free-blocks", "prod", true},
		"our own on days":   {"cniguard-prod-days-left", "prod", true},
		"our own on nodes":  {"cniguard-prod-node-capacity", "prod", true},
		"a cluster named like the end of another":     {"cniguard-x-days-left-free-blocks", "x-days-left", true},
		"one with an ending in capitals":              {"cniguard-prod-Days-Left", "", false},
		"one whose ending is cut off":                 {"cniguard-prod-days", "", false},
		"an ending without a cluster":                 {"cniguard--node-capacity", "", false},
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
	kinds := alarm.Kinds()
	// Names are made of what could confuse: the parts of an alarm's name.
	parts := []string{"a", "cniguard-", "pod", "-", "_"}
	for _, k := range kinds {
		parts = append(parts, "-"+string(k), string(k))
	}
	round := func(seed uint64) bool {
		r := rand.New(rand.NewPCG(seed, 1))
		var b strings.Builder
		for range 1 + r.IntN(5) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		id := cluster.ID{Account: prod.Account, Region: prod.Region, Name: b.String()}
		got, ours := alarm.Cluster(kinds[r.IntN(len(kinds))].Name(id))
		return ours && got == id.Name
	}
	if err := quick.Check(round, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

// Else the name of one cluster's alarm could be that of another's.
func TestNoKindsNameEndsAsAnothers(t *testing.T) {
	for _, a := range alarm.Kinds() {
		for _, b := range alarm.Kinds() {
			if a != b && strings.HasSuffix("-"+string(b), "-"+string(a)) {
				t.Errorf("%s ends as %s does", b, a)
			}
		}
	}
}

func TestTheNamesOfAClustersAlarmsAreOneOfEachKind(t *testing.T) {
	want := []string{"cniguard-prod-pod-subnets", "cniguard-prod-free-blocks", "cniguard-prod-days-left", "cniguard-prod-node-capacity"}
	if diff := cmp.Diff(want, alarm.Names(prod)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnAlarmsARNIsInThePartitionOfItsRegion(t *testing.T) {
	for region, want := range map[string]string{
		"eu-central-1":  "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:x",
		"cn-north-1":    "arn:aws-cn:cloudwatch:cn-north-1:111122223333:alarm:x",
		"us-gov-west-1": "arn:aws-us-gov:cloudwatch:us-gov-west-1:111122223333:alarm:x",
	} {
		if got := alarm.ARN(cluster.ID{Account: prod.Account, Region: region, Name: "prod"}, "x"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// changed is the alarm with one field set to another value.
func changed(t *testing.T, field int) alarm.Spec {
	t.Helper()
	s := kept(prod)
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
		"Namespace":   {"metric"}, "Metric": {"metric"}, "Expression": {"metric"}, "Terms": {"metric"},
		"Dimensions": {"dimensions"},
		"Statistic":  {"statistic"},
		"Period":     {"period"},
		"Evaluation": {"evaluation"}, "Points": {"evaluation"},
		"Comparison": {"threshold"}, "Threshold": {"threshold"},
		"Missing": {"missing data"},
		"Actions": {"actions"},
		"Tags":    nil, // an alarm that was read has none
	}
	spec, standing := reflect.TypeFor[alarm.Spec](), kept(prod)
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
	s := kept(prod)
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
		a2.Name, a2.Tags = b.Name, b.Tags
		return cmp.Equal(alarm.Differs(a, b), alarm.Differs(b, a)) && len(alarm.Differs(a, a)) == 0 &&
			(len(seen) == 0) == cmp.Equal(a2, b)
	}
	if err := quick.Check(lawful, &quick.Config{MaxCount: 1000}); err != nil {
		t.Error(err)
	}
}

func TestNoActionsAndAnEmptyListOfActionsAreTheSame(t *testing.T) {
	a, b := kept(prod), kept(prod)
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
		return alarm.PodSubnets.Name(id)
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
