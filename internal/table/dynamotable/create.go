package dynamotable

import (
	"context"
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
	name := aws.ToString(definition.TableName)
	if _, err := client.CreateTable(ctx, definition); err != nil {
		return fmt.Errorf("creating table %q: %w", name, err)
	}
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = time.Second })
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 5*time.Minute); err != nil {
		return fmt.Errorf("waiting for table %q: %w", name, err)
	}
	_, err := client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(table.TTL), Enabled: aws.Bool(true)},
	})
	if err != nil {
		return fmt.Errorf("setting the expiry attribute of table %q: %w", name, err)
	}
	return nil
}
