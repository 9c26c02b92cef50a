package definition_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gatehouse-auth/gatehouse"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/definition"
)

func serverless(t *testing.T) string {
	t.Helper()
	text, err := gatehouse.Files.ReadFile("serverless.yml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestParse states what package table needs of the table that is deployed.
func TestParse(t *testing.T) {
	got, err := definition.Parse([]byte(serverless(t)), "mine")
	if err != nil {
		t.Fatal(err)
	}
	want := &dynamodb.CreateTableInput{
		TableName: aws.String("mine"), BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(table.PK, table.SK),
	}
	for _, name := range []string{table.PK, table.SK, table.GSI1PK, table.GSI1SK, table.GSI2PK, table.GSI2SK} {
		want.AttributeDefinitions = append(want.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS})
	}
	for _, name := range []string{table.GSI1, table.GSI2} {
		want.GlobalSecondaryIndexes = append(want.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &name, KeySchema: keySchema(table.Query{Index: name}.Keys()),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		})
	}
	unexported := cmpopts.IgnoreUnexported(dynamodb.CreateTableInput{}, types.AttributeDefinition{}, types.KeySchemaElement{},
		types.GlobalSecondaryIndex{}, types.Projection{})
	if diff := cmp.Diff(want, got, unexported); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func keySchema(pk, sk string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &pk, KeyType: types.KeyTypeHash},
		{AttributeName: &sk, KeyType: types.KeyTypeRange},
	}
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct{ name, old, new, want string }{
		{"a property that it does not know", "BillingMode:", "StreamSpecification: {StreamViewType: KEYS_ONLY}\n        BillingMode:", `"StreamSpecification"`},
		{"a property of an index that it does not know", "Projection: {Proj", "WarmThroughput: {}\n            Projection: {Proj", `"WarmThroughput"`},
		{"an attribute of a resource that it does not know", "DeletionPolicy:", "Condition: Never\n      DeletionPolicy:", `"Condition"`},
		{"another attribute for expiry", "AttributeName: ttl", "AttributeName: expires", "AttributeName: ttl"},
		{"no expiry", "AttributeName: ttl, Enabled: true", "AttributeName: ttl, Enabled: false", "Enabled: true"},
		{"another way to pay", "PAY_PER_REQUEST", "PROVISIONED", "PAY_PER_REQUEST"},
		{"no table", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "no resource is"},
		{"two tables", "AWS::KMS::Key", "AWS::DynamoDB::Table", ""},
		{"no YAML", "resources:", "\tresources:", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(serverless(t), test.old, test.new, 1)
			if text == serverless(t) {
				t.Fatal("the test changes nothing")
			}
			if _, err := definition.Parse([]byte(text), "mine"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}
