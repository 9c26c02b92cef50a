package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// ledger is a table in which nothing is ever found, and which keeps what is put
// into it until somebody collects it.
type ledger struct {
	table.Table
	items []table.Item
	bytes int // so far, in the indexes, too
}

func (l *ledger) Get(context.Context, table.Key) (table.Item, error) { return nil, table.ErrNotFound }

func (l *ledger) Write(_ context.Context, writes ...table.Write) error {
	for _, w := range writes {
		if w.Op != table.OpPut {
			return fmt.Errorf("%w: a first sign-in puts items and nothing else", table.ErrInvalid)
		}
		l.items = append(l.items, w.Item)
		l.bytes += stored(w.Item)
	}
	return nil
}

// stored is what an item takes of the space that is billed: in the table and in
// each index that it is in, with the hundred bytes that DynamoDB adds.
func stored(i table.Item) int {
	copies := 1
	for _, index := range []string{table.GSI1PK, table.GSI2PK} {
		if i[index] != nil {
			copies++
		}
	}
	return copies * (table.Size(i) + 100)
}

// seed writes the rows of users who have signed in once, from one number to
// another: those that usersvc itself writes for them, many in one request. It returns how many bytes
// these are for each user.
func seed(ctx context.Context, client *dynamodb.Client, name string, users usersvc.Users, from, to int) (bytes int, err error) {
	rows := &ledger{}
	now := time.Now().Add(-100 * 24 * time.Hour)
	users.Table, users.Now = rows, func() time.Time { now = now.Add(time.Second); return now }
	batches := make(chan []types.WriteRequest)
	var failed error
	var once sync.Once
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for batch := range batches {
				if err := write(ctx, client, name, batch); err != nil {
					once.Do(func() { failed = err })
				}
			}
		})
	}
	var batch []types.WriteRequest
	for n := from; n < to; n++ {
		rows.items = nil
		_, _, _, err := users.SignIn(ctx, usersvc.Profile{
			Issuer: demo, Subject: fmt.Sprintf("seed-%08d", n), Provider: "demo",
			Email: fmt.Sprintf("user%08d@example.com", n), EmailVerified: true, Name: fmt.Sprintf("User Number %d", n),
		}, usersvc.SignInInfo{UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", SourceIP: "192.0.2.7"})
		if err != nil {
			return 0, err
		}
		for _, item := range rows.items {
			encoded, err := attributevalue.MarshalMap(item)
			if err != nil {
				return 0, err
			}
			if batch = append(batch, types.WriteRequest{PutRequest: &types.PutRequest{Item: encoded}}); len(batch) == 25 {
				batches <- batch
				batch = nil
			}
		}
	}
	if len(batch) > 0 {
		batches <- batch
	}
	close(batches)
	wg.Wait()
	return rows.bytes / max(1, to-from), failed
}

func write(ctx context.Context, client *dynamodb.Client, name string, batch []types.WriteRequest) error {
	for len(batch) > 0 {
		out, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{name: batch}})
		if err != nil {
			return fmt.Errorf("seeding: %w", err)
		}
		batch = out.UnprocessedItems[name]
	}
	return nil
}
