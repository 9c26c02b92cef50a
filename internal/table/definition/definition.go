// Package definition reads from serverless.yml what the table looks like, so that
// a table made for tests is the one that is deployed.
package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

const kind = "AWS::DynamoDB::Table"

// resource is a table as CloudFormation knows it. The fields that are any keep
// the data of a deployment from harm, or are the framework's: they are allowed
// there, and are no part of what a table looks like.
type resource struct {
	Type                                string
	DeletionPolicy, UpdateReplacePolicy any

	Properties struct {
		BillingMode             types.BillingMode
		AttributeDefinitions    []types.AttributeDefinition
		KeySchema               []types.KeySchemaElement
		GlobalSecondaryIndexes  []index
		TimeToLiveSpecification types.TimeToLiveSpecification

		DeletionProtectionEnabled, PointInTimeRecoverySpecification, Tags any
	}
}

type index struct {
	IndexName  string
	KeySchema  []types.KeySchemaElement
	Projection types.Projection
}

// Parse returns the one table of a serverless.yml under a name of the caller's.
// What the file says about the table and this package does not know is an error
// that names it, so that no test runs on another table than is deployed. It wants
// rows to end by [table.TTL], which a request that makes a table cannot say.
func Parse(serverless []byte, name string) (*dynamodb.CreateTableInput, error) {
	r, err := find(serverless)
	if err != nil {
		return nil, fmt.Errorf("reading the table of serverless.yml: %w", err)
	}
	p := r.Properties
	ttl := p.TimeToLiveSpecification
	switch {
	case aws.ToString(ttl.AttributeName) != table.TTL || !aws.ToBool(ttl.Enabled):
		return nil, fmt.Errorf("the table of serverless.yml: want TimeToLiveSpecification: {AttributeName: %s, Enabled: true}", table.TTL)
	case p.BillingMode != types.BillingModePayPerRequest:
		return nil, errors.New("the table of serverless.yml: want BillingMode: PAY_PER_REQUEST")
	}
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: p.BillingMode, AttributeDefinitions: p.AttributeDefinitions, KeySchema: p.KeySchema,
	}
	for _, i := range p.GlobalSecondaryIndexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &i.IndexName, KeySchema: i.KeySchema, Projection: &i.Projection,
		})
	}
	return in, nil
}

// find returns the one resource that is a table.
func find(serverless []byte) (*resource, error) {
	var in struct {
		Resources struct {
			Resources map[string]map[string]any `yaml:"Resources"`
		} `yaml:"resources"`
	}
	if err := yaml.Unmarshal(serverless, &in); err != nil {
		return nil, err
	}
	var found *resource
	for name, text := range in.Resources.Resources {
		if text["Type"] != kind {
			continue
		}
		if found != nil {
			return nil, errors.New("two resources are a " + kind)
		}
		found = &resource{}
		if err := strict(text, found); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if found == nil {
		return nil, errors.New("no resource is a " + kind)
	}
	return found, nil
}

// strict copies in to out, whose fields have the names of CloudFormation.
func strict(in map[string]any, out *resource) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(out)
}
