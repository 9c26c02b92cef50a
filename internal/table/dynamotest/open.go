// Package dynamotest gives tests a table in DynamoDB: in an emulator that they
// start, or in the AWS account that the environment names. Its [Faults] are a
// network and a service that misbehave as no emulator does.
package dynamotest

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatehouse-auth/gatehouse"
	"github.com/gatehouse-auth/gatehouse/internal/table/definition"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
)

// The environment: with both of the first two set, tests use that table, which
// has the shape of [Definition] and may hold other items.
const (
	endpointEnv = "AWS_ENDPOINT_URL_DYNAMODB" // such as https://dynamodb.eu-west-1.amazonaws.com
	tableEnv    = "GATEHOUSE_TEST_TABLE"
	regionEnv   = "AWS_REGION"
	ciEnv       = "CI" // "true": a missing emulator fails the test, rather than skipping it
)

const tableName = "gatehouse" // in the emulator

// Open returns a table. It is empty if the emulator holds it. getenv is
// os.Getenv.
func Open(t testing.TB, getenv func(string) string) *dynamotable.Table {
	t.Helper()
	return OpenThrough(t, getenv, nil)
}

// OpenThrough is [Open] with all requests of the table sent through transport.
func OpenThrough(t testing.TB, getenv func(string) string, transport http.RoundTripper) *dynamotable.Table {
	t.Helper()
	if endpoint, name := getenv(endpointEnv), getenv(tableEnv); endpoint != "" && name != "" {
		keys := credentials.NewStaticCredentialsProvider(getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN"))
		return dynamotable.New(newClient(endpoint, getenv(regionEnv), keys, transport), name)
	}
	endpoint := Endpoint(t, getenv)
	if err := dynamotable.Create(t.Context(), Client(endpoint, nil), Definition(tableName)); err != nil {
		t.Fatal(err)
	}
	return dynamotable.New(Client(endpoint, transport), tableName)
}

// pooled keeps the connections of tests that do a hundred things at once.
var pooled = func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 100
	return t
}()

// Client returns a client of the emulator at endpoint. A nil transport is
// [http.DefaultTransport], with more idle connections.
func Client(endpoint string, transport http.RoundTripper) *dynamodb.Client {
	if transport == nil {
		transport = pooled
	}
	keys := credentials.NewStaticCredentialsProvider("emulator", "emulator", "")
	return newClient(endpoint, "us-east-1", keys, corrected{transport})
}

func newClient(endpoint, region string, keys aws.CredentialsProvider, transport http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       region,
		BaseEndpoint: &endpoint,
		Credentials:  keys,
		HTTPClient:   &http.Client{Transport: transport},
	})
}

// Definition returns the table of serverless.yml under a name of the test's. The
// test may change it.
func Definition(name string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{}
	if err := json.Unmarshal(serverlessTable(), in); err != nil {
		panic(err)
	}
	in.TableName = &name
	return in
}

// serverlessTable is the table of serverless.yml as JSON: reading that costs a
// hundredth of reading the file.
var serverlessTable = sync.OnceValue(func() []byte {
	text, err := gatehouse.Files.ReadFile("serverless.yml")
	if err != nil {
		panic(err) // it is built in
	}
	in, err := definition.Parse(text, "")
	if err != nil {
		panic(err)
	}
	raw, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	return raw
})
