package client_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

func TestHasSecret(t *testing.T) {
	two := client.Client{SecretHashes: []string{client.HashSecret("old"), client.HashSecret("new")}}
	for _, tt := range []struct {
		name   string
		c      client.Client
		secret string
		want   bool
	}{
		{"its secret", client.Client{Secret: "s3cret"}, "s3cret", true},
		{"another", client.Client{Secret: "s3cret"}, "s3cre", false},
		{"none presented", client.Client{Secret: "s3cret"}, "", false},
		{"the older of two live secrets", two, "old", true},
		{"the newer of two live secrets", two, "new", true},
		{"the hash itself", two, client.HashSecret("new"), false},
		{"nothing, to a public client", client.Client{}, "", false},
		{"nothing, where the secret was never resolved", client.Client{SecretEnv: "X"}, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.c.HasSecret(tt.secret); got != tt.want {
				t.Errorf("HasSecret(%q) = %v", tt.secret, got)
			}
		})
	}
}

func TestPublic(t *testing.T) {
	for _, c := range []client.Client{{Secret: "x"}, {SecretEnv: "X"}, {SecretHashes: []string{"h"}}} {
		if c.Public() {
			t.Errorf("%+v is public", c)
		}
	}
	if !(client.Client{}).Public() {
		t.Error("a client without a secret is not public")
	}
}

func TestSecretDoesNotPrint(t *testing.T) {
	c := client.Client{ID: "a", Secret: "hunter2"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, c); s == "" || strings.Contains(s, "hunter2") {
			t.Errorf("%s prints %s", format, s)
		}
	}
}

func TestList(t *testing.T) {
	l := client.List{
		{ID: "spa", Origins: []string{"https://a.test"}},
		{ID: "web", Secret: "x", Origins: []string{"https://b.test"}},
	}
	if c, err := l.Lookup(t.Context(), "web"); err != nil || c.ID != "web" {
		t.Errorf("Lookup(web) = %v, %v", c.ID, err)
	}
	for _, id := range []string{"", "WEB", "other"} {
		if _, err := l.Lookup(t.Context(), id); !errors.Is(err, client.ErrUnknown) {
			t.Errorf("Lookup(%q): %v", id, err)
		}
	}
	for origin, want := range map[string]bool{"https://a.test": true, "https://b.test": false, "null": false, "": false, "https://A.test": false} {
		if got, err := l.AllowsOrigin(t.Context(), origin); err != nil || got != want {
			t.Errorf("AllowsOrigin(%q) = %v, %v", origin, got, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	c := client.Client{ID: "shop"}
	if !c.MayUse(client.GrantCode) || c.MayUse(client.GrantRefresh) {
		t.Error("a client without grants has authorization_code alone")
	}
	if got := fmt.Sprint(c.AllowedScopes()); got != "[openid profile email]" {
		t.Errorf("AllowedScopes() = %s", got)
	}
	third := client.Client{ID: "ext", ThirdParty: true, Scopes: []string{"openid", client.ScopeAccount}}
	if got := fmt.Sprint(third.AllowedScopes()); got != "[openid]" {
		t.Errorf("a third-party client's AllowedScopes() = %s", got)
	}
	if got := third.Problems(client.Limits{Scopes: third.Scopes}); !slices.ContainsFunc(got, func(p client.Problem) bool { return p.Field == "scopes[2]" }) {
		t.Errorf("a third-party client with the scope account is registered: %v", got)
	}
	if c.DisplayName() != "shop" || (client.Client{ID: "a", Name: "A"}).DisplayName() != "A" {
		t.Error("a client without a name is called by its id")
	}
}

func TestAllowedAudiences(t *testing.T) {
	for want, c := range map[string]client.Client{
		"[usual]": {ID: "a"},
		"[x y]":   {ID: "a", Audiences: []string{"x", "y"}},
	} {
		if got := fmt.Sprint(c.AllowedAudiences("usual")); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestLifetimesWithin(t *testing.T) {
	most := client.Lifetimes{AccessToken: 10 * time.Minute, RefreshToken: time.Hour, RefreshIdle: time.Hour}
	got := client.Lifetimes{AccessToken: time.Hour, RefreshToken: time.Minute}.Within(most)
	if want := (client.Lifetimes{AccessToken: 10 * time.Minute, RefreshToken: time.Minute, RefreshIdle: time.Hour}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRef(t *testing.T) {
	old, anew, ours := client.Client{ID: "a", Registration: "1"}, client.Client{ID: "a", Registration: "2"}, client.Client{ID: "a"}
	if old.Ref() == anew.Ref() || old.Ref() == ours.Ref() || ours.Ref() != "a" {
		t.Errorf("%s %s %s", old.Ref(), anew.Ref(), ours.Ref())
	}
	for _, c := range []client.Client{old, anew, ours} {
		if client.IDOf(c.Ref()) != "a" {
			t.Errorf("%s is %s", c.Ref(), client.IDOf(c.Ref()))
		}
	}
}
