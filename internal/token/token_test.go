package token_test

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

const (
	issuer   = "https://auth.example.com"
	audience = "https://api.example.com"
)

var (
	now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	theKey  = sync.OnceValue(func() keys.Signer { return generate() })
	another = sync.OnceValue(func() keys.Signer { return generate() })
)

func generate() keys.Signer {
	key, err := localkey.Generate()
	if err != nil {
		panic(err)
	}
	return key
}

// published is the JWK Set that verifiers see.
func published() token.KeyFunc { return token.Keys(theKey().Public()) }

func want() token.Expect {
	return token.Expect{Issuer: issuer, Audience: audience, Now: now, Leeway: 30 * time.Second}
}

func lin() token.Access {
	return token.Access{
		Issuer: issuer, Subject: "u_lin", Audience: audience, ClientID: "demo-spa",
		ID: "jti-1", SessionID: "s_1", Scopes: []string{"openid", "notes:read"}, Roles: []string{"user"},
		IssuedAt: now, ExpiresAt: now.Add(10 * time.Minute), AuthTime: now.Add(-time.Minute),
		Name: "Lin Ünder", Email: "lin@example.com",
	}
}

func linID() token.ID {
	return token.ID{
		Issuer: issuer, Subject: "u_lin", Audience: "demo-spa", Nonce: "n-1", SessionID: "s_1",
		IssuedAt: now, ExpiresAt: now.Add(10 * time.Minute), AuthTime: now.Add(-time.Minute),
		AccessTokenHash: "at", Claims: map[string]any{"name": "Lin", "email_verified": true},
	}
}

func signed(t testing.TB, a token.Access) string {
	t.Helper()
	rawToken, err := a.Sign(t.Context(), theKey())
	if err != nil {
		t.Fatal(err)
	}
	return rawToken
}

func verify(t testing.TB, rawToken string) (token.Access, error) {
	t.Helper()
	return token.VerifyAccess(t.Context(), rawToken, published(), want())
}

// decoded returns the JSON of a segment.
func decoded(t *testing.T, rawToken string, segment int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(rawToken, ".")[segment])
	if err != nil {
		t.Fatal(err)
	}
	return unmarshal(t, string(raw))
}

func unmarshal(t *testing.T, object string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(object), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAccess(t *testing.T) {
	t.Run("S64 an access token says what RFC 9068 asks for", func(t *testing.T) {
		rawToken := signed(t, lin())
		wantHeader := map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": keys.Thumbprint(theKey().Public())}
		if diff := cmp.Diff(wantHeader, decoded(t, rawToken, 0)); diff != "" {
			t.Error(diff)
		}
		wantClaims := map[string]any{
			"iss": issuer, "aud": audience, "sub": "u_lin", "client_id": "demo-spa", "jti": "jti-1",
			"iat": float64(now.Unix()), "exp": float64(now.Unix() + 600), "auth_time": float64(now.Unix() - 60),
			"scope": "openid notes:read", "roles": []any{"user"}, "sid": "s_1",
			"name": "Lin Ünder", "email": "lin@example.com",
		}
		if diff := cmp.Diff(wantClaims, decoded(t, rawToken, 1)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("what is signed is what is read", func(t *testing.T) {
		machine := token.Access{Issuer: issuer, Subject: "c_cron", Audience: audience, ClientID: "cron", ID: "1",
			IssuedAt: now, ExpiresAt: now.Add(time.Second)}
		for _, a := range []token.Access{lin(), machine} {
			got, err := verify(t, signed(t, a))
			if diff := cmp.Diff(a, got); diff != "" || err != nil {
				t.Error(diff, err)
			}
		}
	})
	t.Run("each token has an id of its own", func(t *testing.T) {
		a := lin()
		a.ID = ""
		first, err1 := verify(t, signed(t, a))
		second, err2 := verify(t, signed(t, a))
		if err1 != nil || err2 != nil || first.ID == second.ID || len(first.ID) < 20 {
			t.Errorf("%q %v, %q %v", first.ID, err1, second.ID, err2)
		}
	})
	t.Run("a token with 20 roles has at most 1.5 kB", func(t *testing.T) {
		a := lin()
		for range 19 {
			a.Roles = append(a.Roles, "role-of-16-bytes")
		}
		if n := len(signed(t, a)); n > 1500 {
			t.Errorf("%d bytes", n)
		}
	})
	t.Run("a token is never issued in its own future", func(t *testing.T) {
		a := lin()
		a.IssuedAt = now.Add(999 * time.Millisecond)
		w := want()
		w.Leeway, w.Now = 0, a.IssuedAt
		if _, err := token.VerifyAccess(t.Context(), signed(t, a), published(), w); err != nil {
			t.Error(err)
		}
	})
}

func TestIncompleteIsNotSigned(t *testing.T) {
	for name, spoil := range map[string]func(*token.Access){
		"no issuer":                 func(a *token.Access) { a.Issuer = "" },
		"no subject":                func(a *token.Access) { a.Subject = "" },
		"no audience":               func(a *token.Access) { a.Audience = "" },
		"no client":                 func(a *token.Access) { a.ClientID = "" },
		"no beginning":              func(a *token.Access) { a.IssuedAt = time.Time{} },
		"no end":                    func(a *token.Access) { a.ExpiresAt = time.Time{} },
		"ends as it begins":         func(a *token.Access) { a.ExpiresAt = a.IssuedAt.Add(time.Millisecond) },
		"a scope that is two":       func(a *token.Access) { a.Scopes = []string{"a admin"} },
		"an empty scope":            func(a *token.Access) { a.Scopes = []string{""} },
		"a role that is two":        func(a *token.Access) { a.Roles = []string{"user admin"} },
		"a role with a line break":  func(a *token.Access) { a.Roles = []string{"user\nadmin"} },
		"an empty role":             func(a *token.Access) { a.Roles = []string{""} },
		"more than a verifier read": func(a *token.Access) { a.Name = strings.Repeat("x", token.MaxSize) },
	} {
		t.Run(name, func(t *testing.T) {
			a := lin()
			spoil(&a)
			if rawToken, err := a.Sign(t.Context(), theKey()); err == nil || rawToken != "" {
				t.Errorf("signed: %v", err)
			}
		})
	}
}

func TestID(t *testing.T) {
	clientWants := token.Expect{Issuer: issuer, Audience: "demo-spa", Now: now}
	idToken, err := linID().Sign(t.Context(), theKey())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("S65 an ID token says who signed in to which client, and how", func(t *testing.T) {
		wantClaims := map[string]any{
			"iss": issuer, "aud": "demo-spa", "sub": "u_lin", "nonce": "n-1", "sid": "s_1", "at_hash": "at",
			"iat": float64(now.Unix()), "exp": float64(now.Unix() + 600), "auth_time": float64(now.Unix() - 60),
			"name": "Lin", "email_verified": true,
		}
		if diff := cmp.Diff(wantClaims, decoded(t, idToken, 1)); diff != "" {
			t.Error(diff)
		}
		if typ := decoded(t, idToken, 0)["typ"]; typ != "JWT" {
			t.Errorf("typ = %v", typ)
		}
		got, err := token.VerifyID(t.Context(), idToken, published(), clientWants)
		if diff := cmp.Diff(linID(), got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
	t.Run("S68 a claim about the user never changes what the token says", func(t *testing.T) {
		id := linID()
		id.Nonce, id.AccessTokenHash, id.SessionID, id.AuthTime = "", "", "", time.Time{}
		id.Claims = map[string]any{"name": "Lin"}
		for _, name := range []string{"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "typ",
			"nonce", "auth_time", "at_hash", "sid", "roles", "azp", "acr", "amr"} {
			id.Claims[name] = "mallory"
		}
		rawToken, err := id.Sign(t.Context(), theKey())
		if err != nil {
			t.Fatal(err)
		}
		got, err := token.VerifyID(t.Context(), rawToken, published(), clientWants)
		id.Claims = map[string]any{"name": "Lin"}
		if diff := cmp.Diff(id, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if strings.Contains(string(mustDecode(t, rawToken)), "mallory") {
			t.Error("the claim was written")
		}
	})
	t.Run("I12 an ID token is no access token, and the other way round", func(t *testing.T) {
		refused(t, token.ReasonType, func() error {
			_, err := token.VerifyAccess(t.Context(), idToken, published(), clientWants)
			return err
		})
		refused(t, token.ReasonType, func() error {
			_, err := token.VerifyID(t.Context(), signed(t, lin()), published(), want())
			return err
		})
	})
	t.Run("an expired one is accepted only on purpose", func(t *testing.T) {
		late := clientWants
		late.Now = now.Add(time.Hour)
		refused(t, token.ReasonExpired, func() error {
			_, err := token.VerifyID(t.Context(), idToken, published(), late)
			return err
		})
		late.InsecureAllowExpired = true
		if _, err := token.VerifyID(t.Context(), idToken, published(), late); err != nil {
			t.Error(err)
		}
	})
	t.Run("one for another client is accepted only on purpose", func(t *testing.T) {
		other := clientWants
		other.Audience = "demo-web"
		refused(t, token.ReasonAudience, func() error {
			_, err := token.VerifyID(t.Context(), idToken, published(), other)
			return err
		})
		other.Audience, other.InsecureAnyAudience = "", true
		if id, err := token.VerifyID(t.Context(), idToken, published(), other); err != nil || id.Audience != "demo-spa" {
			t.Error(id, err)
		}
	})
}

func mustDecode(t *testing.T, rawToken string) []byte {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(rawToken, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// refused fails the test unless err is a refusal for the reason.
func refused(t testing.TB, reason token.Reason, do func() error) {
	t.Helper()
	err := do()
	refusal, ok := errors.AsType[*token.Refusal](err)
	if !ok || refusal.Reason != reason {
		t.Errorf("err = %v, want a refusal: %s", err, reason)
	}
}

// misled is a KMS whose alias was moved: it names one key and signs with another.
type misled struct{ keys.Signer }

func (m misled) SignDigest(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	return another().SignDigest(ctx, digest)
}

type broken struct {
	keys.Signer
	err error
}

func (b broken) SignDigest(context.Context, [sha256.Size]byte) ([]byte, error) { return nil, b.err }

func TestSigner(t *testing.T) {
	t.Run("S69 a signing input of more than 4,096 bytes is signed", func(t *testing.T) {
		a := lin()
		a.Name = strings.Repeat("x", 4096)
		if _, err := verify(t, signed(t, a)); err != nil {
			t.Error(err)
		}
	})
	t.Run("a signature by another key never leaves", func(t *testing.T) {
		if rawToken, err := lin().Sign(t.Context(), misled{theKey()}); err == nil || rawToken != "" {
			t.Error("issued a token with a foreign signature")
		}
		if rawToken, err := linID().Sign(t.Context(), misled{theKey()}); err == nil || rawToken != "" {
			t.Error("issued a token with a foreign signature")
		}
	})
	t.Run("the caller learns that the key is unavailable", func(t *testing.T) {
		if _, err := lin().Sign(t.Context(), broken{theKey(), keys.ErrUnavailable}); !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("signing ends with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := lin().Sign(ctx, theKey()); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestVerifierNeeds(t *testing.T) {
	rawToken := signed(t, lin())
	t.Run("I11 an issuer and an audience", func(t *testing.T) {
		for _, w := range []token.Expect{{}, {Issuer: issuer}, {Audience: audience}, {InsecureAnyAudience: true}} {
			w.Now = now
			_, err := token.VerifyAccess(t.Context(), rawToken, published(), w)
			if _, refusal := errors.AsType[*token.Refusal](err); err == nil || refusal {
				t.Errorf("%+v: err = %v, want a mistake of the caller", w, err)
			}
		}
	})
	t.Run("an audience, unless the caller judges it", func(t *testing.T) {
		w := want()
		w.Audience, w.InsecureAnyAudience = "", true
		got, err := token.VerifyAccess(t.Context(), rawToken, published(), w)
		if err != nil || got.Audience != audience {
			t.Errorf("for %q, %v", got.Audience, err)
		}
	})
	t.Run("keys, and says so when they cannot be had", func(t *testing.T) {
		down := errors.New("down")
		_, err := token.VerifyAccess(t.Context(), rawToken,
			func(context.Context, string) (*rsa.PublicKey, error) { return nil, down }, want())
		if _, refusal := errors.AsType[*token.Refusal](err); !errors.Is(err, down) || refusal {
			t.Errorf("err = %v, want the cause and no refusal", err)
		}
		refused(t, token.ReasonKeyUnknown, func() error {
			_, err := token.VerifyAccess(t.Context(), rawToken, token.Keys(another().Public()), want())
			return err
		})
		refused(t, token.ReasonKeyUnknown, func() error {
			_, err := token.VerifyAccess(t.Context(), rawToken,
				func(context.Context, string) (*rsa.PublicKey, error) { return nil, token.ErrKeyUnknown }, want())
			return err
		})
	})
}
