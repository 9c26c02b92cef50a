// Package awsenv is the configuration of AWS clients inside a Lambda, where
// everything stands in the environment. Reading it here instead of by the SDK's
// config package, which also looks for files and roles, starts a function some
// milliseconds sooner.
package awsenv

import (
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"

	"github.com/gatehouse-auth/gatehouse/internal/env"
)

// Config reads the region and the credentials of the function's role, which
// Lambda puts into the environment and which outlive the process. What is
// missing is noted in e. Calls are measured: see package metric.
func Config(e *env.Reader) aws.Config {
	return aws.Config{
		Region: e.String("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			e.String("AWS_ACCESS_KEY_ID"), e.String("AWS_SECRET_ACCESS_KEY"), e.Optional("AWS_SESSION_TOKEN", "")),
		HTTPClient: client(),
		APIOptions: []func(*middleware.Stack) error{measure},
	}
}

// Endpoint returns the address that takes the place of a service's own, for an
// emulator or a VPC endpoint: AWS_ENDPOINT_URL_DYNAMODB for the service
// "DYNAMODB", or else AWS_ENDPOINT_URL. Nil is the service's own.
func Endpoint(e *env.Reader, service string) *string {
	if url := e.Optional("AWS_ENDPOINT_URL_"+service, e.Optional("AWS_ENDPOINT_URL", "")); url != "" {
		return &url
	}
	return nil
}

// client gives up early on what cannot be reached. Connections are dropped
// before the other side would: a Lambda that was frozen must not find them dead.
func client() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = 2 * time.Second
			t.IdleConnTimeout = 30 * time.Second
			t.MaxIdleConnsPerHost = 16
		})
}
