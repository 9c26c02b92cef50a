// Package apigateway manages the open connections of a WebSocket API in AWS. It
// needs the permission execute-api:ManageConnections, for
// arn:PARTITION:execute-api:REGION:ACCOUNT:API/STAGE/DELETE/@connections/* to
// close, and for …/POST/@connections/* to send.
//
// Internal to Gatehouse: it may change with any release.
package apigateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

// Connections are the connections of one stage of one API.
type Connections struct {
	client *apigatewaymanagementapi.Client
}

var _ connection.Closer = (*Connections)(nil)

// timeout is for one call, with its repetitions: two more, soon after each other,
// because a sweep comes by again.
const timeout = 3 * time.Second

// New returns the connections that are managed at the endpoint:
// https://API.execute-api.REGION.amazonaws.com/STAGE, or a custom domain with its
// base path. The endpoint is configuration and is not read from events or tables:
// requests to it are signed. It does no I/O.
func New(cfg aws.Config, endpoint string) (*Connections, error) {
	if err := check(endpoint); err != nil {
		return nil, fmt.Errorf("endpoint of connections: %w", err)
	}
	return &Connections{apigatewaymanagementapi.NewFromConfig(cfg, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = aws.String(strings.TrimSuffix(endpoint, "/"))
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 3, 200*time.Millisecond })
	})}, nil
}

// check wants an https address, or http on this machine.
func check(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return errors.New("not a URL")
	}
	switch {
	case u.Host == "" || u.Scheme != "https" && !(loopback.URL(u) && u.Scheme == "http"):
		return errors.New("want the endpoint of the API, https://HOST/STAGE; clients use wss, this is not for them")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("want no user, query or fragment")
	case strings.Contains(u.Path, "@connections"):
		return errors.New("want it without /@connections")
	}
	return nil
}

// Close implements [connection.Closer].
func (c *Connections) Close(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := c.client.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id})
	return translate(err)
}

// Send sends data, at most 128 KB, to the connection with the id. It returns
// [connection.ErrGone] if there is none, as Close does. It does not ask whether
// the connection's token has ended: who has the [connection.Connection] does.
func (c *Connections) Send(ctx context.Context, id string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := c.client.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: data})
	return translate(err)
}

// translate gives 410 our word. Everything else may pass, or is a mistake of the
// configuration.
func translate(err error) error {
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && response.HTTPStatusCode() == http.StatusGone {
		return connection.ErrGone
	}
	return err
}
