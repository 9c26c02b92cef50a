// Package dynamotable is a table.Table in DynamoDB.
//
// A request may fail in three ways, and attempt.go tells them apart: DynamoDB
// answers and means it; DynamoDB says that it did nothing and that one may try
// again; or the answer was lost, and the request may have taken effect.
// A write that is tried again after a lost answer must not meet its own effect
// and take it for somebody else's, so each write is of one of three kinds:
//
//   - A put, an update or a delete that is unconditional and adds nothing comes
//     to the same when it is done twice.
//   - A conditional put or update marks the item with a random number. When its
//     condition fails and the item bears that number, it has taken effect.
//   - Everything else is a transaction, which DynamoDB does once per token: all
//     that is more than one write, conditional deletes (nothing is left that
//     could bear a mark) and additions.
package dynamotable

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Table is a [table.Table] in DynamoDB.
type Table struct {
	client *dynamodb.Client
	name   string
}

var _ table.Table = (*Table)(nil)

// New returns the table with that name. It does no I/O. The client's retryer is
// not used: what may be tried again is decided here.
func New(client *dynamodb.Client, name string) *Table {
	once := func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }
	return &Table{client: dynamodb.New(client.Options(), once), name: name}
}

// Get implements [table.Table].
func (t *Table) Get(ctx context.Context, key table.Key) (table.Item, error) {
	if err := table.CheckKey(key); err != nil {
		return nil, err
	}
	in := &dynamodb.GetItemInput{
		TableName:      &t.name,
		Key:            encodeKey(key),
		ConsistentRead: aws.Bool(true), // an older state of a session or a code must never be believed
	}
	var out *dynamodb.GetItemOutput
	_, err := attempt(ctx, func(ctx context.Context) (err error) {
		out, err = t.client.GetItem(ctx, in)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("getting an item: %w", err)
	}
	if out.Item == nil {
		return nil, table.ErrNotFound
	}
	return decode(out.Item)
}
