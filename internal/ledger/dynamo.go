package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
)

// DynamoDB is what Dynamo uses of Amazon DynamoDB.
type DynamoDB interface {
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// deadline is how long one call may take, the SDK's retries included.
const deadline = 10 * time.Second

// Dynamo is a ledger in one DynamoDB table, whose layout item.go has and ADR 0007 explains. It is safe for use by several
// goroutines, and by any number of processes at once: a save is conditional on the record's version.
type Dynamo struct {
	client DynamoDB
	table  string
	clock  clock.Clock
}

// NewDynamo returns the ledger in a table that exists. It makes no call.
func NewDynamo(client DynamoDB, table string, c clock.Clock) *Dynamo {
	return &Dynamo{client: client, table: table, clock: c}
}

// Load reads one record, consistently; the zero Record and Version 0 when there is none.
func (d *Dynamo) Load(ctx context.Context, id cluster.ID) (check.Kept, error) {
	none := check.Kept{Cluster: id}
	found, err := d.get(ctx, recordKey(id))
	if err != nil {
		return none, fmt.Errorf("load record of %s: %w", id, err)
	}
	if found == nil {
		return none, nil
	}
	k, err := found.record()
	if err != nil {
		return none, fmt.Errorf("load record of %s: %w", id, err)
	}
	return k, nil
}

// Save stores a record if it still has the version it was loaded with; else check.ErrConflict: then another saved in between. This save
// may have been made before that, where its answer was lost and the SDK tried it again: read the record anew, as after any conflict.
func (d *Dynamo) Save(ctx context.Context, k check.Kept) (check.Kept, error) {
	it, err := recordItem(k, d.clock.Now())
	if err == nil {
		err = d.put(ctx, it, ifVersion(k.Version))
	}
	if err != nil {
		return k, fmt.Errorf("save record of %s: %w", k.Cluster, err)
	}
	k.Version++
	return k, nil
}

// Due lists the clusters whose record's Wake has come, the longest overdue first. The index follows the table with a delay, of
// less than a second as a rule (DynamoDB developer guide, "Using Global Secondary Indexes"): what came due within it is found by the
// next tick. What the index still has and the table no longer is dropped.
func (d *Dynamo) Due(ctx context.Context, now time.Time) ([]cluster.ID, error) {
	keys, err := d.query(ctx, dueBy(dueRecord, now))
	if err != nil {
		return nil, fmt.Errorf("list what is due: %w", err)
	}
	// Who may give orders writes items of their own, and could put them into this part of the index.
	keys = slices.DeleteFunc(keys, func(k item) bool { return !strings.HasPrefix(k.text("pk"), unitPrefix) })
	found, err := d.reread(ctx, keys, "pk", "sk", "due", "at")
	if err != nil {
		return nil, fmt.Errorf("list what is due: %w", err)
	}
	found = slices.DeleteFunc(found, func(it item) bool { return it.text("due") != dueRecord || it.text("at") > stamp(now) })
	slices.SortFunc(found, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.text("at"), b.text("at")), cmp.Compare(a.text("pk"), b.text("pk")), cmp.Compare(a.text("sk"), b.text("sk")))
	})
	ids := make([]cluster.ID, len(found))
	for i, it := range found {
		if ids[i], err = it.cluster(); err != nil {
			return nil, fmt.Errorf("list what is due: %w", err)
		}
	}
	return ids, nil
}

// In lists the records of a unit, ordered by name, consistently.
func (d *Dynamo) In(ctx context.Context, u event.Unit) ([]check.Kept, error) {
	found, err := d.query(ctx, under(unitKey(u.Account, u.Region)))
	if err != nil {
		return nil, fmt.Errorf("list records of %s in %s: %w", u.Account, u.Region, err)
	}
	return records(found)
}

// All lists every record, ordered by account, region and name. It reads the whole table, for a person who looks at the fleet:
// the functions never call it, nor may they.
func (d *Dynamo) All(ctx context.Context) ([]check.Kept, error) {
	found, err := d.scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	kept, err := records(slices.DeleteFunc(found, func(it item) bool { return !strings.HasPrefix(it.text("pk"), unitPrefix) }))
	slices.SortFunc(kept, func(a, b check.Kept) int { return cluster.Compare(a.Cluster, b.Cluster) })
	return kept, err
}

func records(items []item) ([]check.Kept, error) {
	kept := make([]check.Kept, len(items))
	for i, it := range items {
		var err error
		if kept[i], err = it.record(); err != nil {
			return nil, fmt.Errorf("list records: record of %s %s: %w", it.text("pk"), it.text("sk"), err)
		}
	}
	return kept, nil
}

// call is one SDK call with its deadline and its error classified. Op is its IAM action.
func call[In, Out any](c clock.Clock, op string, method func(context.Context, *In, ...func(*dynamodb.Options)) (*Out, error)) func(context.Context, *In) (*Out, error) {
	return func(ctx context.Context, in *In) (*Out, error) {
		ctx, cancel := c.WithTimeout(ctx, deadline)
		defer cancel()
		out, err := method(ctx, in)
		if err != nil {
			return nil, access.Fault(op, err)
		}
		return out, nil
	}
}

// largest is how much an item may hold, in bytes of names and values (DynamoDB developer guide, "Quotas").
const largest = 400 << 10

// put writes an item if the condition holds; else check.ErrConflict. The SDK tries a call again whose answer was lost: it then
// fails on the item that it has written itself. The token, another in each put, tells that from another writer's.
func (d *Dynamo) put(ctx context.Context, it item, when condition) error {
	it["token"] = text(rand.Text())
	if size := it.size(); size > largest {
		return &fault.Fault{Kind: fault.Terminal, Op: "dynamodb:PutItem", Text: fmt.Sprintf(
			"it has %d KB, and an item of DynamoDB may have %d KB", (size+1<<10-1)>>10, largest>>10)}
	}
	ctx, cancel := d.clock.WithTimeout(ctx, deadline)
	defer cancel()
	_, err := d.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &d.table, Item: it,
		ConditionExpression: when.expression, ExpressionAttributeNames: when.names, ExpressionAttributeValues: when.values,
		ReturnValuesOnConditionCheckFailure: when.onFailure,
	})
	var failed *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &failed) && item(failed.Item).text("token") == it.text("token"):
		return nil
	case failed != nil:
		return check.ErrConflict
	case err != nil:
		return access.Fault("dynamodb:PutItem", err)
	}
	return nil
}
