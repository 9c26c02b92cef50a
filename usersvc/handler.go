package usersvc

import (
	"log/slog"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

// NewHandler answers the JSON API of users. It stands behind the authorizer: who
// calls is what [identity.FromContext] says, and without an identity every route
// but the description of the API answers 401.
func NewHandler(u *Users, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h httpx.HandlerFunc) { mux.Handle(pattern, httpx.Handle(h, httpx.Problem)) }
	for _, r := range (&api{users: u}).routes() {
		handle(r.method+" "+r.path, r.guarded())
	}
	handle("GET "+openAPIPath, getOpenAPI)
	handle("/", func(http.ResponseWriter, *http.Request) error {
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Detail: "there is nothing here"}
	})
	return httpx.Log(log, mux)
}

// Routes returns the operations of the API, as "GET /users/{id}". All of them
// stand behind the authorizer.
func Routes() []string {
	var keys []string
	for _, r := range (&api{}).routes() {
		keys = append(keys, r.method+" "+r.path)
	}
	return keys
}

type api struct{ users *Users }

// call is one request of the API.
type call struct {
	*http.Request
	w   http.ResponseWriter
	who identity.Identity
}

// by is who calls, and from where.
func (c call) by() By {
	return By{UserID: c.who.Subject, SourceIP: httpx.SourceIP(c.Request), UserAgent: c.UserAgent()}
}

// id is the user that the path names.
func (c call) id() string { return c.PathValue("id") }

// answer writes a user who has been changed.
func (c call) answer(user User, err error) error {
	if err != nil {
		return err
	}
	return writeUser(c.w, c.Request, user)
}

// done answers that there is nothing more to say.
func (c call) done(err error) error {
	if err == nil {
		c.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// route is one operation of the API.
type route struct {
	method, path string
	role         string // that the caller needs; "": any, as they act on themselves
	handle       func(call) error
}

func (a *api) routes() []route {
	return []route{
		{"GET", "/me", "", a.getMe},
		{"PATCH", "/me", "", a.patchMe},
		{"DELETE", "/me", "", a.deleteMe},
		{"GET", "/me/sessions", "", a.getMySessions},
		{"DELETE", "/me/sessions", "", a.deleteMySessions},
		{"DELETE", "/me/sessions/others", "", a.deleteMyOtherSessions},
		{"DELETE", "/me/sessions/{sid}", "", a.deleteMySession},
		{"GET", "/me/identities", "", a.getMyIdentities},
		{"DELETE", "/me/identities/{identity}", "", a.deleteMyIdentity},
		{"GET", "/me/export", "", a.getMyExport},

		{"GET", "/users", Admin, a.getUsers},
		{"GET", "/users/{id}", Admin, a.getUser},
		{"PATCH", "/users/{id}", Admin, a.patchUser},
		{"DELETE", "/users/{id}", Admin, a.deleteUser},
		{"PUT", "/users/{id}/roles", Admin, a.putRoles},
		{"POST", "/users/{id}/suspend", Admin, a.suspend},
		{"POST", "/users/{id}/activate", Admin, a.activate},
		{"GET", "/users/{id}/sessions", Admin, a.getSessions},
		{"DELETE", "/users/{id}/sessions", Admin, a.deleteSessions},
		{"DELETE", "/users/{id}/sessions/{sid}", Admin, a.deleteSession},
		{"GET", "/audit", Admin, a.getAudit},
	}
}

// guarded asks who calls before anything else is looked at, so that a caller
// without the right learns nothing, not even whether a user exists.
func (r route) guarded() httpx.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) error {
		who, ok := identity.FromContext(req.Context())
		if !ok {
			return signInFirst
		}
		if r.role != "" && !who.HasRole(r.role) {
			return &httpx.Error{Status: http.StatusForbidden, Code: "insufficient_role", Detail: "only an admin may do this"}
		}
		if r.role == "" && len(who.Roles) == 0 { // of an app of somebody else, which is given none
			return &httpx.Error{Status: http.StatusForbidden, Code: "insufficient_role", Detail: "this app may not act on the account"}
		}
		return r.public(r.handle(call{req, w, who}))
	}
}
