package gateway

import "net/http"

// PrefersTo tells whether g, rather than other, is to answer r where both are
// served at one address: it has the more specific route, or an equal one. A
// preflight goes where the request goes that it asks for.
func (g *Gateway) PrefersTo(other *Gateway, r *http.Request) bool {
	mine, ok := g.routeOf(r)
	theirs, known := other.routeOf(r)
	return ok && (!known || compare(mine, theirs) <= 0)
}

func (g *Gateway) routeOf(r *http.Request) (route, bool) {
	escaped, _ := g.withoutStage(g.withoutMapping(r.URL.EscapedPath()))
	path, err := split(escaped)
	if err != nil {
		return route{}, false
	}
	found, _, ok := g.find(r.Method, path)
	if !ok && isPreflight(r) {
		found, _, ok = g.find(r.Header.Get("Access-Control-Request-Method"), path)
	}
	return found, ok
}
