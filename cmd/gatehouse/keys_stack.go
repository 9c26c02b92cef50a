package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/keys/kmskey"
)

// stackRing is the ring of a stack in AWS.
type stackRing struct{ *keyring.Keyring }

// openStackRing opens the ring in a table with the AWS profile of the operator.
// Without the name of the stack it makes no keys.
func openStackRing(ctx context.Context, tableName, name string) (ring, error) {
	cfg, err := awsConfig(ctx)
	if err != nil {
		return nil, err
	}
	store := kmskey.Store{
		Client: kms.NewFromConfig(cfg),
		Spec:   kmskey.Spec{Description: name + " signs tokens (RS256)", Tags: map[string]string{"gatehouse": name}},
	}
	c := keyring.Config{Table: dynamotable.New(dynamodb.NewFromConfig(cfg), tableName), Open: store.Open, Discard: store.Discard}
	if name != "" {
		c.Create = store.Create
	}
	k, err := keyring.New(c)
	if err != nil {
		return nil, err
	}
	return stackRing{k}, nil
}

func (s stackRing) Rotate(ctx context.Context) error {
	if err := s.begun(ctx); err != nil {
		return err
	}
	if s.Create == nil {
		return errors.New("rotating makes a key: name the stack with --name")
	}
	_, err := s.Keyring.Rotate(ctx)
	return err
}

func (s stackRing) Export(ctx context.Context) ([]byte, error) {
	if err := s.begun(ctx); err != nil {
		return nil, err
	}
	return s.Keyring.Export(ctx)
}

// Compromise returns when every instance of the login service has read the ring
// since, or with an error that tells what was not done.
func (s stackRing) Compromise(ctx context.Context, id string) error {
	if err := s.begun(ctx); err != nil {
		return err
	}
	report, err := s.Keyring.Compromise(ctx, id)
	if key, ok := report.Ring.Find(id); !ok || key.State != keys.Compromised {
		return err
	}
	select {
	case <-time.After(s.Staleness):
	case <-ctx.Done():
		err = errors.Join(err, errors.New("the login service may publish the key for some seconds yet"))
	}
	return err
}

// begun refuses a ring that is empty: it is the login service's to begin, with
// the key of the stack.
func (s stackRing) begun(ctx context.Context) error {
	ring, err := s.List(ctx)
	if err == nil && len(ring) == 0 {
		err = errors.New("the ring is empty: is this the right table? The first request to the login service begins it")
	}
	return err
}
