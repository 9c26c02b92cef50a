package token_test

import (
	"context"
	"crypto/rsa"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

func world() tokentest.World {
	return tokentest.World{Issuer: issuer, Audience: audience, Now: now, Leeway: 30 * time.Second}
}

// TestHostileTokens judges every token of the table as an access token.
func TestHostileTokens(t *testing.T) {
	key := token.Keys(tokentest.Ours().Public(), tokentest.Next().Public())
	hostile, genuine := 0, 0
	for _, row := range world().Rows() {
		t.Run("S115 "+row.Name, func(t *testing.T) {
			asked := false
			got, err := token.VerifyAccess(t.Context(), row.RawToken, func(ctx context.Context, keyID string) (*rsa.PublicKey, error) {
				asked = true
				return key(ctx, keyID)
			}, want())
			if row.Genuine() {
				genuine++
				if err != nil || got.Subject != "u_lin" || got.Audience != audience || got.Issuer != issuer {
					t.Fatalf("%+v, %v, want it accepted", got, err)
				}
				return
			}
			hostile++
			refusal, ok := errors.AsType[*token.Refusal](err)
			if !ok || refusal.Reason != row.Want {
				t.Fatalf("err = %v, want %s", err, row.Want)
			}
			if got.Subject != "" || got.Roles != nil {
				t.Errorf("a refused token left %+v behind", got)
			}
			if (refusal.Reason == token.ReasonClaimMissing || refusal.Reason == token.ReasonClaimType) != (refusal.Claim != "") {
				t.Errorf("claim = %q", refusal.Claim)
			}
			if before := row.Want == token.ReasonMalformed && !strings.Contains(row.Name, "payload"); before && asked {
				t.Error("a key was looked for")
			}
			saysNothing(t, row.RawToken, err)
		})
	}
	if hostile < 120 || genuine < 12 {
		t.Errorf("%d hostile and %d genuine tokens: want at least 120 and 12", hostile, genuine)
	}
	t.Logf("%d hostile, %d genuine", hostile, genuine)
}

// saysNothing fails the test if the error holds a part of the token.
func saysNothing(t *testing.T, rawToken string, err error) {
	t.Helper()
	for segment := range strings.SplitSeq(rawToken, ".") {
		if len(segment) > 8 && strings.Contains(err.Error(), segment) {
			t.Errorf("S124 the error holds a part of the token: %v", err)
		}
	}
}

func TestExpiry(t *testing.T) {
	a := lin()
	a.IssuedAt, a.ExpiresAt = now, now.Add(10*time.Minute)
	rawToken := signed(t, a)
	for name, test := range map[string]struct {
		at   time.Time
		want token.Reason
		by   time.Duration
	}{
		"25 s behind the issuer's clock":  {now.Add(-25 * time.Second), "", 0},
		"120 s behind the issuer's clock": {now.Add(-120 * time.Second), token.ReasonNotYetValid, 90 * time.Second},
		"25 s after the end":              {a.ExpiresAt.Add(25 * time.Second), "", 0},
		"120 s after the end":             {a.ExpiresAt.Add(120 * time.Second), token.ReasonExpired, 90 * time.Second},
		"at the last nanosecond":          {a.ExpiresAt.Add(30*time.Second - 1), "", 0},
		"at the end of the leeway":        {a.ExpiresAt.Add(30 * time.Second), token.ReasonExpired, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := want()
			w.Now = test.at
			_, err := token.VerifyAccess(t.Context(), rawToken, published(), w)
			refusal, _ := errors.AsType[*token.Refusal](err)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (refusal == nil || refusal.Reason != test.want || refusal.By != test.by):
				t.Errorf("err = %v, want %s by %v", err, test.want, test.by)
			}
		})
	}
}

func TestCheapRefusal(t *testing.T) {
	t.Run("I3 a million dots cost nothing", func(t *testing.T) {
		dots := strings.Repeat(".", 1_000_000)
		best := time.Hour // of several tries: the machine has other work
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 10 {
			started := time.Now()
			verify(t, dots)
			best = min(best, time.Since(started))
		}
		runtime.ReadMemStats(&after)
		if bytes := after.TotalAlloc - before.TotalAlloc; best > 5*time.Millisecond || bytes > 1<<20 {
			t.Errorf("%v, %d bytes", best, bytes)
		}
	})
}

// FuzzVerifyToken looks for a panic, and for a token that is accepted although
// we never signed it.
func FuzzVerifyToken(f *testing.F) {
	for _, row := range world().Rows() {
		f.Add(row.RawToken)
	}
	accepted := map[string]bool{}
	for _, row := range world().Rows() {
		accepted[row.RawToken] = row.Genuine()
	}
	// Every process of a fuzzing run has keys of its own; any kid finds one, so
	// that the others' tokens get as far as the signature.
	ours := token.Keys(tokentest.Ours().Public(), tokentest.Next().Public())
	key := func(ctx context.Context, keyID string) (*rsa.PublicKey, error) {
		if pub, err := ours(ctx, keyID); pub != nil {
			return pub, err
		}
		return another().Public(), nil
	}
	f.Fuzz(func(t *testing.T, rawToken string) {
		_, err := token.VerifyAccess(t.Context(), rawToken, key, want())
		if (err == nil) != accepted[rawToken] {
			t.Errorf("err = %v", err)
		}
		if _, ok := errors.AsType[*token.Refusal](err); err != nil && !ok {
			t.Errorf("err = %v, want a refusal", err)
		}
	})
}

// FuzzClaims signs whatever payload it is given: the reader must find in it
// what encoding/json finds, or refuse it.
func FuzzClaims(f *testing.F) {
	f.Add(world().Claims().String())
	f.Add(`{"iss":"` + issuer + `","a":[{"b":"\\\"]}"}, -1.5e3,true],"sub":"\u0075"}`)
	header := tokentest.Header(tokentest.Ours()).String()
	key := token.Keys(tokentest.Ours().Public())
	f.Fuzz(func(t *testing.T, payload string) {
		got, err := token.VerifyAccess(t.Context(), tokentest.Sign(tokentest.Ours(), header, payload), key, want())
		if err != nil {
			return
		}
		claims := unmarshal(t, payload)
		if claims["iss"] != issuer || claims["sub"] != got.Subject || claims["jti"] != got.ID || claims["client_id"] != got.ClientID {
			t.Errorf("%+v from %s", got, payload)
		}
	})
}
