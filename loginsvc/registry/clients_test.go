package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func TestAdd(t *testing.T) {
	onEngines(t, func(t *testing.T, on *counted) {
		c := open(on)
		whole := client.Client{
			ID: "shop", Name: "Shop", RedirectURIs: []string{"https://shop.test/cb", "http://127.0.0.1/cb"},
			PostLogoutRedirectURIs: []string{"https://shop.test/"}, Grants: []string{client.GrantCode, client.GrantRefresh},
			Scopes: []string{"openid", "orders:read"}, ThirdParty: true,
			Audiences: []string{"https://orders.test", "https://stock.test"}, Serves: []string{"https://shop.test/api"},
			Lifetimes: client.Lifetimes{AccessToken: 2 * time.Minute, RefreshToken: time.Hour, RefreshIdle: 90 * time.Second},
		}
		t.Run("all that was said is kept, and of the secret its hash", func(t *testing.T) {
			secret := add(t, c, whole, true)
			got, err := c.Get(t.Context(), "shop")
			if err != nil {
				t.Fatal(err)
			}
			want := whole
			want.SecretHashes, want.Registration = []string{client.HashSecret(string(secret))}, got.Registration
			want.RegisteredAt = morning
			if diff := cmp.Diff(registry.Registered{Client: want, CreatedAt: morning, SecretAt: morning, Version: 1}, got); diff != "" {
				t.Error(diff)
			}
			item, err := on.Table.Get(t.Context(), table.Key{PK: "client#shop", SK: "client"})
			if text := fmt.Sprint(item); err != nil || strings.Contains(text, string(secret)) || len(secret) < 43 {
				t.Errorf("%v %s", err, text)
			}
		})
		t.Run("no second client of an id", func(t *testing.T) {
			if secret, err := c.Add(t.Context(), admin, web("shop"), true); !errors.Is(err, registry.ErrExists) || secret != "" {
				t.Error(err)
			}
			if got, _ := c.Get(t.Context(), "shop"); got.Name != "Shop" {
				t.Error("it was replaced")
			}
		})
		t.Run("a public client has no secret, whatever the caller brings", func(t *testing.T) {
			app := web("spa")
			app.Origins, app.Secret, app.SecretHashes = []string{"https://spa.test"}, "mine", []string{"h"}
			secret := add(t, c, app, false)
			if got, err := c.Get(t.Context(), "spa"); err != nil || !got.Public() || secret != "" || !got.SecretAt.IsZero() {
				t.Error(got, err)
			}
		})
		t.Run("one query lists all by id", func(t *testing.T) {
			on.asked()
			all, err := c.List(t.Context())
			if err != nil || len(all) != 2 || all[0].ID != "shop" || all[1].ID != "spa" || on.asked() != 1 {
				t.Error(all, err)
			}
		})
		t.Run("a removed client is gone", func(t *testing.T) {
			if err := c.Remove(t.Context(), admin, "shop"); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Get(t.Context(), "shop"); !errors.Is(err, client.ErrUnknown) {
				t.Error(err)
			}
			if err := c.Remove(t.Context(), admin, "shop"); !errors.Is(err, client.ErrUnknown) {
				t.Error(err)
			}
			if all, err := c.List(t.Context()); err != nil || len(all) != 1 {
				t.Error(all, err)
			}
			document, err := (&usersvc.Feed{Users: &usersvc.Users{Table: c.Table, Now: c.Now}}).Document(t.Context())
			var feed revocation.List
			if err == nil {
				err = feed.UnmarshalJSON(document)
			}
			token := revocation.Token{Subject: "u_lin", SessionID: "s_1", ClientID: "shop", IssuedAt: morning}
			if err != nil || !feed.Revoked(token) {
				t.Error("its access tokens live:", err)
			}
			token.ClientID = "spa"
			if feed.Revoked(token) {
				t.Error("another client's tokens end with it")
			}
		})
	})
}

func TestExceptionsAreKept(t *testing.T) {
	onEngines(t, func(t *testing.T, on *counted) {
		c := open(on)
		spa, server := web("a:spa@x"), web("https://server.test/x")
		spa.RedirectURIs = []string{"http://localhost/cb", "cursor://a.b/cb"}
		spa.Exceptions = client.Exceptions{Loopback: client.LoopbackLocalhost, RedirectSchemes: []string{"cursor"}}
		server.RedirectURIs = []string{"https://server.test/cb"}
		server.Exceptions = client.Exceptions{PKCE: client.PKCENonce}
		add(t, c, spa, false)
		add(t, c, server, true)
		for _, want := range []client.Client{spa, server} {
			got, err := c.Get(t.Context(), want.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Exceptions, got.Exceptions); diff != "" {
				t.Errorf("%s: -want +got:\n%s", want.ID, diff)
			}
		}
		_, err := c.Edit(t.Context(), admin, spa.ID, 0, func(a *client.Client) error { a.PKCE = client.PKCEOff; return nil })
		if err == nil || !strings.Contains(err.Error(), "pkce: a public client") {
			t.Errorf("an edit gives a public client pkce: %v", err)
		}
		after, err := c.Edit(t.Context(), admin, server.ID, 0, func(a *client.Client) error { a.PKCE = ""; return nil })
		if err != nil || after.PKCE != "" {
			t.Fatal(after, err)
		}
		if got, err := c.Get(t.Context(), server.ID); err != nil || got.PKCE != "" {
			t.Error("an exception that was taken back is still there:", got, err)
		}
	})
}

func TestRefusedAtRegistration(t *testing.T) {
	t.Parallel()
	c := open(&counted{Table: openBolt(t)})
	refused := func(t *testing.T, app client.Client, confidential bool, want string) {
		t.Helper()
		if _, err := c.Add(t.Context(), admin, app, confidential); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", app, err)
		}
		if _, err := c.Get(t.Context(), app.ID); !errors.Is(err, client.ErrUnknown) {
			t.Errorf("%+v was written: %v", app, err)
		}
	}
	redirects := func(t *testing.T, uris ...string) {
		t.Helper()
		for _, uri := range uris {
			app := web("bad")
			app.RedirectURIs = append(app.RedirectURIs, uri)
			refused(t, app, true, "redirect_uris[2]: ")
			app = web("bad")
			app.PostLogoutRedirectURIs = []string{uri}
			refused(t, app, false, "post_logout_redirect_uris[1]: ")
		}
	}
	t.Run("S5 http only for loopback", func(t *testing.T) {
		redirects(t, "http://shop.test/cb", "http://10.0.0.1/cb", "http://127.0.0.1.shop.test/", "http://localhost.shop.test/")
		app := web("native")
		app.RedirectURIs = []string{"http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost:5173/cb"}
		add(t, c, app, false)
	})
	t.Run("S6 no scheme that runs code or that anyone can claim", func(t *testing.T) {
		redirects(t, "javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "myapp://cb", "about:blank")
	})
	t.Run("what gatehouse.yml refuses", func(t *testing.T) {
		refused(t, client.Client{ID: "bad"}, true, "redirect_uris: not set")
		for want, change := range map[string]func(*client.Client){
			"grants[1]: ":  func(a *client.Client) { a.Grants = []string{"password"} },
			"scopes[1]: ":  func(a *client.Client) { a.Scopes = []string{"root"} },
			"origins[1]: ": func(a *client.Client) { a.Origins = []string{"http://a.test"} },
			"name: ":       func(a *client.Client) { a.Name = strings.Repeat("x", 201) },
			"51 values":    func(a *client.Client) { a.Scopes = make([]string, 51) },
			"acts for itself": func(a *client.Client) {
				a.Grants = []string{client.GrantClientCredentials}
			},
		} {
			app := web("bad")
			change(&app)
			refused(t, app, false, want)
		}
		app := web("bad")
		app.Origins = []string{"https://bad.test"}
		refused(t, app, true, "no business in a browser")
	})
	t.Run("an id that would be another's, or break a page", func(t *testing.T) {
		for _, id := range []string{"", "a b", "a#b", "../a", "u_1", "<b>", strings.Repeat("a", 101), "ä"} {
			refused(t, web(id), true, "id: want")
		}
	})
}

func TestRotateSecret(t *testing.T) {
	onEngines(t, func(t *testing.T, on *counted) {
		c := open(on)
		first := add(t, c, web("shop"), true)
		wantAlive := func(t *testing.T, secrets map[client.Secret]bool) {
			t.Helper()
			got, err := c.Get(t.Context(), "shop")
			if err != nil {
				t.Fatal(err)
			}
			for secret, want := range secrets {
				if got.HasSecret(string(secret)) != want {
					t.Errorf("alive: %v, want %v", !want, want)
				}
			}
		}
		rotate := func(t *testing.T) client.Secret {
			t.Helper()
			secret, err := c.RotateSecret(t.Context(), admin, "shop")
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
		if err := c.DropOldSecret(t.Context(), admin, "shop"); !errors.Is(err, registry.ErrOneSecret) {
			t.Error(err)
		}
		second := rotate(t)
		wantAlive(t, map[client.Secret]bool{first: true, second: true})
		third := rotate(t)
		wantAlive(t, map[client.Secret]bool{first: false, second: true, third: true})
		if err := c.DropOldSecret(t.Context(), admin, "shop"); err != nil {
			t.Fatal(err)
		}
		wantAlive(t, map[client.Secret]bool{first: false, second: false, third: true, "": false})

		t.Run("nothing that came between is undone", func(t *testing.T) {
			var between client.Secret
			on.before = func() { between = rotate(t) }
			if secret, err := c.RotateSecret(t.Context(), admin, "shop"); !errors.Is(err, registry.ErrChanged) || secret != "" {
				t.Error(err)
			}
			wantAlive(t, map[client.Secret]bool{third: true, between: true})
			third = between
			on.before = func() { between = rotate(t) }
			if err := c.DropOldSecret(t.Context(), admin, "shop"); !errors.Is(err, registry.ErrChanged) {
				t.Error(err)
			}
			wantAlive(t, map[client.Secret]bool{third: true, between: true})
			third = between
		})
		t.Run("of many at once, no success is lost", func(t *testing.T) {
			var mu sync.Mutex
			var made []client.Secret
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					secret, err := c.RotateSecret(t.Context(), admin, "shop")
					if err != nil && !errors.Is(err, registry.ErrChanged) && !errors.Is(err, table.ErrUnavailable) {
						t.Error(err)
					}
					if err == nil {
						mu.Lock()
						made = append(made, secret)
						mu.Unlock()
					}
				})
			}
			all.Wait()
			got, err := c.Get(t.Context(), "shop")
			if err != nil || len(made) == 0 || len(got.SecretHashes) != 2 {
				t.Fatal(len(made), got, err)
			}
			alive := 0
			for _, secret := range append(made, third) {
				if got.HasSecret(string(secret)) {
					alive++
				}
			}
			if alive != 2 {
				t.Errorf("%d alive", alive)
			}
		})
		t.Run("not of a public client, and not of nobody", func(t *testing.T) {
			add(t, c, web("spa"), false)
			if _, err := c.RotateSecret(t.Context(), admin, "spa"); !errors.Is(err, registry.ErrPublic) {
				t.Error(err)
			}
			if err := c.DropOldSecret(t.Context(), admin, "spa"); !errors.Is(err, registry.ErrPublic) {
				t.Error(err)
			}
			for _, id := range []string{"nobody", ""} {
				if _, err := c.RotateSecret(t.Context(), admin, id); !errors.Is(err, client.ErrUnknown) {
					t.Error(err)
				}
				if err := c.DropOldSecret(t.Context(), admin, id); !errors.Is(err, client.ErrUnknown) {
					t.Error(err)
				}
			}
		})
	})
}

// A confidential client that has lost its secrets must not become one that needs
// none.
func TestDamagedRow(t *testing.T) {
	t.Parallel()
	on := &counted{Table: openBolt(t)}
	c := open(on)
	add(t, c, web("shop"), true)
	key := table.Key{PK: "client#shop", SK: "client"}
	for _, change := range []table.Write{
		table.Update(key, map[string]any{"secret_hashes": []string{}}),
		table.Update(key, map[string]any{"id": "other", "public": true}),
		table.Update(key, map[string]any{"id": "shop"}).Removing("public"),
	} {
		if err := on.Table.Write(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Get(t.Context(), "shop"); err == nil || errors.Is(err, client.ErrUnknown) {
			t.Errorf("%+v %v", got, err)
		}
	}
}
