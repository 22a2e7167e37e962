package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/world"
)

var prod = cluster.ID{Account: "444455556666", Region: "eu-west-1", Name: "prod"}

// faults makes calls fail.
func faults(f ...world.Fault) func(*world.Spec) {
	return func(s *world.Spec) { s.Faults = f }
}

// item is what the table has under a key, each attribute as text, but for the token; nil: nothing.
func (s *stage) item(t *testing.T, pk, sk string) map[string]string {
	t.Helper()
	out, err := s.Peek().GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("cniguard"), Key: raw("pk", pk, "sk", sk), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	for name, value := range out.Item {
		if texts == nil {
			texts = map[string]string{}
		}
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			texts[name] = "S " + v.Value
		case *types.AttributeValueMemberN:
			texts[name] = "N " + v.Value
		case *types.AttributeValueMemberL:
			for _, e := range v.Value {
				texts[name] += " " + e.(*types.AttributeValueMemberS).Value
			}
		}
	}
	if token := texts["token"]; len(token) < 20 && texts != nil {
		t.Errorf("item %s %s has the token %q", pk, sk, token)
	}
	delete(texts, "token")
	return texts
}

// raw is an item of texts.
func raw(namesAndTexts ...string) map[string]types.AttributeValue {
	it := map[string]types.AttributeValue{}
	for i := 0; i < len(namesAndTexts); i += 2 {
		it[namesAndTexts[i]] = &types.AttributeValueMemberS{Value: namesAndTexts[i+1]}
	}
	return it
}

// write writes an item as somebody may by hand.
func (s *stage) write(t *testing.T, ctx context.Context, it map[string]types.AttributeValue) {
	t.Helper()
	if _, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("cniguard"), Item: it}); err != nil {
		t.Error(err)
	}
}

func TestTheTableHasTheLayoutOfADR7(t *testing.T) {
	s := set(t, nil)
	order := guard.Order{Schema: 1, Kind: guard.Approval, By: "AROA1:ann", Because: "b", At: noon, Until: noon.Add(time.Hour), Steps: []string{"v1", "v2"}, Keeps: "k"}
	mute := guard.Order{Schema: 1, Kind: guard.Muting, Finding: guard.CapacityLow, By: "AROA1:ann", Because: "b", At: noon, Until: noon.Add(time.Hour)}
	halt := guard.Order{Schema: 1, Kind: guard.Halting, By: "ann", Because: "incident", At: noon}
	due := guard.Record{Schema: 1, Due: noon.Add(5 * time.Millisecond)}
	s.run(func(ctx context.Context) {
		_, saveErr := s.dynamo.Save(ctx, check.Kept{Cluster: prod, Record: due})
		gone, goneErr := s.dynamo.Save(ctx, check.Kept{Cluster: cluster.ID{Account: "1", Region: "r"}, Record: guard.Record{Schema: 1, Gone: true}})
		if gone.Version != 1 {
			t.Errorf("version %d", gone.Version)
		}
		if err := errors.Join(saveErr, goneErr, s.dynamo.Order(ctx, prod, order), s.dynamo.Order(ctx, prod, mute), s.dynamo.Order(ctx, prod, halt),
			s.dynamo.Arrive(ctx, "K3Q", noon), s.dynamo.Report(ctx, "K4Q", check.Trial{At: noon}),
			s.dynamo.PutSweep(ctx, check.Sweep{Run: "r", Begun: noon}), s.dynamo.PutSweep(ctx, check.Sweep{Run: "r", Begun: noon, Coverage: &check.Coverage{Run: "r"}}),
			s.dynamo.PutPart(ctx, "r", check.Part{Unit: event.Unit{Account: "1", Region: "a"}, After: "c049"})); err != nil {
			t.Error(err)
		}
	})
	record := s.item(t, "UNIT#444455556666/eu-west-1", "prod")
	if !strings.HasPrefix(record["record"], `S {"schema":1,`) {
		t.Errorf("the record is %s", record["record"])
	}
	delete(record, "record")
	gone := s.item(t, "UNIT#1/r", "-")
	delete(gone, "record")
	got := []map[string]string{record, gone, s.item(t, "ORDER#AROA1:ann", "444455556666/eu-west-1/prod"),
		s.item(t, "ORDER#AROA1:ann", "444455556666/eu-west-1/prod#capacity-low"), s.item(t, "HALT", "HALT"), s.item(t, "DOCTOR", "K3Q"), s.item(t, "DOCTOR", "K4Q"),
		s.item(t, "SWEEP", "r"), s.item(t, "SWEEP#r", "1/a#c049")}
	want := []map[string]string{
		{"pk": "S UNIT#444455556666/eu-west-1", "sk": "S prod", "version": "N 1", "schema": "N 1", "due": "S RECORD", "at": "S 2026-03-02T12:00:00.005000000Z"},
		{"pk": "S UNIT#1/r", "sk": "S -", "version": "N 1", "schema": "N 1", "expires": fmt.Sprint("N ", noon.AddDate(0, 0, 90).Unix())},
		{"pk": "S ORDER#AROA1:ann", "sk": "S 444455556666/eu-west-1/prod", "due": "S ORDER#444455556666/eu-west-1/prod", "schema": "N 1", "kind": "S approve", "because": "S b",
			"at": "S AROA1:ann", "given": "S 2026-03-02T12:00:00.000000000Z", "until": "S 2026-03-02T13:00:00.000000000Z", "steps": " v1 v2", "keeps": "S k",
			"expires": fmt.Sprint("N ", noon.Add(time.Hour).AddDate(0, 0, 30).Unix())},
		{"pk": "S ORDER#AROA1:ann", "sk": "S 444455556666/eu-west-1/prod#capacity-low", "due": "S ORDER#444455556666/eu-west-1/prod", "schema": "N 1", "kind": "S mute",
			"because": "S b", "at": "S AROA1:ann#capacity-low", "finding": "S capacity-low", "given": "S 2026-03-02T12:00:00.000000000Z", "until": "S 2026-03-02T13:00:00.000000000Z",
			"expires": fmt.Sprint("N ", noon.Add(time.Hour).AddDate(0, 0, 30).Unix())},
		{"pk": "S HALT", "sk": "S HALT", "schema": "N 1", "kind": "S halt", "by": "S ann", "because": "S incident", "given": "S 2026-03-02T12:00:00.000000000Z"},
		{"pk": "S DOCTOR", "sk": "S K3Q", "at": "S 2026-03-02T12:00:00.000000000Z", "expires": fmt.Sprint("N ", noon.AddDate(0, 0, 1).Unix())},
		{"pk": "S DOCTOR", "sk": "S K4Q", "at": "S 2026-03-02T12:00:00.000000000Z", "expires": fmt.Sprint("N ", noon.AddDate(0, 0, 1).Unix()), "trial": `S {"at":"2026-03-02T12:00:00Z"}`},
		{"pk": "S SWEEP", "sk": "S r", "version": "N 2", "schema": "N 1", "expires": fmt.Sprint("N ", noon.AddDate(0, 0, 7).Unix()),
			"sweep": `S {"run":"r","begun":"2026-03-02T12:00:00Z","units":null,"coverage":{"run":"r","begun":"0001-01-01T00:00:00Z","closed":"0001-01-01T00:00:00Z",` +
				`"units":0,"clusters":0,"checked":0,"notChecked":{"count":0},"notListed":{"count":0},"unfinished":{"count":0}}}`},
		{"pk": "S SWEEP#r", "sk": "S 1/a#c049", "schema": "N 1", "expires": fmt.Sprint("N ", noon.AddDate(0, 0, 1).Unix()),
			"part": `S {"unit":{"account":"1","region":"a"},"after":"c049","clusters":0,"notChecked":{"count":0}}`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// everyCall does everything that a ledger can, and gives the errors by the action that fails.
func everyCall(ctx context.Context, l *ledger.Dynamo) map[string]error {
	_, load := l.Load(ctx, prod)
	_, save := l.Save(ctx, check.Kept{Cluster: prod})
	_, due := l.Due(ctx, noon)
	_, in := l.In(ctx, event.Unit{Account: prod.Account, Region: prod.Region})
	_, all := l.All(ctx)
	_, orders := l.Orders(ctx, prod)
	_, fleet := l.Fleet(ctx)
	order := l.Order(ctx, prod, guard.Order{Kind: guard.Denial, By: "ann", At: noon, Until: noon.Add(time.Hour)})
	arrive := l.Arrive(ctx, "K3Q", noon)
	_, arrived := l.Arrived(ctx, "K3Q")
	report := l.Report(ctx, "K4Q", check.Trial{At: noon})
	_, reported := l.Reported(ctx, "K4Q")
	putSweep := l.PutSweep(ctx, check.Sweep{Run: "r", Begun: noon})
	_, sweep := l.Sweep(ctx, "r")
	_, sweeps := l.Sweeps(ctx)
	putPart := l.PutPart(ctx, "r", check.Part{})
	_, parts := l.Parts(ctx, "r")
	return map[string]error{
		"PutItem, report": report, "GetItem, reported": reported,
		"PutItem, open": putSweep, "GetItem, sweep": sweep, "Query, sweeps": sweeps, "PutItem, part": putPart, "Query, parts": parts,
		"PutItem, arrive": arrive, "GetItem, arrived": arrived,
		"GetItem, load": load, "PutItem, save": save, "Query, due": due, "Query, in": in, "Scan, all": all, "Query, orders": orders, "GetItem, fleet": fleet, "PutItem, order": order,
	}
}

func TestAFailedCallIsClassified(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world.Spec)
		table  string
		want   fault.Fault // of a call that reads; without operation and text
	}{
		"denied":                       {faults(world.Fault{Service: "dynamodb", Code: "AccessDeniedException"}), "cniguard", fault.Fault{Kind: fault.Terminal, Code: "AccessDeniedException", Need: "dynamodb:"}},
		"throttled":                    {faults(world.Fault{Service: "dynamodb", Code: "ThrottlingException"}), "cniguard", fault.Fault{Kind: fault.Retry, Code: "ThrottlingException"}},
		"out of order":                 {faults(world.Fault{Service: "dynamodb", Code: "InternalServerError"}), "cniguard", fault.Fault{Kind: fault.Retry, Code: "InternalServerError", InDoubt: true}},
		"of a table that is not there": {nil, "other", fault.Fault{Kind: fault.Terminal, Code: "ResourceNotFoundException"}},
		"too slow":                     {faults(world.Fault{Service: "dynamodb", Latency: 10 * time.Minute}), "cniguard", fault.Fault{Kind: fault.Retry, InDoubt: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, c.change)
			s.run(func(ctx context.Context) {
				began := s.Now()
				errs := everyCall(ctx, ledger.NewDynamo(s.client, c.table, s.clock))
				if took := s.Now().Sub(began); took > time.Duration(len(errs))*10*time.Second {
					t.Errorf("%d calls took %s: one of them has no deadline", len(errs), took)
				}
				for what, err := range errs {
					op, _, _ := strings.Cut(what, ", ")
					want := c.want
					want.Op, want.InDoubt = "dynamodb:"+op, want.InDoubt && op == "PutItem"
					if want.Need != "" {
						want.Need = want.Op
					}
					f := fault.Of(err)
					if f == nil {
						t.Errorf("%s: error %v has no fault", what, err)
						continue
					}
					want.Text = f.Text
					if diff := cmp.Diff(&want, f); diff != "" || f.Text == "" {
						t.Errorf("%s: %v (-want +got)\n%s", what, err, diff)
					}
				}
			})
		})
	}
}

func TestARecordThatIsTooLargeIsNotSent(t *testing.T) {
	s := set(t, nil)
	s.run(func(ctx context.Context) {
		for size, want := range map[int]string{
			398 << 10: "",
			400 << 10: "save record of 444455556666/eu-west-1/prod: dynamodb:PutItem: it has 401 KB, and an item of DynamoDB may have 400 KB",
		} {
			_, err := s.dynamo.Save(ctx, check.Kept{Cluster: prod, Record: guard.Record{Version: strings.Repeat("v", size)}})
			if got := fmt.Sprint(err); (want != "" || err != nil) && got != want {
				t.Errorf("%d KB: error %s, want %q", size>>10, got, want)
			}
		}
	})
	if n := len(s.History()); n != 1 {
		t.Errorf("%d calls, want the one that fits", n)
	}
}

// Whoever may give orders can write anything under a key of their own.
func TestAnOrderThatCannotBeReadIsAnError(t *testing.T) {
	const pk, sk, due = "ORDER#AROA1:eve", "444455556666/eu-west-1/prod", "ORDER#444455556666/eu-west-1/prod"
	at, until := noon.Format(time.RFC3339), noon.Add(time.Hour).Format(time.RFC3339)
	good := func(change ...string) map[string]types.AttributeValue {
		it := raw("pk", pk, "sk", sk, "due", due, "at", "x", "kind", "deny", "because", "by hand", "given", at, "until", until)
		for name, value := range raw(change...) {
			it[name] = value
		}
		return it
	}
	list := good()
	list["steps"] = &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "1"}}}
	endless := good()
	delete(endless, "until")
	for name, c := range map[string]struct {
		item map[string]types.AttributeValue
		want string
	}{
		"one by hand is read":                {good(), ""},
		"no kind that there is":              {good("kind", "allow"), `kind "allow" is not one of approve, deny, mute, unmute, ack`},
		"a halt of one cluster":              {good("kind", "halt"), `kind "halt" is not one of approve, deny`},
		"no time":                            {good("given", "noon"), "attribute given is not a time"},
		"an approval for later":              {good("kind", "approve", "given", noon.Add(time.Hour).Format(time.RFC3339)), "attribute given is in the future"},
		"an approval for ever":               {good("kind", "approve", "until", "2099-01-01T00:00:00Z"), "attribute until is more than 7 days after given"},
		"a denial for ever":                  {good("until", "2099-01-01T00:00:00Z"), ""},
		"no end":                             {good("until", "never"), "attribute until is not a time"},
		"without end":                        {endless, "attribute until is missing"},
		"steps in one text":                  {good("steps", "v1.8.0"), "attribute steps is not a list of texts"},
		"steps that are numbers":             {list, "attribute steps is not a list of texts"},
		"a schema that is no number":         {good("schema", "1"), "attribute schema is not a whole number"},
		"under the key of another cluster":   {good("sk", "444455556666/eu-west-1/other"), "its key is not that of an order for this cluster"},
		"under a key that is no order's":     {good("pk", "UNIT#444455556666/eu-west-1"), "its key is not that of an order for this cluster"},
		"under a key that names no writer":   {good("pk", "ORDER#"), "its key is not that of an order for this cluster"},
		"under the key of a finding":         {good("sk", sk+"#capacity-low"), "its key is not that of an order for this cluster"},
		"a denial that names a finding":      {good("sk", sk+"#capacity-low", "finding", "capacity-low"), "it is of kind deny and names a finding"},
		"who wrote it is not what it claims": {good("by", "ann"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, nil)
			s.run(func(ctx context.Context) {
				s.write(t, ctx, c.item)
				orders, err := s.dynamo.Orders(ctx, prod)
				if c.want == "" {
					if err != nil || len(orders) != 1 || orders[0].By != "AROA1:eve" || orders[0].Kind != guard.Denial {
						t.Errorf("%+v, %v", orders, err)
					}
				} else if err == nil || !strings.Contains(err.Error(), c.want) || len(orders) > 0 {
					t.Errorf("%v, error %v; want %q", orders, err, c.want)
				}
			})
		})
	}
}

// What cannot be read of a word on a finding is an error as of any order: nobody can tell what it was meant to be.
func TestAWordOnAFindingThatCannotBeReadIsAnError(t *testing.T) {
	const pk, sk, due = "ORDER#AROA1:eve", "444455556666/eu-west-1/prod#capacity-low", "ORDER#444455556666/eu-west-1/prod"
	at, soon := noon.Format(time.RFC3339), noon.Add(time.Hour).Format(time.RFC3339)
	month := noon.Add(30 * 24 * time.Hour)
	good := func(change ...string) map[string]types.AttributeValue {
		it := raw("pk", pk, "sk", sk, "due", due, "at", "x", "kind", "mute", "finding", "capacity-low", "because", "by hand", "given", at, "until", soon)
		for name, value := range raw(change...) {
			it[name] = value
		}
		return it
	}
	without := func(name string) map[string]types.AttributeValue {
		it := good()
		delete(it, name)
		return it
	}
	for name, c := range map[string]struct {
		item map[string]types.AttributeValue
		want string
	}{
		"one by hand is read":                   {good(), ""},
		"for 30 days":                           {good("until", month.Format(time.RFC3339)), ""},
		"for longer than 30 days":               {good("until", month.Add(time.Second).Format(time.RFC3339)), "attribute until is more than 30 days after given, for which an order of kind mute holds"},
		"an acknowledgement for longer":         {good("kind", "ack", "until", "2099-01-01T00:00:00Z"), "for which an order of kind ack holds"},
		"an unmute for longer":                  {good("kind", "unmute", "until", "2099-01-01T00:00:00Z"), "for which an order of kind unmute holds"},
		"dated ahead, as clocks may be apart":   {good("given", noon.Add(5*time.Minute).Format(time.RFC3339)), ""},
		"dated ahead":                           {good("given", noon.Add(6*time.Minute).Format(time.RFC3339)), "attribute given is in the future"},
		"without end":                           {without("until"), "attribute until is missing"},
		"without a finding":                     {without("finding"), "its key is not that of an order for this cluster"},
		"without a finding, in its key neither": {good("sk", "444455556666/eu-west-1/prod", "finding", ""), "it is of kind mute and names no finding"},
		"of another finding than its key":       {good("finding", "blocks-low"), "its key is not that of an order for this cluster"},
		"under the key of another cluster":      {good("sk", "444455556666/eu-west-1/other#capacity-low"), "its key is not that of an order for this cluster"},
		"an approval of a finding":              {good("kind", "approve"), "it is of kind approve and names a finding"},
		"a halt of a finding":                   {good("kind", "halt"), `kind "halt" is not one of approve, deny, mute, unmute, ack`},
		"of a finding of a newer program's":     {good("sk", "444455556666/eu-west-1/prod#of-a-later-day", "finding", "of-a-later-day"), ""},
		"of a finding that is no cluster's":     {good("sk", "444455556666/eu-west-1/prod#unit-unreadable", "finding", "unit-unreadable"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, nil)
			s.run(func(ctx context.Context) {
				s.write(t, ctx, c.item)
				orders, err := s.dynamo.Orders(ctx, prod)
				if c.want == "" {
					if err != nil || len(orders) != 1 || orders[0].By != "AROA1:eve" || orders[0].Kind != guard.Muting || orders[0].Finding == "" {
						t.Errorf("%+v, %v", orders, err)
					}
				} else if err == nil || !strings.Contains(err.Error(), c.want) || len(orders) > 0 {
					t.Errorf("%v, error %v; want %q", orders, err, c.want)
				}
			})
		})
	}
}

func TestAHaltThatCannotBeReadIsAnError(t *testing.T) {
	at := noon.Format(time.RFC3339)
	for name, c := range map[string]struct {
		attributes []string
		want       string
	}{
		"by hand":               {[]string{"kind", "halt", "by", "ann", "because", "b", "given", at}, ""},
		"with an end":           {[]string{"kind", "halt", "given", at, "until", at}, "attribute until is set"},
		"empty":                 {nil, "attribute given is not a time"},
		"no kind that there is": {[]string{"kind", "pause", "given", at}, `kind "pause" is not one of halt, teardown, resume`},
		"a denial":              {[]string{"kind", "deny", "given", at}, `kind "deny" is not one of halt, teardown, resume`},
		"no kind":               {[]string{"given", at}, `kind "" is not one of halt`},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, nil)
			s.run(func(ctx context.Context) {
				s.write(t, ctx, raw(append([]string{"pk", "HALT", "sk", "HALT"}, c.attributes...)...))
				f, err := s.dynamo.Fleet(ctx)
				if c.want == "" && (err != nil || f.Halt == nil || f.Halt.By != "ann") {
					t.Errorf("%+v, %v", f.Halt, err)
				} else if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("error %v, want %q", err, c.want)
				}
			})
		})
	}
}

func TestARecordThatCannotBeReadIsAnError(t *testing.T) {
	unit := event.Unit{Account: prod.Account, Region: prod.Region}
	s := set(t, nil)
	s.run(func(ctx context.Context) {
		s.write(t, ctx, raw("pk", "UNIT#444455556666/eu-west-1", "sk", "prod", "record", "{"))
		_, load := s.dynamo.Load(ctx, prod)
		_, in := s.dynamo.In(ctx, unit)
		_, all := s.dynamo.All(ctx)
		for what, err := range map[string]error{"Load": load, "In": in, "All": all} {
			if err == nil || !strings.Contains(err.Error(), "prod: unexpected end of JSON input") {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestNobodyCanPutWorkIntoTheIndexOfRecords(t *testing.T) {
	s := set(t, nil)
	s.run(func(ctx context.Context) {
		s.write(t, ctx, raw("pk", "ORDER#AROA1:eve", "sk", "x", "due", "RECORD", "at", "2000"))
		if _, err := s.dynamo.Save(ctx, check.Kept{Cluster: prod, Record: guard.Record{Due: noon}}); err != nil {
			t.Error(err)
		}
		if ids, err := s.dynamo.Due(ctx, noon); err != nil || len(ids) != 1 || ids[0] != prod {
			t.Errorf("due %v, %v", ids, err)
		}
	})
}

func TestTheIndexMayBeLate(t *testing.T) {
	const lag = time.Minute
	other := cluster.ID{Account: prod.Account, Region: prod.Region, Name: "other"}
	s := set(t, func(s *world.Spec) { s.Behaviour.IndexLag = lag })
	s.run(func(ctx context.Context) {
		expect := func(when string, want ...string) {
			t.Helper()
			ids, err := s.dynamo.Due(ctx, noon.Add(time.Hour))
			var names []string
			for _, id := range ids {
				names = append(names, id.Name)
			}
			if diff := cmp.Diff(want, names); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got)\n%s", when, err, diff)
			}
		}
		save := func(k check.Kept, due time.Time) check.Kept {
			t.Helper()
			k.Record.Due = due
			k, err := s.dynamo.Save(ctx, k)
			if err != nil {
				t.Error(err)
			}
			return k
		}
		first := save(check.Kept{Cluster: prod}, noon)
		expect("not there yet")
		_ = s.clock.Sleep(ctx, lag)
		expect("there now", "prod")
		save(check.Kept{Cluster: other}, noon.Add(time.Second))
		save(first, noon.Add(48*time.Hour))
		expect("due for the index, and not for the table")
		_ = s.clock.Sleep(ctx, lag)
		expect("the index has caught up", "other")
	})
}

func TestAllButTheIndexIsReadConsistently(t *testing.T) {
	s := set(t, func(s *world.Spec) { s.Behaviour.IndexLag = time.Minute })
	s.run(func(ctx context.Context) {
		_, saveErr := s.dynamo.Save(ctx, check.Kept{Cluster: prod})
		haltErr := s.dynamo.Order(ctx, prod, guard.Order{Kind: guard.Halting, By: "ann", At: noon})
		arriveErr := s.dynamo.Arrive(ctx, "K3Q", noon)
		loaded, loadErr := s.dynamo.Load(ctx, prod)
		in, inErr := s.dynamo.In(ctx, event.Unit{Account: prod.Account, Region: prod.Region})
		all, allErr := s.dynamo.All(ctx)
		fleet, fleetErr := s.dynamo.Fleet(ctx)
		arrived, arrivedErr := s.dynamo.Arrived(ctx, "K3Q")
		reportErr := s.dynamo.Report(ctx, "K4Q", check.Trial{At: noon})
		reported, reportedErr := s.dynamo.Reported(ctx, "K4Q")
		if err := errors.Join(saveErr, haltErr, arriveErr, loadErr, inErr, allErr, fleetErr, arrivedErr, reportErr, reportedErr); err != nil {
			t.Error(err)
		}
		if loaded.Version != 1 || len(in) != 1 || len(all) != 1 || fleet.Halt == nil || !arrived || reported == nil {
			t.Errorf("version %d, %d in its unit, %d in all, halt %v, probe %v, sample %v", loaded.Version, len(in), len(all), fleet.Halt, arrived, reported)
		}
	})
}

// moving is a table in which something happens after the first page of a query.
type moving struct {
	ledger.DynamoDB
	once *func()
}

func (m moving) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := m.DynamoDB.Query(ctx, in, opts...)
	if f := *m.once; f != nil {
		*m.once = nil
		f()
	}
	return out, err
}

func TestARecordThatMovesInTheIndexWhileItIsReadIsListedOnce(t *testing.T) {
	s := set(t, func(s *world.Spec) { s.Behaviour.PageSize = 1 })
	s.run(func(ctx context.Context) {
		first, err := s.dynamo.Save(ctx, check.Kept{Cluster: prod, Record: guard.Record{Due: noon}})
		move := func() {
			first.Record.Due = noon.Add(time.Second)
			_, err = s.dynamo.Save(ctx, first)
		}
		ids, dueErr := ledger.NewDynamo(moving{s.client, &move}, "cniguard", s.clock).Due(ctx, noon.Add(time.Minute))
		if err := errors.Join(err, dueErr); err != nil || len(ids) != 1 || ids[0] != prod {
			t.Errorf("due %v, %v", ids, err)
		}
	})
}

func TestANewerWordOfTheSamePersonIsSeenAtOnce(t *testing.T) {
	const lag = time.Minute
	s := set(t, func(s *world.Spec) { s.Behaviour.IndexLag = lag })
	s.run(func(ctx context.Context) {
		give := func(by string, kind guard.OrderKind) {
			if err := s.dynamo.Order(ctx, prod, guard.Order{Kind: kind, By: by, At: s.Now(), Until: s.Now().Add(time.Hour)}); err != nil {
				t.Error(err)
			}
		}
		expect := func(want string) {
			t.Helper()
			orders, err := s.dynamo.Orders(ctx, prod)
			var got []string
			for _, o := range orders {
				got = append(got, o.By+" "+string(o.Kind))
			}
			if text := strings.Join(got, ", "); text != want || err != nil {
				t.Errorf("%s, %v; want %s", text, err, want)
			}
		}
		give("ann", guard.Approval)
		expect("")
		_ = s.clock.Sleep(ctx, lag)
		expect("ann approve")
		give("ann", guard.Denial)
		give("bob", guard.Denial)
		expect("ann deny")
		_ = s.clock.Sleep(ctx, lag)
		expect("ann deny, bob deny")
	})
}

func TestASweepOfANewerSchemaIsRefused(t *testing.T) {
	s := set(t, nil)
	s.run(func(ctx context.Context) {
		for _, it := range []map[string]types.AttributeValue{raw("pk", "SWEEP", "sk", "r", "sweep", "{}"), raw("pk", "SWEEP#r", "sk", "1/a#", "part", "{}")} {
			it["schema"] = &types.AttributeValueMemberN{Value: fmt.Sprint(guard.Schema + 1)}
			s.write(t, ctx, it)
		}
		_, sweep := s.dynamo.Sweep(ctx, "r")
		_, sweeps := s.dynamo.Sweeps(ctx)
		_, parts := s.dynamo.Parts(ctx, "r")
		for what, err := range map[string]error{"Sweep": sweep, "Sweeps": sweeps, "Parts": parts} {
			if f := fault.Of(err); f == nil || f.Kind != fault.Terminal || !strings.Contains(err.Error(), "deploy the newer cniguard") {
				t.Errorf("%s gives %v", what, err)
			}
		}
	})
}
