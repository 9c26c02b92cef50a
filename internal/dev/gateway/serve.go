package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// The limits of an HTTP API and of Lambda.
const (
	maxBody   = 10 << 20
	maxEvent  = 6 << 20
	maxHeader = 10_240 // request line and headers
	maxARN    = 1_600
)

// ServeHTTP answers a request as the API would.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := g.cfg.Now()
	x := &Exchange{Time: started, Method: r.Method, Path: r.URL.EscapedPath(), By: "gateway", reasonHeader: g.cfg.ReasonHeader}
	out := &statusWriter{ResponseWriter: w}
	g.serve(out, r, x)
	x.Status, x.Took = out.status, g.cfg.Now().Sub(started)
	if g.cfg.Observe != nil {
		g.cfg.Observe(*x)
	}
}

func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, x *Exchange) {
	escaped, ok := g.withoutStage(g.withoutMapping(r.URL.EscapedPath()))
	path, err := split(escaped)
	matched, parameters, found := g.find(r.Method, path)
	cors := g.cfg.Template.CORS
	if cors != nil && !g.cfg.NoCORSOnRefusals {
		cors.write(w.Header(), r)
	}
	switch {
	case cors != nil && !found && isPreflight(r):
		cors.preflight(w, r)
		return
	case err != nil:
		g.refuse(w, x, http.StatusBadRequest, "a path that is no path")
		return
	case !ok || !found:
		g.refuse(w, x, g.cfg.notFound(), "no route")
		return
	}
	x.Route = matched.Key
	if matched.Refusal != nil && !g.cfg.NoCORSOnRefusals {
		x.refusal = func(h http.Header) { matched.Refusal(h, r) }
	}
	if page := g.cfg.Handlers[matched.Key]; page != nil {
		x.By = "page"
		page.ServeHTTP(w, r)
		return
	}
	if headerSize(r) > maxHeader {
		g.refuse(w, x, http.StatusRequestHeaderFieldsTooLarge, "headers over 10,240 bytes")
		return
	}
	c := newCall(r, g.cfg.Stage, escaped, matched, parameters, g.cfg.Now())
	x.RequestID = c.RequestContext.RequestID
	w.Header().Set("Apigw-Requestid", x.RequestID)
	for _, guard := range g.guards(r.Method, escaped, matched) {
		asked := c
		if guard.Key != matched.Key {
			asked = newCall(r, g.cfg.Stage, escaped, guard, nil, g.cfg.Now())
		}
		if guard.Authorizer != "" && !g.authorize(w, r, g.judges[guard.Authorizer], asked, x) {
			return
		}
	}
	if mock := matched.Mock; mock != nil {
		for name, value := range mock.Header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(mock.Status)
		return
	}
	g.integrate(w, r, matched, c, x)
}

// integrate calls the function and writes what it answers.
func (g *Gateway) integrate(w http.ResponseWriter, r *http.Request, matched route, c *call, x *Exchange) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status, reason := http.StatusBadRequest, "the body ended early"
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status, reason = http.StatusRequestEntityTooLarge, "a body over 10 MB"
		}
		g.refuse(w, x, status, reason)
		return
	}
	var event any = c.function(r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"), body)
	parse := parseResponse
	if g.cfg.REST || matched.Payload1 {
		event, parse = c.function1(g.cfg.REST, event.(functionEvent)), parseResponse1
	}
	payload, err := json.Marshal(event)
	switch {
	case err != nil:
		g.refuse(w, x, http.StatusInternalServerError, "the event cannot be written")
		return
	case len(payload) > maxEvent:
		g.refuse(w, x, http.StatusRequestEntityTooLarge, "an event over 6 MB")
		return
	}
	if err := g.ready(r.Context(), matched.Function); err != nil {
		x.By = matched.Function
		g.refuse(w, x, g.cfg.failed(), err.Error())
		return
	}
	ctx, note := withNote(r.Context())
	raw, err := invoke(ctx, g.cfg.Functions[matched.Function], payload, g.cfg.integrationTimeout())
	x.By, x.Reason = matched.Function, note()
	switch {
	case errors.Is(err, errTimeout):
		g.refuse(w, x, g.cfg.timedOut(), "timeout")
		return
	case err != nil:
		x.Err = err
		g.refuse(w, x, g.cfg.failed(), "")
		return
	}
	answer, err := parse(raw)
	if err != nil {
		x.Err = err
		g.refuse(w, x, g.cfg.failed(), "")
		return
	}
	answer.write(w, func(h http.Header) { g.adjust(h, r) })
}

func (g *Gateway) ready(ctx context.Context, function string) error {
	if g.cfg.Ready == nil {
		return nil
	}
	return g.cfg.Ready(ctx, function)
}

// find is the route of a request.
func (g *Gateway) find(method string, path []string) (route, map[string]string, bool) {
	matched, parameters, found := find(g.routes, method, path)
	if last := len(path) - 1; !found && (g.cfg.TrailingSlash || g.cfg.REST) && last > 0 && path[last] == "" {
		return find(g.routes, method, path[:last])
	}
	return matched, parameters, found
}

// adjust changes the headers of a function's response as the gateway does.
func (g *Gateway) adjust(h http.Header, r *http.Request) {
	if cors := g.cfg.Template.CORS; cors != nil {
		dropCORS(h)
		cors.write(h, r)
	}
	if value := h.Get("WWW-Authenticate"); g.cfg.RemapWWWAuthenticate && value != "" {
		h.Del("WWW-Authenticate")
		h.Set("X-Amzn-Remapped-Www-Authenticate", value)
	}
}

// withoutMapping takes the key of the custom domain's mapping off a path.
func (g *Gateway) withoutMapping(escaped string) string {
	rest, ok := strings.CutPrefix(escaped, "/"+g.cfg.Mapping)
	if g.cfg.Mapping == "" || !ok || rest != "" && rest[0] != '/' {
		return escaped
	}
	return rest
}

// withoutStage takes the stage off a path; false says that it is another's.
func (g *Gateway) withoutStage(escaped string) (string, bool) {
	if g.cfg.Stage == defaultRoute {
		return escaped, true
	}
	rest, ok := strings.CutPrefix(escaped, "/"+g.cfg.Stage)
	return rest, ok && (rest == "" || rest[0] == '/')
}

// headerSize returns the bytes of the request line and the headers.
func headerSize(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + 4 + len("Host: \r\n") + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + len(": \r\n")
		}
	}
	return n
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the writer beneath.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
