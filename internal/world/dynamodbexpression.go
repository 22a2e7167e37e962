package world

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// condition is one part of an expression.
type condition struct {
	attribute string
	op        string // "absent", "=" or "<="
	value     types.AttributeValue
}

// expression resolves the names and values of an expression, and knows which were used. Attributes that are written out are not
// simulated: some are reserved words, as at, token and schema.
type expression struct {
	names  map[string]string
	values attributes
	unused map[string]bool
}

func express(names map[string]string, values attributes) *expression {
	e := &expression{names: names, values: values, unused: map[string]bool{}}
	for n := range names {
		e.unused[n] = true
	}
	for v := range values {
		e.unused[v] = true
	}
	return e
}

// name is the attribute that a placeholder stands for.
func (e *expression) name(placeholder string) (string, error) {
	name, ok := e.names[placeholder]
	if !ok {
		return "", fmt.Errorf("world: attribute %s of an expression has no placeholder as #name that is defined", placeholder)
	}
	delete(e.unused, placeholder)
	return name, nil
}

func (e *expression) value(placeholder string) (types.AttributeValue, error) {
	v, ok := e.values[placeholder]
	if !ok {
		return nil, malformed("An expression attribute value used in expression is not defined; attribute value: %s", placeholder)
	}
	delete(e.unused, placeholder)
	return v, nil
}

// end is the error of what was defined and never used.
func (e *expression) end() error {
	if len(e.unused) > 0 {
		return malformed("Value provided in ExpressionAttributeNames or ExpressionAttributeValues unused in expressions: keys: %v", slices.Sorted(maps.Keys(e.unused)))
	}
	return nil
}

// parse reads the conditions that are simulated: `attribute_not_exists(#name)`, `#name = :value` and `#name <= :value`, and several with
// AND. No expression is no condition.
func parse(text *string, names map[string]string, values attributes) ([]condition, error) {
	e := express(names, values)
	var conditions []condition
	if text != nil {
		for part := range strings.SplitSeq(*text, " AND ") {
			c, err := e.condition(part)
			if err != nil {
				return nil, err
			}
			conditions = append(conditions, c)
		}
	}
	return conditions, e.end()
}

func (e *expression) condition(part string) (c condition, err error) {
	if inner, ok := strings.CutPrefix(part, "attribute_not_exists("); ok && strings.HasSuffix(inner, ")") {
		c.op = "absent"
		c.attribute, err = e.name(strings.TrimSuffix(inner, ")"))
		return c, err
	}
	words := strings.Fields(part)
	if len(words) != 3 || words[1] != "=" && words[1] != "<=" {
		return c, fmt.Errorf("world: expression %q is not simulated", part)
	}
	c.op = words[1]
	if c.attribute, err = e.name(words[0]); err != nil {
		return c, err
	}
	c.value, err = e.value(words[2])
	return c, err
}

// hold reports whether all conditions are true of an item; nil: there is none.
func hold(conditions []condition, it attributes) bool {
	return !slices.ContainsFunc(conditions, func(c condition) bool { return !c.holds(it) })
}

func (c condition) holds(it attributes) bool {
	have, ok := it[c.attribute]
	if c.op == "absent" || !ok {
		return c.op == "absent" && !ok
	}
	order, comparable := compare(have, c.value)
	return comparable && (order == 0 || order < 0 && c.op == "<=")
}

// compare orders two texts or two numbers; false: they are not of one type.
func compare(a, b types.AttributeValue) (order int, comparable bool) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		if b, ok := b.(*types.AttributeValueMemberS); ok {
			return strings.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberN:
		if b, ok := b.(*types.AttributeValueMemberN); ok {
			x, _ := strconv.ParseFloat(a.Value, 64)
			y, _ := strconv.ParseFloat(b.Value, 64)
			return cmp.Compare(x, y), true
		}
	}
	return 0, false
}

// onKey is the error of conditions that a query cannot have: it needs the partition key, and may bound the sort key.
func onKey(conditions []condition, k Key) error {
	if len(conditions) == 0 || conditions[0].attribute != k.Partition || conditions[0].op != "=" ||
		len(conditions) > 2 || len(conditions) == 2 && (conditions[1].attribute != k.Sort || conditions[1].op == "absent") {
		return malformed("Query condition missed key schema element: %s", k.Partition)
	}
	return nil
}

// projection is what an expression as `#a, #b` shows of an item; without one, all.
func projection(text *string, names map[string]string) (func(attributes) attributes, error) {
	e := express(names, nil)
	if text == nil {
		return maps.Clone[attributes], e.end()
	}
	var show []string
	for placeholder := range strings.SplitSeq(*text, ", ") {
		name, err := e.name(placeholder)
		if err != nil {
			return nil, err
		}
		show = append(show, name)
	}
	return func(it attributes) attributes { return some(it, show) }, e.end()
}
