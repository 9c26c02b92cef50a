package dynamotable_test

import (
	"errors"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/internal/table/tabletest"
)

func TestTable(t *testing.T) {
	faults := &dynamotest.Faults{} // none, but for reads that may be stale: for them there is nothing
	tabletest.Run(t, func(t *testing.T) table.Table { return dynamotest.OpenThrough(t, os.Getenv, faults) })

	t.Run("fault 20 every read of the table asks for consistency", func(t *testing.T) {
		dynamotest.Endpoint(t, os.Getenv) // skips where there is no emulator
		reads := 0
		for _, r := range faults.Requests() {
			_, isIndex := r.Body["IndexName"]
			if r.Operation != "GetItem" && (r.Operation != "Query" || isIndex) {
				continue
			}
			if reads++; r.Body["ConsistentRead"] != true {
				t.Fatalf("a stale read: %v", r)
			}
		}
		if reads < 100 {
			t.Errorf("only %d reads seen", reads)
		}
	})
}

func TestForeignItems(t *testing.T) {
	client := dynamotest.Client(dynamotest.Endpoint(t, os.Getenv), nil)
	if err := dynamotable.Create(t.Context(), client, dynamotest.Definition("test")); err != nil {
		t.Fatal(err)
	}
	tab := dynamotable.New(client, "test")
	for name, foreign := range map[string]types.AttributeValue{
		"a map":         &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}},
		"a null":        &types.AttributeValueMemberNULL{Value: true},
		"a string set":  &types.AttributeValueMemberSS{Value: []string{"admin"}},
		"a fraction":    &types.AttributeValueMemberN{Value: "1.5"},
		"a huge number": &types.AttributeValueMemberN{Value: "9223372036854775808"},
		"a mixed list":  &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "1"}}},
	} {
		t.Run("fault 22 an item with "+name+" is not given out, and others are", func(t *testing.T) {
			_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("test"), Item: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: keyA.PK}, "sk": &types.AttributeValueMemberS{Value: keyA.SK}, "x": foreign,
			}})
			if err != nil {
				t.Fatal(err)
			}
			if err := tab.Write(t.Context(), table.Put(item(keyB))); err != nil {
				t.Fatal(err)
			}
			if i, err := tab.Get(t.Context(), keyA); i != nil || !errors.Is(err, table.ErrUnavailable) {
				t.Errorf("item %v, error %v", i, err)
			}
			wantItem(t, tab, keyB, item(keyB))
		})
	}
}

func TestCreate(t *testing.T) {
	client := dynamotest.Client(dynamotest.Endpoint(t, os.Getenv), nil)
	if err := dynamotable.Create(t.Context(), client, dynamotest.Definition("test")); err != nil {
		t.Fatal(err)
	}
	t.Run("items expire by the attribute that says so", func(t *testing.T) {
		out, err := client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: aws.String("test")})
		if err != nil {
			t.Fatal(err)
		}
		if name := aws.ToString(out.TimeToLiveDescription.AttributeName); name != table.TTL {
			t.Errorf("expiry by %q, want %q", name, table.TTL)
		}
	})
	t.Run("a table that exists is left as it is", func(t *testing.T) {
		err := dynamotable.Create(t.Context(), client, dynamotest.Definition("test"))
		if _, ok := errors.AsType[*types.ResourceInUseException](err); !ok {
			t.Errorf("error %v", err)
		}
	})
}
