package gateway

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// route is a parsed route key.
type route struct {
	Route
	method   string // "ANY" for every one; "" for $default
	segments []string
}

const (
	anyMethod    = "ANY"
	defaultRoute = "$default"
)

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", anyMethod}

func parseRoute(key string) (route, error) {
	r := route{Route: Route{Key: key}}
	if key == defaultRoute {
		return r, nil
	}
	method, path, _ := strings.Cut(key, " ")
	if !slices.Contains(methods, method) || !strings.HasPrefix(path, "/") {
		return r, fmt.Errorf("route %q: want a method and a path, as in GET /users/{id}", key)
	}
	r.method, r.segments = method, strings.Split(path, "/")[1:]
	for i, segment := range r.segments {
		if kind(segment) == greedy && i < len(r.segments)-1 {
			return r, fmt.Errorf("route %q: %s may only stand at the end", key, segment)
		}
	}
	return r, nil
}

// The kinds of segment, the most specific greatest.
const (
	greedy = iota
	variable
	literal
)

func kind(segment string) int {
	switch {
	case !strings.HasPrefix(segment, "{") || !strings.HasSuffix(segment, "}"):
		return literal
	case strings.HasSuffix(segment, "+}"):
		return greedy
	default:
		return variable
	}
}

// match returns the path parameters of a request that r serves. path is the
// request's, split at the slashes and then decoded.
func (r route) match(method string, path []string) (map[string]string, bool) {
	if r.Key == defaultRoute {
		return nil, true
	}
	if r.method != anyMethod && r.method != method || len(path) < len(r.segments) {
		return nil, false
	}
	var parameters map[string]string
	for i, segment := range r.segments {
		value, name := path[i], strings.Trim(segment, "{+}")
		switch kind(segment) {
		case literal:
			if value != segment {
				return nil, false
			}
			continue
		case greedy:
			value, path = strings.Join(path[i:], "/"), path[:i+1]
		}
		if value == "" {
			return nil, false
		}
		if parameters == nil {
			parameters = make(map[string]string)
		}
		parameters[name] = value
	}
	return parameters, len(path) == len(r.segments)
}

// compare puts the more specific of two routes that match one request first: a
// full match before one with a greedy variable before $default; then literal
// segments before variables; then a method before ANY.
func compare(a, b route) int {
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	for i := range min(len(a.segments), len(b.segments)) {
		if d := kind(b.segments[i]) - kind(a.segments[i]); d != 0 {
			return d
		}
	}
	return boolInt(a.method == anyMethod) - boolInt(b.method == anyMethod)
}

func rank(r route) int {
	switch {
	case r.Key == defaultRoute:
		return 2
	case kind(r.segments[len(r.segments)-1]) == greedy:
		return 1
	default:
		return 0
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// find returns the route for a request, and its path parameters.
func find(routes []route, method string, path []string) (best route, parameters map[string]string, ok bool) {
	for _, r := range routes {
		p, matches := r.match(method, path)
		if matches && (!ok || compare(r, best) < 0) {
			best, parameters, ok = r, p, true
		}
	}
	return best, parameters, ok
}

// split takes an escaped path apart. Escaped slashes stay inside their segment.
func split(escaped string) ([]string, error) {
	segments := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for i, segment := range segments {
		var err error
		if segments[i], err = url.PathUnescape(segment); err != nil {
			return nil, err
		}
	}
	return segments, nil
}
