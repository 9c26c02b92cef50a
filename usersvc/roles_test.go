package usersvc_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func by(who in) usersvc.By {
	return usersvc.By{UserID: who.user.ID, SourceIP: "192.0.2.7", UserAgent: "tool"}
}

var operator = usersvc.By{Operator: "test"}

// trail returns the actions done to a user, oldest first.
func (h *house) trail(t *testing.T, userID string) []usersvc.Action {
	t.Helper()
	page, err := h.Audit(t.Context(), usersvc.AuditFilter{UserID: userID, Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	var actions []usersvc.Action
	for _, e := range slices.Backward(page.Items) {
		actions = append(actions, e.Action)
	}
	return actions
}

// revoked fails unless a token that the user would be issued now is, or is not,
// in the revocation feed.
func (h *house) revoked(t *testing.T, user usersvc.User, want bool) {
	t.Helper()
	feed, err := h.Revocations(t.Context())
	if err != nil || feed.Revoked(user.ID, "", h.clock.Now()) != want {
		t.Errorf("revoked: want %v, %v", want, err)
	}
}

// unchanged fails if do changes what is stored about the user.
func (h *house) unchanged(t *testing.T, userID string, do func()) {
	t.Helper()
	before, err := h.Get(t.Context(), userID)
	if err != nil {
		t.Fatal(err)
	}
	trail := h.trail(t, userID)
	do()
	after, err := h.Get(t.Context(), userID)
	if diff := cmp.Diff(before, after, exported); diff != "" || err != nil {
		t.Error("changed:", diff, err)
	}
	if diff := cmp.Diff(trail, h.trail(t, userID)); diff != "" {
		t.Error("audited:", diff)
	}
}

func TestSetRoles(t *testing.T) { onEngines(t, testSetRoles) }

func testSetRoles(t *testing.T, open engine) {
	h := open(t)
	h.Roles = []string{"user", "admin", "editor"}
	ada, lin, kim := h.signIn(t, profile("ada")), h.signIn(t, profile("lin")), h.signIn(t, profile("kim"))

	t.Run("an admin gives and takes roles", func(t *testing.T) {
		h.clock.pass(time.Second)
		user, err := h.SetRoles(t.Context(), by(ada), lin.user.ID, []string{"user", "editor", "editor"}, 1)
		if err != nil || !slices.Equal(user.Roles, []string{"editor", "user"}) || user.Version != 2 {
			t.Fatal(user, err)
		}
		page, _ := h.Audit(t.Context(), usersvc.AuditFilter{UserID: lin.user.ID, Limit: 1})
		want := usersvc.Entry{
			ID: page.Items[0].ID, At: h.clock.Now(), Action: usersvc.RolesChanged, UserID: lin.user.ID, Actor: ada.user.ID,
			Detail: "+editor", SourceIP: "192.0.2.7", Agent: "tool",
		}
		if diff := cmp.Diff(want, page.Items[0]); diff != "" {
			t.Error(diff)
		}
		h.revoked(t, user, true)
		h.clock.pass(time.Second)
		if h.revoked(t, user, false); user.TokensFrom.After(h.clock.Now()) {
			t.Error("the new roles' tokens are dead:", user.TokensFrom)
		}
	})
	t.Run("the same roles again change nothing", func(t *testing.T) {
		h.unchanged(t, lin.user.ID, func() {
			if _, err := h.SetRoles(t.Context(), by(ada), lin.user.ID, []string{"user", "editor"}, 0); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("a role that is not declared", func(t *testing.T) {
		h.unchanged(t, lin.user.ID, func() {
			for _, role := range []string{"root", "", "Admin", "user admin"} {
				if _, err := h.SetRoles(t.Context(), by(ada), lin.user.ID, []string{role}, 0); !errors.Is(err, usersvc.ErrUnknownRole) {
					t.Errorf("%q: %v", role, err)
				}
			}
		})
	})
	t.Run("S132 another version", func(t *testing.T) {
		h.unchanged(t, lin.user.ID, func() {
			for _, version := range []int64{1, 3, -1} {
				if _, err := h.SetRoles(t.Context(), by(ada), lin.user.ID, nil, version); !errors.Is(err, usersvc.ErrVersion) {
					t.Error(version, err)
				}
			}
		})
	})
	t.Run("S129 nobody but an active admin or an operator", func(t *testing.T) {
		for _, who := range []usersvc.By{{}, by(kim), by(lin), {UserID: "u_unknown"}, {UserID: "admin"}, {UserID: "#"}, {UserID: strings.Repeat("u", 5000)}} {
			h.unchanged(t, lin.user.ID, func() {
				for _, roles := range [][]string{{"admin"}, {"user"}, {"user", "editor"}} {
					if _, err := h.SetRoles(t.Context(), who, lin.user.ID, roles, 0); !errors.Is(err, usersvc.ErrForbidden) {
						t.Errorf("%+v %v: %v", who, roles, err)
					}
				}
			})
		}
	})
	t.Run("the admin is judged by the table, not by an old token", func(t *testing.T) {
		if _, err := h.SetRoles(t.Context(), operator, kim.user.ID, []string{"admin"}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Suspend(t.Context(), by(ada), kim.user.ID); err != nil {
			t.Fatal(err)
		}
		h.unchanged(t, lin.user.ID, func() {
			if _, err := h.SetRoles(t.Context(), by(kim), lin.user.ID, []string{"admin"}, 0); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error("a suspended admin:", err)
			}
		})
	})
	t.Run("a role that is no longer declared can be kept, and not be given", func(t *testing.T) {
		h := open(t)
		h.Users.DefaultRoles = []string{"pilot"}
		lin := h.signIn(t, profile("lin"))
		h.Users.DefaultRoles = nil
		if got := h.Choosable(lin.user); !slices.Equal(got, []string{"admin", "pilot", "user"}) {
			t.Error(got)
		}
		for _, roles := range [][]string{{"pilot", "user"}, {"user"}} {
			if _, err := h.SetRoles(t.Context(), operator, lin.user.ID, roles, 0); err != nil {
				t.Error(roles, err)
			}
		}
		if _, err := h.SetRoles(t.Context(), operator, lin.user.ID, []string{"pilot"}, 0); !errors.Is(err, usersvc.ErrUnknownRole) {
			t.Error(err)
		}
	})
	t.Run("a user who is not there", func(t *testing.T) {
		for _, id := range []string{"u_unknown", "", "#", "\x00"} {
			if _, err := h.SetRoles(t.Context(), by(ada), id, nil, 0); !errors.Is(err, usersvc.ErrNotFound) {
				t.Error(id, err)
			}
		}
	})
	t.Run("a demoted admin of the configuration stays demoted", func(t *testing.T) {
		h := open(t)
		ada, lin := h.signIn(t, profile("ada")), h.signIn(t, profile("lin"))
		if _, err := h.SetRoles(t.Context(), by(ada), lin.user.ID, []string{"admin"}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := h.SetRoles(t.Context(), by(lin), ada.user.ID, []string{"user"}, 0); err != nil {
			t.Fatal(err)
		}
		if user := h.signIn(t, profile("ada")).user; user.HasRole(usersvc.Admin) {
			t.Error(user.Roles)
		}
		if members := h.rows(t, "role#admin"); strings.Contains(members, ada.user.ID) || !strings.Contains(members, lin.user.ID) {
			t.Error(members)
		}
	})
}

func TestLastAdmin(t *testing.T) { onEngines(t, testLastAdmin) }

func testLastAdmin(t *testing.T, open engine) {
	h := open(t)
	ada, lin := h.signIn(t, profile("ada")), h.signIn(t, profile("lin"))
	refused := func(t *testing.T) {
		t.Helper()
		h.unchanged(t, ada.user.ID, func() {
			for _, who := range []usersvc.By{by(ada), operator} {
				if _, err := h.SetRoles(t.Context(), who, ada.user.ID, []string{"user"}, 0); !errors.Is(err, usersvc.ErrLastAdmin) {
					t.Errorf("roles: %+v: %v", who, err)
				}
				if err := h.Delete(t.Context(), who, ada.user.ID); !errors.Is(err, usersvc.ErrLastAdmin) {
					t.Errorf("delete: %+v: %v", who, err)
				}
			}
			if _, err := h.Suspend(t.Context(), operator, ada.user.ID); !errors.Is(err, usersvc.ErrLastAdmin) {
				t.Errorf("suspend: %v", err)
			}
			if _, err := h.Suspend(t.Context(), by(ada), ada.user.ID); !errors.Is(err, usersvc.ErrOneself) {
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
	only(ada.user, true)
	only(lin.user, false)
	if _, err := h.SetRoles(t.Context(), by(ada), lin.user.ID, []string{"admin"}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Suspend(t.Context(), by(ada), lin.user.ID); err != nil {
		t.Fatal(err)
	}
	t.Run("also where another one is suspended", refused)
	only(ada.user, true)
	if _, err := h.Activate(t.Context(), by(ada), lin.user.ID); err != nil {
		t.Fatal(err)
	}
	only(ada.user, false)
	t.Run("the last but one may go", func(t *testing.T) {
		if err := h.Delete(t.Context(), by(ada), ada.user.ID); err != nil {
			t.Error(err)
		}
		if err := h.Delete(t.Context(), by(lin), lin.user.ID); !errors.Is(err, usersvc.ErrLastAdmin) {
			t.Error(err)
		}
	})
}

func TestRename(t *testing.T) { onEngines(t, testRename) }

func testRename(t *testing.T, open engine) {
	h := open(t)
	ada, lin, kim := h.signIn(t, profile("ada")), h.signIn(t, profile("lin")), h.signIn(t, profile("kim"))
	t.Run("a name of one's own outlives the next sign-in", func(t *testing.T) {
		if user, err := h.Rename(t.Context(), by(lin), lin.user.ID, " Linnéa\n", 1); err != nil || user.Name != "Linnéa" || user.Version != 2 {
			t.Error(user, err)
		}
		if user := h.signIn(t, profile("lin")).user; user.Name != "Linnéa" || user.Version != 2 {
			t.Errorf("%+v", user)
		}
	})
	t.Run("an empty one gives the provider's back", func(t *testing.T) {
		if _, err := h.Rename(t.Context(), by(ada), lin.user.ID, "", 0); err != nil {
			t.Error(err)
		}
		if user := h.signIn(t, profile("lin")).user; user.Name != "lin" {
			t.Errorf("%+v", user)
		}
	})
	t.Run("S129 not another's", func(t *testing.T) {
		h.unchanged(t, lin.user.ID, func() {
			if _, err := h.Rename(t.Context(), by(kim), lin.user.ID, "kim was here", 0); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
		})
	})
}
