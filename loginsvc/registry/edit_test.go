package registry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func TestEdit(t *testing.T) {
	onEngines(t, func(t *testing.T, on *counted) {
		c := open(on)
		secret := add(t, c, web("shop"), true)
		get := func() registry.Registered {
			t.Helper()
			r, err := c.Get(t.Context(), "shop")
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		rename := func(app *client.Client) error { app.Name = "Shop"; return nil }

		t.Run("all that can be edited, and nothing else", func(t *testing.T) {
			before := get()
			got, err := c.Edit(t.Context(), admin, "shop", before.Version, func(app *client.Client) error {
				*app = client.Client{
					ID: "other", Name: "The shop", RedirectURIs: []string{"https://shop.test/new"}, PostLogoutRedirectURIs: []string{"https://shop.test/"},
					Grants: []string{client.GrantCode, client.GrantRefresh}, Scopes: []string{"orders:read"}, Audiences: []string{"orders"},
					Lifetimes: client.Lifetimes{AccessToken: time.Minute}, ThirdParty: true, SecretHashes: []string{"x"}, Registration: "x",
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, get()); diff != "" {
				t.Error(diff)
			}
			if got.ID != "shop" || got.Name != "The shop" || !got.ThirdParty || !got.HasSecret(string(secret)) || got.Registration != before.Registration ||
				got.Lifetimes.AccessToken != time.Minute || got.Version != before.Version+1 || !got.CreatedAt.Equal(before.CreatedAt) {
				t.Errorf("%+v", got)
			}
		})
		t.Run("nothing if anything is wrong", func(t *testing.T) {
			before := get()
			for want, change := range map[string]func(*client.Client) error{
				"redirect_uris[2]: ": func(a *client.Client) error {
					a.Name = "x"
					a.RedirectURIs = append(a.RedirectURIs, "http://evil.test")
					return nil
				},
				"scopes[1]: ":         func(a *client.Client) error { a.Scopes = []string{"root"}; return nil },
				"is the issuer":       func(a *client.Client) error { a.Audiences = []string{"https://auth.test"}; return nil },
				"audiences: want 10":  func(a *client.Client) error { a.Audiences = strings.Fields("a b c d e f g h i j k"); return nil },
				"51 values":           func(a *client.Client) error { a.Grants = make([]string, 51); return nil },
				"lifetimes.access":    func(a *client.Client) error { a.Lifetimes.AccessToken = time.Second; return nil },
				"the caller's":        func(a *client.Client) error { a.Name = "x"; return errors.New("the caller's") },
				"redirect_uris: not":  func(a *client.Client) error { a.RedirectURIs = nil; return nil },
				"a client with a sec": func(a *client.Client) error { a.Origins = []string{"https://shop.test"}; return nil },
			} {
				if _, err := c.Edit(t.Context(), admin, "shop", 0, change); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("want %q, got %v", want, err)
				}
			}
			if diff := cmp.Diff(before, get()); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("two admins do not overwrite each other", func(t *testing.T) {
			seen := get()
			on.before = func() {
				if _, err := c.Edit(t.Context(), admin, "shop", 0, func(a *client.Client) error { a.ThirdParty = false; return nil }); err != nil {
					t.Error(err)
				}
			}
			if _, err := c.Edit(t.Context(), admin, "shop", 0, rename); !errors.Is(err, registry.ErrChanged) {
				t.Errorf("at once: %v", err)
			}
			if _, err := c.Edit(t.Context(), admin, "shop", seen.Version, rename); !errors.Is(err, registry.ErrChanged) {
				t.Errorf("by what was seen before: %v", err)
			}
			if now := get(); now.Name == "Shop" || now.ThirdParty {
				t.Errorf("%+v", now)
			}
			on.before = func() {
				if _, err := c.RotateSecret(t.Context(), admin, "shop"); err != nil {
					t.Error(err)
				}
			}
			if _, err := c.Edit(t.Context(), admin, "shop", 0, rename); !errors.Is(err, registry.ErrChanged) {
				t.Errorf("a secret beside it: %v", err)
			}
			on.before = func() {
				if err := c.Remove(t.Context(), admin, "shop"); err != nil {
					t.Error(err)
				}
				add(t, c, web("shop"), true)
			}
			if _, err := c.Edit(t.Context(), admin, "shop", 0, rename); !errors.Is(err, registry.ErrChanged) {
				t.Errorf("removed and added: %v", err)
			}
			at := time.Now()
			fixed := &registry.Clients{Table: c.Table, Limits: c.Limits, Now: func() time.Time { return at }}
			again := func() {
				if err := fixed.Remove(t.Context(), admin, "shop"); err != nil {
					t.Error(err)
				}
				add(t, fixed, web("shop"), true)
			}
			again()
			on.before = again
			if _, err := fixed.Edit(t.Context(), admin, "shop", 0, rename); !errors.Is(err, registry.ErrChanged) {
				t.Errorf("removed and added within a millisecond: %v", err)
			}
		})
		t.Run("what changes nothing is no change", func(t *testing.T) {
			before := get()
			if got, err := c.Edit(t.Context(), admin, "shop", 0, func(*client.Client) error { return nil }); err != nil || got.Version != before.Version {
				t.Error(got, err)
			}
		})
		t.Run("a client that is not there", func(t *testing.T) {
			if _, err := c.Edit(t.Context(), admin, "nobody", 0, rename); !errors.Is(err, client.ErrUnknown) {
				t.Error(err)
			}
		})
	})
}

func TestAudit(t *testing.T) {
	onEngines(t, func(t *testing.T, on *counted) {
		c := open(on)
		app := web("shop")
		app.Scopes = []string{"openid"}
		add(t, c, app, true)
		if _, err := c.Edit(t.Context(), usersvc.By{Operator: "lin"}, "shop", 0, func(a *client.Client) error {
			a.Name, a.Scopes = strings.Repeat("x", 200), []string{"openid", "email"}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.RotateSecret(t.Context(), admin, "shop"); err != nil {
			t.Fatal(err)
		}
		if err := c.DropOldSecret(t.Context(), admin, "shop"); err != nil {
			t.Fatal(err)
		}
		if err := c.Remove(t.Context(), admin, "shop"); err != nil {
			t.Fatal(err)
		}
		// What fails leaves no trace of having been done.
		_, added := c.Add(t.Context(), admin, client.Client{ID: "shop"}, true)
		if err := c.Remove(t.Context(), admin, "shop"); err == nil || added == nil {
			t.Error("nothing was wrong")
		}
		users := &usersvc.Users{Table: on}
		for _, f := range []usersvc.AuditFilter{{ClientID: "shop"}, {}} {
			trail, err := users.Audit(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			got := map[usersvc.Action]usersvc.Entry{}
			for _, e := range trail.Items {
				got[e.Action] = e
				if e.ClientID != "shop" || e.UserID != "" || !e.At.Equal(morning) {
					t.Errorf("%+v", e)
				}
			}
			if len(trail.Items) != 5 || len(got) != 5 {
				t.Errorf("%d entries: %v", len(trail.Items), got)
			}
			if e := got[usersvc.ClientEdited]; e.Actor != "operator:lin" || e.Detail != "name: "+strings.Repeat("x", 200)+"; scopes: openid email" {
				t.Errorf("%+v", e)
			}
			if e := got[usersvc.ClientAdded]; e.Actor != "operator:ada" || e.Detail != "redirect_uris: https://shop.test/cb; scopes: openid" {
				t.Errorf("%+v", e)
			}
		}
	})
}

// TestBeforeRegistrations reads a row that was written before clients had APIs,
// lives and registrations of their own.
func TestBeforeRegistrations(t *testing.T) {
	t.Parallel()
	on := &counted{Table: openBolt(t)}
	c := open(on)
	add(t, c, web("shop"), false)
	old := table.Update(table.Key{PK: "client#shop", SK: "client"}, nil).Removing("registration", "audiences", "access_token_ttl", "refresh_token_ttl", "refresh_idle_ttl")
	if err := on.Table.Write(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if r, err := c.Get(t.Context(), "shop"); err != nil || r.Ref() != "shop" || r.Lifetimes != (client.Lifetimes{}) || r.Audiences != nil {
		t.Errorf("%+v %v", r, err)
	}
}
