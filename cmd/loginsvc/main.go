// Loginsvc is the Lambda function of the login service.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

func main() {
	log := lambdacontext.NewLogger()
	f, err := build(context.Background(), os.Getenv, log)
	if err != nil {
		log.ErrorContext(context.Background(), "starting loginsvc", "err", err)
		os.Exit(1)
	}
	lambda.Start(f)
}
