package laws_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/tests/iam"
)

// pen is a table that notes the keys under which is written.
type pen struct {
	ledger.DynamoDB
	keys []string
}

func (p *pen) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	p.keys = append(p.keys, in.Item["pk"].(*types.AttributeValueMemberS).Value)
	return &dynamodb.PutItemOutput{}, nil
}

// The ledger and the policies must mean the same keys: IAM vouches for who gave an order only as long as the writer alone can write
// there, and no function can.
func TestOnlyTheirWriterCanWriteOrders(t *testing.T) {
	raw, err := os.ReadFile(hubTemplate)
	if err != nil {
		t.Fatal(err)
	}
	template, err := iam.Read(raw, iam.Place{Partition: "aws", Region: deployedRegion, Account: deployedHub})
	if err != nil {
		t.Fatal(err)
	}
	policies, err := template.Policies()
	if err != nil {
		t.Fatal(err)
	}
	may := func(statements []iam.Statement, writer, key string) bool {
		allowed, _ := iam.Role{Statements: statements}.Allows(iam.Request{
			Action: "dynamodb:PutItem", Resource: inHub("dynamodb", table),
			Context: map[string][]string{"aws:userid": {writer}, "dynamodb:LeadingKeys": {key}},
		})
		return allowed
	}
	for kind, policy := range map[guard.OrderKind]string{
		guard.Approval: "cniguard-approver", guard.Denial: "cniguard-approver",
		guard.Muting: "cniguard-approver", guard.Unmuting: "cniguard-approver", guard.Acknowledging: "cniguard-approver",
		guard.Halting: "cniguard-operator", guard.TearingDown: "cniguard-operator", guard.Resuming: "cniguard-operator",
	} {
		p := &pen{}
		o := guard.Order{Kind: kind, By: "AROA1:ann", Because: "b", At: time.Unix(0, 0), Until: time.Unix(1, 0)}
		if kind.OnFinding() {
			o.Finding = guard.CapacityLow
		}
		if err := ledger.NewDynamo(p, "cniguard", clock.Real{}).Order(t.Context(), cluster.ID{Account: "1", Region: "r", Name: "c"}, o); err != nil {
			t.Fatal(err)
		}
		if !may(policies[policy], "AROA1:ann", p.keys[0]) {
			t.Errorf("%s may not write %s under %s", policy, kind, p.keys[0])
		}
		if policy == "cniguard-approver" && may(policies[policy], "AROA1:bob", p.keys[0]) {
			t.Errorf("bob may write %s in the name of ann", kind)
		}
		for _, f := range []string{"cniguard-urgent", "cniguard-bulk"} {
			if may(granted()[deployedHub][f].Statements, "AROA2:"+f, p.keys[0]) {
				t.Errorf("%s may write %s", f, kind)
			}
		}
	}
}
