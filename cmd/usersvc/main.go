// Usersvc is the Lambda function of the user API.
package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/env"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/lambda/awsenv"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/internal/setup"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc/api"
)

func main() {
	log := slog.New(metric.Embed(lambdacontext.NewLogHandler(), os.Getenv("GATEHOUSE_NAME")))
	f, err := build(os.Getenv, log)
	if err != nil {
		log.ErrorContext(context.Background(), "starting usersvc", "err", err)
		os.Exit(1)
	}
	lambda.Start(f)
}

// build makes the function from the gatehouse.yml in its zip and from getenv. It
// does no I/O but reading the file.
func build(getenv func(string) string, log *slog.Logger) (lambdahttp.Function, error) {
	e := &env.Reader{Get: getenv}
	aws, name, endpoint := awsenv.Config(e), e.String("GATEHOUSE_TABLE"), awsenv.Endpoint(e, "DYNAMODB")
	if err := e.Err(); err != nil {
		return nil, err
	}
	cfg, err := config.Load(filepath.Join(getenv("LAMBDA_TASK_ROOT"), "gatehouse.yml"), getenv)
	if err != nil {
		return nil, err
	}
	database := dynamodb.NewFromConfig(aws, func(o *dynamodb.Options) { o.BaseEndpoint = endpoint })
	users := setup.Users(cfg, dynamotable.New(database, name))
	// Clients of the table are not asked: the function's role cannot read them.
	cors := httpx.CORS{Allowed: client.List(cfg.Clients).AllowsOrigin}
	return lambdahttp.Strict(api.NewHandler(users, cors, log)), nil
}
