package usersvc

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// NewHandler answers the JSON API of users. It stands behind the authorizer: who
// calls is what [identity.FromContext] says, and without an identity every route
// answers 401.
func NewHandler(u *Users, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	a := &api{users: u}
	for _, r := range a.routes() {
		mux.Handle(r.method+" "+r.path, httpx.Handle(r.guarded(), httpx.Problem))
	}
	mux.Handle("/", httpx.Handle(func(http.ResponseWriter, *http.Request) error {
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Detail: "there is nothing here"}
	}, httpx.Problem))
	return httpx.Log(log, mux)
}

type api struct {
	users *Users
}

// route is one operation of the API.
type route struct {
	method, path string
	admin        bool // only for the role admin
	handle       func(http.ResponseWriter, *http.Request, identity.Identity) error
}

func (a *api) routes() []route {
	return []route{
		{"GET", "/me", false, a.getMe},
		{"GET", "/users", true, a.getUsers},
	}
}

// guarded asks who calls before anything else is looked at, so that a caller
// without the right learns nothing, not even whether a user exists.
func (r route) guarded() httpx.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) error {
		who, ok := identity.FromContext(req.Context())
		if !ok {
			return &httpx.Error{Status: http.StatusUnauthorized, Code: "invalid_token", Detail: "sign in first"}
		}
		if r.admin && !who.HasRole(Admin) {
			return &httpx.Error{Status: http.StatusForbidden, Code: "insufficient_role", Detail: "only an admin may do this"}
		}
		return public(r.handle(w, req, who))
	}
}

// public turns an error of Users into what the client may hear of it.
func public(err error) error {
	fail := func(status int, code, detail string) error {
		return &httpx.Error{Status: status, Code: code, Detail: detail, Err: err}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, table.ErrUnavailable):
		return httpx.Unavailable(err)
	case errors.Is(err, table.ErrBadCursor):
		return fail(http.StatusBadRequest, "bad_cursor", "begin the list again without a cursor")
	case errors.Is(err, ErrNotFound):
		return fail(http.StatusNotFound, "not_found", "there is no such user")
	}
	return err
}

// userJSON is a user on the wire.
type userJSON struct {
	ID            string   `json:"id"`
	Email         string   `json:"email"`
	EmailVerified bool     `json:"email_verified"`
	Name          string   `json:"name"`
	Picture       string   `json:"picture,omitempty"`
	Roles         []string `json:"roles"`
	Status        Status   `json:"status"`
	CreatedAt     string   `json:"created_at"`
	Version       int64    `json:"version"`
}

func (u User) json() userJSON {
	return userJSON{u.ID, u.Email, u.EmailVerified, u.Name, u.Picture, sortedRoles(u.Roles), u.Status, wireTime(u.CreatedAt), u.Version}
}

func wireTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// pageJSON is a page on the wire. Next is the cursor of the next page.
type pageJSON[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

func writePage[T, J any](w http.ResponseWriter, page Page[T], wire func(T) J) error {
	out := pageJSON[J]{Items: make([]J, 0, len(page.Items)), Next: page.Cursor}
	for _, item := range page.Items {
		out.Items = append(out.Items, wire(item))
	}
	return httpx.JSON(w, out)
}

func (a *api) getMe(w http.ResponseWriter, r *http.Request, who identity.Identity) error {
	user, err := a.users.Get(r.Context(), who.Subject)
	if err != nil {
		return err
	}
	return httpx.JSON(w, user.json())
}

func (a *api) getUsers(w http.ResponseWriter, r *http.Request, _ identity.Identity) error {
	params, err := params(r, "limit", "cursor")
	if err != nil {
		return err
	}
	n, err := limit(params)
	if err != nil {
		return err
	}
	page, err := a.users.List(r.Context(), Filter{Limit: n, Cursor: params["cursor"]})
	if err != nil {
		return err
	}
	return writePage(w, page, User.json)
}
