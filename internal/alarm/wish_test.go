package alarm_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
)

const page = "arn:aws:sns:eu-central-1:111122223333:page"

// wish is one in which all is told apart.
func wish() alarm.Wish {
	return alarm.Wish{Cluster: prod, Warning: 82.5, DaysLeft: 7, HelperID: "blue", Actions: []string{page}, Owner: "team-shop"}
}

func TestEachKindOfAlarmIsAsItsTableSays(t *testing.T) {
	ours, helpers := map[string]string{"ClusterName": "prod"}, map[string]string{"CLUSTER_ID": "blue"}
	want := map[alarm.Kind]alarm.Spec{
		alarm.PodSubnets: {Name: "cniguard-prod-pod-subnets", Namespace: "CNIGuard", Metric: "WorstPodSubnetUtilization", Dimensions: ours,
			Comparison: "GreaterThanOrEqualToThreshold", Threshold: 82.5},
		alarm.FreeBlocks: {Name: "cniguard-prod-free-blocks", Namespace: "CNIGuard", Metric: "WorstPodSubnetBlockUtilization", Dimensions: ours,
			Comparison: "GreaterThanOrEqualToThreshold", Threshold: 82.5},
		alarm.DaysLeft: {Name: "cniguard-prod-days-left", Namespace: "CNIGuard", Metric: "DaysLeft", Dimensions: ours,
			Comparison: "LessThanThreshold", Threshold: 7},
		alarm.NodeCapacity: {Name: "cniguard-prod-node-capacity", Namespace: "Kubernetes", Dimensions: helpers,
			Expression: "IF(limit > 0, 100 * assigned / limit, 0)", Terms: map[string]string{"assigned": "assignIPAddresses", "limit": "maxIPAddresses"},
			Comparison: "GreaterThanOrEqualToThreshold", Threshold: 82.5},
	}
	for _, k := range alarm.Kinds() {
		t.Run(string(k), func(t *testing.T) {
			w, got := want[k], wish().Want(k)
			w.Statistic, w.Period, w.Evaluation, w.Points, w.Missing, w.Actions = "Maximum", 300, 3, 2, "missing", []string{page}
			w.Tags = map[string]string{"made-by": "cniguard", "cluster": "prod", "owner": "team-shop", "policy": got.Tags["policy"]}
			if diff := cmp.Diff(w, got, cmpopts.IgnoreFields(alarm.Spec{}, "Description")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !regexp.MustCompile("^[0-9a-f]{8}$").MatchString(got.Tags["policy"]) {
				t.Errorf("the policy's digest is %q", got.Tags["policy"])
			}
		})
	}
}

func TestADescriptionSaysWhatHowFullForWhomAndWhatToDo(t *testing.T) {
	threshold := map[alarm.Kind]string{alarm.PodSubnets: " 82.5 %", alarm.FreeBlocks: " 82.5 %", alarm.DaysLeft: " less than 7 days", alarm.NodeCapacity: " 82.5 %"}
	for _, k := range alarm.Kinds() {
		s := wish().Want(k)
		for _, part := range []string{"cluster prod ", threshold[k], "ContainerCreating", "cniguard explain 111122223333/eu-central-1/prod,",
			"/docs/runbook.md#" + string(k) + ".", "Owner: team-shop.", "policy " + s.Tags["policy"] + ";"} {
			if !strings.Contains(s.Description, part) {
				t.Errorf("%s: the description does not have %q:\n%s", k, part, s.Description)
			}
		}
	}
	if text := kept(prod).Description; !strings.Contains(text, " 80 %") {
		t.Errorf("a whole number is not written as one: %s", text)
	}
}

// 255 characters of a name and of a dimension's value, 1024 of a description (CloudWatch API reference, PutMetricAlarm, Dimension); 128 of a
// tag's key, 256 of its value (Tag).
func TestTheLongestOfEverythingFitsCloudWatch(t *testing.T) {
	longest := alarm.Wish{
		Cluster: cluster.ID{Account: prod.Account, Region: "ap-southeast-1", Name: strings.Repeat("w", 100)},
		Warning: 99.99, DaysLeft: 30, HelperID: strings.Repeat("h", 255), Owner: strings.Repeat("å", 256), Actions: []string{page},
	}
	fits := func(what, text string, most int) {
		t.Helper()
		if n := utf8.RuneCountInString(text); n > most || n == 0 {
			t.Errorf("%s of %d characters; at most %d are allowed", what, n, most)
		}
	}
	for _, k := range alarm.Kinds() {
		s := longest.Want(k)
		fits("a name", s.Name, 255)
		fits("a description", s.Description, 1024)
		for name, value := range s.Dimensions {
			fits("a dimension "+name, value, 255)
		}
		for key, value := range s.Tags {
			fits("a tag", key, 128)
			fits("a tag "+key, value, 256)
		}
		if s.Tags["owner"] != longest.Owner {
			t.Errorf("an owner that fits was changed: %s", s.Tags["owner"])
		}
	}
}

func TestAnOwnerIsATagWhateverHeIsCalled(t *testing.T) {
	for name, c := range map[string]struct{ owner, want string }{
		"plain":                    {"team-shop", "team-shop"},
		"with all that is allowed": {"Ünit 1 +-=._:/@", "Ünit 1 +-=._:/@"},
		"with brackets":            {"shop <shop@example.com>", "shop _shop@example.com_"},
		"in two lines":             {"shop\nOwner: nobody", "shop Owner: nobody"},
		"with what is not seen":    {"sh\u202eop", "shop"},
		"too long":                 {strings.Repeat("a", 300), strings.Repeat("a", 255) + "_"},
		"no text":                  {"\xff", "_"},
	} {
		t.Run(name, func(t *testing.T) {
			w := wish()
			w.Owner = c.owner
			for _, k := range alarm.Kinds() {
				s := w.Want(k)
				if s.Tags["owner"] != c.want || !strings.Contains(s.Description, "Owner: "+c.want+".") {
					t.Errorf("the tag is %q; want %q, also in %s", s.Tags["owner"], c.want, s.Description)
				}
			}
		})
	}
}

// some is a wish of few different values, so that two are often alike in much.
func some(r *rand.Rand) alarm.Wish {
	return alarm.Wish{
		Cluster: cluster.ID{Account: prod.Account, Region: prod.Region, Name: []string{"a", "ab"}[r.IntN(2)]},
		Warning: []float64{8, 80}[r.IntN(2)], DaysLeft: []int{3, 30}[r.IntN(2)], HelperID: []string{"b", "b ab"}[r.IntN(2)],
		Actions: [][]string{nil, {"x"}, {"x", "y"}, {"x y"}}[r.IntN(4)], Owner: []string{"o", "p"}[r.IntN(2)],
	}
}

func TestTheDigestIsAnotherJustWhenTheDefinitionIs(t *testing.T) {
	told := cmpopts.IgnoreFields(alarm.Spec{}, "Name", "Description", "Tags")
	same, kinds := 0, alarm.Kinds()
	lawful := func(x, y uint64) bool {
		r, q := rand.New(rand.NewPCG(x, 1)), rand.New(rand.NewPCG(y, 1))
		k := kinds[r.IntN(len(kinds))]
		a, b := some(r).Want(k), some(q).Want(kinds[q.IntN(len(kinds))])
		equal := cmp.Equal(a, b, told)
		if equal {
			same++
		}
		return equal == (a.Tags["policy"] == b.Tags["policy"])
	}
	if err := quick.Check(lawful, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
	if same < 50 {
		t.Errorf("only %d pairs were the same: the law was hardly tried", same)
	}
}

// CloudWatch does not show the tags of an alarm that it describes; the description tells that they are to be written anew.
func TestTheDescriptionIsAnotherWhereTheTagsAre(t *testing.T) {
	kinds := alarm.Kinds()
	lawful := func(x, y uint64, k uint) bool {
		kind := kinds[k%uint(len(kinds))]
		a, b := some(rand.New(rand.NewPCG(x, 1))).Want(kind), some(rand.New(rand.NewPCG(y, 1))).Want(kind)
		return cmp.Equal(a.Tags, b.Tags) || a.Description != b.Description
	}
	if err := quick.Check(lawful, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

// value computes metric math as far as it is written as Go is.
func value(t *testing.T, e ast.Expr, terms map[string]float64) float64 {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		f, err := strconv.ParseFloat(e.Value, 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	case *ast.Ident:
		f, known := terms[e.Name]
		if !known {
			t.Fatalf("%s is no term", e.Name)
		}
		return f
	case *ast.CallExpr:
		if name, ok := e.Fun.(*ast.Ident); !ok || name.Name != "IF" || len(e.Args) != 3 {
			t.Fatalf("%v of %d is not understood", e.Fun, len(e.Args))
		}
		if value(t, e.Args[0], terms) != 0 {
			return value(t, e.Args[1], terms)
		}
		return value(t, e.Args[2], terms)
	case *ast.BinaryExpr:
		x, y := value(t, e.X, terms), value(t, e.Y, terms)
		switch e.Op {
		case token.MUL:
			return x * y
		case token.QUO:
			return x / y
		case token.GTR:
			if x > y {
				return 1
			}
			return 0
		}
	}
	t.Fatalf("a %T is not understood", e)
	return 0
}

func TestNodeCapacityIsTheShareOfItsLimitInPercent(t *testing.T) {
	s := wish().Want(alarm.NodeCapacity)
	formula, err := parser.ParseExpr(s.Expression)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ assigned, limit, want float64 }{
		{0, 0, 0}, {0, 58, 0}, {29, 58, 50}, {58, 58, 100}, {33, 40, 82.5}, {1, 3, 33.333333}, {40, 29, 137.931034}, {7, 0, 0},
	} {
		terms := map[string]float64{}
		for id, metric := range s.Terms {
			terms[id] = map[string]float64{"assignIPAddresses": c.assigned, "maxIPAddresses": c.limit}[metric]
		}
		if got := value(t, formula, terms); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%g of %g are %g %%; want %g", c.assigned, c.limit, got, c.want)
		}
	}
}

// An id begins with a small letter, and is no function's name, whatever CloudWatch takes that for (API reference, MetricDataQuery).
func TestTheIdsOfTermsAreIdsForCloudWatch(t *testing.T) {
	for id := range wish().Want(alarm.NodeCapacity).Terms {
		if !regexp.MustCompile("^[a-z][a-zA-Z0-9_]*$").MatchString(id) || regexp.MustCompile("^(abs|avg|ceil|diff|fill|first|floor|if|last|log|max|metrics|min|period|rate|slice|sort|stddev|sum)$").MatchString(id) {
			t.Errorf("%q is no id", id)
		}
	}
}

func TestAnAlarmCostsWhatItsMetricsDo(t *testing.T) {
	want := map[alarm.Kind]float64{alarm.PodSubnets: 0.40, alarm.FreeBlocks: 0.40, alarm.DaysLeft: 0.40, alarm.NodeCapacity: 0.20}
	for _, k := range alarm.Kinds() {
		s := wish().Want(k)
		sum := 0.10 * float64(max(1, len(s.Terms))) // for each metric watched
		if k.Metric() != "" {
			sum += 0.30 // for the one published
		}
		if math.Abs(k.USD()-want[k]) > 1e-9 || math.Abs(sum-want[k]) > 1e-9 {
			t.Errorf("%s: %.2f USD; want %.2f, and its metrics cost %.2f", k, k.USD(), want[k], sum)
		}
		if s.Metric != k.Metric() {
			t.Errorf("%s watches %q and is published as %q", k, s.Metric, k.Metric())
		}
	}
}
