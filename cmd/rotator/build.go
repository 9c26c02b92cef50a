package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/gatehouse-auth/gatehouse/internal/env"
	"github.com/gatehouse-auth/gatehouse/internal/lambda/awsenv"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/keys/kmskey"
)

// handler is the function: an event of the schedule has no command, and gets no outcome.
type handler func(context.Context, keyring.Order) (*keyring.Outcome, error)

// build makes the function from getenv. It does no I/O.
func build(getenv func(string) string, log *slog.Logger) (handler, error) {
	e := &env.Reader{Get: getenv}
	aws, tableName, keyID := awsenv.Config(e), e.String("GATEHOUSE_TABLE"), e.String("GATEHOUSE_KMS_KEY")
	tableAt, keysAt := awsenv.Endpoint(e, "DYNAMODB"), awsenv.Endpoint(e, "KMS")
	// Roles may use the KMS keys that bear the name of the stack as a tag.
	name := e.String("GATEHOUSE_NAME")
	rules := keys.Rules{Lead: e.Duration("GATEHOUSE_KEY_LEAD", 0), Period: e.Duration("GATEHOUSE_KEY_PERIOD", 0)}
	if err := e.Err(); err != nil {
		return nil, err
	}
	store := kmskey.Store{
		Client: kms.NewFromConfig(aws, func(o *kms.Options) { o.BaseEndpoint = keysAt }),
		Spec:   kmskey.Spec{Description: name + " signs tokens (RS256)", Tags: map[string]string{"gatehouse": name}},
	}
	ring, err := keyring.New(keyring.Config{
		Table: dynamotable.New(dynamodb.NewFromConfig(aws, func(o *dynamodb.Options) { o.BaseEndpoint = tableAt }), tableName),
		Rules: rules, Adopt: keyID, Open: store.Open, Create: store.Create, Discard: store.Discard, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, order keyring.Order) (*keyring.Outcome, error) {
		if order.Command == "" {
			return nil, run(ctx, ring, log)
		}
		outcome, err := ring.Obey(ctx, order)
		log.InfoContext(ctx, "obeyed an operator", "command", order.Command, "kid", order.KeyID, "problem", outcome.Problem != "", "err", err)
		return &outcome, err
	}, nil
}

// run does what is due, and then looks at the whole.
func run(ctx context.Context, ring *keyring.Keyring, log *slog.Logger) error {
	counted := &metric.Recorder{}
	ctx = metric.NewContext(ctx, counted)
	report, err := ring.Tend(ctx)
	err = errors.Join(err, ring.Check(ctx))
	counted.Count(metric.RingTended)
	if err != nil {
		counted.Count(metric.RingUnhealthy)
	}
	log.LogAttrs(ctx, slog.LevelInfo, "tended the key ring", append([]slog.Attr{slog.Any("report", report)}, counted.Attrs()...)...)
	if err != nil {
		log.ErrorContext(ctx, "the key ring is not healthy", "err", err)
	}
	return err
}
