package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// Orders lists what people ordered for a cluster, oldest first: of each person the newest word on its updates, and on each finding. It goes by the index, so that an
// order is seen with the index's delay (see Due); a later word of the same person on the same matter at once. One that cannot be read is an error:
// it may forbid what is about to be done.
func (d *Dynamo) Orders(ctx context.Context, id cluster.ID) ([]guard.Order, error) {
	keys, err := d.query(ctx, ordersFor(id))
	var found []item
	if err == nil {
		found, err = d.reread(ctx, keys)
	}
	if err != nil {
		return nil, fmt.Errorf("read orders for %s: %w", id, err)
	}
	orders := make([]guard.Order, len(found))
	for i, it := range found {
		if orders[i], err = it.order(id, d.clock.Now()); err != nil {
			return nil, fmt.Errorf("read orders for %s: item %s %s: %w", id, it.text("pk"), it.text("sk"), err)
		}
	}
	slices.SortFunc(orders, oldestFirst)
	return orders, nil
}

// Fleet reads the fleet's state, consistently. A halt that cannot be read is an error.
func (d *Dynamo) Fleet(ctx context.Context) (guard.Fleet, error) {
	var o guard.Order
	it, err := d.get(ctx, haltItemKey())
	if err == nil && it != nil {
		o, err = it.halt()
	}
	if err != nil {
		return guard.Fleet{}, fmt.Errorf("read the fleet's halt: %w", err)
	}
	return standing(o), nil
}

// Order writes a person's word. An approval, a denial or a word on a finding is for one cluster, and o.By is the writer's aws:userid; a halt,
// a teardown or the end of either is for the fleet, and the cluster is not looked at.
//
// The word of IAM stands behind the writer of an order for a cluster: people may write only where dynamodb:LeadingKeys is
// ORDER#${aws:userid}, and the functions may not write there at all (facts-aws.md, 10). A halt is under one key for all who may
// give one: its By is what the writer says.
func (d *Dynamo) Order(ctx context.Context, id cluster.ID, o guard.Order) error {
	fleet, err := isToFleet(o.Kind)
	subject, it := id.String(), orderItem(id, o)
	if fleet {
		subject, it = "the fleet", haltItem(o)
	}
	if err == nil {
		err = named(o)
	}
	if err == nil && o.By == "" {
		err = errors.New("it has no writer")
	}
	if err == nil {
		err = d.put(ctx, it, always())
	}
	if err != nil {
		return fmt.Errorf("write order for %s: %w", subject, err)
	}
	return nil
}

func orderItem(id cluster.ID, o guard.Order) item {
	it := wordItem(o)
	it["pk"], it["sk"] = text(orderPrefix+o.By), text(id.String()+matter(o))
	it["due"], it["at"] = text(orderPrefix+id.String()), text(o.By+matter(o)) // a later word of the same person on it changes nothing in the index
	if !o.Until.IsZero() {
		it["expires"] = number(o.Until.Add(keepOrder).Unix())
	}
	return it
}

// matter is what an order for a cluster is about, as its key ends: a finding, or else the updates. So a mute takes no approval's place. No
// cluster has the mark in its name.
func matter(o guard.Order) string {
	if o.Finding == "" {
		return ""
	}
	return findingMark + string(o.Finding)
}

func haltItemKey() item { return item{"pk": text(haltKey), "sk": text(haltKey)} }

func haltItem(o guard.Order) item {
	it := wordItem(o)
	it["pk"], it["sk"], it["by"] = text(haltKey), text(haltKey), text(o.By)
	return it
}

// wordItem is what items of all orders have.
func wordItem(o guard.Order) item {
	it := item{"schema": number(int64(o.Schema)), "kind": text(string(o.Kind)), "because": text(o.Because), "given": text(stamp(o.At))}
	if !o.Until.IsZero() {
		it["until"] = text(stamp(o.Until))
	}
	for name, list := range map[string][]string{"steps": o.Steps, "kept": o.Kept} {
		if len(list) == 0 {
			continue
		}
		texts := make([]types.AttributeValue, len(list))
		for i, s := range list {
			texts[i] = text(s)
		}
		it[name] = &types.AttributeValueMemberL{Value: texts}
	}
	for name, value := range map[string]string{"from": o.From, "keeps": o.Keeps, "finding": string(o.Finding)} {
		if value != "" {
			it[name] = text(value)
		}
	}
	return it
}

// ahead is how far clocks may be apart.
const ahead = 5 * time.Minute

// order is a person's word on a cluster. Only the key says who wrote it, for which cluster and on which matter: all else is the writer's to
// choose. So one is refused that is dated ahead, for when nobody may look at it any more, or that holds for longer than its kind may; a denial
// alone may. A finding that this program does not know is none of its business: a newer one may know it, and nothing of this one's is muted by it.
func (it item) order(id cluster.ID, now time.Time) (guard.Order, error) {
	writer, isOrder := strings.CutPrefix(it.text("pk"), orderPrefix)
	o, err := it.word()
	if err != nil {
		return o, err
	}
	if !isOrder || writer == "" || it.text("sk") != id.String()+matter(o) {
		return guard.Order{}, errors.New("its key is not that of an order for this cluster")
	}
	o.By = writer
	if fleet, err := isToFleet(o.Kind); err != nil || fleet {
		return o, fmt.Errorf("kind %q is not one of approve, deny, mute, unmute, ack", o.Kind)
	}
	if err := named(o); err != nil {
		return o, err
	}
	if o.Until.IsZero() {
		return o, errors.New("attribute until is missing: an order for a cluster has an end")
	}
	most := longest(o.Kind)
	if most > 0 && o.At.After(now.Add(ahead)) {
		return o, errors.New("attribute given is in the future")
	}
	if most > 0 && o.Until.Sub(o.At) > most {
		return o, fmt.Errorf("attribute until is more than %.0f days after given, for which an order of kind %s holds", most.Hours()/24, o.Kind)
	}
	return o, nil
}

// longest is for how long an order for a cluster may hold; 0: for any time. A denial only forbids.
func longest(k guard.OrderKind) time.Duration {
	switch {
	case k == guard.Approval:
		return guard.ApprovalValid
	case k.OnFinding():
		return guard.MuteAtMost
	}
	return 0
}

// halt is the newest word to the fleet.
func (it item) halt() (guard.Order, error) {
	o, err := it.word()
	if err != nil {
		return o, err
	}
	o.By = it.text("by")
	if fleet, err := isToFleet(o.Kind); err != nil || !fleet {
		return o, fmt.Errorf("kind %q is not one of halt, teardown, resume", o.Kind)
	}
	if !o.Until.IsZero() {
		return o, errors.New("attribute until is set: an order to the fleet holds until somebody resumes")
	}
	return o, nil
}

// word reads what items of all orders have.
func (it item) word() (o guard.Order, err error) {
	if err := it.readable(); err != nil {
		return o, err
	}
	schema, err := it.number("schema")
	if err != nil {
		return o, err
	}
	o.Schema, o.Kind, o.Because = int(schema), guard.OrderKind(it.text("kind")), plain.Clean(it.text("because"), plain.Text)
	o.From, o.Keeps, o.Finding = it.text("from"), it.text("keeps"), guard.Code(it.text("finding"))
	if o.At, err = time.Parse(time.RFC3339Nano, it.text("given")); err != nil {
		return o, fmt.Errorf("attribute given is not a time as 2026-03-02T12:00:00Z: %w", err)
	}
	if it["until"] != nil {
		if o.Until, err = time.Parse(time.RFC3339Nano, it.text("until")); err != nil {
			return o, fmt.Errorf("attribute until is not a time as 2026-03-02T12:00:00Z: %w", err)
		}
	}
	if o.Steps, err = it.texts("steps"); err != nil {
		return o, err
	}
	o.Kept, err = it.texts("kept")
	return o, err
}

// texts is an attribute that is a list of texts; none: there is no such attribute.
func (it item) texts(name string) ([]string, error) {
	if it[name] == nil {
		return nil, nil
	}
	list, ok := it[name].(*types.AttributeValueMemberL)
	if !ok {
		return nil, fmt.Errorf("attribute %s is not a list of texts", name)
	}
	texts := make([]string, len(list.Value))
	for i, v := range list.Value {
		s, ok := v.(*types.AttributeValueMemberS)
		if !ok {
			return nil, fmt.Errorf("attribute %s is not a list of texts", name)
		}
		texts[i] = s.Value
	}
	return texts, nil
}
