// Sweep runs every minute and ends the connections of chat whose token has ended,
// and those whose session was ended or whose user was suspended. There is nothing
// of chat in it: take it as it is for a WebSocket API of your own.
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

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/apigateway"
	"github.com/gatehouse-auth/gatehouse/connection/dynamostore"
)

func main() {
	ctx, log := context.Background(), lambdacontext.NewLogger()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.ErrorContext(ctx, "starting sweep", "err", err)
		os.Exit(1)
	}
	run, err := build(cfg, os.Getenv, log)
	if err != nil {
		log.ErrorContext(ctx, "starting sweep", "err", err)
		os.Exit(1)
	}
	lambda.Start(run)
}

// build makes the function. It does no I/O.
func build(cfg aws.Config, getenv func(string) string, log *slog.Logger) (func(context.Context) error, error) {
	connections, err := apigateway.New(cfg, getenv("CHAT_CONNECTIONS"))
	if err != nil {
		return nil, err
	}
	feed, err := authorizer.NewFeed(authorizer.FeedConfig{URL: getenv("GATEHOUSE_ISSUER") + "/revocations", Timeout: 2 * time.Second, Log: log})
	if err != nil {
		return nil, err
	}
	sweep := &connection.Sweep{
		Store:   dynamostore.New(dynamodb.NewFromConfig(cfg), getenv("CHAT_TABLE")),
		Closer:  connections,
		Revoked: revoked(feed),
	}
	return func(ctx context.Context) error {
		swept, err := sweep.Run(ctx)
		log.InfoContext(ctx, "swept", "closed", swept.Closed, "failed", swept.Failed, "stopped", swept.Stopped)
		return err // which shows in the function's errors
	}, nil
}

// margin is how much later than a revocation a connection may have been opened
// with a token that it killed: the authorizer may have looked at the feed some
// seconds before.
const margin = 10 * time.Second

// revoked asks the feed about the token that c was opened with, which was issued
// before that. Who signed in again within the margin is put out too, and comes
// back with their new token.
func revoked(feed *authorizer.Feed) func(context.Context, connection.Connection) (bool, error) {
	return func(ctx context.Context, c connection.Connection) (bool, error) {
		return feed.Revoked(ctx, authorizer.Issued{Subject: c.Subject, SessionID: c.SessionID, IssuedAt: c.OpenedAt.Add(-margin)})
	}
}
