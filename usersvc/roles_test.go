package usersvc_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestSetRoles(t *testing.T) { onEngines(t, testSetRoles) }

func testSetRoles(t *testing.T, open userstest.Engine) {
	h := open(t)
	h.Roles = []string{"user", "admin", "editor"}
	ada, lin, kim := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("kim"))

	t.Run("an admin gives and takes roles", func(t *testing.T) {
		h.Clock.Pass(time.Second)
		user, err := h.SetRoles(t.Context(), userstest.By(ada), lin.User.ID, []string{"user", "editor", "editor"}, 1)
		if err != nil || !slices.Equal(user.Roles, []string{"editor", "user"}) || user.Version != 2 {
			t.Fatal(user, err)
		}
		page, _ := h.Audit(t.Context(), usersvc.AuditFilter{UserID: lin.User.ID, Limit: 1})
		want := usersvc.Entry{
			ID: page.Items[0].ID, At: h.Clock.Now(), Action: usersvc.RolesChanged, UserID: lin.User.ID, Actor: ada.User.ID,
			Detail: "+editor", SourceIP: "192.0.2.7", Agent: "tool",
		}
		if diff := cmp.Diff(want, page.Items[0]); diff != "" {
			t.Error(diff)
		}
		h.WantRevoked(t, user, true)
		h.Clock.Pass(time.Second)
		if h.WantRevoked(t, user, false); user.TokensFrom.After(h.Clock.Now()) {
			t.Error("the new roles' tokens are dead:", user.TokensFrom)
		}
	})
	t.Run("the same roles again change nothing", func(t *testing.T) {
		h.WantUnchanged(t, lin.User.ID, func() {
			if _, err := h.SetRoles(t.Context(), userstest.By(ada), lin.User.ID, []string{"user", "editor"}, 0); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("a role that is not declared", func(t *testing.T) {
		h.WantUnchanged(t, lin.User.ID, func() {
			for _, role := range []string{"root", "", "Admin", "user admin"} {
				if _, err := h.SetRoles(t.Context(), userstest.By(ada), lin.User.ID, []string{role}, 0); !errors.Is(err, usersvc.ErrUnknownRole) {
					t.Errorf("%q: %v", role, err)
				}
			}
		})
	})
	t.Run("S132 another version", func(t *testing.T) {
		h.WantUnchanged(t, lin.User.ID, func() {
			for _, version := range []int64{1, 3, -1} {
				if _, err := h.SetRoles(t.Context(), userstest.By(ada), lin.User.ID, nil, version); !errors.Is(err, usersvc.ErrVersion) {
					t.Error(version, err)
				}
			}
		})
	})
	t.Run("S129 nobody but an active admin or an userstest.Operator", func(t *testing.T) {
		for _, who := range []usersvc.By{{}, userstest.By(kim), userstest.By(lin), {UserID: "u_unknown"}, {UserID: "admin"}, {UserID: "#"}, {UserID: strings.Repeat("u", 5000)}} {
			h.WantUnchanged(t, lin.User.ID, func() {
				for _, roles := range [][]string{{"admin"}, {"user"}, {"user", "editor"}} {
					if _, err := h.SetRoles(t.Context(), who, lin.User.ID, roles, 0); !errors.Is(err, usersvc.ErrForbidden) {
						t.Errorf("%+v %v: %v", who, roles, err)
					}
				}
			})
		}
	})
	t.Run("the admin is judged by the table, not by an old token", func(t *testing.T) {
		if _, err := h.SetRoles(t.Context(), userstest.Operator, kim.User.ID, []string{"admin"}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Suspend(t.Context(), userstest.By(ada), kim.User.ID); err != nil {
			t.Fatal(err)
		}
		h.WantUnchanged(t, lin.User.ID, func() {
			if _, err := h.SetRoles(t.Context(), userstest.By(kim), lin.User.ID, []string{"admin"}, 0); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error("a suspended admin:", err)
			}
		})
	})
	t.Run("a role that is no longer declared can be kept, and not be given", func(t *testing.T) {
		h := open(t)
		h.Users.DefaultRoles = []string{"pilot"}
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		h.Users.DefaultRoles = nil
		if got := h.Choosable(lin.User); !slices.Equal(got, []string{"admin", "pilot", "user"}) {
			t.Error(got)
		}
		for _, roles := range [][]string{{"pilot", "user"}, {"user"}} {
			if _, err := h.SetRoles(t.Context(), userstest.Operator, lin.User.ID, roles, 0); err != nil {
				t.Error(roles, err)
			}
		}
		if _, err := h.SetRoles(t.Context(), userstest.Operator, lin.User.ID, []string{"pilot"}, 0); !errors.Is(err, usersvc.ErrUnknownRole) {
			t.Error(err)
		}
	})
	t.Run("a user who is not there", func(t *testing.T) {
		for _, id := range []string{"u_unknown", "", "#", "\x00"} {
			if _, err := h.SetRoles(t.Context(), userstest.By(ada), id, nil, 0); !errors.Is(err, usersvc.ErrNotFound) {
				t.Error(id, err)
			}
		}
	})
	t.Run("a demoted admin of the configuration stays demoted", func(t *testing.T) {
		h := open(t)
		ada, lin := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin"))
		if _, err := h.SetRoles(t.Context(), userstest.By(ada), lin.User.ID, []string{"admin"}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := h.SetRoles(t.Context(), userstest.By(lin), ada.User.ID, []string{"user"}, 0); err != nil {
			t.Fatal(err)
		}
		if user := h.MustSignIn(t, userstest.Profile("ada")).User; user.HasRole(usersvc.Admin) {
			t.Error(user.Roles)
		}
		if members := h.Rows(t, "role#admin"); strings.Contains(members, ada.User.ID) || !strings.Contains(members, lin.User.ID) {
			t.Error(members)
		}
	})
}

func TestLastAdmin(t *testing.T) { onEngines(t, testLastAdmin) }

func testLastAdmin(t *testing.T, open userstest.Engine) {
	h := open(t)
	ada, lin := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin"))
	refused := func(t *testing.T) {
		t.Helper()
		h.WantUnchanged(t, ada.User.ID, func() {
			for _, who := range []usersvc.By{userstest.By(ada), userstest.Operator} {
				if _, err := h.SetRoles(t.Context(), who, ada.User.ID, []string{"user"}, 0); !errors.Is(err, usersvc.ErrLastAdmin) {
					t.Errorf("roles: %+v: %v", who, err)
				}
				if err := h.Delete(t.Context(), who, ada.User.ID); !errors.Is(err, usersvc.ErrLastAdmin) {
					t.Errorf("delete: %+v: %v", who, err)
				}
			}
			if _, err := h.Suspend(t.Context(), userstest.Operator, ada.User.ID); !errors.Is(err, usersvc.ErrLastAdmin) {
				t.Errorf("suspend: %v", err)
			}
			if _, err := h.Suspend(t.Context(), userstest.By(ada), ada.User.ID); !errors.Is(err, usersvc.ErrOneself) {
				t.Errorf("suspend oneself: %v", err)
			}
		})
	}
	t.Run("keeps the role", refused)
	only := func(user usersvc.User, want bool) {
		t.Helper()
		if got, err := h.OnlyAdmin(t.Context(), user); got != want || err != nil {
			t.Errorf("only admin: %v, %v", got, err)
		}
	}
	only(ada.User, true)
	only(lin.User, false)
	if _, err := h.SetRoles(t.Context(), userstest.By(ada), lin.User.ID, []string{"admin"}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Suspend(t.Context(), userstest.By(ada), lin.User.ID); err != nil {
		t.Fatal(err)
	}
	t.Run("also where another one is suspended", refused)
	only(ada.User, true)
	if _, err := h.Activate(t.Context(), userstest.By(ada), lin.User.ID); err != nil {
		t.Fatal(err)
	}
	only(ada.User, false)
	t.Run("the last but one may go", func(t *testing.T) {
		if err := h.Delete(t.Context(), userstest.By(ada), ada.User.ID); err != nil {
			t.Error(err)
		}
		if err := h.Delete(t.Context(), userstest.By(lin), lin.User.ID); !errors.Is(err, usersvc.ErrLastAdmin) {
			t.Error(err)
		}
	})
}

func TestRename(t *testing.T) { onEngines(t, testRename) }

func testRename(t *testing.T, open userstest.Engine) {
	h := open(t)
	ada, lin, kim := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("kim"))
	t.Run("a name of one's own outlives the next sign-in", func(t *testing.T) {
		if user, err := h.Rename(t.Context(), userstest.By(lin), lin.User.ID, " Linnéa\n", 1); err != nil || user.Name != "Linnéa" || user.Version != 2 {
			t.Error(user, err)
		}
		if user := h.MustSignIn(t, userstest.Profile("lin")).User; user.Name != "Linnéa" || user.Version != 2 {
			t.Errorf("%+v", user)
		}
	})
	t.Run("an empty one gives the provider's back", func(t *testing.T) {
		if _, err := h.Rename(t.Context(), userstest.By(ada), lin.User.ID, "", 0); err != nil {
			t.Error(err)
		}
		if user := h.MustSignIn(t, userstest.Profile("lin")).User; user.Name != "lin" {
			t.Errorf("%+v", user)
		}
	})
	t.Run("S129 not another's", func(t *testing.T) {
		h.WantUnchanged(t, lin.User.ID, func() {
			if _, err := h.Rename(t.Context(), userstest.By(kim), lin.User.ID, "kim was here", 0); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
		})
	})
}
