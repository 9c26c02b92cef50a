package dynamotable_test

import (
	"errors"
	"os"
	"strings"
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

func TestEnsure(t *testing.T) {
	client := dynamotest.Client(dynamotest.Endpoint(t, os.Getenv), nil)
	ensure := func(t *testing.T, in *dynamodb.CreateTableInput, wantMade bool) {
		t.Helper()
		if made, err := dynamotable.Ensure(t.Context(), client, in); err != nil || made != wantMade {
			t.Errorf("made %v, error %v", made, err)
		}
		out, err := client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: in.TableName})
		if err != nil || aws.ToString(out.TimeToLiveDescription.AttributeName) != table.TTL {
			t.Errorf("expiry %v, error %v", out, err)
		}
	}
	t.Run("is made once", func(t *testing.T) {
		ensure(t, dynamotest.Definition("once"), true)
		ensure(t, dynamotest.Definition("once"), false)
	})
	t.Run("is finished by the next who asks", func(t *testing.T) {
		in := dynamotest.Definition("half")
		if _, err := client.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		ensure(t, in, false)
	})
	for name, test := range map[string]struct {
		change func(*dynamodb.CreateTableInput)
		want   string
	}{
		"without an index": {func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = in.GlobalSecondaryIndexes[:1]
			in.AttributeDefinitions = in.AttributeDefinitions[:4]
		}, "lacks index gsi2 (gsi2pk HASH, gsi2sk RANGE)"},
		"with an index that holds less": {func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[0].Projection = &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
		}, "has index gsi1 (gsi1pk HASH, gsi1sk RANGE) of KEYS_ONLY"},
		"under other keys": {func(in *dynamodb.CreateTableInput) {
			in.KeySchema[0].AttributeName, in.KeySchema[1].AttributeName = aws.String("gsi1pk"), aws.String("gsi1sk")
			in.AttributeDefinitions = in.AttributeDefinitions[2:]
		}, "has KeySchema gsi1pk HASH, gsi1sk RANGE"},
		"with another type": {func(in *dynamodb.CreateTableInput) {
			in.AttributeDefinitions[1].AttributeType = types.ScalarAttributeTypeN
		}, "has AttributeDefinition sk N"},
		"with capacity to be paid always": {func(in *dynamodb.CreateTableInput) {
			capacity := &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)}
			in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, capacity
			for i := range in.GlobalSecondaryIndexes {
				in.GlobalSecondaryIndexes[i].ProvisionedThroughput = capacity
			}
		}, "has BillingMode PROVISIONED"},
	} {
		t.Run("is not taken for one "+name, func(t *testing.T) {
			table := strings.ReplaceAll(name, " ", "-")
			other := dynamotest.Definition(table)
			test.change(other)
			if _, err := client.CreateTable(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			made, err := dynamotable.Ensure(t.Context(), client, dynamotest.Definition(table))
			if made || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("made %v, error %v, want one with %q", made, err, test.want)
			}
		})
	}
	t.Run("is not taken for one whose rows end by another attribute", func(t *testing.T) {
		in := dynamotest.Definition("expiry")
		if _, err := client.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		_, err := client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: in.TableName,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)}})
		if err != nil {
			t.Fatal(err)
		}
		if made, err := dynamotable.Ensure(t.Context(), client, in); made || err == nil || !strings.Contains(err.Error(), `"expires"`) {
			t.Errorf("made %v, error %v", made, err)
		}
	})
}
