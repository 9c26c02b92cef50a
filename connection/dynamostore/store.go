// Package dynamostore is a connection.Store in DynamoDB, in a table of its own or
// in one that other things are in: the keys are pk and sk, both strings, and the
// table may delete items by the attribute ttl. It needs the actions PutItem,
// DeleteItem and Query, and no index.
//
// A connection is one item, written once and deleted once. Items are ordered by
// when their tokens end, in sixteen partitions, so that no one of them is asked
// for everything; what ends later is not read.
//
// Internal to Gatehouse: it may change with any release.
package dynamostore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatehouse-auth/gatehouse/connection"
)

// Store is a [connection.Store] in DynamoDB. A request that fails for a moment is
// tried again by the client, as its options say: each of them can be repeated.
type Store struct {
	client *dynamodb.Client
	table  string
}

var _ connection.Store = (*Store)(nil)

// New returns the store in the table with that name. It does no I/O.
func New(client *dynamodb.Client, tableName string) *Store { return &Store{client, tableName} }

// The attributes of an item.
const (
	attrPK       = "pk"
	attrSK       = "sk"
	attrTTL      = "ttl" // Unix seconds
	attrID       = "id"
	attrExpires  = "exp"    // Unix seconds
	attrSubject  = "sub"    // absent or "": of no user
	attrSession  = "sid"    // absent or "": of no session
	attrOpenedAt = "opened" // Unix seconds
)

// partitions is how many there are. DynamoDB writes a thousand small items a
// second into one; by default, API Gateway opens 500 connections a second.
const partitions = 16

// pageSize is a compromise: what is read beyond the last that ended is read for
// nothing.
const pageSize = 50

// attributes is an item, or a key.
type attributes = map[string]types.AttributeValue

// Remember implements [connection.Store].
func (s *Store) Remember(ctx context.Context, c connection.Connection) error {
	item := keyOf(c)
	item[attrID], item[attrSubject], item[attrSession] = text(c.ID), text(c.Subject), text(c.SessionID)
	item[attrExpires], item[attrOpenedAt] = number(c.ExpiresAt.Unix()), number(c.OpenedAt.Unix())
	// For what no sweep takes out, because there is none any more.
	item[attrTTL] = number(c.ExpiresAt.Add(connection.MaxAge + 24*time.Hour).Unix())
	if _, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: item}); err != nil {
		return fmt.Errorf("remembering a connection: %w", err)
	}
	return nil
}

// Forget implements [connection.Store].
func (s *Store) Forget(ctx context.Context, c connection.Connection) error {
	if _, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.table, Key: keyOf(c)}); err != nil {
		return fmt.Errorf("forgetting a connection: %w", err)
	}
	return nil
}

// EndingBy implements [connection.Store]. It begins with a partition of no
// particular number, so that a caller who stops early does not always leave out
// the same.
func (s *Store) EndingBy(ctx context.Context, t time.Time) iter.Seq2[connection.Connection, error] {
	return func(yield func(connection.Connection, error) bool) {
		first := rand.IntN(partitions)
		for i := range partitions {
			if !s.endingBy(ctx, t, (first+i)%partitions, yield) {
				return
			}
		}
	}
}

// endingBy finds what is due in one partition, oldest first. It returns false if
// the caller wants no more.
func (s *Store) endingBy(ctx context.Context, t time.Time, partition int, yield func(connection.Connection, error) bool) bool {
	in := &dynamodb.QueryInput{
		TableName: &s.table, ConsistentRead: aws.Bool(true), Limit: aws.Int32(pageSize),
		KeyConditionExpression: aws.String(attrPK + " = :pk"), ExpressionAttributeValues: attributes{":pk": text(pk(partition))},
	}
	for {
		page, err := s.client.Query(ctx, in)
		if err != nil {
			return yield(connection.Connection{}, fmt.Errorf("finding connections: %w", err))
		}
		for _, item := range page.Items {
			c, err := decode(item)
			if err == nil && c.ExpiresAt.After(t) {
				return true
			}
			if !yield(c, err) {
				return false
			}
		}
		if page.LastEvaluatedKey == nil {
			return true
		}
		in.ExclusiveStartKey = page.LastEvaluatedKey
	}
}

// keyOf is the key of a connection: by the second when its token ends, which is
// written in as many digits until the year 33658.
func keyOf(c connection.Connection) attributes {
	return attributes{
		attrPK: text(pk(int(sha256.Sum256([]byte(c.ID))[0]) % partitions)),
		attrSK: text(fmt.Sprintf("%012d#%s", c.ExpiresAt.Unix(), c.ID)),
	}
}

func pk(partition int) string { return fmt.Sprintf("connections#%02d", partition) }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func decode(item attributes) (connection.Connection, error) {
	id := textOf(item[attrID])
	expires, ok := numberOf(item[attrExpires])
	if id == "" || !ok {
		return connection.Connection{}, fmt.Errorf("item %q is no connection", textOf(item[attrSK]))
	}
	opened, _ := numberOf(item[attrOpenedAt])
	return connection.Connection{
		ID: id, ExpiresAt: time.Unix(expires, 0).UTC(), Subject: textOf(item[attrSubject]), SessionID: textOf(item[attrSession]),
		OpenedAt: time.Unix(opened, 0).UTC(),
	}, nil
}

func textOf(value types.AttributeValue) string {
	if s, ok := value.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func numberOf(value types.AttributeValue) (int64, bool) {
	n, ok := value.(*types.AttributeValueMemberN)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	return v, err == nil
}
