package loginsvc_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

// An ID token is a hint for as long as its session can live, also if its key has
// retired meanwhile. The retired key verifies nothing else.
func TestHintOutlivesItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, err := localkey.Generate()
	if err != nil {
		t.Fatal(err)
	}
	retired := []keys.RetiredKey{{Public: old.Public(), RetiredAt: w.now()}}
	w.config.Keys = func(ctx context.Context) (keys.Set, error) {
		set, err := keys.Static(w.key)(ctx)
		set.Retired = retired
		return set, err
	}
	w.rebuild()
	b := w.browser()
	tokens := w.tokens(b.code("ada"))
	id, access := w.idToken(tokens["id_token"], "spa"), w.access(tokens["access_token"])
	hint, err := id.Sign(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	silent := func() answer {
		return b.get("/authorize?" + authorize("prompt", "none", "id_token_hint", hint).Encode())
	}
	leave := func(b *browser) answer {
		return b.get("/logout?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://app.test/bye"}, "state": {"s"}}.Encode())
	}
	t.Run("silent renewal goes on", func(t *testing.T) {
		if a := silent(); a.location() == nil || a.location().Query().Get("code") == "" {
			t.Errorf("%d %v", a.StatusCode, a.location())
		}
	})
	t.Run("it verifies no other token", func(t *testing.T) {
		rawAccess, err := access.Sign(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		if a := w.program().get("/userinfo", "Authorization", "Bearer "+rawAccess); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("/userinfo: %d", a.StatusCode)
		}
		if a := w.program().get("/revocations", "Authorization", "Bearer "+rawAccess); !strings.Contains(a.body, "false") {
			t.Errorf("/revocations: %s", a.body)
		}
		a := w.program().post("/introspect", url.Values{"client_id": {"web"}, "client_secret": {"web: secret+1"}, "token": {rawAccess}})
		if a.json(t)["active"] != false {
			t.Errorf("/introspect: %s", a.body)
		}
		if key, err := w.published()(t.Context(), keys.Thumbprint(old.Public())); err != token.ErrKeyUnknown || key != nil {
			t.Errorf("the key is published: %v", err)
		}
	})
	t.Run("a compromised key is in no set", func(t *testing.T) {
		kept := retired
		retired = nil
		defer func() { retired = kept }()
		silent().refused(t, "login_required")
		leave(w.browser()).page(t, http.StatusOK, "not signed in")
	})
	t.Run("a key that retired before any session began", func(t *testing.T) {
		kept := retired
		retired = []keys.RetiredKey{{Public: old.Public(), RetiredAt: w.now().Add(-30*24*time.Hour - keys.Margin)}}
		defer func() { retired = kept }()
		silent().refused(t, "login_required")
	})
	t.Run("sign-out leads back", func(t *testing.T) {
		if a := leave(w.browser()); a.location() == nil || a.location().String() != "https://app.test/bye?state=s" {
			t.Errorf("without a session: %d %v", a.StatusCode, a.location())
		}
		if a := leave(b); a.location() == nil || a.location().String() != "https://app.test/bye?state=s" {
			t.Errorf("%d %v", a.StatusCode, a.location())
		}
		if a := b.get("/account"); a.StatusCode == http.StatusOK {
			t.Error("the session has not ended")
		}
	})
}

// A ring that has rotated many times still knows the keys of living sessions.
func TestHintAfterRotations(t *testing.T) {
	t.Parallel()
	k := newKMSWorld(t)
	rotator := k.rotator()
	b := k.browser()
	hint, _ := k.tokens(b.code("ada"))["id_token"].(string)
	rotations := 0
	for range 14 {
		k.jump(t, 3*time.Hour)
		if report, err := rotator.Rotate(t.Context()); err == nil && report.Promoted != "" {
			rotations++
		}
	}
	if rotations < 8 {
		t.Fatalf("%d rotations", rotations)
	}
	requests := k.table.requests.Load()
	a := b.get("/authorize?" + authorize("prompt", "none", "id_token_hint", hint).Encode())
	if a.location() == nil || a.location().Query().Get("code") == "" {
		t.Errorf("after %d rotations: %d %v", rotations, a.StatusCode, a.location())
	}
	t.Logf("%d rotations, %d table requests", rotations, k.table.requests.Load()-requests)
	if a := b.get("/logout?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://app.test/bye"}}.Encode()); a.location() == nil || a.location().Host != "app.test" {
		t.Errorf("sign-out: %d %v", a.StatusCode, a.location())
	}
}
