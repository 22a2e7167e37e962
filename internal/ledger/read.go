package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/fault"
)

// get reads one item consistently; nil: there is none.
func (d *Dynamo) get(ctx context.Context, key item) (item, error) {
	out, err := call(d.clock, "dynamodb:GetItem", d.client.GetItem)(ctx, &dynamodb.GetItemInput{TableName: &d.table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

// under finds all items under a partition key, in the table itself.
func under(key string) dynamodb.QueryInput {
	return dynamodb.QueryInput{
		ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("#pk = :pk"),
		ExpressionAttributeNames: map[string]string{"#pk": "pk"}, ExpressionAttributeValues: item{":pk": text(key)},
	}
}

// dueBy finds the records, or the digests, that are due at a time, in the index.
func dueBy(what string, now time.Time) dynamodb.QueryInput {
	return dynamodb.QueryInput{
		IndexName: aws.String("due"), KeyConditionExpression: aws.String("#due = :due AND #at <= :now"),
		ExpressionAttributeNames:  map[string]string{"#due": "due", "#at": "at"},
		ExpressionAttributeValues: item{":due": text(what), ":now": text(stamp(now))},
	}
}

// ordersFor finds the orders for a cluster, in the index.
func ordersFor(id cluster.ID) dynamodb.QueryInput {
	return dynamodb.QueryInput{
		IndexName: aws.String("due"), KeyConditionExpression: aws.String("#due = :due"),
		ExpressionAttributeNames: map[string]string{"#due": "due"}, ExpressionAttributeValues: item{":due": text(orderPrefix + id.String())},
	}
}

// query reads all pages. A page has 1 MB at most, and the last may be empty (API reference, "Query").
func (d *Dynamo) query(ctx context.Context, in dynamodb.QueryInput) ([]item, error) {
	in.TableName = &d.table
	var found []item
	for {
		page := in
		out, err := call(d.clock, "dynamodb:Query", d.client.Query)(ctx, &page)
		if err != nil {
			return nil, err
		}
		found = appended(found, out.Items)
		if in.ExclusiveStartKey = out.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			return found, nil
		}
	}
}

// scan reads the whole table consistently.
func (d *Dynamo) scan(ctx context.Context) ([]item, error) {
	in := dynamodb.ScanInput{TableName: &d.table, ConsistentRead: aws.Bool(true)}
	var found []item
	for {
		page := in
		out, err := call(d.clock, "dynamodb:Scan", d.client.Scan)(ctx, &page)
		if err != nil {
			return nil, err
		}
		found = appended(found, out.Items)
		if in.ExclusiveStartKey = out.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			return found, nil
		}
	}
}

func appended(items []item, more []map[string]types.AttributeValue) []item {
	for _, it := range more {
		items = append(items, it)
	}
	return items
}

const (
	perBatch  = 100 // keys (API reference, "BatchGetItem")
	firstWait = 50 * time.Millisecond
	mostWaits = 8 // in a row: 13 s
)

// reread reads items of the table again, consistently, in no order: an index is behind its table. Attributes name what is wanted of
// them; none: all. What is not there any more is left out.
func (d *Dynamo) reread(ctx context.Context, stale []item, attributes ...string) ([]item, error) {
	var found []item
	for left, waits := distinct(stale), 0; len(left) > 0; {
		batch := left[:min(perBatch, len(left))]
		out, err := call(d.clock, "dynamodb:BatchGetItem", d.client.BatchGetItem)(ctx, d.batch(batch, attributes))
		if err != nil {
			return nil, err
		}
		found = appended(found, out.Responses[d.table])
		unread := out.UnprocessedKeys[d.table].Keys
		left = append(left[len(batch):], unread...)
		if len(unread) == 0 {
			waits = 0
			continue
		}
		// A batch that meets a throttle has what it got by then; the rest is to be asked for later (API reference, "BatchGetItem").
		if waits++; waits > mostWaits {
			return nil, &fault.Fault{Kind: fault.Retry, Op: "dynamodb:BatchGetItem", Text: fmt.Sprintf("%d items are still unprocessed after %d calls", len(unread), waits)}
		}
		if err := d.clock.Sleep(ctx, firstWait<<(waits-1)); err != nil {
			return nil, access.Fault("dynamodb:BatchGetItem", err)
		}
	}
	return found, nil
}

// batch asks for items by their keys.
func (d *Dynamo) batch(keys []map[string]types.AttributeValue, attributes []string) *dynamodb.BatchGetItemInput {
	wanted := types.KeysAndAttributes{Keys: keys, ConsistentRead: aws.Bool(true)}
	if len(attributes) > 0 {
		names := make(map[string]string, len(attributes))
		for _, a := range attributes {
			names["#"+a] = a
		}
		wanted.ProjectionExpression, wanted.ExpressionAttributeNames = aws.String("#"+strings.Join(attributes, ", #")), names
	}
	return &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{d.table: wanted}}
}

// distinct are the keys of items, each once: an index that is read page by page may show an item in two places, and a batch must
// not ask twice.
func distinct(items []item) []map[string]types.AttributeValue {
	seen := map[[2]string]bool{}
	var keys []map[string]types.AttributeValue
	for _, it := range items {
		name := [2]string{it.text("pk"), it.text("sk")}
		if !seen[name] {
			seen[name] = true
			keys = append(keys, it.key())
		}
	}
	return keys
}
