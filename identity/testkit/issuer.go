package testkit

import (
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

// Issuer makes real access tokens, and serves what verifies them, at an address
// and with a key that nobody trusts: both are gone after the test.
type Issuer struct {
	URL      string // the claim iss, and where discovery and the JWK Set are
	Audience string // the claim aud

	tb  testing.TB
	key *localkey.Key
}

// NewIssuer starts an issuer that ends with the test.
func NewIssuer(tb testing.TB) *Issuer {
	tb.Helper()
	key, err := theKey()
	if err != nil {
		tb.Fatal(err)
	}
	document, err := jwks.Marshal([]*rsa.PublicKey{key.Public()})
	if err != nil {
		tb.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	mux.HandleFunc("GET /.well-known/jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Write(document)
	})
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{
			"issuer": server.URL, "jwks_uri": server.URL + "/.well-known/jwks.json",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	return &Issuer{URL: server.URL, Audience: server.URL + "/api", tb: tb, key: key}
}

// theKey is made once for all tests of a process: it takes a while.
var theKey = sync.OnceValues(localkey.Generate)

// JWKSURL is where the issuer's JWK Set is.
func (i *Issuer) JWKSURL() string { return i.URL + "/.well-known/jwks.json" }

// Token is an access token that makes its bearer who. It fails the test if there
// can be no such token, as without a subject or a client.
func (i *Issuer) Token(who identity.Identity) string {
	i.tb.Helper()
	expires := who.ExpiresAt
	if expires.IsZero() {
		expires = time.Now().Add(TTL)
	}
	rawToken, err := token.Access{
		Issuer: i.URL, Audience: i.Audience, Subject: who.Subject, ClientID: who.ClientID, SessionID: who.SessionID,
		Scopes: who.Scopes, Roles: who.Roles, Name: who.Name, Email: who.Email,
		AuthTime: who.AuthTime, IssuedAt: expires.Add(-TTL), ExpiresAt: expires,
	}.Sign(i.tb.Context(), i.key)
	if err != nil {
		i.tb.Fatal(err)
	}
	return rawToken
}

// Bearer is the Authorization header with a token of who.
func (i *Issuer) Bearer(who identity.Identity) string {
	i.tb.Helper()
	return "Bearer " + i.Token(who)
}
