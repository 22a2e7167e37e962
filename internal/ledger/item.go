package ledger

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

// item is an item of the table. Its key is pk and sk; those that have due and at are in the index "due" too. Ten kinds of things
// are in the table:
//
//	pk                    sk                     due                          at
//	UNIT#ACCOUNT/REGION   NAME, of a unit "-"    RECORD, where it has a Wake  when it wakes
//	ORDER#WRITER          ACCOUNT/REGION/NAME    ORDER#ACCOUNT/REGION/NAME    the writer
//	HALT                  HALT                   -                            -
//	ROLLOUT               ROLLOUT                -                            -
//	DOCTOR                NONCE of a probe       -                            when its event came
//	DOCTOR                NONCE of a sample      -                            when it was taken, or refused
//	DIGEST#OWNER          the instant it is of   DIGEST, until it is told     when it is told
//	DIGESTS               HOURS of digests       -                            -
//	SWEEP                 RUN                    -                            -
//	SWEEP#RUN             ACCOUNT/REGION#AFTER   -                            -
//
// In sk and at of an order on a finding, #FINDING follows.
type item map[string]types.AttributeValue

const (
	unitPrefix   = "UNIT#"
	orderPrefix  = "ORDER#"
	findingMark  = "#"
	haltKey      = "HALT"
	rolloutsKey  = "ROLLOUT"
	doctorKey    = "DOCTOR"
	digestPrefix = "DIGEST#"
	digestsKey   = "DIGESTS"
	sweepKey     = "SWEEP"
	partPrefix   = "SWEEP#"
	dueRecord    = "RECORD"
	dueDigest    = "DIGEST"
	noName       = "-" // a key cannot be empty, and no cluster is called so
)

// How long items are kept that nobody needs any more, until DynamoDB deletes them by their time to live, some days late. Nothing
// rests on it: whoever reads an order compares its times with the clock.
const (
	keepGone   = 90 * 24 * time.Hour // records of clusters that are gone, after their last save
	keepOrder  = 30 * 24 * time.Hour // orders, after their end
	keepProbe  = 24 * time.Hour      // probes and samples: somebody waits for two minutes
	keepDigest = 30 * 24 * time.Hour // digests
	keepSweep  = 7 * 24 * time.Hour  // sweeps: each begins with a look at those before it
	keepPart   = 24 * time.Hour      // parts of sweeps: the next sweep, six hours later, closes what is open
)

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// stamp writes a time so that texts sort as times do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// text is an attribute; empty: there is none, or it is no text.
func (it item) text(name string) string {
	if s, ok := it[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// number is an attribute; 0: there is none.
func (it item) number(name string) (int64, error) {
	switch v := it[name].(type) {
	case nil:
		return 0, nil
	case *types.AttributeValueMemberN:
		if n, err := strconv.ParseInt(v.Value, 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("attribute %s is not a whole number", name)
}

// readable refuses an item of a newer schema.
func (it item) readable() error {
	schema, err := it.number("schema")
	if err == nil {
		err = guard.Readable(int(schema))
	}
	return err
}

// size is how much of an item's limit it takes, in bytes (DynamoDB developer guide, "DynamoDB item sizes and formats").
func (it item) size() int {
	size := 0
	for name, v := range it {
		size += len(name)
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberN:
			size += len(v.Value)/2 + 2
		case *types.AttributeValueMemberL:
			size += 3
			for _, e := range v.Value {
				size += 1 + item{"": e}.size()
			}
		}
	}
	return size
}

func unitKey(account, region string) string { return unitPrefix + account + "/" + region }

// recordKey is the key of a cluster's record. A cluster without a name is the unit itself.
func recordKey(id cluster.ID) item {
	name := id.Name
	if name == "" {
		name = noName
	}
	return item{"pk": text(unitKey(id.Account, id.Region)), "sk": text(name)}
}

// key is the item's key alone.
func (it item) key() item { return item{"pk": it["pk"], "sk": it["sk"]} }

// cluster is whose record an item is.
func (it item) cluster() (cluster.ID, error) {
	unit, isRecord := strings.CutPrefix(it.text("pk"), unitPrefix)
	account, region, whole := strings.Cut(unit, "/")
	name := it.text("sk")
	if !isRecord || !whole || name == "" {
		return cluster.ID{}, fmt.Errorf("item %q %q is not a record", it.text("pk"), name)
	}
	if name == noName {
		name = ""
	}
	return cluster.ID{Account: account, Region: region, Name: name}, nil
}

// recordItem is a record as it is saved over the version that it was loaded with.
func recordItem(k check.Kept, now time.Time) (item, error) {
	data, err := json.Marshal(k.Record)
	if err != nil {
		return nil, err
	}
	it := recordKey(k.Cluster)
	it["version"], it["schema"], it["record"] = number(k.Version+1), number(int64(k.Record.Schema)), text(string(data))
	if wake := k.Record.Wake(); !wake.IsZero() {
		it["due"], it["at"] = text(dueRecord), text(stamp(wake))
	}
	if k.Record.Gone {
		it["expires"] = number(now.Add(keepGone).Unix())
	}
	return it, nil
}

// record is what an item keeps of a cluster.
func (it item) record() (k check.Kept, err error) {
	if k.Cluster, err = it.cluster(); err != nil {
		return k, err
	}
	if err := it.readable(); err != nil {
		return k, err
	}
	if k.Version, err = it.number("version"); err != nil {
		return k, err
	}
	return k, json.Unmarshal([]byte(it.text("record")), &k.Record)
}

// condition is when an item is written.
type condition struct {
	expression *string
	names      map[string]string
	values     map[string]types.AttributeValue
	onFailure  types.ReturnValuesOnConditionCheckFailure
}

// always writes over what is there.
func always() condition { return condition{} }

// ifVersion writes where the item still has a version; 0: where there is none.
func ifVersion(n int64) condition {
	c := condition{onFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	if n == 0 {
		expression := "attribute_not_exists(#pk)"
		c.expression, c.names = &expression, map[string]string{"#pk": "pk"}
		return c
	}
	expression := "#version = :version"
	c.expression, c.names, c.values = &expression, map[string]string{"#version": "version"}, item{":version": number(n)}
	return c
}
