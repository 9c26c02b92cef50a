package authorizer

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
)

// pattern is what Guard guards: a pattern of http.ServeMux or a route key, taken
// apart.
type pattern struct {
	special string // "$default" or "$connect"; else ""
	method  string // "" for each
	path    string // of a route key; wildcards are {name}, a rest is {name+}
	head    string // the method that HEAD counts as, if method is ""; "": HEAD

	within *policy.Policy // has a rule for each path that the pattern matches
}

const anyMethod = "ANY"

// parsePattern reads "GET /notes/{id}", "/hello", "GET /{$}", "/static/",
// "/files/{path...}" and every route key. The error says why no rule could be for it.
func (a *Authorizer) parsePattern(text string) (pattern, error) {
	if strings.HasPrefix(text, "$") {
		return pattern{special: text}, checkKey(text)
	}
	method, rest, found := strings.Cut(text, " ")
	if !found {
		method, rest = "", text
	}
	rest = strings.TrimLeft(rest, " \t") // as http.ServeMux does
	host, path, found := strings.Cut(rest, "/")
	switch {
	case !found:
		return pattern{}, errors.New(`want a path, such as "GET /notes/{id}" or "/static/"`)
	case host != "":
		return pattern{}, fmt.Errorf("rules know no hosts: take %s out, and give another host a mux of its own", host)
	}
	if method == anyMethod {
		method = ""
	}
	segments := strings.Split(path, "/")
	for _, segment := range segments[:len(segments)-1] {
		if strings.HasSuffix(segment, "...}") {
			return pattern{}, fmt.Errorf("path part %q: a rest must be the last part of the path", segment)
		}
	}
	routes := []policy.Rule{{}} // the second is the path that a rest is empty of
	switch last := &segments[len(segments)-1]; {
	case *last == "{$}":
		segments = segments[:len(segments)-1]
	case *last == "" || strings.HasSuffix(*last, "...}"):
		routes = append(routes, policy.Rule{Route: anyMethod + " /" + strings.Join(segments[:len(segments)-1], "/")})
		*last = "{rest+}"
	}
	p := pattern{method: method, path: "/" + strings.Join(segments, "/")}
	for _, method := range p.methods() {
		key := p.key(method)
		if err := checkKey(key); err != nil {
			return pattern{}, err
		}
		if a.c.Policy.Public(key) {
			return pattern{}, fmt.Errorf("the rule for %q says public: serve the handler without Guard, or take public out of the rule", key)
		}
	}
	routes[0].Route = anyMethod + " " + p.path
	var err error
	if p.within, err = policy.Compile(routes); err != nil {
		return pattern{}, err
	}
	// A rule of its own for HEAD counts; else HEAD asks for what GET does.
	if d := a.c.Policy.Decide(p.key(http.MethodHead), identity.Identity{}, time.Time{}); d.Rule != nil && strings.HasPrefix(d.Rule.Route, http.MethodHead+" ") {
		return p, nil
	}
	p.head = http.MethodGet
	return p, nil
}

// methods returns the methods that p can be asked with.
func (p pattern) methods() []string {
	if p.method != "" {
		return []string{p.method}
	}
	return []string{anyMethod, http.MethodDelete, http.MethodGet, http.MethodOptions, http.MethodPatch, http.MethodPost, http.MethodPut}
}

// checkKey returns an error if no route has the key.
func checkKey(key string) error {
	_, err := policy.Compile([]policy.Rule{{Route: key}})
	if err == nil {
		return nil
	}
	_, why, _ := strings.Cut(err.Error(), fmt.Sprintf("route %q: ", key))
	return errors.New(why)
}

// key returns the route key for a method, if the pattern names none.
func (p pattern) key(method string) string {
	switch {
	case p.special != "":
		return p.special
	case p.method != "":
		method = p.method
	case method == http.MethodHead && p.head != "":
		method = p.head
	}
	return method + " " + p.path
}

// exactKeys returns the keys of routes for the request's path alone: none if the
// pattern does not match the path, as behind http.StripPrefix. A rule for one of them,
// or for less than the pattern, counts too: http.ServeMux would have taken a pattern for
// it, had there been one, and a rule must not go unheard. Handlers read %2F as a slash
// or, like http.ServeMux, as a character of a part; so there can be two.
func (p pattern) exactKeys(r *http.Request) []string {
	if p.special != "" {
		return nil
	}
	method, _, _ := strings.Cut(p.key(r.Method), " ")
	var written []string
	for part := range strings.SplitSeq(r.URL.EscapedPath(), "/") {
		if text, err := url.PathUnescape(part); err == nil && text != "" {
			written = append(written, text)
		}
	}
	var keys []string
	for _, parts := range [][]string{strings.FieldsFunc(r.URL.Path, isSlash), written} {
		if key := p.exactKey(method, parts); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (p pattern) exactKey(method string, parts []string) string {
	for i, part := range parts {
		if checkKey(anyMethod+" /"+part) != nil || strings.HasPrefix(part, "{") || strings.Contains(part, "/") {
			parts[i] = "{other}" // no literal part of a route is like it
		}
	}
	exact := "/" + strings.Join(parts, "/")
	if p.within.Decide(anyMethod+" "+exact, identity.Identity{}, time.Time{}).Rule == nil {
		return ""
	}
	return method + " " + exact
}

// leadsUp tells whether the path has a part . or .., escaped or not. Handlers that clean
// it, such as http.FileServer behind http.StripPrefix, come to other places than a rule
// can know.
func leadsUp(r *http.Request) bool {
	return slices.ContainsFunc(strings.FieldsFunc(r.URL.Path, isSlash), func(part string) bool { return part == "." || part == ".." })
}

func isSlash(c rune) bool { return c == '/' }
