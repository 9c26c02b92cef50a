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
)

func (h *house) wantSession(t *testing.T, cookie string, want error) {
	t.Helper()
	s, user, err := h.Session(t.Context(), cookie)
	if !errors.Is(err, want) || err != nil && (s.ID != "" || user.ID != "") {
		t.Errorf("session: %v %v %v, want %v", s.ID, user, err, want)
	}
}

func TestSession(t *testing.T) { onEngines(t, testSession) }

func testSession(t *testing.T, open engine) {
	t.Run("the cookie finds it and its user", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		s, user, err := h.Session(t.Context(), lin.cookie)
		if diff := cmp.Diff(lin.session, s, exported); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if diff := cmp.Diff(lin.user, user, exported); diff != "" {
			t.Error(diff)
		}
		want := usersvc.Session{
			ID: s.ID, UserID: lin.user.ID, Provider: "demo", AuthTime: h.clock.Now(), CreatedAt: h.clock.Now(),
			ExpiresAt: h.clock.Now().Add(30 * 24 * time.Hour), LastUsedAt: h.clock.Now(), UserAgent: "firefox",
		}
		if diff := cmp.Diff(want, s, exported); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("S44 a cookie with one byte changed is no cookie", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		for i := range lin.cookie {
			b := []byte(lin.cookie)
			b[i] ^= 1
			h.wantSession(t, string(b), usersvc.ErrNoSession)
		}
		for _, cookie := range []string{
			"", ".", "..", lin.cookie[:len(lin.cookie)-1], lin.cookie + "A", lin.cookie + ".", "." + lin.cookie,
			strings.ToLower(lin.cookie), lin.user.ID + "." + lin.session.ID, lin.user.ID + "." + lin.session.ID + ".",
			strings.Repeat("a", 5000) + lin.cookie, "\x00", "u#1.session#1.x",
		} {
			h.wantSession(t, cookie, usersvc.ErrNoSession)
		}
		h.wantSession(t, lin.cookie, nil)
	})
	t.Run("one user's secret does not open another's session", func(t *testing.T) {
		h := open(t)
		lin, ada := h.signIn(t, profile("lin")), h.signIn(t, profile("ada"))
		secret := lin.cookie[strings.LastIndex(lin.cookie, ".")+1:]
		h.wantSession(t, ada.user.ID+"."+ada.session.ID+"."+secret, usersvc.ErrNoSession)
		h.wantSession(t, ada.user.ID+"."+lin.session.ID+"."+secret, usersvc.ErrNoSession)
	})
	t.Run("S81 the table holds no secret", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		secret := lin.cookie[strings.LastIndex(lin.cookie, ".")+1:]
		hash := sha256.Sum256([]byte(secret))
		found, err := h.table.Query(t.Context(), table.Query{PK: "user#" + lin.user.ID, Limit: 100})
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
		lin := h.signIn(t, profile("lin"))
		for range 3 { // use keeps it alive
			h.clock.pass(7*24*time.Hour - time.Second)
			h.wantSession(t, lin.cookie, nil)
		}
		h.clock.pass(7 * 24 * time.Hour)
		h.wantSession(t, lin.cookie, usersvc.ErrNoSession)
		if _, _, err := h.SessionByID(t.Context(), lin.user.ID, lin.session.ID); err != nil {
			t.Error("for tokens, use of the browser does not count:", err)
		}
	})
	t.Run("S57 it ends at its end, although its row is still there", func(t *testing.T) {
		h := open(t)
		h.SessionTTL, h.SessionIdle = time.Hour, 48*time.Hour
		lin := h.signIn(t, profile("lin"))
		h.clock.pass(time.Hour - time.Millisecond)
		h.wantSession(t, lin.cookie, nil)
		h.clock.pass(time.Millisecond)
		h.wantSession(t, lin.cookie, usersvc.ErrNoSession)
		if _, _, err := h.SessionByID(t.Context(), lin.user.ID, lin.session.ID); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error(err)
		}
	})
	t.Run("use is noted, but not each time", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		if n := h.table.during(func() { h.wantSession(t, lin.cookie, nil) }); n != 2 {
			t.Errorf("%d calls, want 2 reads", n)
		}
		h.clock.pass(24 * time.Hour)
		h.wantSession(t, lin.cookie, nil)
		if s, _, _ := h.SessionByID(t.Context(), lin.user.ID, lin.session.ID); !s.LastUsedAt.Equal(h.clock.Now()) {
			t.Error(s.LastUsedAt)
		}
	})
	t.Run("one that ends while it is used does not come back", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		h.clock.pass(24 * time.Hour)
		h.Users.Table = &meddling{Table: h.table, before: func() {
			if err := h.with(h.table).EndSession(t.Context(), lin.user.ID, lin.session.ID); err != nil {
				t.Error(err)
			}
		}}
		h.wantSession(t, lin.cookie, usersvc.ErrNoSession)
		h.wantSession(t, lin.cookie, usersvc.ErrNoSession)
	})
	t.Run("an id of any length costs nothing", func(t *testing.T) {
		h := open(t)
		long := strings.Repeat("u", 5000)
		if n := h.table.during(func() {
			h.wantSession(t, long+"."+long+".x", usersvc.ErrNoSession)
			if _, err := h.Get(t.Context(), long); !errors.Is(err, usersvc.ErrNotFound) {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
	t.Run("S44 it is not accepted after it was ended", func(t *testing.T) {
		h := open(t)
		lin, other := h.signIn(t, profile("lin")), h.signIn(t, profile("lin"))
		for range 2 { // the second time there is nothing to end
			if err := h.EndSession(t.Context(), lin.user.ID, lin.session.ID); err != nil {
				t.Error(err)
			}
		}
		h.wantSession(t, lin.cookie, usersvc.ErrNoSession)
		h.wantSession(t, other.cookie, nil)
		for _, sid := range []string{"", "s_unknown", "session#x", "\x00"} {
			if err := h.EndSession(t.Context(), lin.user.ID, sid); err != nil {
				t.Errorf("%q: %v", sid, err)
			}
		}
	})
	t.Run("of an unknown user or session", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		for _, pair := range [][2]string{{"", ""}, {lin.user.ID, "s_x"}, {"u_x", lin.session.ID}, {lin.user.ID, ""}, {"#", "#"}} {
			if _, _, err := h.SessionByID(t.Context(), pair[0], pair[1]); !errors.Is(err, usersvc.ErrNoSession) {
				t.Errorf("%q: %v", pair, err)
			}
		}
	})
}

// Fault 22: a damaged row harms its own user alone, and opens nothing.
func TestCorruptRows(t *testing.T) { onEngines(t, testCorruptRows) }

func testCorruptRows(t *testing.T, open engine) {
	h := open(t)
	lin, ada := h.signIn(t, profile("lin")), h.signIn(t, profile("ada"))
	key := table.Key{PK: "user#" + lin.user.ID, SK: "user"}
	for name, set := range map[string]map[string]any{
		"another schema":   {"schema": int64(2)},
		"a status unknown": {"status": "enabled"},
		"another type":     {"epoch": "0"},
		"another user":     {"id": ada.user.ID},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := h.table.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.table.Write(t.Context(), table.Update(key, set)); err != nil {
				t.Fatal(err)
			}
			h.wantSession(t, lin.cookie, table.ErrDamaged)
			if _, _, cookie, err := h.SignIn(t.Context(), profile("lin"), usersvc.SignInInfo{}); !errors.Is(err, table.ErrDamaged) || cookie != "" {
				t.Error(err)
			}
			h.wantSession(t, ada.cookie, nil)
			if users := h.all(t); len(users) == 0 || users[0].ID != ada.user.ID {
				t.Error("the others cannot be listed:", users)
			}
			if err := h.table.Write(t.Context(), table.Put(before)); err != nil {
				t.Fatal(err)
			}
		})
	}
}
