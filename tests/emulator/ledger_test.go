package emulator_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/ledger/ledgertest"
)

func TestTheLedgerOnTheEmulatorsDynamoDB(t *testing.T) {
	t.Parallel()
	e := start(t)
	conforms(t, dynamodb.NewFromConfig(e.as(hub)))
}

func TestTheLedgerOnDynamoDBLocal(t *testing.T) {
	t.Parallel()
	needs(t, "java", "install a JDK, 17 or newer")
	jars := tool(t, filepath.Join(".tools", "dynamodb"), "make .tools/dynamodb, with mvn")
	command := exec.Command("java", "-cp", filepath.Join(jars, "*"), "-Djava.library.path="+jars, filepath.Join("dynamodb", "Loopback.java"))
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	local := &emulator{T: t, door: serve(t, command).url}
	conforms(t, dynamodb.NewFromConfig(local.as(hub)))
}

// conforms runs the tests of every ledger on DynamoDB, with the table as it is deployed.
func conforms(t *testing.T, client *dynamodb.Client) {
	t.Helper()
	deployed, err := json.Marshal(resources(t, "AWS::DynamoDB::Table")[0])
	if err != nil {
		t.Fatal(err)
	}
	tables := 0
	ledgertest.Run(t, func(t *testing.T) ledgertest.Ledger {
		tables++
		var table dynamodb.CreateTableInput // its fields are named as in templates
		if err := json.Unmarshal(deployed, &table); err != nil {
			t.Fatal(err)
		}
		table.TableName = aws.String(fmt.Sprintf("%s-%d", *table.TableName, tables))
		if _, err := client.CreateTable(t.Context(), &table); err != nil {
			t.Fatal(err)
		}
		return ledger.NewDynamo(client, *table.TableName, clock.Real{})
	})
}
