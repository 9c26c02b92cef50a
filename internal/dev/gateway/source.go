package gateway

import (
	"fmt"
	"strings"
)

// source is a parsed identity source: what of a request tells callers apart.
type source struct {
	from string // "header", "querystring" or "context"
	name string
}

func parseSource(k Kind, expression string) (source, error) {
	request, context := k.sourcePrefixes()
	for _, from := range []string{"header", "querystring"} {
		if name, ok := strings.CutPrefix(expression, request+from+"."); ok && name != "" {
			return source{from, name}, nil
		}
	}
	if name, ok := strings.CutPrefix(expression, context); ok && k.hasVariable(name) {
		return source{"context", name}, nil
	}
	return source{}, fmt.Errorf("identitySource %q is not known here", expression)
}

// String names the source to a person: "Authorization header".
func (s source) String() string {
	switch s.from {
	case "header":
		return s.name + " header"
	case "querystring":
		return s.name + " in the query"
	}
	return s.name
}

// value returns what the source has in c; "" is missing. Of several lines of a
// header an HTTP API takes all, with commas, and the others take the last.
func (s source) value(k Kind, c *call) string {
	switch {
	case s.from == "header" && k.http():
		return c.Headers[strings.ToLower(s.name)]
	case s.from == "header":
		return last(c.request.Header.Values(s.name))
	case s.from == "querystring" && k.http():
		return c.QueryStringParameters[s.name]
	case s.from == "querystring":
		return last(c.request.URL.Query()[s.name])
	}
	switch s.name {
	case "routeKey":
		return c.RouteKey
	case "stage":
		return c.RequestContext.Stage
	case "httpMethod":
		return c.RequestContext.HTTP.Method
	default:
		return c.RequestContext.HTTP.Path
	}
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}
