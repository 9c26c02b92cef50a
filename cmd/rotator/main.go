// Rotator is the Lambda function that tends the ring of signing keys. A schedule
// runs it every hour; it does what is due, which mostly is nothing, and fails if
// the ring is not healthy, so that an alarm goes off. An operator invokes it with a
// command, by `gatehouse keys`.
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
	f, err := build(os.Getenv, log)
	if err != nil {
		log.ErrorContext(context.Background(), "starting rotator", "err", err)
		os.Exit(1)
	}
	lambda.Start(f)
}
