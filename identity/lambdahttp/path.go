package lambdahttp

import (
	"errors"
	"net/url"
	"strings"
)

// A gateway chooses the route, and with it what the authorizer decides, before
// the function sees the path. So the path that a handler sees must be one that
// this very route matches; else GET /users/a%2Fsessions, let through as
// GET /users/{id}, would reach the handler of GET /users/{id}/sessions.
//
// HTTP APIs send the path percent-decoded, once (REST APIs, function URLs and load
// balancers send it as it was written). A decoded path cannot be taken apart again: its
// "/" may have been "%2F". It is therefore not taken apart. The route's own path
// is filled with the path parameters, each escaped again, and what the handler
// sees has the segments that the gateway saw. Only the route $default, which
// matches everything, uses the decoded path as it is. Nothing is decoded twice.

var errPath = errors.New("the path does not belong to the route")

// url returns the path and query that a handler is to see.
func (e *event) url() (*url.URL, error) {
	escaped, err := e.escapedPath()
	if err != nil {
		return nil, err
	}
	path, err := url.PathUnescape(escaped)
	if err != nil || !strings.HasPrefix(path, "/") {
		return nil, errPath
	}
	return &url.URL{Path: path, RawPath: escaped, RawQuery: e.query()}, nil
}

func (e *event) escapedPath() (string, error) {
	route := e.Resource
	if e.Version == "2.0" {
		_, route, _ = strings.Cut(e.RouteKey, " ") // $default has no method
	}
	byDefault := route == "" || route[0] != '/'
	switch {
	case e.functionURL(), e.loadBalancer():
		return e.path(), nil
	case e.Version == "" && byDefault:
		return e.Path, nil
	case e.Version == "":
		return underMapping(route, e.Path)
	case byDefault:
		return escape(withoutStage(e.path(), e.RequestContext.Stage)), nil
	default:
		return fill(route, e.PathParameters)
	}
}

// fill returns the path of a route with its parameters put in.
func fill(route string, parameters map[string]string) (string, error) {
	segments := strings.Split(route, "/")
	for i, segment := range segments {
		name, greedy, ok := parameter(segment)
		if !ok {
			continue
		}
		value, ok := parameters[name]
		switch {
		case !ok || value == "":
			return "", errPath
		case greedy:
			segments[i] = escape(value)
		default:
			segments[i] = url.PathEscape(value)
		}
	}
	return strings.Join(segments, "/"), nil
}

// underMapping returns path, or path without its first segment: a custom domain
// of a REST API may be mapped under a key, which the path then has in front.
func underMapping(route, path string) (string, error) {
	if matches(route, path) {
		return path, nil
	}
	if i := strings.IndexByte(strings.TrimPrefix(path, "/"), '/'); i >= 0 && matches(route, path[i+1:]) {
		return path[i+1:], nil
	}
	return "", errPath
}

// matches tells whether an escaped path is one of the route's.
func matches(route, path string) bool {
	want, got := strings.Split(route, "/"), strings.Split(path, "/")
	for i, segment := range want {
		_, greedy, ok := parameter(segment)
		switch {
		case i >= len(got):
			return false
		case greedy:
			return true
		case !ok && got[i] != segment:
			return false
		}
	}
	// A REST API also takes a path that ends in a slash.
	return len(got) == len(want) || len(got) == len(want)+1 && got[len(want)] == ""
}

// parameter takes "{name}" or "{name+}" apart.
func parameter(segment string) (name string, greedy, ok bool) {
	if len(segment) < 3 || segment[0] != '{' || segment[len(segment)-1] != '}' {
		return "", false, false
	}
	name = segment[1 : len(segment)-1]
	name, greedy = strings.CutSuffix(name, "+")
	return name, greedy, true
}

// withoutStage drops the name of a stage, which an HTTP API puts in front of the
// path unless the stage is $default.
func withoutStage(path, stage string) string {
	rest, ok := strings.CutPrefix(path, "/"+stage)
	switch {
	case stage == "" || !ok:
		return path
	case rest == "":
		return "/"
	case rest[0] == '/':
		return rest
	default:
		return path
	}
}

// escape writes a decoded path so that it decodes to itself, slashes kept.
func escape(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = url.PathEscape(segment)
	}
	return strings.Join(segments, "/")
}
