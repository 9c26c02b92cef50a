package dynamotable

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// shape is what two tables of one definition have in common: a line for each
// part, in the words of CloudFormation.
type shape []string

func shapeOf(in *dynamodb.CreateTableInput) shape {
	s := newShape(in.KeySchema, in.AttributeDefinitions, in.BillingMode)
	for _, i := range in.GlobalSecondaryIndexes {
		s = append(s, indexShape(i.IndexName, i.KeySchema, i.Projection))
	}
	return s
}

func shapeOfExisting(t *types.TableDescription) shape {
	mode := types.BillingModeProvisioned // what DynamoDB means when it says nothing
	if t.BillingModeSummary != nil {
		mode = t.BillingModeSummary.BillingMode
	}
	s := newShape(t.KeySchema, t.AttributeDefinitions, mode)
	for _, i := range t.GlobalSecondaryIndexes {
		s = append(s, indexShape(i.IndexName, i.KeySchema, i.Projection))
	}
	for _, i := range t.LocalSecondaryIndexes {
		s = append(s, "local "+indexShape(i.IndexName, i.KeySchema, i.Projection))
	}
	return s
}

func newShape(keys []types.KeySchemaElement, attributes []types.AttributeDefinition, mode types.BillingMode) shape {
	s := shape{"KeySchema " + keyShape(keys), fmt.Sprint("BillingMode ", mode)}
	for _, a := range attributes {
		s = append(s, fmt.Sprintf("AttributeDefinition %s %s", aws.ToString(a.AttributeName), a.AttributeType))
	}
	return s
}

func keyShape(keys []types.KeySchemaElement) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%s %s", aws.ToString(k.AttributeName), k.KeyType))
	}
	return strings.Join(parts, ", ")
}

func indexShape(name *string, keys []types.KeySchemaElement, p *types.Projection) string {
	s := fmt.Sprintf("index %s (%s)", aws.ToString(name), keyShape(keys))
	if p != nil {
		s += fmt.Sprint(" of ", p.ProjectionType, " attributes ", slices.Sorted(slices.Values(p.NonKeyAttributes)))
	}
	return s
}

// differs says what have lacks of want, and what it has besides.
func differs(want, have shape) error {
	var errs []error
	for _, line := range want {
		if !slices.Contains(have, line) {
			errs = append(errs, errors.New("it lacks "+line))
		}
	}
	for _, line := range have {
		if !slices.Contains(want, line) {
			errs = append(errs, errors.New("it has "+line))
		}
	}
	return errors.Join(errs...)
}
