// Command remediator is the Lambda function: environment → app → start. It is deployed twice from one zip, as urgent and as
// bulk.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/cniguard/cniguard/internal/app"
)

func main() {
	a, err := app.FromLambda(os.Getenv, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	log.SetFlags(0) // the Lambda library logs errors as JSON
	lambda.Start(a)
}
