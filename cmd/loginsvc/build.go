package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
	"github.com/gatehouse-auth/gatehouse/internal/env"
	"github.com/gatehouse-auth/gatehouse/internal/lambda/awsenv"
	"github.com/gatehouse-auth/gatehouse/internal/setup"
	"github.com/gatehouse-auth/gatehouse/internal/setup/login"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/keys/kmskey"
)

// build makes the function from the gatehouse.yml in its zip, from getenv and
// from the secrets in SSM. Of AWS it asks SSM alone, and only for what getenv
// does not have: the table and KMS are first asked by a request that needs them.
func build(ctx context.Context, getenv func(string) string, log *slog.Logger) (lambdahttp.Function, error) {
	e := &env.Reader{Get: getenv}
	in := awsenv.Config(e)
	tableName, keyID, path := e.String("GATEHOUSE_TABLE"), e.String("GATEHOUSE_KMS_KEY"), e.String("GATEHOUSE_PARAMETERS")
	tableAt, keysAt, secretsAt := awsenv.Endpoint(e, "DYNAMODB"), awsenv.Endpoint(e, "KMS"), awsenv.Endpoint(e, "SSM")
	if err := e.Err(); err != nil {
		return nil, err
	}
	parameters := ssm.NewFromConfig(in, func(o *ssm.Options) { o.BaseEndpoint = secretsAt })
	file := filepath.Join(getenv("LAMBDA_TASK_ROOT"), "gatehouse.yml")
	cfg, err := withSecrets(ctx, file, getenv, func(ctx context.Context, names []string) (map[string]string, error) {
		return fetch(ctx, parameters, path, names)
	})
	if err != nil {
		return nil, err
	}
	rows := dynamotable.New(dynamodb.NewFromConfig(in, func(o *dynamodb.Options) { o.BaseEndpoint = tableAt }), tableName)
	ring, err := newRing(in, keysAt, keyID, rows, filepath.Join(getenv("LAMBDA_TASK_ROOT"), "jwks.json"), log)
	if err != nil {
		return nil, err
	}
	service, err := login.New(ctx, cfg, login.Parts{
		Table: rows, Users: setup.Users(cfg, rows), Keys: ring.Set, Published: ring.Fresh, Ring: ring.View, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return lambdahttp.Handler(service), nil
}

// newRing returns the ring of signing keys, of which the first is keyID. This
// function makes no keys. The file at path, if there is one, has the keys to
// publish when the table cannot be read.
func newRing(in aws.Config, endpoint *string, keyID string, rows table.Table, path string, log *slog.Logger) (*keyring.Keyring, error) {
	exported, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	signing := kms.NewFromConfig(in, func(o *kms.Options) { o.BaseEndpoint = endpoint })
	return keyring.New(keyring.Config{Table: rows, Adopt: keyID, Open: kmskey.Store{Client: signing}.Open, Exported: exported, Log: log})
}
