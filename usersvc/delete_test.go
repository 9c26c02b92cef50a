package usersvc_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// rows returns everything in a partition, printed.
func (h *house) rows(t *testing.T, pk string) string {
	t.Helper()
	page, err := h.table.Query(t.Context(), table.Query{PK: pk, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v", page.Items)
}

func TestDelete(t *testing.T) { onEngines(t, testDelete) }

func testDelete(t *testing.T, open engine) {
	start := func(t *testing.T) (*house, in, in) {
		h := open(t)
		ada, lin := h.signIn(t, profile("ada")), h.signIn(t, profile("lin"))
		h.signIn(t, at(profile("lin"), "other"))
		if _, err := h.SetRoles(t.Context(), by(ada), lin.user.ID, []string{"admin", "user"}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Rename(t.Context(), by(lin), ada.user.ID, "Ada", 0); err != nil {
			t.Fatal(err)
		}
		return h, ada, lin
	}
	t.Run("S133 nothing personal stays, and the trail stays", func(t *testing.T) {
		h, ada, lin := start(t)
		h.clock.pass(time.Hour) // what start has revoked is forgotten
		if err := h.Delete(t.Context(), by(lin), lin.user.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Get(t.Context(), lin.user.ID); !errors.Is(err, usersvc.ErrNotFound) {
			t.Error(err)
		}
		h.wantSession(t, lin.cookie, usersvc.ErrNoSession)
		if linked, err := h.Identities(t.Context(), lin.user.ID); err != nil || len(linked) != 0 {
			t.Error(linked, err)
		}
		left := h.rows(t, "user#"+lin.user.ID) + h.rows(t, "email#lin@example.com") + h.rows(t, "role#admin") +
			h.rows(t, "identity#https://demo.example#sub-lin") + h.rows(t, "identity#https://other.example#sub-lin-there")
		for _, personal := range []string{"lin@", "sub-lin", "example.com", "firefox", "session#", "secret"} {
			if strings.Contains(left, personal) {
				t.Errorf("%q stays in %s", personal, left)
			}
		}
		// What lin did to ada, from lin's address, is hers as well; what ada did is ada's.
		page, _ := h.Audit(t.Context(), usersvc.AuditFilter{Actor: lin.user.ID})
		if len(page.Items) != 1 || page.Items[0].UserID != ada.user.ID || page.Items[0].SourceIP != "" || page.Items[0].Agent != "" {
			t.Errorf("%+v", page.Items)
		}
		page, _ = h.Audit(t.Context(), usersvc.AuditFilter{UserID: lin.user.ID, Actor: ada.user.ID})
		if len(page.Items) != 1 || page.Items[0].SourceIP != "192.0.2.7" {
			t.Errorf("%+v", page.Items)
		}
		want := []usersvc.Action{
			usersvc.UserCreated, usersvc.SessionStarted, usersvc.IdentityLinked, usersvc.SessionStarted,
			usersvc.RolesChanged, usersvc.UserDeleted,
		}
		got := h.trail(t, lin.user.ID)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Error(got)
		}
		if strings.Contains(h.rows(t, "role#admin"), lin.user.ID) {
			t.Error("still a member")
		}
		if users := h.all(t); len(users) != 1 || users[0].ID != ada.user.ID {
			t.Error(users)
		}
		h.revoked(t, lin.user, true)
	})
	t.Run("S133 the same identity later is a new user who inherits nothing", func(t *testing.T) {
		h, _, lin := start(t)
		if err := h.Delete(t.Context(), operator, lin.user.ID); err != nil {
			t.Fatal(err)
		}
		again := h.signIn(t, profile("lin"))
		if again.user.ID == lin.user.ID || again.user.HasRole(usersvc.Admin) || again.user.Version != 1 || len(h.trail(t, again.user.ID)) != 2 {
			t.Errorf("%+v", again.user)
		}
		if there := h.signIn(t, at(profile("lin"), "other")); there.user.ID != again.user.ID {
			t.Error("its address still leads elsewhere:", there.user)
		}
	})
	t.Run("S129 nobody but the user, an admin or an operator", func(t *testing.T) {
		h, _, lin := start(t)
		kim := h.signIn(t, profile("kim"))
		h.unchanged(t, lin.user.ID, func() {
			for _, who := range []usersvc.By{{}, by(kim), {UserID: "u_unknown"}} {
				if err := h.Delete(t.Context(), who, lin.user.ID); !errors.Is(err, usersvc.ErrForbidden) {
					t.Errorf("%+v: %v", who, err)
				}
			}
		})
	})
	t.Run("a deleted user is not found, whatever is asked", func(t *testing.T) {
		h, ada, lin := start(t)
		if err := h.Delete(t.Context(), by(ada), lin.user.ID); err != nil {
			t.Fatal(err)
		}
		_, roles := h.SetRoles(t.Context(), by(ada), lin.user.ID, []string{"user"}, 0)
		_, active := h.Activate(t.Context(), by(ada), lin.user.ID)
		_, rename := h.Rename(t.Context(), by(lin), lin.user.ID, "x", 0)
		_, link := h.Link(t.Context(), by(lin), lin.session.ID, at(profile("lin"), "third"))
		_, sessions := h.Sessions(t.Context(), lin.user.ID)
		for _, err := range []error{roles, active, rename, link, sessions, h.Delete(t.Context(), by(ada), lin.user.ID), h.Delete(t.Context(), operator, "u_unknown")} {
			if !errors.Is(err, usersvc.ErrNotFound) {
				t.Error(err)
			}
		}
	})
	t.Run("S133 an interrupted deletion is safe, and goes on when it is repeated", func(t *testing.T) {
		h, ada, lin := start(t)
		broken := &brokenAfter{Table: h.table, writes: 1}
		h.Users.Table = broken
		if err := h.Delete(t.Context(), by(ada), lin.user.ID); !errors.Is(err, table.ErrUnavailable) {
			t.Fatal(err)
		}
		h.Users.Table = h.table
		h.wantSession(t, lin.cookie, usersvc.ErrNoSession)
		if !strings.Contains(h.rows(t, "user#"+lin.user.ID), "session#") {
			t.Error("the test interrupts nothing")
		}
		if err := h.Delete(t.Context(), by(ada), lin.user.ID); !errors.Is(err, usersvc.ErrNotFound) {
			t.Error(err)
		}
		if left := h.rows(t, "user#"+lin.user.ID); strings.Contains(left, "session#") || strings.Contains(left, "firefox") {
			t.Error(left)
		}
	})
}
