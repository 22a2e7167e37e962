// Command idle is a Lambda function that does nothing. Its start is the yardstick for the start of a function that does
// something: what machine and Lambda library take is in both.
package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context, json.RawMessage) error { return nil })
}
