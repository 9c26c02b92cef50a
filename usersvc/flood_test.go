package usersvc_test

import (
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"

	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// An authorizer reads no feed above 150 kB, and without a feed it refuses
// everybody. So it is nobody's to fill who does over and over what anybody may.
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
	entries := func() int {
		t.Helper()
		feed, err := h.Revocations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return feed.Len()
	}
	t.Run("few sessions are listed, and no others end", func(t *testing.T) {
		end(5)
		if n := entries(); n != 5 {
			t.Errorf("%d entries", n)
		}
		h.WantRevoked(t, lin.User, false)
	})
	t.Run("of many, their user is", func(t *testing.T) {
		ended := end(40)
		if n := entries(); n != 1 {
			t.Errorf("%d entries", n)
		}
		h.WantRevoked(t, lin.User, true)
		h.WantRevoked(t, ada.User, false)
		feed, err := h.Revocations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		last := h.Clock.Now()
		if !feed.Revoked(lin.User.ID, ended[len(ended)-1], last) {
			t.Error("a token of the last second lives")
		}
		if feed.Revoked(lin.User.ID, lin.Session.ID, last.Add(time.Second)) {
			t.Error("the session that goes on gets no token that lives")
		}
	})
	t.Run("to revoke over and over is one row a second", func(t *testing.T) {
		h.Clock.Pass(time.Hour)
		for i := range 40 {
			if i%20 == 0 {
				h.Clock.Pass(time.Second)
			}
			if err := h.RevokeTokens(t.Context(), ada.User.ID); err != nil {
				t.Fatal(err)
			}
		}
		page, err := h.Table.Query(t.Context(), table.Query{PK: "revocations", Prefix: h.Clock.Now().Format("2006-01-02T15"), Limit: 100})
		if err != nil || len(page.Items) != 2 {
			t.Errorf("%d rows, %v", len(page.Items), err)
		}
	})
}
