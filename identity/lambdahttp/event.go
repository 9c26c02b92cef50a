package lambdahttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// event is what is read of a request event. REST APIs and load balancers send no
// Version; HTTP APIs send "1.0", which has the members of a REST event, or "2.0",
// and function URLs send "2.0".
type event struct {
	Version string `json:"version"`

	RouteKey       string   `json:"routeKey"` // 2.0: "GET /users/{id}" or "$default"
	RawPath        string   `json:"rawPath"`
	RawQueryString string   `json:"rawQueryString"`
	Cookies        []string `json:"cookies"`

	HTTPMethod      string              `json:"httpMethod"` // 1.0 and REST
	Resource        string              `json:"resource"`   // "/users/{id}" or "$default"
	Path            string              `json:"path"`
	MultiHeaders    map[string][]string `json:"multiValueHeaders"`
	MultiParameters map[string][]string `json:"multiValueQueryStringParameters"`

	Headers         map[string]string `json:"headers"`
	Parameters      map[string]string `json:"queryStringParameters"`
	PathParameters  map[string]string `json:"pathParameters"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`

	RequestContext struct {
		RequestID  string         `json:"requestId"`
		Stage      string         `json:"stage"`
		DomainName string         `json:"domainName"`
		ELB        *struct{}      `json:"elb"` // nil unless a load balancer sent it
		Authorizer map[string]any `json:"authorizer"`
		HTTP       struct {
			Method   string `json:"method"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
		Identity struct {
			SourceIP string `json:"sourceIp"`
		} `json:"identity"`
	} `json:"requestContext"`
}

func (e *event) method() string {
	if e.Version == "2.0" {
		return e.RequestContext.HTTP.Method
	}
	return e.HTTPMethod
}

func (e *event) path() string {
	if e.Version == "2.0" {
		return e.RawPath
	}
	return e.Path
}

func (e *event) functionURL() bool {
	return strings.Contains(e.RequestContext.DomainName, ".lambda-url.")
}

func (e *event) loadBalancer() bool { return e.RequestContext.ELB != nil }

// caller returns who called, if any authorizer says so.
func (e *event) caller() (identity.Identity, error) {
	if e.functionURL() || e.loadBalancer() {
		return identity.Identity{}, identity.ErrNone
	}
	return identity.FromEvent(events.APIGatewayProxyRequest{
		RequestContext: events.APIGatewayProxyRequestContext{Authorizer: e.RequestContext.Authorizer}})
}

// gatehouseCaller returns who called, if a Lambda authorizer says so. An HTTP API has
// its context one level deeper than a REST API.
func (e *event) gatehouseCaller() (identity.Identity, error) {
	if e.functionURL() || e.loadBalancer() {
		return identity.Identity{}, identity.ErrNone
	}
	if m, nested := e.RequestContext.Authorizer["lambda"].(map[string]any); nested {
		return identity.FromMap(m)
	}
	return identity.FromMap(e.RequestContext.Authorizer)
}

var errBody = errors.New("the body is not the base64 that the event says it is")

// request returns the event as the request that a server would have read.
func (e *event) request(ctx context.Context) (*http.Request, error) {
	u, err := e.url()
	if err != nil {
		return nil, err
	}
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, errBody
		}
	}
	r := &http.Request{
		Method: e.method(), URL: u, RequestURI: u.RequestURI(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: e.header(), Body: http.NoBody, ContentLength: int64(len(body)),
	}
	// net/http keeps Host and the length out of Header, and so does every
	// handler that was written for it.
	r.Host = r.Header.Get("Host")
	r.Header.Del("Host")
	r.Header.Del("Content-Length")
	r.Header.Del("Transfer-Encoding")
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	ip := e.RequestContext.HTTP.SourceIP
	if e.Version != "2.0" {
		ip = e.RequestContext.Identity.SourceIP
	}
	r.RemoteAddr = net.JoinHostPort(ip, "0")
	return r.WithContext(ctx), nil
}

// header returns the request's headers. Payload 2.0 joins the values of a header
// with commas and takes the cookies out.
func (e *event) header() http.Header {
	h := make(http.Header, len(e.Headers)+1)
	for name, value := range e.Headers {
		h.Set(name, value)
	}
	for name, values := range e.MultiHeaders {
		h.Del(name)
		for _, value := range values {
			h.Add(name, value)
		}
	}
	if len(e.Cookies) > 0 {
		h.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	return h
}

// query returns the request's query. Payload 2.0 has it as it was sent. Load
// balancers do not decode names and values; the others do. All of these lose the
// order of different names.
func (e *event) query() string {
	if e.Version == "2.0" {
		return e.RawQueryString
	}
	q := make(url.Values, len(e.Parameters))
	for name, value := range e.Parameters {
		q.Set(name, value)
	}
	for name, values := range e.MultiParameters {
		q[name] = values
	}
	if !e.loadBalancer() {
		return q.Encode()
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range q[name] {
			pairs = append(pairs, name+"="+value)
		}
	}
	return strings.Join(pairs, "&")
}

// format returns the format that the response must have.
func (e *event) format() format {
	switch {
	case e.Version == "2.0":
		return format2
	case e.loadBalancer() && e.MultiHeaders == nil:
		return formatSingle
	}
	return formatMulti
}
