package dynamotest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gatehouse-auth/gatehouse"
	"github.com/gatehouse-auth/gatehouse/internal/table/definition"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
)

// TestDefinition compares the table of tests with the one that is deployed, also
// after a test has changed its own.
func TestDefinition(t *testing.T) {
	t.Parallel()
	text, err := gatehouse.Files.ReadFile("serverless.yml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := definition.Parse(text, "mine")
	if err != nil {
		t.Fatal(err)
	}
	*dynamotest.Definition("mine").KeySchema[0].AttributeName = "changed"
	unexported := cmpopts.IgnoreUnexported(dynamodb.CreateTableInput{}, types.AttributeDefinition{},
		types.KeySchemaElement{}, types.GlobalSecondaryIndex{}, types.Projection{})
	if diff := cmp.Diff(want, dynamotest.Definition("mine"), unexported); diff != "" {
		t.Error(diff)
	}
}
