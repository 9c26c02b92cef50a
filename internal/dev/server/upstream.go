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
func upstreamAPI(address string) (http.Handler, error) {
	target, err := url.Parse(address)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" || target.RawQuery != "" || target.Fragment != "" {
		return nil, fmt.Errorf("--upstream %s: want the address of your API, such as http://localhost:3000", address)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			handOn(r.Out.Header, r.In.Context())
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			httpx.Problem(w, r, &httpx.Error{Status: http.StatusBadGateway, Code: "bad_gateway",
				Detail: "nothing answers at " + target.Host + ": is your API running there?", Err: err})
		},
	}
	return proxy, nil
}

// handOn replaces what the client sent by what the authorizer found out.
func handOn(h http.Header, ctx context.Context) {
	for name := range h {
		// Many servers take X_Gatehouse_Sub for X-Gatehouse-Sub.
		if strings.HasPrefix(strings.ToLower(strings.ReplaceAll(name, "_", "-")), strings.ToLower(identityHeader)) {
			delete(h, name)
		}
	}
	h.Del("Authorization")
	h.Del("Cookie")
	who, ok := identity.FromContext(ctx)
	if !ok {
		return
	}
	for name, value := range map[string]string{
		"Sub": who.Subject, "Email": who.Email, "Roles": strings.Join(who.Roles, " "), "Scope": strings.Join(who.Scopes, " "),
		"Client-Id": who.ClientID, "Sid": who.SessionID,
		"Name": url.PathEscape(who.Name), // header values are ASCII, names are not
	} {
		if value != "" {
			h.Set(identityHeader+name, value)
		}
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
