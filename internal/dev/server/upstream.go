package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

// identityHeader begins the headers that tell someone's own API who called.
const identityHeader = "X-Gatehouse-"

// upstreamAPI is someone's own API, behind the authorizer. Headers say who
// called; it gets no token and no cookie. Headers of these names that a
// client sends never reach it, however they are spelt.
//
// Where the API says nothing about CORS, scripts of the origins in gatehouse.yml
// can read its responses, and their preflights are answered.
func upstreamAPI(address, secret string, cors httpx.CORS) (http.Handler, error) {
	target, err := url.Parse(address)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" || target.RawQuery != "" || target.Fragment != "" {
		return nil, fmt.Errorf("--upstream %s: want the address of your API, such as http://localhost:3000", address)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			handOn(r.Out.Header, r.In.Context(), secret)
		},
		ModifyResponse: func(resp *http.Response) error {
			addCORS(resp, cors)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			httpx.Problem(w, r, &httpx.Error{Status: http.StatusBadGateway, Code: "bad_gateway",
				Detail: "nothing answers at " + target.Host + ": is your API running there?", Err: err})
		},
	}
	return proxy, nil
}

// addCORS adds what cors says to a response that says nothing. A preflight that
// the API does not answer becomes an answered one.
func addCORS(resp *http.Response, cors httpx.CORS) {
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		return
	}
	out := &headersOnly{header: http.Header{}}
	r := resp.Request
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		readable(cors, resp.Header, r)
		return
	}
	cors.Preflight(r.Header.Get("Access-Control-Request-Method")).ServeHTTP(out, r)
	if out.Header().Get("Access-Control-Allow-Origin") == "" {
		return // not registered: the API's answer stays
	}
	resp.Body.Close()
	resp.StatusCode, resp.Header, resp.Body, resp.ContentLength = out.status, out.Header(), http.NoBody, 0
}

// readable adds the headers with which scripts of allowed origins can read a response.
func readable(cors httpx.CORS, h http.Header, r *http.Request) {
	out := &headersOnly{header: http.Header{}}
	cors.Handler(http.NotFoundHandler()).ServeHTTP(out, r)
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary"} {
		if values := out.Header()[name]; len(values) > 0 {
			h[name] = append(h[name], values...)
		}
	}
}

// headersOnly takes the headers and the status of a response.
type headersOnly struct {
	header http.Header
	status int
}

func (h *headersOnly) Header() http.Header         { return h.header }
func (h *headersOnly) Write(p []byte) (int, error) { return len(p), nil }
func (h *headersOnly) WriteHeader(status int)      { h.status = status }

// handOn replaces what the client sent by what the authorizer found out: every
// member of the context, and the secret that [identity.Middleware] wants.
func handOn(h http.Header, ctx context.Context, secret string) {
	for name := range h {
		// Many servers take X_Gatehouse_Sub for X-Gatehouse-Sub.
		if strings.HasPrefix(strings.ToLower(strings.ReplaceAll(name, "_", "-")), strings.ToLower(identityHeader)) {
			delete(h, name)
		}
	}
	h.Del("Authorization")
	h.Del("Cookie")
	who, _ := identity.FromContext(ctx) // nobody, of a route without an authorizer
	for member, value := range who.Map() {
		if name, isText := value.(string); isText && member == "name" {
			value = url.PathEscape(name) // header values are ASCII, names are not
		}
		h.Set(identityHeader+strings.ReplaceAll(member, "_", "-"), fmt.Sprint(value))
	}
	if secret != "" {
		h.Set(identity.SecretHeader, secret)
	}
}

// missing answers for a function of serverless.yml that is not part of
// this program.
func missing(name string) http.Handler {
	return httpx.Handle(func(http.ResponseWriter, *http.Request) error {
		return &httpx.Error{Status: http.StatusNotImplemented, Code: "not_implemented",
			Detail: "the function " + name + " is not part of gatehouse dev: run your own API and name it with --upstream",
			Err:    errors.New("no such function here")}
	}, httpx.Problem)
}
