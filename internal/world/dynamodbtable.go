package world

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Limits of DynamoDB (developer guide, "Quotas"; API reference, BatchGetItem and Query).
const (
	largestItem = 400 << 10 // bytes
	largestPage = 1 << 20   // bytes
	mostInBatch = 100       // keys
)

// itemKey is where an item is in a table.
type itemKey struct{ partition, sort string }

// table is a table with what is in it.
type table struct {
	Table
	rows map[itemKey]*row
}

// keyOf is the key of an item, or a key that a call names: nothing else may be in it when alone.
func (t *table) keyOf(it attributes, alone bool) (itemKey, error) {
	partition, hasPartition := textOf(it, t.Key.Partition)
	sort, hasSort := textOf(it, t.Key.Sort)
	switch {
	case !hasPartition || !hasSort || alone && len(it) != 2:
		return itemKey{}, malformed("The provided key element does not match the schema")
	case partition == "" || sort == "":
		return itemKey{}, malformed("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value.")
	case len(partition) > 2048 || len(sort) > 1024: // developer guide, "Quotas"
		return itemKey{}, malformed("One or more parameter values were invalid: Size of a key exceeds its limit")
	}
	return itemKey{partition, sort}, nil
}

func (t *table) get(in *dynamodb.GetItemInput, v view) (*dynamodb.GetItemOutput, error) {
	if err := only(in, "TableName", "Key", "ConsistentRead"); err != nil {
		return nil, err
	}
	k, err := t.keyOf(in.Key, true)
	if err != nil {
		return nil, err
	}
	return &dynamodb.GetItemOutput{Item: maps.Clone(v.of(t.rows[k], aws.ToBool(in.ConsistentRead)))}, nil
}

// put writes an item where its condition holds. That of a call that fails comes back where it is asked for.
func (t *table) put(in *dynamodb.PutItemInput, v view) (*dynamodb.PutItemOutput, error) {
	if err := only(in, "TableName", "Item", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
		"ReturnValuesOnConditionCheckFailure"); err != nil {
		return nil, err
	}
	k, err := t.keyOf(in.Item, false)
	if err == nil {
		err = t.fits(in.Item)
	}
	if err != nil {
		return nil, err
	}
	conditions, err := parse(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	old := t.rows[k].now()
	if !hold(conditions, old) {
		failed := &types.ConditionalCheckFailedException{Message: aws.String("The conditional request failed")}
		if in.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld {
			failed.Item = maps.Clone(old)
		}
		return nil, failed
	}
	if t.rows[k] == nil {
		t.rows[k] = &row{}
	}
	t.rows[k].set(maps.Clone(in.Item), v)
	return &dynamodb.PutItemOutput{}, nil
}

// fits is why an item cannot be kept.
func (t *table) fits(it attributes) error {
	size, err := itemSize(it)
	if err != nil {
		return err
	}
	if size > largestItem {
		return malformed("Item size has exceeded the maximum allowed size")
	}
	for _, name := range []string{t.IndexKey.Partition, t.IndexKey.Sort} {
		if s, ok := textOf(it, name); it[name] != nil && (!ok || s == "") {
			return malformed("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: S, or an empty string value. IndexName: %s", name, t.Index)
		}
	}
	return nil
}

func (t *table) query(in *dynamodb.QueryInput, v view) (*dynamodb.QueryOutput, error) {
	if err := only(in, "TableName", "IndexName", "KeyConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
		"ConsistentRead", "ExclusiveStartKey"); err != nil {
		return nil, err
	}
	conditions, err := parse(in.KeyConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	list, err := t.listing(in.IndexName, aws.ToBool(in.ConsistentRead), v)
	if err == nil {
		err = onKey(conditions, list.key)
	}
	if err != nil {
		return nil, err
	}
	list.items = slices.DeleteFunc(list.items, func(it attributes) bool { return !hold(conditions, it) })
	items, last := list.page(in.ExclusiveStartKey, v.page)
	return &dynamodb.QueryOutput{Items: items, Count: int32(len(items)), ScannedCount: int32(len(items)), LastEvaluatedKey: last}, nil
}

func (t *table) scan(in *dynamodb.ScanInput, v view) (*dynamodb.ScanOutput, error) {
	if err := only(in, "TableName", "ConsistentRead", "ExclusiveStartKey"); err != nil {
		return nil, err
	}
	list, err := t.listing(nil, aws.ToBool(in.ConsistentRead), v)
	if err != nil {
		return nil, err
	}
	items, last := list.page(in.ExclusiveStartKey, v.page)
	return &dynamodb.ScanOutput{Items: items, Count: int32(len(items)), ScannedCount: int32(len(items)), LastEvaluatedKey: last}, nil
}

// batch reads items. Those that there are come back in no order, which is here the wrong one.
func (t *table) batch(in *dynamodb.BatchGetItemInput, v view) (*dynamodb.BatchGetItemOutput, error) {
	if err := only(in, "RequestItems"); err != nil {
		return nil, err
	}
	wanted := in.RequestItems[t.Name]
	if err := only(wanted, "Keys", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"); err != nil {
		return nil, err
	}
	if len(wanted.Keys) == 0 || len(wanted.Keys) > mostInBatch || len(in.RequestItems) > 1 {
		return nil, malformed("Too many or too few items requested for the BatchGetItem call")
	}
	show, err := projection(wanted.ProjectionExpression, wanted.ExpressionAttributeNames)
	if err != nil {
		return nil, err
	}
	seen, found := map[itemKey]bool{}, []attributes{}
	read := v.some(len(wanted.Keys))
	for i, key := range wanted.Keys {
		k, err := t.keyOf(key, true)
		if err != nil {
			return nil, err
		}
		if seen[k] {
			return nil, malformed("Provided list of item keys contains duplicates")
		}
		seen[k] = true
		if it := v.of(t.rows[k], aws.ToBool(wanted.ConsistentRead)); it != nil && i < read {
			found = append(found, show(it))
		}
	}
	slices.Reverse(found)
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]attributes{t.Name: found}}
	if read < len(wanted.Keys) {
		wanted.Keys = slices.Clone(wanted.Keys[read:])
		out.UnprocessedKeys = map[string]types.KeysAndAttributes{t.Name: wanted}
	}
	return out, nil
}
