package usersvc_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestDelete(t *testing.T) { onEngines(t, testDelete) }

func testDelete(t *testing.T, open userstest.Engine) {
	start := func(t *testing.T) (*userstest.Harness, userstest.SignedIn, userstest.SignedIn) {
		h := open(t)
		ada, lin := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin"))
		h.MustSignIn(t, userstest.At(userstest.Profile("lin"), "other"))
		if _, err := h.SetRoles(t.Context(), userstest.By(ada), lin.User.ID, []string{"admin", "user"}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Rename(t.Context(), userstest.By(lin), ada.User.ID, "Ada", 0); err != nil {
			t.Fatal(err)
		}
		return h, ada, lin
	}
	t.Run("S133 nothing personal stays, and the trail stays", func(t *testing.T) {
		h, ada, lin := start(t)
		h.Clock.Pass(time.Hour) // what start has revoked is forgotten
		if err := h.Delete(t.Context(), userstest.By(lin), lin.User.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Get(t.Context(), lin.User.ID); !errors.Is(err, usersvc.ErrNotFound) {
			t.Error(err)
		}
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
		if linked, err := h.Identities(t.Context(), lin.User.ID); err != nil || len(linked) != 0 {
			t.Error(linked, err)
		}
		left := h.Rows(t, "user#"+lin.User.ID) + h.Rows(t, "email#lin@example.com") + h.Rows(t, "role#admin") +
			h.Rows(t, "identity#https://demo.example#sub-lin") + h.Rows(t, "identity#https://other.example#sub-lin-there")
		for _, personal := range []string{"lin@", "sub-lin", "example.com", "firefox", "session#", "secret"} {
			if strings.Contains(left, personal) {
				t.Errorf("%q stays in %s", personal, left)
			}
		}
		// What lin did to ada, from lin's address, is hers as well; what ada did is ada's.
		page, _ := h.Audit(t.Context(), usersvc.AuditFilter{Actor: lin.User.ID})
		if len(page.Items) != 1 || page.Items[0].UserID != ada.User.ID || page.Items[0].SourceIP != "" || page.Items[0].Agent != "" {
			t.Errorf("%+v", page.Items)
		}
		page, _ = h.Audit(t.Context(), usersvc.AuditFilter{UserID: lin.User.ID, Actor: ada.User.ID})
		if len(page.Items) != 1 || page.Items[0].SourceIP != "192.0.2.7" {
			t.Errorf("%+v", page.Items)
		}
		want := []usersvc.Action{
			usersvc.UserCreated, usersvc.SessionStarted, usersvc.IdentityLinked, usersvc.SessionStarted,
			usersvc.RolesChanged, usersvc.UserDeleted,
		}
		got := h.Trail(t, lin.User.ID)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Error(got)
		}
		if strings.Contains(h.Rows(t, "role#admin"), lin.User.ID) {
			t.Error("still a member")
		}
		if users := h.All(t); len(users) != 1 || users[0].ID != ada.User.ID {
			t.Error(users)
		}
		h.WantRevoked(t, lin.User, true)
	})
	t.Run("rows of other owners in the user's partition end with the user", func(t *testing.T) {
		h, _, lin := start(t)
		for _, key := range []table.Key{schema.Refresh(lin.User.ID, "family"), {PK: schema.UserPartition(lin.User.ID), SK: "later#x"}} {
			if err := h.Table.Write(t.Context(), table.Put(table.Item{table.PK: key.PK, table.SK: key.SK})); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Delete(t.Context(), userstest.By(lin), lin.User.ID); err != nil {
			t.Fatal(err)
		}
		if left := h.Rows(t, schema.UserPartition(lin.User.ID)); strings.Contains(left, "refresh#") || strings.Contains(left, "later#") {
			t.Error(left)
		}
	})
	t.Run("S133 the same identity later is a new user who inherits nothing", func(t *testing.T) {
		h, _, lin := start(t)
		if err := h.Delete(t.Context(), userstest.Operator, lin.User.ID); err != nil {
			t.Fatal(err)
		}
		again := h.MustSignIn(t, userstest.Profile("lin"))
		if again.User.ID == lin.User.ID || again.User.HasRole(usersvc.Admin) || again.User.Version != 1 || len(h.Trail(t, again.User.ID)) != 2 {
			t.Errorf("%+v", again.User)
		}
		if there := h.MustSignIn(t, userstest.At(userstest.Profile("lin"), "other")); there.User.ID != again.User.ID {
			t.Error("its address still leads elsewhere:", there.User)
		}
	})
	t.Run("S129 nobody but the user, an admin or an userstest.Operator", func(t *testing.T) {
		h, _, lin := start(t)
		kim := h.MustSignIn(t, userstest.Profile("kim"))
		h.WantUnchanged(t, lin.User.ID, func() {
			for _, who := range []usersvc.By{{}, userstest.By(kim), {UserID: "u_unknown"}} {
				if err := h.Delete(t.Context(), who, lin.User.ID); !errors.Is(err, usersvc.ErrForbidden) {
					t.Errorf("%+v: %v", who, err)
				}
			}
		})
	})
	t.Run("a deleted user is not found, whatever is asked", func(t *testing.T) {
		h, ada, lin := start(t)
		if err := h.Delete(t.Context(), userstest.By(ada), lin.User.ID); err != nil {
			t.Fatal(err)
		}
		_, roles := h.SetRoles(t.Context(), userstest.By(ada), lin.User.ID, []string{"user"}, 0)
		_, active := h.Activate(t.Context(), userstest.By(ada), lin.User.ID)
		_, rename := h.Rename(t.Context(), userstest.By(lin), lin.User.ID, "x", 0)
		_, link := h.Link(t.Context(), userstest.By(lin), lin.Session.ID, userstest.At(userstest.Profile("lin"), "third"))
		_, sessions := h.Sessions(t.Context(), lin.User.ID)
		for _, err := range []error{roles, active, rename, link, sessions, h.Delete(t.Context(), userstest.By(ada), lin.User.ID), h.Delete(t.Context(), userstest.Operator, "u_unknown")} {
			if !errors.Is(err, usersvc.ErrNotFound) {
				t.Error(err)
			}
		}
	})
	t.Run("S133 an interrupted deletion is safe, and goes on when it is repeated", func(t *testing.T) {
		h, ada, lin := start(t)
		broken := &brokenAfter{Table: h.Table, writes: 1}
		h.Users.Table = broken
		if err := h.Delete(t.Context(), userstest.By(ada), lin.User.ID); !errors.Is(err, table.ErrUnavailable) {
			t.Fatal(err)
		}
		h.Users.Table = h.Table
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
		if !strings.Contains(h.Rows(t, "user#"+lin.User.ID), "session#") {
			t.Error("the test interrupts nothing")
		}
		if err := h.Delete(t.Context(), userstest.By(ada), lin.User.ID); !errors.Is(err, usersvc.ErrNotFound) {
			t.Error(err)
		}
		if left := h.Rows(t, "user#"+lin.User.ID); strings.Contains(left, "session#") || strings.Contains(left, "firefox") {
			t.Error(left)
		}
	})
}
