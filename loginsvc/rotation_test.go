package loginsvc_test

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
)

// poller verifies with the keys that it fetched last. It fetches them when they
// are older than maxAge, and never because it does not know a key.
type poller struct {
	w      *world
	maxAge time.Duration

	known     map[string]*rsa.PublicKey
	fetchedAt time.Time
	accepted  int
}

func (p *poller) key(_ context.Context, keyID string) (*rsa.PublicKey, error) {
	if at := p.w.now(); p.known == nil || at.Sub(p.fetchedAt) >= p.maxAge {
		var set struct{ Keys []struct{ Kid, N, E string } }
		if err := json.Unmarshal([]byte(p.w.program().get(jwksPath).body), &set); err != nil {
			return nil, err
		}
		p.known, p.fetchedAt = map[string]*rsa.PublicKey{}, at
		for _, k := range set.Keys {
			p.known[k.Kid] = rsaKey(k.N, k.E)
		}
	}
	if k, ok := p.known[keyID]; ok {
		return k, nil
	}
	return nil, token.ErrKeyUnknown
}

func (p *poller) verify(rawToken string) error {
	_, err := token.VerifyAccess(p.w.t.Context(), rawToken, p.key, token.Expect{Issuer: issuer, Audience: audience, Now: p.w.now()})
	if err == nil {
		p.accepted++
	}
	return err
}

// robotToken is a token for the client robot.
func (w *world) robotToken() string {
	w.t.Helper()
	a := w.program().post("/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"robot"}, "client_secret": {"robot-secret"}})
	if a.StatusCode != http.StatusOK {
		w.t.Fatalf("/token: %d %s", a.StatusCode, a.body)
	}
	return a.json(w.t)["access_token"].(string)
}

// keyOf is the id of the key that signed a token.
func keyOf(t *testing.T, rawToken string) (id string) {
	t.Helper()
	_, err := token.VerifyAccess(t.Context(), rawToken, func(_ context.Context, keyID string) (*rsa.PublicKey, error) {
		id = keyID
		return nil, token.ErrKeyUnknown
	}, token.Expect{Issuer: issuer, Audience: audience})
	if id == "" {
		t.Fatal(err)
	}
	return id
}

func tend(t *testing.T, rotator *keyring.Keyring) keyring.Report {
	t.Helper()
	report, err := rotator.Tend(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRotation(t *testing.T) {
	t.Parallel()
	t.Run("S99 a verifier that polls refuses nothing", func(t *testing.T) {
		t.Parallel()
		k := newKMSWorld(t)
		rotator := k.rotator()
		var pollers []*poller
		for _, maxAge := range []time.Duration{0, 5 * time.Minute, 15 * time.Minute, 2 * time.Hour} {
			pollers = append(pollers, &poller{w: k.world, maxAge: maxAge})
		}
		const step = 3 * time.Minute
		signedBy := map[string]int{}
		var live []string // tokens live ten minutes
		rotations := 0
		for i := range int(8 * time.Hour / step) {
			live = append(live, k.robotToken())
			live = live[max(0, len(live)-3):]
			signedBy[keyOf(t, live[len(live)-1])]++
			for _, p := range pollers {
				for age, rawToken := range live {
					if err := p.verify(rawToken); err != nil {
						t.Fatalf("after %v, who keeps keys for %v refuses token %d of %d: %v", time.Duration(i)*step, p.maxAge, age+1, len(live), err)
					}
				}
			}
			k.jump(t, step)
			if i%20 == 19 { // every hour, as soon as the rules allow it
				if _, err := rotator.Rotate(t.Context()); err == nil {
					rotations++
				} else if _, early := errors.AsType[*keys.RuleError](err); !early {
					t.Fatal(err)
				}
			}
		}
		t.Logf("%d rotations, tokens by key: %v", rotations, signedBy)
		if rotations < 2 || len(signedBy) != rotations+1 || pollers[0].accepted < 450 {
			t.Errorf("%d rotations, %d keys, %d tokens accepted", rotations, len(signedBy), pollers[0].accepted)
		}
		k.conceals()
	})
}

func TestCompromise(t *testing.T) {
	t.Parallel()
	t.Run("S100 within a second a compromised key is gone from the answers of every instance", func(t *testing.T) {
		t.Parallel()
		k := newKMSWorld(t)
		rotator := k.rotator()
		k.robotToken()
		tend(t, rotator) // there is a next key
		k.jump(t, 3*time.Hour)
		old, poll := k.robotToken(), &poller{w: k.world, maxAge: 5 * time.Minute}
		if err := poll.verify(old); err != nil {
			t.Fatal(err)
		}
		published := k.program().get(jwksPath)
		bad := keyOf(t, old)
		if _, err := rotator.Compromise(t.Context(), bad); err != nil {
			t.Fatal(err)
		}
		k.jump(t, time.Second)
		if _, err := k.published()(t.Context(), bad); !errors.Is(err, token.ErrKeyUnknown) {
			t.Errorf("a second later the key is published: %v", err)
		}
		if a := k.program().get(jwksPath, "If-None-Match", published.Header.Get("ETag")); a.StatusCode != http.StatusOK {
			t.Errorf("to who has the keys of before: %d", a.StatusCode)
		}
		if fresh := k.robotToken(); keyOf(t, fresh) == bad {
			t.Error("it signs")
		}
		k.jump(t, poll.maxAge)
		if err := poll.verify(old); err == nil {
			t.Error("its token is accepted after the verifier's bound")
		}
		if err := poll.verify(k.robotToken()); err != nil {
			t.Errorf("a token of the next key: %v", err)
		}
		k.conceals()
	})
}
