package world

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
)

// dynamodbCalls are the simulated operations of DynamoDB. Of their inputs only some fields are, and of expressions only the forms in
// dynamodbexpression.go; all else is an error that names it. Items are never deleted: DynamoDB deletes what is past its time to
// live within days, and shows it until then (facts-aws.md, 2.1).
func dynamodbCalls() map[string]handler {
	return map[string]handler{
		"GetItem":      onTable(func(in *dynamodb.GetItemInput) *string { return in.TableName }, (*table).get),
		"PutItem":      onTable(func(in *dynamodb.PutItemInput) *string { return in.TableName }, (*table).put),
		"Query":        onTable(func(in *dynamodb.QueryInput) *string { return in.TableName }, (*table).query),
		"Scan":         onTable(func(in *dynamodb.ScanInput) *string { return in.TableName }, (*table).scan),
		"BatchGetItem": onTable(oneTable, (*table).batch),
	}
}

// Table describes a DynamoDB table on demand with one global secondary index, which has the keys of items only.
type Table struct {
	Name     string
	Key      Key
	Index    string // name
	IndexKey Key    // an item that lacks one of these is not in the index
}

// Key names the two attributes of a key. Both are texts.
type Key struct{ Partition, Sort string }

// CreateTable makes an empty table in the hub.
func (w *World) CreateTable(t Table) {
	if w.tables == nil {
		w.tables = map[string]*table{}
	}
	w.tables[t.Name] = &table{Table: t, rows: map[itemKey]*row{}}
}

// table finds a table that is called in an account and region.
func (w *World) table(name *string, at place) (*table, error) {
	t := w.tables[aws.ToString(name)]
	if t == nil || at != (place{w.spec.Hub.Account, w.spec.Hub.Region}) {
		return nil, modelled("dynamodb", "ResourceNotFoundException", "Requested resource not found: Table: "+aws.ToString(name)+" not found")
	}
	return t, nil
}

// onTable makes a handler of what a table does. Name is the table's, in the input.
func onTable[In, Out any](name func(*In) *string, do func(*table, *In, view) (*Out, error)) handler {
	return on(func(w *World, c *Call, in *In) (*Out, error) {
		t, err := w.table(name(in), place{c.Account, c.Region})
		if err != nil {
			return nil, err
		}
		return do(t, in, w.seen())
	})
}

// oneTable is the table of a batch.
func oneTable(in *dynamodb.BatchGetItemInput) *string {
	for name := range in.RequestItems {
		return &name
	}
	return nil
}

// view is how much a call sees of a table.
type view struct {
	now   time.Time
	index time.Time          // the index shows the items as they were then
	page  int                // most items of a page
	some  func(most int) int // how many of a batch's items are read
}

// seen is the view of a call.
func (w *World) seen() view {
	b := w.spec.Behaviour
	return view{now: w.Now(), index: w.Now().Add(-b.IndexLag), page: b.PageSize, some: func(most int) int {
		if most > 1 && w.chance(b.Unprocessed) {
			return 1 + w.rand.IntN(most-1)
		}
		return most
	}}
}

// Peek reads the tables of DynamoDB as they are, with the methods of the SDK's client. No time passes, nothing fails, pages and
// batches are whole, the index is up to date, and the history has nothing of it: it is for those who look on.
type Peek struct{ world *World }

// Peek looks into the tables.
func (w *World) Peek() Peek { return Peek{w} }

func peek[In, Out any](p Peek, name *string, in *In, do func(*table, *In, view) (*Out, error)) (*Out, error) {
	w := p.world
	t, err := w.table(name, place{w.spec.Hub.Account, w.spec.Hub.Region})
	if err != nil {
		return nil, err
	}
	return do(t, in, view{now: w.Now(), index: w.Now(), page: math.MaxInt, some: func(most int) int { return most }})
}

// GetItem reads one item.
func (p Peek) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return peek(p, in.TableName, in, (*table).get)
}

// PutItem is an error: who looks on does not write.
func (p Peek) PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return nil, fmt.Errorf("world: who looks on does not write")
}

// Query reads the items with a key, in the table or its index.
func (p Peek) Query(_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return peek(p, in.TableName, in, (*table).query)
}

// Scan reads all items.
func (p Peek) Scan(_ context.Context, in *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	return peek(p, in.TableName, in, (*table).scan)
}

// BatchGetItem reads several items.
func (p Peek) BatchGetItem(_ context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return peek(p, oneTable(in), in, (*table).batch)
}

// malformed is the error of a call that DynamoDB cannot make sense of.
func malformed(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// only is the error of an input with another field than those that are simulated.
func only(in any, simulated ...string) error {
	v := reflect.Indirect(reflect.ValueOf(in))
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() && !slices.Contains(simulated, f.Name) {
			return fmt.Errorf("world: %s of %s is not simulated", f.Name, strings.TrimSuffix(v.Type().Name(), "Input"))
		}
	}
	return nil
}
