package gateway

import "strings"

// authorizerEvent1 is the event of every authorizer but payload 2.0's, with the
// members that its kind has.
type authorizerEvent1 struct {
	Version                         string              `json:"version,omitempty"`
	Type                            string              `json:"type"`
	MethodARN                       string              `json:"methodArn"`
	IdentitySource                  string              `json:"identitySource,omitempty"`
	AuthorizationToken              string              `json:"authorizationToken,omitempty"`
	Resource                        string              `json:"resource,omitempty"`
	Path                            string              `json:"path,omitempty"`
	HTTPMethod                      string              `json:"httpMethod,omitempty"`
	Headers                         map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders,omitempty"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	PathParameters                  map[string]string   `json:"pathParameters,omitempty"`
	RequestContext                  *context1           `json:"requestContext,omitempty"`
}

type context1 struct {
	AccountID        string `json:"accountId"`
	APIID            string `json:"apiId"`
	ConnectionID     string `json:"connectionId,omitempty"`
	ConnectedAt      int64  `json:"connectedAt,omitempty"` // milliseconds
	DomainName       string `json:"domainName"`
	EventType        string `json:"eventType,omitempty"`
	HTTPMethod       string `json:"httpMethod,omitempty"`
	Identity         caller `json:"identity"`
	MessageDirection string `json:"messageDirection,omitempty"`
	Path             string `json:"path,omitempty"`
	RequestID        string `json:"requestId"`
	ResourcePath     string `json:"resourcePath,omitempty"`
	RouteKey         string `json:"routeKey,omitempty"`
	Stage            string `json:"stage"`
}

type caller struct {
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent,omitempty"`
}

// event returns what an authorizer of the kind is sent about c, given the values
// of its identity sources.
func (k Kind) event(c *call, values []string) any {
	switch k {
	case HTTP2:
		return authorizerEvent{call: c, Type: "REQUEST", RouteARN: c.arn, IdentitySource: values}
	case RESTToken:
		return authorizerEvent1{Type: "TOKEN", MethodARN: c.arn, AuthorizationToken: values[0]}
	}
	e := authorizerEvent1{
		Type: "REQUEST", MethodARN: c.arn, PathParameters: c.PathParameters,
		Headers: lasts(c.request.Header), QueryStringParameters: lasts(c.request.URL.Query()),
		RequestContext: c.context1(),
	}
	e.Headers["Host"] = c.request.Host
	if k == HTTP1 {
		e.Version, e.Headers = "1.0", joined(c.request.Header, func(name string) string { return name })
		e.Headers["Host"] = c.request.Host
		e.IdentitySource = strings.Join(values, ",")
		e.AuthorizationToken = e.IdentitySource
	} else {
		e.MultiValueHeaders = c.request.Header.Clone()
		e.MultiValueHeaders["Host"] = []string{c.request.Host}
		e.MultiValueQueryStringParameters = c.request.URL.Query()
	}
	if k == WebSocket {
		e.RequestContext.connecting(c)
		return e
	}
	resource := c.resource()
	e.Resource, e.Path, e.HTTPMethod = resource, c.RawPath, c.RequestContext.HTTP.Method
	e.RequestContext.ResourcePath, e.RequestContext.Path, e.RequestContext.HTTPMethod = resource, c.RawPath, e.HTTPMethod
	return e
}

func (c *call) context1() *context1 {
	return &context1{
		AccountID: c.RequestContext.AccountID, APIID: c.RequestContext.APIID, DomainName: c.RequestContext.DomainName,
		Identity:  caller{c.RequestContext.HTTP.SourceIP, c.RequestContext.HTTP.UserAgent},
		RequestID: c.RequestContext.RequestID, Stage: c.RequestContext.Stage,
	}
}

// connecting makes the context that of a handshake.
func (x *context1) connecting(c *call) {
	x.RouteKey, x.EventType, x.MessageDirection = c.RouteKey, "CONNECT", "IN"
	x.ConnectionID, x.ConnectedAt = c.RequestContext.RequestID, c.RequestContext.TimeEpoch
}

// lasts returns the last value of each name.
func lasts(values map[string][]string) map[string]string {
	out := make(map[string]string, len(values)+1)
	for name, v := range values {
		if len(v) > 0 {
			out[name] = last(v)
		}
	}
	return out
}
