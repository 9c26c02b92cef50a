package gateway_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

func TestPrefersTo(t *testing.T) {
	t.Parallel()
	make := func(keys ...string) *gateway.Gateway {
		c := gateway.Config{Template: &gateway.Template{}, Functions: map[string]gateway.Function{"f": func(context.Context, []byte) ([]byte, error) { return nil, nil }}}
		for _, key := range keys {
			c.Template.Routes = append(c.Template.Routes, gateway.Route{Key: key, Function: "f"})
		}
		g, err := gateway.New(c)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	team, login := make("$default", "GET /users", "GET /a/{id}", "POST /token/{x}"), make("GET /users", "POST /token", "GET /a/b", "OPTIONS /token")
	for _, tc := range []struct {
		method, path, asks string
		want               bool
	}{
		{"GET", "/users", "", true}, {"POST", "/token", "", false}, {"GET", "/a/b", "", false}, {"GET", "/a/c", "", true},
		{"GET", "/anything", "", true}, {"OPTIONS", "/token", "POST", false}, {"OPTIONS", "/a/c", "GET", true},
	} {
		r := httptest.NewRequest(tc.method, "/", nil)
		r.URL.Path, r.URL.RawPath = tc.path, tc.path
		if tc.asks != "" {
			r.Header.Set("Origin", "https://app.example")
			r.Header.Set("Access-Control-Request-Method", tc.asks)
		}
		if got := team.PrefersTo(login, r); got != tc.want {
			t.Errorf("%s %s: %v", tc.method, tc.path, got)
		}
	}
}
