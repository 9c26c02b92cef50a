package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The methods that API Gateway routes.
var methods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

const (
	anyMethod    = "ANY"
	defaultRoute = "$default" // every request that no other route takes
	connectRoute = "$connect" // the handshake of a WebSocket
)

// route is a route key of API Gateway, taken apart.
type route struct {
	key     string    // as it was written
	special string    // defaultRoute, connectRoute or ""
	method  string    // one of methods, or anyMethod
	path    []segment // empty for "/"
}

// segment is one part of a path.
type segment struct {
	literal string // "" for a variable
	greedy  bool   // a variable that takes one segment or more, always the last
}

// parseRoute reads a route key: "GET /users/{id}", "ANY /demo/{proxy+}",
// "$default" or "$connect". The error says what would be right.
func parseRoute(key string) (route, error) {
	if key == defaultRoute || key == connectRoute {
		return route{key: key, special: key}, nil
	}
	if strings.HasPrefix(key, "$") {
		return route{}, errors.New("an authorizer sees $default and, on a WebSocket API, $connect alone")
	}
	method, path, ok := strings.Cut(key, " ")
	if !ok || !strings.HasPrefix(path, "/") {
		return route{}, errors.New(`want a method, one space and a path, such as "GET /users/{id}"`)
	}
	if method != anyMethod && !slices.Contains(methods, method) {
		return route{}, fmt.Errorf("method %q: want ANY or one of %s", method, strings.Join(methods, " "))
	}
	r := route{key: key, method: method}
	if path == "/" {
		return r, nil
	}
	for text := range strings.SplitSeq(path[1:], "/") {
		if n := len(r.path); n > 0 && r.path[n-1].greedy {
			return route{}, errors.New("a variable with + must be the last part of the path")
		}
		s, err := parseSegment(text)
		if err != nil {
			return route{}, err
		}
		r.path = append(r.path, s)
	}
	return r, nil
}

func parseSegment(text string) (segment, error) {
	if text == "" {
		return segment{}, errors.New("want no empty part in the path, and no slash at its end")
	}
	if name, ok := strings.CutPrefix(text, "{"); ok {
		name, ok = strings.CutSuffix(name, "}")
		name, greedy := strings.CutSuffix(name, "+")
		if !ok || name == "" || strings.ContainsFunc(name, notNameRune) {
			return segment{}, fmt.Errorf("path part %q: want a variable such as {id} or {proxy+}", text)
		}
		return segment{greedy: greedy}, nil
	}
	// A star or a question mark would match other paths than its own in an IAM
	// policy.
	if strings.ContainsFunc(text, notPathRune) {
		return segment{}, fmt.Errorf("path part %q: want letters, digits and -._~:@!$&'(),;=+", text)
	}
	return segment{literal: text}, nil
}

func notNameRune(r rune) bool {
	return !alphanumeric(r) && !strings.ContainsRune("-._:", r)
}

func notPathRune(r rune) bool {
	return !alphanumeric(r) && !strings.ContainsRune("-._~:@!$&'(),;=+", r)
}

func alphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// covers tells whether every request that goes to other would go to r if other
// were not there.
func (r route) covers(other route) bool {
	switch {
	case r.special != "" || other.special != "":
		return r.special == other.special || r.special == defaultRoute && other.special == ""
	case r.method != anyMethod && r.method != other.method:
		return false
	}
	for i, s := range r.path {
		if i == len(other.path) {
			return false
		}
		o := other.path[i]
		switch {
		case s.greedy:
			return true
		case o.greedy:
			return false
		case s.literal != "" && s.literal != o.literal:
			return false
		}
	}
	return len(r.path) == len(other.path)
}

// compare orders two routes that cover the same request as API Gateway does:
// negative if r is taken before other. The path decides before the method does:
// a literal part, then a variable, then a greedy one, and $default at last.
func (r route) compare(other route) int {
	if r.special != other.special {
		return len(r.special) - len(other.special)
	}
	for i := range min(len(r.path), len(other.path)) {
		if d := r.path[i].rank() - other.path[i].rank(); d != 0 {
			return d
		}
	}
	if r.method == anyMethod && other.method != anyMethod {
		return 1
	}
	if r.method != anyMethod && other.method == anyMethod {
		return -1
	}
	return 0
}

func (s segment) rank() int {
	switch {
	case s.greedy:
		return 2
	case s.literal == "":
		return 1
	}
	return 0
}

// same tells whether no request could tell the two routes apart.
func (r route) same(other route) bool {
	return r.special == other.special && r.method == other.method && slices.Equal(r.path, other.path)
}
