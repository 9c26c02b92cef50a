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
}

func (l *ledger) Get(context.Context, table.Key) (table.Item, error) { return nil, table.ErrNotFound }

func (l *ledger) Write(_ context.Context, writes ...table.Write) error {
	for _, w := range writes {
		if w.Op != table.OpPut {
			return fmt.Errorf("%w: a first sign-in puts items and nothing else", table.ErrInvalid)
		}
		l.items = append(l.items, w.Item)
	}
	return nil
}

// seed writes the rows of users who have signed in once, from one number to
// another: those that usersvc itself writes for them, many in one request.
func seed(ctx context.Context, client *dynamodb.Client, name string, users usersvc.Users, from, to int) error {
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
			return err
		}
		for _, item := range rows.items {
			encoded, err := attributevalue.MarshalMap(item)
			if err != nil {
				return err
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
	return failed
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
