package server

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// freshRoute asks the revocation feed at every call, and no answer is kept.
const freshRoute = "GET /demo/fresh"

// ringRoutes change the signing keys, for `gatehouse keys`.
var ringRoutes = []string{"GET /demo/keys", "POST /demo/keys/rotate", "POST /demo/keys/{kid}/compromise"}

// demoRoutes are behind the authorizer, but for activateRoute, beside the routes
// of serverless.yml.
var demoRoutes = slices.Concat([]string{
	"GET /demo/hello", "GET /demo/admin", freshRoute, "POST /demo/forge/{kind}",
	suspendRoute, activateRoute,
}, ringRoutes, registrarRoutes)

// Rules returns the team's rules and those of the tour.
func Rules(c *config.Config) []policy.Rule {
	rules := []policy.Rule{{Route: "GET /demo/admin", Roles: []string{config.AdminRole}}, {Route: freshRoute, Fresh: true}}
	for _, route := range slices.Concat(ringRoutes, registrarRoutes) {
		rules = append(rules, policy.Rule{Route: route, Roles: []string{config.AdminRole}, Scopes: []string{client.ScopeAdmin}})
	}
	return append(rules, c.Rules()...)
}

// demo is the protected function of the tour, written as a team would write
// theirs: it reads who called, and has never seen a token. Only forge is
// different, which makes the bad ones.
type demo struct {
	issuer, audience string
	ring             *keyring.Keyring
	past             *keyring.Keyring // the same ring, a day behind
	users            *usersvc.Users
	registrar        registrar
	back             waysBack
	now              func() time.Time
}

func (d *demo) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /demo/hello", httpx.Handle(hello, httpx.Problem))
	mux.Handle("GET /demo/admin", httpx.Handle(hello, httpx.Problem))
	mux.Handle(freshRoute, httpx.Handle(hello, httpx.Problem))
	mux.Handle("POST /demo/forge/{kind}", httpx.Handle(d.forge, httpx.Problem))
	mux.Handle(suspendRoute, httpx.Handle(d.handleSuspend, httpx.Problem))
	mux.Handle(activateRoute, httpx.Handle(d.handleActivate, httpx.Problem))
	mux.Handle("GET /demo/keys", httpx.Handle(d.handleKeys, httpx.Problem))
	mux.Handle("POST /demo/keys/rotate", httpx.Handle(d.handleRotate, httpx.Problem))
	mux.Handle("POST /demo/keys/{kid}/compromise", httpx.Handle(d.handleCompromise, httpx.Problem))
	d.registrar.register(mux)
	return mux
}

func caller(ctx context.Context) (identity.Identity, error) {
	who, ok := identity.FromContext(ctx)
	if !ok {
		return who, &httpx.Error{Status: http.StatusUnauthorized, Code: "invalid_token", Detail: "the route has no authorizer"}
	}
	return who, nil
}

func hello(w http.ResponseWriter, r *http.Request) error {
	who, err := caller(r.Context())
	if err != nil {
		return err
	}
	name := who.Name
	if name == "" {
		name = who.Subject
	}
	return httpx.JSON(w, struct {
		Hello string   `json:"hello"`
		Sub   string   `json:"sub"`
		Roles []string `json:"roles"`
	}{name, who.Subject, who.Roles})
}

// forge answers with a token of the caller's that is wrong in one way and right
// in every other, so that one can see it refused.
func (d *demo) forge(w http.ResponseWriter, r *http.Request) error {
	who, err := caller(r.Context())
	if err != nil {
		return err
	}
	now := d.now()
	access := token.Access{
		Issuer: d.issuer, Subject: who.Subject, Audience: d.audience, ClientID: who.ClientID, SessionID: who.SessionID,
		Scopes: who.Scopes, Roles: who.Roles, IssuedAt: now, ExpiresAt: now.Add(10 * time.Minute), AuthTime: who.AuthTime,
	}
	switch r.PathValue("kind") {
	case "audience":
		access.Audience = "https://another-api.example"
	case "expired":
		access.IssuedAt, access.ExpiresAt = now.Add(-time.Hour-10*time.Minute), now.Add(-time.Hour)
	default:
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Detail: "there are: audience, expired"}
	}
	set, err := d.ring.Set(r.Context())
	if err != nil || set.Current == nil {
		return httpx.Unavailable(err)
	}
	rawToken, err := access.Sign(r.Context(), set.Current)
	if err != nil {
		return err
	}
	return httpx.JSON(w, map[string]string{"access_token": rawToken})
}
