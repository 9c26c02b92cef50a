// Package api is the JSON API of users: requests in, calls of usersvc, responses
// out. Package usersvc holds the rules; this package reads requests strictly and
// turns errors into responses. It stands behind the authorizer and never sees a
// token.
//
// Internal to Gatehouse: it may change with any release.
package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// NewHandler returns the handler of the API. It must stand behind the authorizer:
// the caller is the one of [identity.FromContext]. Without an identity, every
// route but the description of the API responds with 401. Scripts of the origins
// that cors allows can read the responses, and those of any origin the description.
func NewHandler(users *usersvc.Users, cors httpx.CORS, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	now := users.Now
	if now == nil {
		now = time.Now
	}
	paths := map[string]httpx.Methods{}
	for _, r := range (&handlers{users: users}).routes() {
		if paths[r.path] == nil {
			paths[r.path] = httpx.Methods{}
		}
		paths[r.path][r.method] = httpx.Handle(r.guarded(now), httpx.Problem)
	}
	for path, methods := range paths {
		mux.Handle(path, cors.Methods(methods, httpx.Problem))
	}
	document := httpx.Methods{http.MethodGet: httpx.Handle(getOpenAPI, httpx.Problem), http.MethodOptions: http.HandlerFunc(httpx.PublicPreflight)}
	mux.Handle(openAPIPath, document.Handler(httpx.Problem))
	mux.Handle("/", httpx.Handle(func(http.ResponseWriter, *http.Request) error {
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Detail: "there is nothing here"}
	}, httpx.Problem))
	return httpx.Log(log, httpx.CanonicalPath(mux, httpx.Problem))
}

// handlers holds what the handlers of the API share.
type handlers struct{ users *usersvc.Users }

// call is one request of the API.
type call struct {
	*http.Request
	w   http.ResponseWriter
	who identity.Identity
}

// by returns the caller and the address of the request.
func (c call) by() usersvc.By {
	return usersvc.By{UserID: c.who.Subject, SourceIP: httpx.SourceIP(c.Request), UserAgent: c.UserAgent()}
}

// id returns the id of the user that the path names.
func (c call) id() string { return c.PathValue("id") }

// answer writes a user who has been changed.
func (c call) answer(user usersvc.User, err error) error {
	if err != nil {
		return err
	}
	return writeUser(c.w, c.Request, user)
}

// done responds with 204, unless err is not nil.
func (c call) done(err error) error {
	if err == nil {
		c.w.WriteHeader(http.StatusNoContent)
	}
	return err
}
