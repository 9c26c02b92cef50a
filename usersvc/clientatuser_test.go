package usersvc_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// wantDead fails unless the feed and Live both say that the client's token is, or is
// not, dead.
func wantDead(t *testing.T, h *userstest.Harness, s userstest.SignedIn, clientID string, at time.Time, want bool) {
	t.Helper()
	tokens := usersvc.Tokens{Subject: s.User.ID, SessionID: s.Session.ID, ClientID: clientID}
	token := revocation.Token{Subject: tokens.Subject, SessionID: tokens.SessionID, ClientID: clientID, IssuedAt: at}
	if got := h.Feed(t).Revoked(token); got != want {
		t.Errorf("feed: the token of %s is dead: %v", clientID, got)
	}
	_, err := h.Live(t.Context(), tokens, at)
	if err != nil && !errors.Is(err, usersvc.ErrNoSession) || (err != nil) != want {
		t.Errorf("Live: the token of %s: %v", clientID, err)
	}
}

func TestClientAtUser(t *testing.T) { onEngines(t, testClientAtUser) }

func testClientAtUser(t *testing.T, open userstest.Engine) {
	signIns := func(t *testing.T, h *userstest.Harness, n int) (all []userstest.SignedIn, at time.Time) {
		for range n {
			all = append(all, h.MustSignIn(t, userstest.Profile("lin")))
		}
		return all, h.Clock.Now()
	}
	revoke := func(t *testing.T, h *userstest.Harness, s userstest.SignedIn, clientID string) {
		t.Helper()
		if err := h.Revoke(t.Context(), usersvc.Tokens{Subject: s.User.ID, SessionID: s.Session.ID, ClientID: clientID}); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("a client that revokes its tokens in many sessions ends no others", func(t *testing.T) {
		h := open(t)
		all, at := signIns(t, h, 20)
		for _, s := range all[1:] {
			revoke(t, h, s, "ext")
			if n := h.Feed(t).Len(); n > 8 {
				t.Errorf("%d entries", n)
			}
		}
		for _, s := range all {
			wantDead(t, h, s, "app", at, false)
		}
		for _, s := range all[1:] {
			wantDead(t, h, s, "ext", at, true)
		}
		wantDead(t, h, all[1], "ext", h.Clock.Now().Add(2*time.Second), false)
	})
	t.Run("nor does the revocation of another client that comes next", func(t *testing.T) {
		h := open(t)
		all, at := signIns(t, h, 9)
		for _, s := range all[:8] {
			revoke(t, h, s, "ext")
		}
		revoke(t, h, all[8], "shop")
		wantDead(t, h, all[8], "shop", at, true)
		wantDead(t, h, all[7], "shop", at, false)
		for _, s := range all {
			wantDead(t, h, s, "app", at, false)
		}
		for _, s := range all[:8] {
			wantDead(t, h, s, "ext", at, true)
		}
	})
	t.Run("of many clients and sessions nothing lives that was revoked", func(t *testing.T) {
		h := open(t)
		all, at := signIns(t, h, 12)
		for i, s := range all {
			revoke(t, h, s, fmt.Sprint("ext", i))
		}
		for i, s := range all {
			wantDead(t, h, s, fmt.Sprint("ext", i), at, true)
		}
		if n := h.Feed(t).Len(); n > 8 {
			t.Errorf("%d entries", n)
		}
	})
	t.Run("a consent that is withdrawn ends the client's tokens in every session, and no others", func(t *testing.T) {
		h := open(t)
		all, at := signIns(t, h, 3)
		by := userstest.By(all[0])
		if _, err := h.GiveConsent(t.Context(), by, usersvc.App{ID: "ext", Ref: "ext"}, []string{"openid"}); err != nil {
			t.Fatal(err)
		}
		revoke(t, h, all[0], "ext") // covered by what comes next
		if err := h.WithdrawConsent(t.Context(), by, "ext"); err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			wantDead(t, h, s, "ext", at, true)
			wantDead(t, h, s, "app", at, false)
			wantDead(t, h, s, "ext", h.Clock.Now().Add(2*time.Second), false)
		}
		if n := h.Feed(t).Len(); n != 1 {
			t.Errorf("%d entries", n)
		}
	})
	t.Run("a suspended user withdraws nothing", func(t *testing.T) {
		h := open(t)
		all, _ := signIns(t, h, 1)
		by, app := userstest.By(all[0]), usersvc.App{ID: "ext", Ref: "ext"}
		if _, err := h.GiveConsent(t.Context(), by, app, []string{"openid"}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Suspend(t.Context(), userstest.Operator, by.UserID); err != nil {
			t.Fatal(err)
		}
		err := h.WithdrawConsent(t.Context(), by, "ext")
		if c, readErr := h.Consent(t.Context(), by.UserID, app); !errors.Is(err, usersvc.ErrForbidden) || c.GrantedAt.IsZero() || readErr != nil {
			t.Errorf("%v, consent %v, %v", err, c, readErr)
		}
	})
}
