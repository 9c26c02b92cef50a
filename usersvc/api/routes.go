package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// route is one operation of the API.
type route struct {
	method, path string
	needs        needs
	handle       func(call) error
}

// needs is what a caller needs beside a token. Every caller needs a role, which
// third-party clients' tokens do not carry.
type needs struct {
	role         string // "": any
	scope        string // "": none
	recentSignIn bool   // a sign-in of the last maxAuthAge
}

var (
	toRead    = needs{} // and to sign out, which is never refused to a user
	toChange  = needs{scope: client.ScopeAccount}
	toRemove  = needs{scope: client.ScopeAccount, recentSignIn: true}
	toExport  = toRemove
	toBeAdmin = needs{role: usersvc.Admin, scope: client.ScopeAdmin}
)

// maxAuthAge is how old a sign-in can be where a recent one is needed.
const maxAuthAge = 10 * time.Minute

func (h *handlers) routes() []route {
	return []route{
		{"GET", "/me", toRead, h.getMe},
		{"PATCH", "/me", toChange, h.patchMe},
		{"DELETE", "/me", toRemove, h.deleteMe},
		{"GET", "/me/sessions", toRead, h.getMySessions},
		{"DELETE", "/me/sessions", toRead, h.deleteMySessions},
		{"DELETE", "/me/sessions/others", toRead, h.deleteMyOtherSessions},
		{"DELETE", "/me/sessions/{sid}", toRead, h.deleteMySession},
		{"GET", "/me/identities", toRead, h.getMyIdentities},
		{"DELETE", "/me/identities/{identity}", toRemove, h.deleteMyIdentity},
		{"GET", "/me/export", toExport, h.getMyExport},

		{"GET", "/users", toBeAdmin, h.getUsers},
		{"GET", "/users/{id}", toBeAdmin, h.getUser},
		{"PATCH", "/users/{id}", toBeAdmin, h.patchUser},
		{"DELETE", "/users/{id}", toBeAdmin, h.deleteUser},
		{"PUT", "/users/{id}/roles", toBeAdmin, h.putRoles},
		{"POST", "/users/{id}/suspend", toBeAdmin, h.suspend},
		{"POST", "/users/{id}/activate", toBeAdmin, h.activate},
		{"GET", "/users/{id}/export", toBeAdmin, h.getExport},
		{"GET", "/users/{id}/identities", toBeAdmin, h.getIdentities},
		{"GET", "/users/{id}/sessions", toBeAdmin, h.getSessions},
		{"DELETE", "/users/{id}/sessions", toBeAdmin, h.deleteSessions},
		{"DELETE", "/users/{id}/sessions/{sid}", toBeAdmin, h.deleteSession},
		{"GET", "/audit", toBeAdmin, h.getAudit},
	}
}

// Routes returns the operations of the API, as "GET /users/{id}". All of them
// stand behind the authorizer.
func Routes() []string {
	var keys []string
	for _, r := range (&handlers{}).routes() {
		keys = append(keys, r.method+" "+r.path)
	}
	return keys
}

// guarded checks the caller before it looks at anything else, so that a caller
// without the right learns nothing, not even whether a user exists.
func (r route) guarded(now func() time.Time) httpx.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) error {
		who, ok := identity.FromContext(req.Context())
		if !ok {
			return errSignInFirst
		}
		if err := r.needs.check(who); err != nil {
			return err
		}
		for _, n := range []needs{r.needs, r.onOneself(req, who)} {
			if err := n.checkToken(w, who, now()); err != nil {
				return err
			}
		}
		return r.public(r.handle(call{req, w, who}))
	}
}

// check refuses a caller without the role.
func (n needs) check(who identity.Identity) error {
	switch {
	case n.role != "" && !who.HasRole(n.role):
		return &httpx.Error{Status: http.StatusForbidden, Code: "insufficient_role", Detail: "only an admin may do this"}
	case n.role == "" && len(who.Roles) == 0:
		return &httpx.Error{Status: http.StatusForbidden, Code: "insufficient_role", Detail: "this app may not act on the account"}
	}
	return nil
}

// onOneself returns what the caller also needs for the user that the path names:
// admins who change, delete or export themselves need what every user needs for it.
func (r route) onOneself(req *http.Request, who identity.Identity) needs {
	if req.PathValue("id") != who.Subject {
		return needs{}
	}
	switch r.method + " " + r.path {
	case "PATCH /users/{id}":
		return toChange
	case "DELETE /users/{id}":
		return toRemove
	case "GET /users/{id}/export":
		return toExport
	}
	return needs{}
}

// checkToken refuses a token without the scope (RFC 6750, Section 3.1), or of a
// sign-in that is too old (RFC 9470, Section 3).
func (n needs) checkToken(w http.ResponseWriter, who identity.Identity, now time.Time) error {
	if n.scope != "" && !who.HasScope(n.scope) {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+n.scope+`"`)
		return &httpx.Error{Status: http.StatusForbidden, Code: "insufficient_scope", Detail: "the token needs the scope " + n.scope}
	}
	if n.recentSignIn && now.Sub(who.AuthTime) > maxAuthAge {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_user_authentication", error_description="sign in again", max_age="`+
			strconv.Itoa(int(maxAuthAge/time.Second))+`"`)
		return &httpx.Error{Status: http.StatusUnauthorized, Code: "insufficient_user_authentication", Detail: "this needs a sign-in of the last 10 minutes"}
	}
	return nil
}
