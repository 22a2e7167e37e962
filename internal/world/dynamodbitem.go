package world

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// attributes are an item, or a part of one. They are never changed.
type attributes = map[string]types.AttributeValue

// row is an item in the course of time, the newest version last.
type row struct{ versions []version }

type version struct {
	at   time.Time
	item attributes
}

// now is the item as it is.
func (r *row) now() attributes {
	if r == nil || len(r.versions) == 0 {
		return nil
	}
	return r.versions[len(r.versions)-1].item
}

// when is the item as it was; nil: it was not there yet.
func (r *row) when(t time.Time) attributes {
	if r == nil {
		return nil
	}
	for _, v := range slices.Backward(r.versions) {
		if !v.at.After(t) {
			return v.item
		}
	}
	return nil
}

// of is an item as a read sees it: one that is not consistent may be as late as the index (developer guide, "DynamoDB read
// consistency").
func (v view) of(r *row, consistent bool) attributes {
	if consistent {
		return r.now()
	}
	return r.when(v.index)
}

// set makes a new version. What no index shows any more is forgotten.
func (r *row) set(it attributes, v view) {
	for len(r.versions) > 1 && !r.versions[1].at.After(v.index) {
		r.versions = r.versions[1:]
	}
	r.versions = append(r.versions, version{v.now, it})
}

// textOf is an attribute that is a text; false: there is none, or it is none.
func textOf(it attributes, name string) (string, bool) {
	s, ok := it[name].(*types.AttributeValueMemberS)
	if !ok {
		return "", false
	}
	return s.Value, true
}

// itemSize is what an item takes (developer guide, "DynamoDB item sizes and formats").
func itemSize(it attributes) (int, error) {
	size := 0
	for name, value := range it {
		n, err := valueSize(value)
		if err != nil {
			return 0, err
		}
		size += len(name) + n
	}
	return size, nil
}

func valueSize(value types.AttributeValue) (int, error) {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value), nil
	case *types.AttributeValueMemberN:
		if _, err := strconv.ParseFloat(v.Value, 64); err != nil {
			return 0, malformed("The parameter cannot be converted to a numeric value: %s", v.Value)
		}
		return (len(v.Value)+1)/2 + 1, nil
	case *types.AttributeValueMemberL:
		size := 3
		for _, e := range v.Value {
			n, err := valueSize(e)
			if err != nil {
				return 0, err
			}
			size += n + 1
		}
		return size, nil
	}
	return 0, fmt.Errorf("world: attributes of type %T are not simulated", value)
}
