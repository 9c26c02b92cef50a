package gateway

import (
	"cmp"
	"encoding/json"
	"strings"
)

// functionEvent1 is the event of a Lambda proxy integration of a REST API, and
// of one of an HTTP API with payload 1.0.
type functionEvent1 struct {
	Version                         string              `json:"version,omitempty"` // "1.0" of an HTTP API
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	HTTPMethod                      string              `json:"httpMethod"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	RequestContext                  functionContext1    `json:"requestContext"`
	PathParameters                  map[string]string   `json:"pathParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	Body                            *string             `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

type functionContext1 struct {
	context1
	Authorizer       any    `json:"authorizer,omitempty"`
	DomainPrefix     string `json:"domainPrefix"`
	Protocol         string `json:"protocol"`
	RequestTime      string `json:"requestTime"`
	RequestTimeEpoch int64  `json:"requestTimeEpoch"` // milliseconds
}

// function1 returns the event that a function is called with in payload 1.0: of
// a REST API, or else of an HTTP API. An HTTP API hands the authorizer's context
// on under "lambda" here too; a REST API hands it on flat.
func (c *call) function1(rest bool, e functionEvent) functionEvent1 {
	x := c.context1()
	x.ResourcePath, x.Path, x.HTTPMethod = c.resource(), c.RawPath, c.RequestContext.HTTP.Method
	out := functionEvent1{
		Resource: x.ResourcePath, Path: c.RawPath, HTTPMethod: x.HTTPMethod, PathParameters: c.PathParameters,
		Headers: lasts(c.request.Header), MultiValueHeaders: c.request.Header.Clone(),
		QueryStringParameters: lasts(c.request.URL.Query()), MultiValueQueryStringParameters: c.request.URL.Query(),
		IsBase64Encoded: e.IsBase64Encoded,
		RequestContext: functionContext1{context1: *x, DomainPrefix: c.RequestContext.DomainPrefix, Protocol: c.RequestContext.HTTP.Protocol,
			RequestTime: c.RequestContext.Time, RequestTimeEpoch: c.RequestContext.TimeEpoch},
	}
	for name, value := range map[string]string{
		"Host": c.request.Host, "X-Forwarded-For": c.Headers["x-forwarded-for"],
		"X-Forwarded-Port": c.Headers["x-forwarded-port"], "X-Forwarded-Proto": c.Headers["x-forwarded-proto"],
	} {
		out.Headers[name], out.MultiValueHeaders[name] = value, []string{value}
	}
	if e.Body != "" {
		out.Body = &e.Body
	}
	if len(c.request.URL.Query()) == 0 {
		out.QueryStringParameters, out.MultiValueQueryStringParameters = nil, nil
	}
	if !rest {
		out.Version = "1.0"
	} else { // the path in the context keeps the stage
		out.Path = cmp.Or(strings.TrimPrefix(c.RawPath, "/"+c.RequestContext.Stage), "/")
	}
	switch a := c.RequestContext.Authorizer; {
	case a == nil:
	case a.JWT != nil:
		out.RequestContext.Authorizer = a.JWT // flat: claims and scopes
	case rest:
		out.RequestContext.Authorizer = a.Lambda
	default:
		out.RequestContext.Authorizer = a
	}
	return out
}

// resource is the path of the route; of $default it is the whole key.
func (c *call) resource() string {
	_, resource, found := strings.Cut(c.RouteKey, " ")
	if !found {
		return c.RouteKey
	}
	return resource
}

// parseResponse1 reads a response in payload format 1.0: statusCode must be
// there, and of one name in headers and multiValueHeaders both count.
func parseResponse1(raw []byte) (*response, error) {
	var in map[string]json.RawMessage
	if json.Unmarshal(raw, &in) != nil || in["statusCode"] == nil {
		return nil, errNoStatus
	}
	out, err := parseResponse(raw)
	if err != nil {
		return nil, err
	}
	out.cookies = nil // payload 1.0 has none: they are headers
	var lists map[string][]string
	if err := read(in, "multiValueHeaders", &lists); err != nil {
		return nil, err
	}
	for name, values := range lists {
		for _, value := range values {
			if err := checkHeader(name, value); err != nil {
				return nil, err
			}
		}
	}
	out.lists = lists
	return out, nil
}
