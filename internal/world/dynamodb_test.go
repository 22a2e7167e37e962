package world_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

var tableName = aws.String("t")

// furnish makes a table with a sparse index.
func (s *stage) furnish() *stage {
	s.CreateTable(world.Table{Name: "t", Key: world.Key{Partition: "p", Sort: "s"}, Index: "i", IndexKey: world.Key{Partition: "ip", Sort: "is"}})
	return s
}

type attributes = map[string]ddb.AttributeValue

// item is one of texts; a text that begins with # is a number.
func item(namesAndTexts ...string) attributes {
	it := attributes{}
	for i := 0; i < len(namesAndTexts); i += 2 {
		if n, ok := strings.CutPrefix(namesAndTexts[i+1], "#"); ok {
			it[namesAndTexts[i]] = &ddb.AttributeValueMemberN{Value: n}
		} else {
			it[namesAndTexts[i]] = &ddb.AttributeValueMemberS{Value: namesAndTexts[i+1]}
		}
	}
	return it
}

// brief is items as their sort keys, or their index's.
func brief(items []attributes, name string) string {
	var texts []string
	for _, it := range items {
		s, _ := it[name].(*ddb.AttributeValueMemberS)
		if s == nil {
			texts = append(texts, "-")
			continue
		}
		texts = append(texts, s.Value)
	}
	return strings.Join(texts, " ")
}

func put(t *testing.T, ctx context.Context, c *world.Client, items ...attributes) {
	t.Helper()
	for _, it := range items {
		if _, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: tableName, Item: it}); err != nil {
			t.Error(err)
		}
	}
}

func TestAConditionDecidesWhetherAnItemIsWritten(t *testing.T) {
	absent := dynamodb.PutItemInput{ConditionExpression: aws.String("attribute_not_exists(#p)"), ExpressionAttributeNames: map[string]string{"#p": "p"}}
	version := func(n string) dynamodb.PutItemInput {
		return dynamodb.PutItemInput{ConditionExpression: aws.String("#v = :v"), ExpressionAttributeNames: map[string]string{"#v": "v"}, ExpressionAttributeValues: item(":v", n)}
	}
	for name, c := range map[string]struct {
		there attributes
		in    dynamodb.PutItemInput
		done  bool
	}{
		"none is there, as it must be":        {nil, absent, true},
		"one is there, and must not be":       {item("v", "#1"), absent, false},
		"it has the version":                  {item("v", "#7"), version("#7"), true},
		"it has the version in other digits":  {item("v", "#7"), version("#7.0"), true},
		"it has another version":              {item("v", "#8"), version("#7"), false},
		"it has a version that is text":       {item("v", "7"), version("#7"), false},
		"it has no version":                   {item(), version("#7"), false},
		"none is there that has the version":  {nil, version("#7"), false},
		"no condition writes over everything": {item("v", "#8"), dynamodb.PutItemInput{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, nil).furnish()
			s.at(0, func(ctx context.Context, c2 *world.Client) {
				if c.there != nil {
					c.there["p"], c.there["s"] = item("p", "a")["p"], item("s", "1")["s"]
					put(t, ctx, c2, c.there)
				}
				in := c.in
				in.TableName, in.Item = tableName, item("p", "a", "s", "1", "new", "yes")
				in.ReturnValuesOnConditionCheckFailure = ddb.ReturnValuesOnConditionCheckFailureAllOld
				_, err := c2.PutItem(ctx, &in)
				var failed *ddb.ConditionalCheckFailedException
				if (err == nil) != c.done || err != nil && (!errors.As(err, &failed) || code(err) != "400 ConditionalCheckFailedException") {
					t.Fatalf("error %v", err)
				}
				if failed != nil && len(failed.Item) != len(c.there) {
					t.Errorf("with the failure came %v, want what is there: %v", failed.Item, c.there)
				}
				out, err := c2.GetItem(ctx, &dynamodb.GetItemInput{TableName: tableName, Key: item("p", "a", "s", "1"), ConsistentRead: aws.Bool(true)})
				if _, written := out.Item["new"]; err != nil || written != c.done {
					t.Errorf("it has %v, %v", out.Item, err)
				}
			})
		})
	}
}

func query(condition string, names map[string]string, values attributes) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{TableName: tableName, KeyConditionExpression: &condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values}
}

func TestAQueryGivesAPartInOrder(t *testing.T) {
	s := set(t, 1, nil).furnish()
	s.at(0, func(ctx context.Context, c *world.Client) {
		put(t, ctx, c, item("p", "a", "s", "2", "ip", "x", "is", "5"), item("p", "a", "s", "10"), item("p", "b", "s", "1", "ip", "x", "is", "4"),
			item("p", "c", "s", "1", "ip", "y", "is", "1"), item("p", "d", "s", "1", "ip", "x"), item("p", "e", "s", "1", "ip", "x", "is", "40"))
		names := map[string]string{"#p": "p"}
		out, err := c.Query(ctx, query("#p = :p", names, item(":p", "a")))
		if got := brief(out.Items, "s"); err != nil || got != "10 2" || out.Count != 2 {
			t.Errorf("the table gave %s, %v; want texts in order: 10 2", got, err)
		}
		in := query("#ip = :ip AND #is <= :is", map[string]string{"#ip": "ip", "#is": "is"}, item(":ip", "x", ":is", "5"))
		in.IndexName = aws.String("i")
		out, err = c.Query(ctx, in)
		if got := brief(out.Items, "is"); err != nil || got != "4 40 5" {
			t.Errorf("the index gave %s, %v; want those up to 5 as texts", got, err)
		}
		for _, it := range out.Items {
			if len(it) != 4 {
				t.Errorf("the index has %v, want keys only", it)
			}
		}
		put(t, ctx, c, item("p", "b", "s", "1"))
		out, err = c.Query(ctx, in)
		if got := brief(out.Items, "is"); err != nil || got != "40 5" {
			t.Errorf("an item that lost its attribute is in the index: %s, %v", got, err)
		}
	})
}

func TestTablesArePaged(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Behaviour.PageSize = 2 })).furnish()
	s.at(0, func(ctx context.Context, c *world.Client) {
		for i := range 4 {
			put(t, ctx, c, item("p", "a", "s", fmt.Sprint(i), "ip", "x", "is", "same"))
		}
		ofTable := query("#p = :p", map[string]string{"#p": "p"}, item(":p", "a"))
		ofIndex := query("#p = :p", map[string]string{"#p": "ip"}, item(":p", "x"))
		ofIndex.IndexName = aws.String("i")
		for name, next := range map[string]func(attributes) ([]attributes, attributes, error){
			"the table": func(start attributes) ([]attributes, attributes, error) {
				in := *ofTable
				in.ExclusiveStartKey = start
				out, err := c.Query(ctx, &in)
				return out.Items, out.LastEvaluatedKey, err
			},
			"the index": func(start attributes) ([]attributes, attributes, error) {
				in := *ofIndex
				in.ExclusiveStartKey = start
				out, err := c.Query(ctx, &in)
				return out.Items, out.LastEvaluatedKey, err
			},
			"a scan": func(start attributes) ([]attributes, attributes, error) {
				out, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: tableName, ExclusiveStartKey: start})
				return out.Items, out.LastEvaluatedKey, err
			},
		} {
			var all []attributes
			var sizes []int
			for start := (attributes)(nil); ; {
				items, last, err := next(start)
				if err != nil {
					t.Fatal(err)
				}
				all, sizes = append(all, items...), append(sizes, len(items))
				if start = last; start == nil {
					break
				}
			}
			if got := brief(all, "s"); got != "0 1 2 3" || !slices.Equal(sizes, []int{2, 2, 0}) {
				t.Errorf("%s gave %s in pages of %v; want a page that is empty after those that are full", name, got, sizes)
			}
		}
	})
}

func TestAPageHasAMegabyteAtMost(t *testing.T) {
	s := set(t, 1, nil).furnish()
	s.at(0, func(ctx context.Context, c *world.Client) {
		for i := range 5 {
			put(t, ctx, c, item("p", "a", "s", fmt.Sprint(i), "x", strings.Repeat("x", 390<<10)))
		}
		out, err := c.Query(ctx, query("#p = :p", map[string]string{"#p": "p"}, item(":p", "a")))
		if got := brief(out.Items, "s"); err != nil || got != "0 1 2" || out.LastEvaluatedKey == nil {
			t.Errorf("a page has %s, %v", got, err)
		}
	})
}

func TestWhatIsNotReadConsistentlyIsLate(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Behaviour.IndexLag = time.Minute })).furnish()
	read := func(ctx context.Context, c *world.Client, consistent bool) string {
		ip := query("#p = :p", map[string]string{"#p": "ip"}, item(":p", "x"))
		ip.IndexName = aws.String("i")
		p := query("#p = :p", map[string]string{"#p": "p"}, item(":p", "a"))
		p.ConsistentRead = &consistent
		index, indexErr := c.Query(ctx, ip)
		table, tableErr := c.Query(ctx, p)
		scan, scanErr := c.Scan(ctx, &dynamodb.ScanInput{TableName: tableName, ConsistentRead: &consistent})
		get, getErr := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: tableName, Key: item("p", "a", "s", "1"), ConsistentRead: &consistent})
		batch, batchErr := c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]ddb.KeysAndAttributes{
			"t": {Keys: []map[string]ddb.AttributeValue{item("p", "a", "s", "1")}, ConsistentRead: &consistent}}})
		if err := errors.Join(indexErr, tableErr, scanErr, getErr, batchErr); err != nil {
			return err.Error()
		}
		one := []attributes{}
		if get.Item != nil {
			one = append(one, get.Item)
		}
		return strings.Join([]string{brief(index.Items, "is"), brief(table.Items, "is"), brief(scan.Items, "is"), brief(one, "is"), brief(batch.Responses["t"], "is")}, ",")
	}
	var got []string
	for minute := range 5 {
		s.at(time.Duration(minute)*time.Minute, func(ctx context.Context, c *world.Client) {
			if minute%2 == 0 {
				put(t, ctx, c, item("p", "a", "s", "1", "ip", "x", "is", fmt.Sprint(minute)))
			}
			got = append(got, read(ctx, c, true), read(ctx, c, false))
		})
	}
	want := []string{",0,0,0,0", ",,,,", "0,0,0,0,0", "0,0,0,0,0", "0,2,2,2,2", "0,0,0,0,0", "2,2,2,2,2", "2,2,2,2,2", "2,4,4,4,4", "2,2,2,2,2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("index,table,scan,item,batch; consistent, then not (-want +got):\n%s", diff)
	}
}

func TestABatchMayLeaveItemsForLater(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Behaviour.Unprocessed = 1 })).furnish()
	s.at(0, func(ctx context.Context, c *world.Client) {
		var keys []map[string]ddb.AttributeValue
		for i := range 10 {
			keys = append(keys, item("p", "a", "s", fmt.Sprint(i)))
			put(t, ctx, c, item("p", "a", "s", fmt.Sprint(i), "v", fmt.Sprint("v", i)))
		}
		keys = append(keys, item("p", "a", "s", "not there"))
		wanted := map[string]ddb.KeysAndAttributes{"t": {Keys: keys, ProjectionExpression: aws.String("#v"), ExpressionAttributeNames: map[string]string{"#v": "v"}}}
		var found []string
		calls := 0
		for ; len(wanted) > 0; calls++ {
			out, err := c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: wanted})
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, strings.Fields(brief(out.Responses["t"], "v"))...)
			wanted = out.UnprocessedKeys
		}
		slices.Sort(found)
		if got := strings.Join(found, " "); got != "v0 v1 v2 v3 v4 v5 v6 v7 v8 v9" || calls < 2 {
			t.Errorf("%d calls gave %s", calls, got)
		}
	})
}

func TestWhatDynamoDBDoesNotTake(t *testing.T) {
	p := map[string]string{"#p": "p"}
	many := make([]map[string]ddb.AttributeValue, 101)
	for i := range many {
		many[i] = item("p", "a", "s", fmt.Sprint(i))
	}
	asPut := func(change func(*dynamodb.PutItemInput)) func(context.Context, *world.Client) error {
		return func(ctx context.Context, c *world.Client) error {
			in := &dynamodb.PutItemInput{TableName: tableName, Item: item("p", "a", "s", "1")}
			change(in)
			_, err := c.PutItem(ctx, in)
			return err
		}
	}
	asQuery := func(change func(*dynamodb.QueryInput)) func(context.Context, *world.Client) error {
		return func(ctx context.Context, c *world.Client) error {
			in := query("#p = :p", p, item(":p", "a"))
			change(in)
			_, err := c.Query(ctx, in)
			return err
		}
	}
	asBatch := func(wanted ddb.KeysAndAttributes) func(context.Context, *world.Client) error {
		return func(ctx context.Context, c *world.Client) error {
			_, err := c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]ddb.KeysAndAttributes{"t": wanted}})
			return err
		}
	}
	for name, c := range map[string]struct {
		call func(context.Context, *world.Client) error
		want string
	}{
		"a table that there is not":        {asPut(func(in *dynamodb.PutItemInput) { in.TableName = aws.String("u") }), "ResourceNotFoundException: Requested resource not found"},
		"an index that there is not":       {asQuery(func(in *dynamodb.QueryInput) { in.IndexName = aws.String("j") }), "ValidationException: The table does not have the specified index"},
		"half a key":                       {asPut(func(in *dynamodb.PutItemInput) { in.Item = item("p", "a") }), "ValidationException: The provided key element"},
		"an empty key":                     {asPut(func(in *dynamodb.PutItemInput) { in.Item = item("p", "a", "s", "") }), "empty string value"},
		"a key that is a number":           {asPut(func(in *dynamodb.PutItemInput) { in.Item = item("p", "#1", "s", "1") }), "does not match the schema"},
		"a key that is too long":           {asPut(func(in *dynamodb.PutItemInput) { in.Item = item("p", "a", "s", strings.Repeat("x", 1025)) }), "exceeds its limit"},
		"an empty key of the index":        {asPut(func(in *dynamodb.PutItemInput) { in.Item = item("p", "a", "s", "1", "is", "") }), "Index Key is"},
		"a number as a key of the index":   {asPut(func(in *dynamodb.PutItemInput) { in.Item = item("p", "a", "s", "1", "is", "#1") }), "Index Key is"},
		"an item that is too large":        {asPut(func(in *dynamodb.PutItemInput) { in.Item = item("p", "a", "s", "1", "x", strings.Repeat("x", 400<<10)) }), "Item size has exceeded"},
		"a number that is none":            {asPut(func(in *dynamodb.PutItemInput) { in.Item = item("p", "a", "s", "1", "n", "#one") }), "numeric value"},
		"a name that is not used":          {asPut(func(in *dynamodb.PutItemInput) { in.ExpressionAttributeNames = p }), "unused in expressions: keys: [#p]"},
		"a value that is not used":         {asQuery(func(in *dynamodb.QueryInput) { in.ExpressionAttributeValues = item(":p", "a", ":q", "b") }), "unused in expressions: keys: [:q]"},
		"a value that is not defined":      {asQuery(func(in *dynamodb.QueryInput) { in.ExpressionAttributeValues = nil }), "attribute value: :p"},
		"an attribute without placeholder": {asQuery(func(in *dynamodb.QueryInput) { in.KeyConditionExpression = aws.String("p = :p") }), "world: attribute p of an expression has no placeholder"},
		"an expression of another form":    {asQuery(func(in *dynamodb.QueryInput) { in.KeyConditionExpression = aws.String("begins_with(#p, :p)") }), `world: expression "begins_with(#p, :p)" is not simulated`},
		"a query by another attribute":     {asQuery(func(in *dynamodb.QueryInput) { in.ExpressionAttributeNames = map[string]string{"#p": "s"} }), "Query condition missed key schema element: p"},
		"a query of the index by the key":  {asQuery(func(in *dynamodb.QueryInput) { in.IndexName = aws.String("i") }), "Query condition missed key schema element: ip"},
		"an index that is read consistently": {asQuery(func(in *dynamodb.QueryInput) {
			in.IndexName, in.ConsistentRead = aws.String("i"), aws.Bool(true)
		}), "Consistent reads are not supported"},
		"a limit":                    {asQuery(func(in *dynamodb.QueryInput) { in.Limit = aws.Int32(1) }), "world: Limit of Query is not simulated"},
		"return values":              {asPut(func(in *dynamodb.PutItemInput) { in.ReturnValues = ddb.ReturnValueAllOld }), "world: ReturnValues of PutItem is not simulated"},
		"a batch that is too large":  {asBatch(ddb.KeysAndAttributes{Keys: many}), "ValidationException: Too many"},
		"a batch that asks twice":    {asBatch(ddb.KeysAndAttributes{Keys: append(many[:2:2], many[0])}), "contains duplicates"},
		"a batch of no items":        {asBatch(ddb.KeysAndAttributes{Keys: many[:0]}), "too few"},
		"a batch of more than a key": {asBatch(ddb.KeysAndAttributes{Keys: []map[string]ddb.AttributeValue{item("p", "a", "s", "1", "x", "y")}}), "does not match the schema"},
		"a projection by bare names": {asBatch(ddb.KeysAndAttributes{Keys: many[:1], ProjectionExpression: aws.String("p")}), "has no placeholder"},
		"a set":                      {asPut(func(in *dynamodb.PutItemInput) { in.Item["x"] = &ddb.AttributeValueMemberSS{Value: []string{"a"}} }), "AttributeValueMemberSS are not simulated"},
		"who looks on and writes": {func(ctx context.Context, _ *world.Client) error {
			_, err := (world.Peek{}).PutItem(ctx, nil)
			return err
		}, "does not write"},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, nil).furnish()
			s.at(0, func(ctx context.Context, client *world.Client) {
				if err := c.call(ctx, client); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
			})
		})
	}
}

func TestATableIsInTheHub(t *testing.T) {
	s := set(t, 1, nil).furnish()
	s.at(0, func(ctx context.Context, c *world.Client) {
		_, elsewhere := c.In("eu-west-1").Scan(ctx, &dynamodb.ScanInput{TableName: tableName})
		_, foreign := s.Client(caller, "444455556666", hubRegion).Scan(ctx, &dynamodb.ScanInput{TableName: tableName})
		for what, err := range map[string]error{"another region": elsewhere, "another account": foreign} {
			if code(err) != "400 ResourceNotFoundException" {
				t.Errorf("%s: %s", what, code(err))
			}
		}
	})
}

// The codes and their status: developer guide, "Error handling with DynamoDB".
func TestDynamoDBFailsLikeOthers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world.Spec)
		want   string
	}{
		"throttled": {func(s *world.Spec) { s.Behaviour.Throttled = 1 }, "400 ThrottlingException"},
		"not granted": {func(s *world.Spec) {
			s.Grants = []world.Grant{{Role: "cniguard", Actions: []string{"dynamodb:GetItem"}}}
		}, "400 AccessDeniedException"},
		"out of order":    {faults(world.Fault{Service: "dynamodb", Code: "InternalServerError"}), "500 InternalServerError"},
		"a fault of any":  {faults(world.Fault{Code: "ThrottlingException"}), "400 ThrottlingException"},
		"a region is off": {func(s *world.Spec) { s.Disabled = []world.Disabled{{Account: hubAccount, Region: hubRegion}} }, "400 UnrecognizedClientException"},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, c.change).furnish()
			s.at(time.Minute, func(ctx context.Context, client *world.Client) {
				if _, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: tableName}); code(err) != c.want {
					t.Errorf("%s, want %s", code(err), c.want)
				}
			})
		})
	}
}

func TestWhoPeeksLeavesNoTrace(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Behaviour = world.Behaviour{IndexLag: time.Hour, Unprocessed: 1, PageSize: 1, Latency: world.Range{Min: time.Second, Max: time.Second}, Throttled: 0}
	})).furnish()
	s.at(0, func(ctx context.Context, c *world.Client) {
		put(t, ctx, c, item("p", "a", "s", "1", "ip", "x", "is", "1"), item("p", "a", "s", "2", "ip", "x", "is", "2"))
	})
	s.until(time.Minute)
	calls := len(s.History())
	ip := query("#p = :p", map[string]string{"#p": "ip"}, item(":p", "x"))
	ip.IndexName = aws.String("i")
	index, indexErr := s.Peek().Query(t.Context(), ip)
	scan, scanErr := s.Peek().Scan(t.Context(), &dynamodb.ScanInput{TableName: tableName})
	batch, batchErr := s.Peek().BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]ddb.KeysAndAttributes{
		"t": {Keys: []map[string]ddb.AttributeValue{item("p", "a", "s", "1"), item("p", "a", "s", "2")}}}})
	if err := errors.Join(indexErr, scanErr, batchErr); err != nil {
		t.Fatal(err)
	}
	if len(index.Items) != 2 || len(scan.Items) != 2 || len(batch.Responses["t"]) != 2 || len(s.History()) != calls || s.Now() != noon.Add(time.Minute) {
		t.Errorf("%d, %d, %d items; %d calls more; it is %s", len(index.Items), len(scan.Items), len(batch.Responses["t"]), len(s.History())-calls, s.Now())
	}
}
