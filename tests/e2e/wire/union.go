package wire

import (
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// members are the kinds of values that DynamoDB knows, by their names on the wire: the SDK's only unions here (API reference,
// "AttributeValue").
func members() map[string]reflect.Type {
	return map[string]reflect.Type{
		"S": reflect.TypeFor[types.AttributeValueMemberS](), "N": reflect.TypeFor[types.AttributeValueMemberN](),
		"B": reflect.TypeFor[types.AttributeValueMemberB](), "BOOL": reflect.TypeFor[types.AttributeValueMemberBOOL](),
		"NULL": reflect.TypeFor[types.AttributeValueMemberNULL](), "L": reflect.TypeFor[types.AttributeValueMemberL](),
		"M": reflect.TypeFor[types.AttributeValueMemberM](),
	}
}

// fillUnion puts a tree of one name into a union: the name says which of its members it is.
func fillUnion(v reflect.Value, said any) error {
	named, _ := said.(map[string]any)
	for name, part := range named {
		kind, known := members()[name]
		if !known || len(named) != 1 {
			break
		}
		member := reflect.New(kind)
		if err := fill(member.Elem().FieldByName("Value"), part); err != nil {
			return err
		}
		v.Set(member)
		return nil
	}
	return fmt.Errorf("%v where an attribute value is wanted", said)
}

// union is the tree of a union.
func union(v reflect.Value, name naming) any {
	for wire, kind := range members() {
		if v.Elem().Type() == reflect.PointerTo(kind) {
			return map[string]any{wire: treeOf(v.Elem().Elem().FieldByName("Value"), name)}
		}
	}
	panic("wire: a union of kind " + v.Elem().Type().String())
}
