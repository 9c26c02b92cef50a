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

// contextVariables are those of the documented ones that this gateway knows.
var contextVariables = []string{"routeKey", "stage", "httpMethod", "path"}

func parseSource(expression string) (source, error) {
	for _, from := range []string{"header", "querystring"} {
		if name, ok := strings.CutPrefix(expression, "$request."+from+"."); ok && name != "" {
			return source{from, name}, nil
		}
	}
	if name, ok := strings.CutPrefix(expression, "$context."); ok {
		for _, known := range contextVariables {
			if name == known {
				return source{"context", name}, nil
			}
		}
	}
	return source{}, fmt.Errorf("identitySource %q is not known here", expression)
}

// value returns what the source has in c; "" is missing.
func (s source) value(c *call) string {
	switch s.from {
	case "header":
		return c.Headers[strings.ToLower(s.name)]
	case "querystring":
		return c.QueryStringParameters[s.name]
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
