// Chat is the function of a WebSocket API, to copy: one room, in which those who
// hold a token talk. The authorizer is asked about $connect alone, so the function
// stands behind a connection.Guard: a message on a connection whose token has ended
// never reaches it. The function sweep, beside it, ends the connections that say
// nothing.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/apigateway"
	"github.com/gatehouse-auth/gatehouse/connection/dynamostore"
)

func main() {
	ctx, log := context.Background(), lambdacontext.NewLogger()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.ErrorContext(ctx, "starting chat", "err", err)
		os.Exit(1)
	}
	handle, err := build(cfg, os.Getenv, log)
	if err != nil {
		log.ErrorContext(ctx, "starting chat", "err", err)
		os.Exit(1)
	}
	lambda.Start(handle)
}

// build makes the function. It does no I/O.
func build(cfg aws.Config, getenv func(string) string, log *slog.Logger) (connection.Handler, error) {
	connections, err := apigateway.New(cfg, getenv("CHAT_CONNECTIONS"))
	if err != nil {
		return nil, err
	}
	store := dynamostore.New(dynamodb.NewFromConfig(cfg), getenv("CHAT_TABLE"))
	room := &chat{store: store, send: connections.Send, now: time.Now, log: log}
	guard := &connection.Guard{Store: store, Closer: connections, Log: log}
	return guard.Protect(room.handle), nil
}
