package api

import (
	"net/http"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// route is one operation of the API.
type route struct {
	method, path string
	role         string // that the caller needs; "": any, as they act on themselves
	handle       func(call) error
}

func (h *handlers) routes() []route {
	return []route{
		{"GET", "/me", "", h.getMe},
		{"PATCH", "/me", "", h.patchMe},
		{"DELETE", "/me", "", h.deleteMe},
		{"GET", "/me/sessions", "", h.getMySessions},
		{"DELETE", "/me/sessions", "", h.deleteMySessions},
		{"DELETE", "/me/sessions/others", "", h.deleteMyOtherSessions},
		{"DELETE", "/me/sessions/{sid}", "", h.deleteMySession},
		{"GET", "/me/identities", "", h.getMyIdentities},
		{"DELETE", "/me/identities/{identity}", "", h.deleteMyIdentity},
		{"GET", "/me/export", "", h.getMyExport},

		{"GET", "/users", usersvc.Admin, h.getUsers},
		{"GET", "/users/{id}", usersvc.Admin, h.getUser},
		{"PATCH", "/users/{id}", usersvc.Admin, h.patchUser},
		{"DELETE", "/users/{id}", usersvc.Admin, h.deleteUser},
		{"PUT", "/users/{id}/roles", usersvc.Admin, h.putRoles},
		{"POST", "/users/{id}/suspend", usersvc.Admin, h.suspend},
		{"POST", "/users/{id}/activate", usersvc.Admin, h.activate},
		{"GET", "/users/{id}/sessions", usersvc.Admin, h.getSessions},
		{"DELETE", "/users/{id}/sessions", usersvc.Admin, h.deleteSessions},
		{"DELETE", "/users/{id}/sessions/{sid}", usersvc.Admin, h.deleteSession},
		{"GET", "/audit", usersvc.Admin, h.getAudit},
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
func (r route) guarded() httpx.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) error {
		who, ok := identity.FromContext(req.Context())
		if !ok {
			return errSignInFirst
		}
		if r.role != "" && !who.HasRole(r.role) {
			return &httpx.Error{Status: http.StatusForbidden, Code: "insufficient_role", Detail: "only an admin may do this"}
		}
		if r.role == "" && len(who.Roles) == 0 { // a third-party client's token, which has no roles
			return &httpx.Error{Status: http.StatusForbidden, Code: "insufficient_role", Detail: "this app may not act on the account"}
		}
		return r.public(r.handle(call{req, w, who}))
	}
}
