package usersvc_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestSession(t *testing.T) { onEngines(t, testSession) }

func testSession(t *testing.T, open userstest.Engine) {
	t.Run("the cookie finds it and its user", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		s, user, err := h.Session(t.Context(), lin.Cookie)
		if diff := cmp.Diff(lin.Session, s, userstest.Exported); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if diff := cmp.Diff(lin.User, user, userstest.Exported); diff != "" {
			t.Error(diff)
		}
		want := usersvc.Session{
			ID: s.ID, UserID: lin.User.ID, Provider: "demo", AuthTime: h.Clock.Now(), CreatedAt: h.Clock.Now(),
			ExpiresAt: h.Clock.Now().Add(30 * 24 * time.Hour), LastUsedAt: h.Clock.Now(), UserAgent: "firefox",
		}
		if diff := cmp.Diff(want, s, userstest.Exported); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("S44 a cookie with one byte changed is no cookie", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		for i := range lin.Cookie {
			b := []byte(lin.Cookie)
			b[i] ^= 1
			h.WantSession(t, string(b), usersvc.ErrNoSession)
		}
		for _, cookie := range []string{
			"", ".", "..", lin.Cookie[:len(lin.Cookie)-1], lin.Cookie + "A", lin.Cookie + ".", "." + lin.Cookie,
			strings.ToLower(lin.Cookie), lin.User.ID + "." + lin.Session.ID, lin.User.ID + "." + lin.Session.ID + ".",
			strings.Repeat("a", 5000) + lin.Cookie, "\x00", "u#1.Session#1.x",
		} {
			h.WantSession(t, cookie, usersvc.ErrNoSession)
		}
		h.WantSession(t, lin.Cookie, nil)
	})
	t.Run("one user's secret does not open another's session", func(t *testing.T) {
		h := open(t)
		lin, ada := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("ada"))
		secret := lin.Cookie[strings.LastIndex(lin.Cookie, ".")+1:]
		h.WantSession(t, ada.User.ID+"."+ada.Session.ID+"."+secret, usersvc.ErrNoSession)
		h.WantSession(t, ada.User.ID+"."+lin.Session.ID+"."+secret, usersvc.ErrNoSession)
	})
	t.Run("S81 the table holds no secret", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		secret := lin.Cookie[strings.LastIndex(lin.Cookie, ".")+1:]
		hash := sha256.Sum256([]byte(secret))
		found, err := h.Table.Query(t.Context(), table.Query{PK: "user#" + lin.User.ID, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		dump := fmt.Sprintf("%v", found.Items)
		if strings.Contains(dump, secret) || len(secret) < 43 {
			t.Errorf("secret %q in %s", secret, dump)
		}
		stored := false
		for _, item := range found.Items {
			b, ok := item["secret_sha256"].([]byte)
			stored = stored || ok && bytes.Equal(b, hash[:])
		}
		if !stored {
			t.Error("its hash is nowhere either")
		}
	})
	t.Run("it ends when it was not used for long", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		for range 3 { // use keeps it alive
			h.Clock.Pass(7*24*time.Hour - time.Second)
			h.WantSession(t, lin.Cookie, nil)
		}
		h.Clock.Pass(7 * 24 * time.Hour)
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
		if _, _, err := h.SessionByID(t.Context(), lin.User.ID, lin.Session.ID); err != nil {
			t.Error("for tokens, use of the browser does not count:", err)
		}
	})
	t.Run("S57 it ends at its end, although its row is still there", func(t *testing.T) {
		h := open(t)
		h.SessionTTL, h.SessionIdle = time.Hour, 48*time.Hour
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		h.Clock.Pass(time.Hour - time.Millisecond)
		h.WantSession(t, lin.Cookie, nil)
		h.Clock.Pass(time.Millisecond)
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
		if _, _, err := h.SessionByID(t.Context(), lin.User.ID, lin.Session.ID); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error(err)
		}
	})
	t.Run("use is noted, but not each time", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		if n := h.Table.During(func() { h.WantSession(t, lin.Cookie, nil) }); n != 2 {
			t.Errorf("%d calls, want 2 reads", n)
		}
		h.Clock.Pass(24 * time.Hour)
		h.WantSession(t, lin.Cookie, nil)
		if s, _, _ := h.SessionByID(t.Context(), lin.User.ID, lin.Session.ID); !s.LastUsedAt.Equal(h.Clock.Now()) {
			t.Error(s.LastUsedAt)
		}
	})
	t.Run("one that ends while it is used does not come back", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		h.Clock.Pass(24 * time.Hour)
		h.Users.Table = &meddling{Table: h.Table, before: func() {
			if err := h.With(h.Table).EndSession(t.Context(), lin.User.ID, lin.Session.ID); err != nil {
				t.Error(err)
			}
		}}
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
	})
	t.Run("an id of any length costs nothing", func(t *testing.T) {
		h := open(t)
		long := strings.Repeat("u", 5000)
		if n := h.Table.During(func() {
			h.WantSession(t, long+"."+long+".x", usersvc.ErrNoSession)
			if _, err := h.Get(t.Context(), long); !errors.Is(err, usersvc.ErrNotFound) {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
	t.Run("S44 it is not accepted after it was ended", func(t *testing.T) {
		h := open(t)
		lin, other := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("lin"))
		for range 2 { // the second time there is nothing to end
			if err := h.EndSession(t.Context(), lin.User.ID, lin.Session.ID); err != nil {
				t.Error(err)
			}
		}
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
		h.WantSession(t, other.Cookie, nil)
		for _, sid := range []string{"", "s_unknown", "session#x", "\x00"} {
			if err := h.EndSession(t.Context(), lin.User.ID, sid); err != nil {
				t.Errorf("%q: %v", sid, err)
			}
		}
	})
	t.Run("of an unknown user or session", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		for _, pair := range [][2]string{{"", ""}, {lin.User.ID, "s_x"}, {"u_x", lin.Session.ID}, {lin.User.ID, ""}, {"#", "#"}} {
			if _, _, err := h.SessionByID(t.Context(), pair[0], pair[1]); !errors.Is(err, usersvc.ErrNoSession) {
				t.Errorf("%q: %v", pair, err)
			}
		}
	})
}

// Fault 22: a damaged row harms its own user alone, and opens nothing.
func TestCorruptRows(t *testing.T) { onEngines(t, testCorruptRows) }

func testCorruptRows(t *testing.T, open userstest.Engine) {
	h := open(t)
	lin, ada := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("ada"))
	key := table.Key{PK: "user#" + lin.User.ID, SK: "user"}
	for name, set := range map[string]map[string]any{
		"another schema":   {"schema": int64(2)},
		"a status unknown": {"status": "enabled"},
		"another type":     {"epoch": "0"},
		"another user":     {"id": ada.User.ID},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := h.Table.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Table.Write(t.Context(), table.Update(key, set)); err != nil {
				t.Fatal(err)
			}
			h.WantSession(t, lin.Cookie, table.ErrDamaged)
			if _, _, cookie, err := h.SignIn(t.Context(), userstest.Profile("lin"), usersvc.SignInInfo{}); !errors.Is(err, table.ErrDamaged) || cookie != "" {
				t.Error(err)
			}
			h.WantSession(t, ada.Cookie, nil)
			if users := h.All(t); len(users) == 0 || users[0].ID != ada.User.ID {
				t.Error("the others cannot be listed:", users)
			}
			if err := h.Table.Write(t.Context(), table.Put(before)); err != nil {
				t.Fatal(err)
			}
		})
	}
}
