// Command authorizer is the Lambda authorizer: it answers every kind of API
// Gateway event. See build for what it reads.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

func main() {
	log := slog.New(metric.Embed(lambdacontext.NewLogHandler(), os.Getenv("GATEHOUSE_NAME")))
	h, err := build(os.Getenv, log)
	if err != nil {
		log.Error("starting authorizer", "err", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
