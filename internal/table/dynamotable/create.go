package dynamotable

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Create makes the table of definition, waits until it can be used, at most
// five minutes, and has DynamoDB delete items by [table.TTL]. In AWS the stack
// does that; this is for tests and for emulators.
func Create(ctx context.Context, client *dynamodb.Client, definition *dynamodb.CreateTableInput) error {
	if _, err := client.CreateTable(ctx, definition); err != nil {
		return fmt.Errorf("creating table %q: %w", *definition.TableName, err)
	}
	if _, err := wait(ctx, client, *definition.TableName); err != nil {
		return err
	}
	return expire(ctx, client, *definition.TableName)
}

// Ensure is [Create] for a table that may be there already, perhaps half made. It
// tells whether it made it. A table of that name with another definition is left
// alone, and is an error that says what differs.
func Ensure(ctx context.Context, client *dynamodb.Client, definition *dynamodb.CreateTableInput) (made bool, err error) {
	err = Create(ctx, client, definition)
	if _, ok := errors.AsType[*types.ResourceInUseException](err); !ok {
		return err == nil, err
	}
	name := *definition.TableName
	there, err := wait(ctx, client, name)
	if err != nil {
		return false, err
	}
	if err := differs(shapeOf(definition), shapeOfExisting(there)); err != nil {
		return false, fmt.Errorf("table %q is there with another definition: %w", name, err)
	}
	out, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil {
		return false, fmt.Errorf("reading the expiry attribute of table %q: %w", name, err)
	}
	ttl := out.TimeToLiveDescription
	switch {
	case ttl == nil || ttl.TimeToLiveStatus == types.TimeToLiveStatusDisabled: // its creation was interrupted
		return false, expire(ctx, client, name)
	case aws.ToString(ttl.AttributeName) != table.TTL:
		return false, fmt.Errorf("table %q is there with another definition: rows end by %q, want %q", name, aws.ToString(ttl.AttributeName), table.TTL)
	}
	return false, nil
}

// wait returns the table when it can be used.
func wait(ctx context.Context, client *dynamodb.Client, name string) (*types.TableDescription, error) {
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = time.Second })
	out, err := waiter.WaitForOutput(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 5*time.Minute)
	if err != nil {
		return nil, fmt.Errorf("waiting for table %q: %w", name, err)
	}
	return out.Table, nil
}

func expire(ctx context.Context, client *dynamodb.Client, name string) error {
	_, err := client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(table.TTL), Enabled: aws.Bool(true)},
	})
	if err != nil {
		return fmt.Errorf("setting the expiry attribute of table %q: %w", name, err)
	}
	return nil
}
