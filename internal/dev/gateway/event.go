package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// The account, API and region that events name. No account has this number.
const (
	accountID = "000000000000"
	apiID     = "local"
	region    = "local-1"
)

// call is what a function's event and an authorizer's have in common.
type call struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`

	arn     string   // of the request: what an IAM policy speaks of
	scopes  []string // of which a token must have one, for a JWT authorizer
	request *http.Request
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	Authorizer   *authorized `json:"authorizer,omitempty"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"` // milliseconds
}

// authorized is what an authorizer hands on.
type authorized struct {
	Lambda *json.RawMessage `json:"lambda,omitempty"`
	JWT    *verifiedJWT     `json:"jwt,omitempty"`
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// functionEvent is the event of a Lambda proxy integration, payload 2.0.
type functionEvent struct {
	*call
	Body            string `json:"body,omitempty"`
	IsBase64Encoded bool   `json:"isBase64Encoded"`
}

// authorizerEvent is the event of a Lambda authorizer, payload 2.0.
type authorizerEvent struct {
	*call
	Type           string   `json:"type"`
	RouteARN       string   `json:"routeArn"`
	IdentitySource []string `json:"identitySource"`
}

// newCall describes r as API Gateway does. Header names are lower case; values
// of one name, and of one query parameter, are joined with commas; cookies stand
// apart. The path arrives percent-decoded, and ends at a decoded question mark;
// escaped is the path as it was sent, without the stage.
func newCall(r *http.Request, stage, escaped string, matched route, parameters map[string]string, now time.Time) *call {
	path, _, _ := strings.Cut(r.URL.Path, "?")
	prefix, _, _ := strings.Cut(r.Host, ".")
	c := &call{
		Version: "2.0", RouteKey: matched.Key, RawPath: path, RawQueryString: r.URL.RawQuery,
		PathParameters: parameters, Headers: joined(r.Header, strings.ToLower),
		QueryStringParameters: joined(r.URL.Query(), func(name string) string { return name }),
		RequestContext: requestContext{
			AccountID: accountID, APIID: apiID, DomainName: r.Host, DomainPrefix: prefix,
			HTTP: httpContext{Method: r.Method, Path: path, Protocol: r.Proto,
				SourceIP: host(r.RemoteAddr), UserAgent: r.UserAgent()},
			RequestID: rand.Text(), RouteKey: matched.Key, Stage: stage,
			Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		},
		request: r, scopes: matched.Scopes,
		arn: "arn:aws:execute-api:" + region + ":" + accountID + ":" + apiID + "/" + stage + "/" + r.Method + escaped,
	}
	for _, line := range r.Header.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			c.Cookies = append(c.Cookies, strings.TrimSpace(cookie))
		}
	}
	delete(c.Headers, "cookie")
	c.Headers["host"] = r.Host
	c.forwarded(r)
	return c
}

// forwarded writes the headers that the gateway itself sets. A client's
// X-Forwarded-For is kept in front, its other words on the matter are not.
func (c *call) forwarded(r *http.Request) {
	h, ip := c.Headers, c.RequestContext.HTTP.SourceIP
	if before := h["x-forwarded-for"]; before != "" {
		ip = before + ", " + ip
	}
	h["x-forwarded-for"] = ip
	h["x-forwarded-proto"], h["x-forwarded-port"] = "http", "80"
	if r.TLS != nil {
		h["x-forwarded-proto"], h["x-forwarded-port"] = "https", "443"
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		h["x-forwarded-port"] = port
	}
	h["x-amzn-trace-id"] = "Root=" + c.RequestContext.RequestID
}

// joined returns values with a comma between those of one name, or nil.
func joined(values map[string][]string, name func(string) string) map[string]string {
	out := make(map[string]string, len(values)+6)
	for n, v := range values {
		out[name(n)] = strings.Join(v, ",")
	}
	return out
}

// function returns the event that the function is called with.
func (c *call) function(contentType, contentEncoding string, body []byte) functionEvent {
	e := functionEvent{call: c}
	if e.IsBase64Encoded = len(body) > 0 && !isText(contentType, contentEncoding, body); e.IsBase64Encoded {
		e.Body = base64.StdEncoding.EncodeToString(body)
	} else {
		e.Body = string(body)
	}
	return e
}

// isText tells whether a body arrives as it is. A form does not.
func isText(contentType, contentEncoding string, body []byte) bool {
	if contentEncoding != "" || !utf8.Valid(body) {
		return false
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch media {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(media, "text/")
}

func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}
