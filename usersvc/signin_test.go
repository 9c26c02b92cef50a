package usersvc_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestSignIn(t *testing.T) { onEngines(t, testSignIn) }

func testSignIn(t *testing.T, open userstest.Engine) {
	t.Run("the first creates a user", func(t *testing.T) {
		h := open(t)
		var lin userstest.SignedIn
		if n := h.Table.During(func() { lin = h.MustSignIn(t, userstest.Profile("lin")) }); n > 3 {
			t.Errorf("%d calls of the table, want at most 3", n)
		}
		want := usersvc.User{
			ID: lin.User.ID, Email: "lin@example.com", EmailVerified: true, Name: "lin", Roles: []string{"user"},
			Status: usersvc.Active, CreatedAt: h.Clock.Now(), Version: 1, TokensFrom: h.Clock.Now(),
		}
		if diff := cmp.Diff(want, lin.User, userstest.Exported); diff != "" {
			t.Error(diff)
		}
		got, err := h.Get(t.Context(), lin.User.ID)
		if diff := cmp.Diff(want, got, userstest.Exported); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if !strings.HasPrefix(lin.User.ID, "u_") || !strings.HasPrefix(lin.Session.ID, "s_") {
			t.Error(lin.User.ID, lin.Session.ID)
		}
	})
	t.Run("the next finds it", func(t *testing.T) {
		h := open(t)
		first := h.MustSignIn(t, userstest.Profile("lin"))
		h.Clock.Pass(time.Hour)
		var second userstest.SignedIn
		if n := h.Table.During(func() { second = h.MustSignIn(t, userstest.Profile("lin")) }); n > 2 {
			t.Errorf("%d calls of the table, want at most 3", n)
		}
		if diff := cmp.Diff(first.User, second.User, userstest.Exported); diff != "" {
			t.Error("an unchanged profile changed the user:", diff)
		}
		if first.Session.ID == second.Session.ID || first.Cookie == second.Cookie {
			t.Error("S44 the session did not change at sign-in")
		}
		if len(h.All(t)) != 1 {
			t.Error(h.All(t))
		}
	})
	t.Run("a changed profile is taken over, and rights are kept", func(t *testing.T) {
		h := open(t)
		first := h.MustSignIn(t, userstest.Profile("ada"))
		p := userstest.Profile("ada")
		p.Name, p.Email, p.EmailVerified, p.Picture = "Ada L.", "ada@new.example", false, "https://img.example/a.png"
		second := h.MustSignIn(t, p)
		want := first.User
		want.Name, want.Email, want.EmailVerified, want.Picture, want.Version = p.Name, p.Email, false, p.Picture, 2
		if diff := cmp.Diff(want, second.User, userstest.Exported); diff != "" {
			t.Error(diff)
		}
		stored, _ := h.Get(t.Context(), first.User.ID)
		if diff := cmp.Diff(want, stored, userstest.Exported); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("what a provider says is cut to what a row may hold", func(t *testing.T) {
		h := open(t)
		p := userstest.Profile("lin")
		p.Name = " L\x00i\r\nn" + strings.Repeat("ö", 300)
		p.Email = "lin@evil.test@example.com"
		for _, picture := range []string{"javascript:alert(1)", "http://img.example/a.png", "https:a.png", "//img.example/a.png", "https://img.example/" + strings.Repeat("a", 3000)} {
			p.Picture = picture
			if user := h.MustSignIn(t, p).User; user.Picture != "" {
				t.Error(user.Picture)
			}
		}
		user := h.MustSignIn(t, p).User
		if strings.ContainsAny(user.Name, "\x00\r\n") || len(user.Name) > 256 || user.Email != "" || user.EmailVerified {
			t.Errorf("%+v", user)
		}
	})
	t.Run("a profile that does not say who it is", func(t *testing.T) {
		h := open(t)
		for _, change := range []func(*usersvc.Profile){
			func(p *usersvc.Profile) { p.Issuer = "" },
			func(p *usersvc.Profile) { p.Subject = "" },
			func(p *usersvc.Profile) { p.Issuer = "https://a#b" },
			func(p *usersvc.Profile) { p.Subject = strings.Repeat("a", 256) },
			func(p *usersvc.Profile) { p.Issuer = "https://" + strings.Repeat("a", 600) },
			func(p *usersvc.Profile) { p.Subject = "\xff" },
		} {
			p := userstest.Profile("lin")
			change(&p)
			if _, _, _, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{}); !errors.Is(err, usersvc.ErrBadProfile) {
				t.Errorf("%+v: %v", p, err)
			}
		}
		if len(h.All(t)) != 0 {
			t.Error(h.All(t))
		}
	})
}

func TestManyFirstSignIns(t *testing.T) { onEngines(t, testManyFirstSignIns) }

func testManyFirstSignIns(t *testing.T, open userstest.Engine) {
	t.Run("S43 two hundred concurrent first sign-ins make one user", func(t *testing.T) {
		h := open(t)
		var (
			wg  sync.WaitGroup
			mu  sync.Mutex
			ids []string
		)
		for range 200 {
			wg.Go(func() {
				user, _, cookie, err := h.SignIn(t.Context(), userstest.Profile("ada"), usersvc.SignInInfo{})
				if err == nil {
					_, _, err = h.Session(t.Context(), cookie)
				}
				mu.Lock()
				defer mu.Unlock()
				ids = append(ids, user.ID)
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		slices.Sort(ids)
		if ids = slices.Compact(ids); len(ids) != 1 || len(h.All(t)) != 1 {
			t.Errorf("%d users, %d listed", len(ids), len(h.All(t)))
		}
	})
}

func TestAdmins(t *testing.T) { onEngines(t, testAdmins) }

func testAdmins(t *testing.T, open userstest.Engine) {
	roles := func(t *testing.T, change func(*usersvc.Profile)) []string {
		t.Helper()
		p := userstest.Profile("ada")
		change(&p)
		return open(t).MustSignIn(t, p).User.Roles
	}
	t.Run("a verified address of the configuration makes an admin", func(t *testing.T) {
		for _, address := range []string{"ada@example.com", "ADA@EXAMPLE.COM"} {
			if got := roles(t, func(p *usersvc.Profile) { p.Email = address }); !slices.Equal(got, []string{"admin", "user"}) {
				t.Error(address, got)
			}
		}
	})
	for name, change := range map[string]func(*usersvc.Profile){
		"S36 an address that is not verified does not":     func(p *usersvc.Profile) { p.EmailVerified = false },
		"S37 nor one that only looks like it":              func(p *usersvc.Profile) { p.Email = "ada@example.com@example.com" },
		"S37 nor one in other letters":                     func(p *usersvc.Profile) { p.Email = "аda@example.com" },
		"S37 nor one with a dot at the end":                func(p *usersvc.Profile) { p.Email = "ada@example.com." },
		"nor one from a provider that is not trusted":      func(p *usersvc.Profile) { p.Provider = "stranger" },
		"nor one that begins or ends like it":              func(p *usersvc.Profile) { p.Email = "xada@example.com" },
		"nor no address at all":                            func(p *usersvc.Profile) { p.Email = "" },
		"nor a name":                                       func(p *usersvc.Profile) { p.Email, p.Name = "", "ada@example.com" },
		"nor a subject that is the address of the admin's": func(p *usersvc.Profile) { p.Email, p.Subject = "", "ada@example.com" },
	} {
		t.Run(name, func(t *testing.T) {
			if got := roles(t, change); !slices.Equal(got, []string{"user"}) {
				t.Error(got)
			}
		})
	}
	t.Run("an address that is listed later counts at the next sign-in", func(t *testing.T) {
		h := open(t)
		h.MustSignIn(t, userstest.Profile("lin"))
		h.Admins = append(h.Admins, "lin@example.com")
		if user := h.MustSignIn(t, userstest.Profile("lin")).User; !user.HasRole(usersvc.Admin) || user.Version != 2 {
			t.Errorf("%+v", user)
		}
	})
	t.Run("where no provider is trusted, each one's word counts", func(t *testing.T) {
		h := open(t)
		h.TrustedProviders = nil
		if user := h.MustSignIn(t, userstest.Profile("ada")).User; !user.HasRole(usersvc.Admin) {
			t.Error(user.Roles)
		}
	})
	t.Run("S36 but not on an address that is not verified", func(t *testing.T) {
		h := open(t)
		h.TrustedProviders = nil
		p := userstest.Profile("ada")
		p.EmailVerified = false
		if user := h.MustSignIn(t, p).User; user.HasRole(usersvc.Admin) {
			t.Error(user.Roles)
		}
	})
}

func TestSuspended(t *testing.T) { onEngines(t, testSuspended) }

func testSuspended(t *testing.T, open userstest.Engine) {
	t.Run("S38 a suspended user gets nothing, and is neither re-enabled nor made again", func(t *testing.T) {
		h := open(t)
		sam, err := h.EnsureUser(t.Context(), userstest.Profile("sam"), usersvc.Suspended)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			p := userstest.Profile("sam")
			p.Name = "Samuel"
			user, s, cookie, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{})
			if !errors.Is(err, usersvc.ErrSuspended) || cookie != "" || user.ID != "" || s.ID != "" {
				t.Errorf("%v %v %q %v", user, s, cookie, err)
			}
		}
		if diff := cmp.Diff([]usersvc.User{sam}, h.All(t), userstest.Exported); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("S38 nor through another provider that vouches for the same address", func(t *testing.T) {
		h := open(t)
		if _, err := h.EnsureUser(t.Context(), userstest.Profile("sam"), usersvc.Suspended); err != nil {
			t.Fatal(err)
		}
		p := userstest.Profile("sam")
		p.Issuer, p.Provider = "https://other.example", "other"
		if _, _, _, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{}); !errors.Is(err, usersvc.ErrSuspended) {
			t.Error(err)
		}
		if len(h.All(t)) != 1 {
			t.Error(h.All(t))
		}
	})
	t.Run("seeding again leaves a user as it is", func(t *testing.T) {
		h := open(t)
		first, err := h.EnsureUser(t.Context(), userstest.Profile("sam"), usersvc.Suspended)
		if err != nil {
			t.Fatal(err)
		}
		again, err := h.EnsureUser(t.Context(), userstest.Profile("sam"), usersvc.Active)
		if diff := cmp.Diff(first, again, userstest.Exported); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}
