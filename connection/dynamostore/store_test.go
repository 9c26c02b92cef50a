package dynamostore_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/connectiontest"
	"github.com/gatehouse-auth/gatehouse/connection/dynamostore"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
)

// open returns a client of an emulator with an empty table, and what it is asked.
func open(t *testing.T) (*dynamodb.Client, *dynamotest.Faults) {
	t.Helper()
	endpoint, faults := dynamotest.Endpoint(t, os.Getenv), &dynamotest.Faults{}
	client := dynamotest.Client(endpoint, faults)
	if err := dynamotable.Create(t.Context(), dynamotest.Client(endpoint, nil), dynamotest.Definition("connections")); err != nil {
		t.Fatal(err)
	}
	return client, faults
}

func TestStore(t *testing.T) {
	client, _ := open(t)
	connectiontest.Run(t, func(*testing.T) connection.Store { return dynamostore.New(client, "connections") })
}

// What a partition takes has a limit, and what is read has a price: however many
// connections are open, a sweep that finds nothing due asks once for each
// partition, and reads one page of it.
func TestCalls(t *testing.T) {
	client, faults := open(t)
	s := dynamostore.New(client, "connections")
	now := time.Now().UTC().Truncate(time.Second)
	for i := range 2000 {
		c := connection.Connection{ID: fmt.Sprintf("c%d=", i), ExpiresAt: now.Add(time.Duration(i%600+1) * time.Second), OpenedAt: now}
		if err := s.Remember(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	writes := map[string]int{} // by partition
	for _, r := range faults.Requests() {
		item, _ := r.Body["Item"].(map[string]any)
		pk, _ := item["pk"].(map[string]any)
		writes[fmt.Sprint(pk["S"])]++
	}
	for partition, n := range writes {
		if n < 60 || n > 200 { // 125 each, if it were even
			t.Errorf("%d of 2,000 writes to %s", n, partition)
		}
	}
	if len(writes) != 16 {
		t.Errorf("%d partitions", len(writes))
	}
	before := len(faults.Requests())
	for c, err := range s.EndingBy(t.Context(), now) {
		t.Errorf("found %v, %v", c, err)
	}
	queries := faults.Requests()[before:]
	for _, q := range queries {
		if q.Operation != "Query" || q.Body["Limit"] != 50.0 || q.Body["ConsistentRead"] != true {
			t.Errorf("%s: %v", q.Operation, q.Body)
		}
	}
	if len(queries) != 16 {
		t.Errorf("%d queries", len(queries))
	}
	found := 0
	for _, err := range s.EndingBy(t.Context(), now.Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		found++
	}
	if found != 2000 { // several pages of each partition
		t.Errorf("found %d of 2,000", found)
	}
}

func TestErrors(t *testing.T) {
	t.Run("a table that is out of reach", func(t *testing.T) {
		faults := &dynamotest.Faults{Choose: func(int, dynamotest.Request) dynamotest.Fault { return dynamotest.Throttle }}
		s := dynamostore.New(dynamotest.Client("http://nowhere", faults), "connections")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		failed := 0
		for _, err := range s.EndingBy(ctx, time.Now()) {
			if err == nil {
				t.Error("found something")
			}
			failed++
		}
		if failed != 16 {
			t.Errorf("%d errors, want one for each partition", failed)
		}
	})
	t.Run("a request that fails once is repeated", func(t *testing.T) {
		client, faults := open(t)
		s := dynamostore.New(client, "connections")
		now := time.Now().UTC().Truncate(time.Second)
		c := connection.Connection{ID: "a=", ExpiresAt: now, OpenedAt: now}
		for _, fault := range []dynamotest.Fault{dynamotest.Throttle, dynamotest.ServerError, dynamotest.Reset, dynamotest.Lose} {
			first := len(faults.Requests())
			faults.Choose = func(n int, _ dynamotest.Request) dynamotest.Fault {
				if n == first {
					return fault
				}
				return dynamotest.None
			}
			if err := s.Remember(t.Context(), c); err != nil {
				t.Errorf("fault %v: %v", fault, err)
			}
		}
		faults.Choose = nil
		found := 0
		for got, err := range s.EndingBy(t.Context(), now) {
			if err != nil || got != c {
				t.Error(got, err)
			}
			found++
		}
		if found != 1 {
			t.Errorf("found %d", found)
		}
	})
	t.Run("a damaged item hides no other", func(t *testing.T) {
		client, _ := open(t)
		s := dynamostore.New(client, "connections")
		now := time.Now().UTC().Truncate(time.Second)
		for i := range 16 {
			_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("connections"), Item: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: fmt.Sprintf("connections#%02d", i)}, "sk": &types.AttributeValueMemberS{Value: "000000000000#x"},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		c := connection.Connection{ID: "a=", ExpiresAt: now, OpenedAt: now}
		if err := s.Remember(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		var found, damaged int
		for got, err := range s.EndingBy(t.Context(), now) {
			switch {
			case err != nil && strings.Contains(err.Error(), "is no connection"):
				damaged++
			case got == c:
				found++
			}
		}
		if found != 1 || damaged != 16 {
			t.Errorf("found %d, damaged %d", found, damaged)
		}
	})
}
