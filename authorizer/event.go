package authorizer

import (
	"errors"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// event is what is used of an authorizer event, of every kind. Nothing else of it
// is decoded.
type event struct {
	version string // of the payload; "" on REST and WebSocket APIs
	typ     string // "TOKEN" or "REQUEST"

	routeARN  string // payload 2.0
	methodARN string // every other

	routeKey   string // payload 2.0
	resource   string // the path of the route, not of the request
	httpMethod string // of the request

	authorizationToken string // TOKEN: the header
	headers            [countHeaders]headerLines
	cookies            []string // payload 2.0: one pair each

	context struct{ routeKey, eventType, method string }
}

// header is a header that counts.
type header int

const (
	authorization header = iota
	cookieHeader
	origin
	subprotocols
	countHeaders
)

var headerNames = [countHeaders]string{"Authorization", "Cookie", "Origin", "Sec-WebSocket-Protocol"}

// headerLines is what an event's two maps hold of a header. API Gateway fills
// headers, where the last line of a name wins, and on REST and WebSocket APIs
// multiValueHeaders, which has them all. Their keys are spelt as the client spelt
// them, except on HTTP APIs.
type headerLines struct{ single, multi []string }

// all returns every line.
func (l headerLines) all() []string {
	switch {
	case len(l.multi) == 0:
		return l.single
	case len(l.single) > 1 || len(l.single) == 1 && !slices.Contains(l.multi, l.single[0]):
		return append(l.multi, l.single...) // the two maps are not of one request
	}
	return l.multi
}

var errNoEvent = errors.New("the event cannot be read as an authorizer event") // the cause may quote it

// parseEvent decodes what counts of an event.
func parseEvent(payload []byte) (*event, error) {
	e := &event{}
	// The strings of the event share this copy; the payload is the runtime's.
	err := strictjson.Members(string(payload), func(name, value string) error {
		switch name {
		case "version":
			return text(&e.version, value)
		case "type":
			return text(&e.typ, value)
		case "routeArn":
			return text(&e.routeARN, value)
		case "methodArn":
			return text(&e.methodARN, value)
		case "routeKey":
			return text(&e.routeKey, value)
		case "resource":
			return text(&e.resource, value)
		case "httpMethod":
			return text(&e.httpMethod, value)
		case "authorizationToken":
			return text(&e.authorizationToken, value)
		case "cookies":
			return texts(&e.cookies, value)
		case "headers":
			return e.parseHeaders(value, func(l *headerLines, value string) error {
				var line string
				if err := text(&line, value); err != nil || line == "" {
					return err
				}
				l.single = append(l.single, line)
				return nil
			})
		case "multiValueHeaders":
			return e.parseHeaders(value, func(l *headerLines, value string) error { return texts(&l.multi, value) })
		case "requestContext":
			return e.parseContext(value)
		}
		return nil
	})
	if err != nil {
		return nil, errNoEvent
	}
	return e, nil
}

// parseHeaders shows add the value of every header that counts.
func (e *event) parseHeaders(value string, add func(l *headerLines, value string) error) error {
	if value == "null" {
		return nil
	}
	return strictjson.Members(value, func(name, value string) error {
		for i, counts := range headerNames {
			if len(name) == len(counts) && strings.EqualFold(name, counts) {
				return add(&e.headers[i], value)
			}
		}
		return nil
	})
}

func (e *event) parseContext(value string) error {
	if value == "null" {
		return nil
	}
	return strictjson.Members(value, func(name, value string) error {
		switch name {
		case "routeKey":
			return text(&e.context.routeKey, value)
		case "eventType":
			return text(&e.context.eventType, value)
		case "http":
			return strictjson.Members(value, func(name, value string) error {
				if name == "method" {
					return text(&e.context.method, value)
				}
				return nil
			})
		}
		return nil
	})
}

// text sets into to the string that value is; null leaves it as it is.
func text(into *string, value string) error {
	if value == "null" {
		return nil
	}
	s, ok := strictjson.Text(value)
	if !ok {
		return errNoEvent
	}
	*into = s
	return nil
}

// texts adds to into the strings of the array that value is; null is none.
func texts(into *[]string, value string) error {
	if value == "null" {
		return nil
	}
	return strictjson.Elements(value, func(element string) error {
		var s string
		if err := text(&s, element); err != nil {
			return err
		}
		*into = append(*into, s)
		return nil
	})
}

// kind is a kind of authorizer event.
type kind int

const (
	unknownKind kind = iota
	httpAPI2         // HTTP API, payload 2.0
	httpAPI1         // HTTP API, payload 1.0
	restToken        // REST API, TOKEN
	restRequest      // REST API, REQUEST
	webSocket        // WebSocket API, $connect
)

// kind tells the kind of e by its shape.
func (e *event) kind() kind {
	switch {
	case e.version == "2.0" && e.typ == "REQUEST" && e.routeARN != "" && e.routeKey != "":
		return httpAPI2
	case e.version == "1.0" && e.typ == "REQUEST" && e.methodARN != "" && e.resource != "" && e.httpMethod != "":
		return httpAPI1
	case e.version != "" || e.methodARN == "":
		return unknownKind
	case e.typ == "TOKEN":
		return restToken
	case e.typ == "REQUEST" && e.context.eventType == "CONNECT" && e.context.routeKey == "$connect":
		return webSocket
	case e.typ == "REQUEST" && e.resource != "" && e.httpMethod != "":
		return restRequest
	}
	return unknownKind
}
