package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

// dueIndex is the sparse index of what waits: records to be looked at again, and orders by cluster.
const dueIndex = "due"

func tableARN(hub event.Unit) string { return arn(hub, "dynamodb", "table/"+name) }
func indexARN(hub event.Unit) string { return tableARN(hub) + "/index/" + dueIndex }

// newLedger is the table of records, orders and the halt. It outlives the stack: without it, all findings would be told again and
// a step in flight would be forgotten. Items expire a while after they stopped to matter; the program never relies on it, since
// DynamoDB may take days to delete them.
func newLedger(scope constructs.Construct) awsdynamodb.CfnTable {
	t := awsdynamodb.NewCfnTable(scope, str("Ledger"), &awsdynamodb.CfnTableProps{
		TableName:   str(name),
		BillingMode: str("PAY_PER_REQUEST"),
		AttributeDefinitions: &[]*awsdynamodb.CfnTable_AttributeDefinitionProperty{
			text("pk"), text("sk"), text("due"), text("at"),
		},
		KeySchema: keys("pk", "sk"),
		GlobalSecondaryIndexes: &[]*awsdynamodb.CfnTable_GlobalSecondaryIndexProperty{{
			IndexName: str(dueIndex),
			KeySchema: keys("due", "at"),
			// An index lags behind: whatever is found there is read again from the table, so the keys are enough.
			Projection: &awsdynamodb.CfnTable_ProjectionProperty{ProjectionType: str("KEYS_ONLY")},
		}},
		PointInTimeRecoverySpecification: &awsdynamodb.CfnTable_PointInTimeRecoverySpecificationProperty{PointInTimeRecoveryEnabled: ptr(true)},
		TimeToLiveSpecification:          &awsdynamodb.CfnTable_TimeToLiveSpecificationProperty{AttributeName: str("expires"), Enabled: ptr(true)},
	})
	t.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	return t
}

func text(attribute string) *awsdynamodb.CfnTable_AttributeDefinitionProperty {
	return &awsdynamodb.CfnTable_AttributeDefinitionProperty{AttributeName: str(attribute), AttributeType: str("S")}
}

func keys(partition, sort string) *[]*awsdynamodb.CfnTable_KeySchemaProperty {
	return &[]*awsdynamodb.CfnTable_KeySchemaProperty{
		{AttributeName: str(partition), KeyType: str("HASH")},
		{AttributeName: str(sort), KeyType: str("RANGE")},
	}
}
