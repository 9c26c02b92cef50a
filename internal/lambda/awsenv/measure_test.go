package awsenv_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/gatehouse-auth/gatehouse/internal/env"
	"github.com/gatehouse-auth/gatehouse/internal/lambda/awsenv"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

const (
	dynamoError = `{"__type":"com.amazonaws.dynamodb.v20120810#`
	row         = "row"
)

func get(ctx context.Context, c *dynamodb.Client) error {
	_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(row), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: row}}})
	return err
}

func write(ctx context.Context, c *dynamodb.Client) error {
	_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: aws.String(row), Item: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: row}}}}}})
	return err
}

// TestMeasure has AWS answer in its ways, and looks at what was counted: names,
// and how often.
func TestMeasure(t *testing.T) {
	canceled := func(code string) string {
		return dynamoError + `TransactionCanceledException","CancellationReasons":[{"Code":"None"},{"Code":"` + code + `"}]}`
	}
	for _, tc := range []struct {
		name   string
		status int
		answer string
		call   func(context.Context, *dynamodb.Client) error
		want   map[string]int
	}{
		{"a read", 200, `{}`, get, map[string]int{"GetItemTime": 1}},
		{"a read that fails", 500, dynamoError + `InternalServerError"}`, get, map[string]int{"GetItemTime": 1, "GetItemFailures": 1, "TableFailures": 1}},
		{"a read that may not be", 400, dynamoError + `AccessDeniedException"}`, get, map[string]int{"GetItemTime": 1, "GetItemFailures": 1, "TableFailures": 1}},
		{"a write whose condition does not hold", 400, canceled("ConditionalCheckFailed"), write, map[string]int{"TransactWriteItemsTime": 1}},
		{"a write that another was faster than", 400, canceled("TransactionConflict"), write, map[string]int{"TransactWriteItemsTime": 1}},
		{"a write that was throttled", 400, canceled("ThrottlingError"), write, map[string]int{"TransactWriteItemsTime": 1, "TransactWriteItemsFailures": 1, "TableFailures": 1}},
		{"an operation that is not ours", 200, `{}`, func(ctx context.Context, c *dynamodb.Client) error {
			_, err := c.ListTables(ctx, &dynamodb.ListTablesInput{})
			return err
		}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := serve(t, tc.status, tc.answer)
			client := dynamodb.NewFromConfig(config(t), func(o *dynamodb.Options) { o.BaseEndpoint, o.Retryer = &server, aws.NopRetryer{} })
			counted(t, tc.want, func(ctx context.Context) { tc.call(ctx, client) })
			tc.call(t.Context(), client) // which nobody counts
		})
	}
	t.Run("a signature", func(t *testing.T) {
		server := serve(t, 200, `{"Signature":"AAAA"}`)
		counted(t, map[string]int{"SignTime": 1}, func(ctx context.Context) { sign(ctx, t, server) })
	})
	t.Run("a signature that is refused", func(t *testing.T) {
		server := serve(t, 400, `{"__type":"DisabledException"}`)
		counted(t, map[string]int{"SignTime": 1, "KMSFailures": 1}, func(ctx context.Context) { sign(ctx, t, server) })
	})
	t.Run("a caller who is gone", func(t *testing.T) {
		server := serve(t, 200, `{}`)
		counted(t, map[string]int{"SignTime": 1}, func(ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			sign(ctx, t, server)
		})
	})
}

func sign(ctx context.Context, t *testing.T, server string) {
	client := kms.NewFromConfig(config(t), func(o *kms.Options) { o.BaseEndpoint, o.Retryer = &server, aws.NopRetryer{} })
	client.Sign(ctx, &kms.SignInput{KeyId: aws.String("key"), Message: make([]byte, 32), SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256"})
}

func config(t *testing.T) aws.Config {
	t.Helper()
	return awsenv.Config(&env.Reader{Get: func(string) string { return "eu-west-3" }})
}

func serve(t *testing.T, status int, answer string) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// counted calls and compares what was counted, and how many times were taken.
func counted(t *testing.T, want map[string]int, call func(context.Context)) {
	t.Helper()
	r := &metric.Recorder{}
	call(metric.NewContext(t.Context(), r))
	attrs := r.Attrs()
	for _, a := range attrs {
		n := 1
		if m, _ := metric.Lookup(a.Key); m.Unit == metric.Count {
			n = int(a.Value.Int64())
		}
		if want[a.Key] != n {
			t.Errorf("%s = %v", a.Key, a.Value)
		}
	}
	if len(attrs) != len(want) {
		t.Errorf("counted %v, want %v", attrs, want)
	}
}
