package api_test

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/pathtest"
	"github.com/gatehouse-auth/gatehouse/usersvc/api"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// TestPathsStayOnTheirRoute calls every route as an admin, with path parameters
// that a router could take for another route.
func TestPathsStayOnTheirRoute(t *testing.T) {
	t.Parallel()
	h := userstest.OpenBolt(t)
	ada, lin := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin"))
	handler := api.NewHandler(h.Users, httpx.CORS{}, slog.New(slog.DiscardHandler))
	pathtest.Check(t, handler, withParameters(api.Routes()), func(r *http.Request) *http.Request {
		return r.WithContext(identity.NewContext(r.Context(), as(ada)))
	})
	for _, who := range []userstest.SignedIn{ada, lin} {
		if got := len(h.Trail(t, who.User.ID)); got > 3 { // created, role, session
			t.Errorf("%s was changed: %v", who.User.Name, h.Trail(t, who.User.ID))
		}
	}
}

// withParameters returns the routes with a path parameter: others do what they
// are asked to.
func withParameters(routes []string) []string {
	return slices.DeleteFunc(slices.Clone(routes), func(route string) bool { return !strings.Contains(route, "{") })
}
