package lambdahttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// event is what is read of a request event. REST APIs send no Version; HTTP APIs
// send "1.0", which has the members of a REST event, or "2.0".
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

// authorizer returns the context that a Lambda authorizer left: payload 2.0 has
// it one level deeper than a REST event.
func (e *event) authorizer() map[string]any {
	if e.Version == "2.0" {
		m, _ := e.RequestContext.Authorizer["lambda"].(map[string]any)
		return m
	}
	return e.RequestContext.Authorizer
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

// query returns the request's query. Payload 2.0 has it as it was sent; the
// others have it decoded, without the order of different names.
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
	return q.Encode()
}
