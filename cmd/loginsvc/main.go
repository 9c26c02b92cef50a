// Loginsvc is the Lambda function of the login service.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

func main() {
	log := slog.New(metric.Embed(lambdacontext.NewLogHandler(), os.Getenv("GATEHOUSE_NAME")))
	f, err := build(context.Background(), os.Getenv, log)
	if err != nil {
		log.ErrorContext(context.Background(), "starting loginsvc", "err", err)
		os.Exit(1)
	}
	lambda.Start(f)
}
