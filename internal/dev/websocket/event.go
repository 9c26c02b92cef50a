package websocket

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

// event is what a function of a WebSocket API is sent.
type event struct {
	Headers           map[string]string   `json:"headers,omitempty"` // of $connect
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Query             map[string]string   `json:"queryStringParameters,omitempty"`
	RequestContext    eventContext        `json:"requestContext"`
	Body              string              `json:"body,omitempty"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

type eventContext struct {
	RouteKey         string            `json:"routeKey"`
	EventType        string            `json:"eventType"`
	Authorizer       json.RawMessage   `json:"authorizer,omitempty"`
	MessageID        string            `json:"messageId,omitempty"`
	RequestID        string            `json:"requestId"`
	MessageDirection string            `json:"messageDirection"`
	Stage            string            `json:"stage"`
	ConnectedAt      int64             `json:"connectedAt"`      // milliseconds
	RequestTimeEpoch int64             `json:"requestTimeEpoch"` // milliseconds
	RequestTime      string            `json:"requestTime"`
	Identity         map[string]string `json:"identity"`
	DomainName       string            `json:"domainName"`
	ConnectionID     string            `json:"connectionId"`
	APIID            string            `json:"apiId"`
}

func (a *API) event(c *connection, route, kind string, body []byte, binary bool) event {
	now := a.cfg.Now()
	e := event{
		RequestContext: eventContext{
			RouteKey: route, EventType: kind, Authorizer: c.authorizer, RequestID: rand.Text(), MessageDirection: "IN", Stage: a.cfg.Stage,
			ConnectedAt: c.since.UnixMilli(), RequestTimeEpoch: now.UnixMilli(), RequestTime: now.UTC().Format("02/Jan/2006:15:04:05 -0700"),
			Identity: map[string]string{"sourceIp": sourceOf(c.request), "userAgent": c.request.UserAgent()}, DomainName: c.request.Host, ConnectionID: c.id, APIID: "local",
		},
		Body: string(body), IsBase64Encoded: binary,
	}
	if binary {
		e.Body = base64.StdEncoding.EncodeToString(body)
	}
	switch kind {
	case "MESSAGE":
		e.RequestContext.MessageID = rand.Text()
	case "CONNECT":
		e.Headers, e.MultiValueHeaders = map[string]string{"Host": c.request.Host}, map[string][]string{"Host": {c.request.Host}}
		for name, values := range c.request.Header {
			e.Headers[name], e.MultiValueHeaders[name] = values[len(values)-1], values
		}
		for name, values := range c.request.URL.Query() {
			if e.Query == nil {
				e.Query = map[string]string{}
			}
			e.Query[name] = values[len(values)-1]
		}
	}
	return e
}

func sourceOf(r *http.Request) string { return httpx.SourceIP(r) }
