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
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
)

// Store is a [connection.Store] in DynamoDB.
type Store struct {
	table table.Table
}

var _ connection.Store = (*Store)(nil)

// New returns the store in the table with that name. It does no I/O.
func New(client *dynamodb.Client, tableName string) *Store {
	return &Store{dynamotable.New(client, tableName)}
}

// The attributes of an item.
const (
	attrID       = "id"
	attrExpires  = "exp"    // Unix seconds
	attrSubject  = "sub"    // absent: nobody's
	attrSession  = "sid"    // absent: of no session
	attrOpenedAt = "opened" // Unix seconds
)

// partitions is how many there are. DynamoDB writes a thousand small items a
// second into one; by default, API Gateway opens 500 connections a second.
const partitions = 16

// pageSize is a compromise: what is read beyond the last that ended is read for
// nothing.
const pageSize = 50

// Remember implements [connection.Store].
func (s *Store) Remember(ctx context.Context, c connection.Connection) error {
	key := keyOf(c)
	return s.table.Write(ctx, table.Put(table.Item{
		table.PK: key.PK, table.SK: key.SK,
		attrID: c.ID, attrExpires: c.ExpiresAt.Unix(), attrSubject: c.Subject, attrSession: c.SessionID, attrOpenedAt: c.OpenedAt.Unix(),
		// For what no sweep takes out, because there is none any more.
		table.TTL: c.ExpiresAt.Add(connection.MaxAge + 24*time.Hour).Unix(),
	}))
}

// Forget implements [connection.Store].
func (s *Store) Forget(ctx context.Context, c connection.Connection) error {
	return s.table.Write(ctx, table.Delete(keyOf(c)))
}

// EndingBy implements [connection.Store]. It begins with a partition of no
// particular number, so that who stops early does not always leave out the same.
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
	q := table.Query{PK: pk(partition), Limit: pageSize}
	for {
		page, err := s.table.Query(ctx, q)
		if err != nil {
			return yield(connection.Connection{}, err)
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
		if page.Cursor == "" {
			return true
		}
		q.Cursor = page.Cursor
	}
}

// keyOf is the key of a connection: by the second when its token ends, which is
// written in as many digits until the year 33658.
func keyOf(c connection.Connection) table.Key {
	return table.Key{
		PK: pk(int(sha256.Sum256([]byte(c.ID))[0]) % partitions),
		SK: fmt.Sprintf("%012d#%s", c.ExpiresAt.Unix(), c.ID),
	}
}

func pk(partition int) string { return fmt.Sprintf("connections#%02d", partition) }

func decode(item table.Item) (connection.Connection, error) {
	id, _ := item[attrID].(string)
	expires, ok := item[attrExpires].(int64)
	if id == "" || !ok {
		return connection.Connection{}, fmt.Errorf("item %q is no connection", item.Key().SK)
	}
	subject, _ := item[attrSubject].(string)
	session, _ := item[attrSession].(string)
	opened, _ := item[attrOpenedAt].(int64)
	return connection.Connection{
		ID: id, ExpiresAt: time.Unix(expires, 0).UTC(), Subject: subject, SessionID: session, OpenedAt: time.Unix(opened, 0).UTC(),
	}, nil
}
