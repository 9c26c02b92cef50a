package usersvc_test

import (
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// A user cannot fill the feed by doing over and over what every user can do.
func TestFlood(t *testing.T) { onEngines(t, testFlood) }

func testFlood(t *testing.T, open userstest.Engine) {
	h := open(t)
	lin, ada := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("ada"))
	end := func(n int) (sids []string) {
		t.Helper()
		for range n {
			sids = append(sids, h.MustSignIn(t, userstest.Profile("lin")).Session.ID)
			if err := h.EndSession(t.Context(), lin.User.ID, sids[len(sids)-1]); err != nil {
				t.Fatal(err)
			}
		}
		return sids
	}
	entries := func() int { return h.Feed(t).Len() }
	t.Run("few sessions are listed, and no others end", func(t *testing.T) {
		end(5)
		if n := entries(); n != 5 {
			t.Errorf("%d entries", n)
		}
		h.WantRevoked(t, lin.User, false)
	})
	t.Run("of many, their user is", func(t *testing.T) {
		ended := end(40)
		if n := entries(); n > 8 {
			t.Errorf("%d entries", n)
		}
		if n := h.FeedRows(t); n != 1 {
			t.Errorf("%d rows", n)
		}
		h.WantRevoked(t, lin.User, true)
		h.WantRevoked(t, ada.User, false)
		feed, last := h.Feed(t), h.Clock.Now()
		for _, sid := range ended {
			if !feed.Revoked(revocation.Token{Subject: lin.User.ID, SessionID: sid, IssuedAt: last}) {
				t.Error("a token of the last second lives")
			}
		}
		if feed.Revoked(revocation.Token{Subject: lin.User.ID, SessionID: lin.Session.ID, IssuedAt: last.Add(2 * time.Second)}) {
			t.Error("the session that goes on gets no token that lives")
		}
	})
	t.Run("to revoke over and over is one row", func(t *testing.T) {
		h.Clock.Pass(time.Hour)
		for i := range 40 {
			if i%20 == 0 {
				h.Clock.Pass(time.Second)
			}
			if err := h.Revoke(t.Context(), usersvc.Tokens{Subject: ada.User.ID}); err != nil {
				t.Fatal(err)
			}
		}
		if n := h.FeedRows(t); n != 2 { // and that of the other user
			t.Errorf("%d rows", n)
		}
		user, err := h.Get(t.Context(), ada.User.ID)
		if ahead := user.TokensFrom.Sub(h.Clock.Now()); err != nil || ahead > 2*time.Second {
			t.Errorf("tokens are alive from %v ahead, %v", ahead, err)
		}
	})
}
