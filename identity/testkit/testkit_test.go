package testkit_test

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/testkit"
)

func TestAs(t *testing.T) {
	now := time.Now()
	ada := testkit.As("ada")
	if ada.Subject != "u_ada" || ada.Name != "Ada" || ada.Email != "ada@example.com" || !ada.HasRole("user") || ada.HasRole("admin") || !ada.HasScope("openid") {
		t.Errorf("%#v", ada.Map())
	}
	if !ada.ExpiresAt.After(now) || ada.AuthTime.After(now) {
		t.Error(ada.AuthTime, ada.ExpiresAt)
	}
	lin := testkit.As("lin", testkit.Roles("admin", "editor"), testkit.Scopes("notes:read"), testkit.Client("shop"), testkit.Expired())
	if !lin.HasRole("admin") || lin.HasRole("user") || lin.HasScope("openid") || lin.ClientID != "shop" || lin.ExpiresAt.After(now) {
		t.Errorf("%#v", lin.Map())
	}
	if nobody := testkit.As(""); nobody.Name != "" {
		t.Errorf("%q", nobody.Name)
	}
}

func TestEvents(t *testing.T) {
	ada := testkit.As("ada", testkit.Roles("user", "admin"))
	check := func(t *testing.T) func(identity.Identity, error) {
		return func(who identity.Identity, err error) {
			t.Helper()
			if diff := cmp.Diff(ada, who); diff != "" || err != nil {
				t.Error(diff, err)
			}
		}
	}
	t.Run("HTTP API", func(t *testing.T) {
		e := testkit.HTTP(ada, "POST", "/notes?q=a&q=b", `{"text":"x"}`)
		check(t)(identity.FromEvent(e))
		check(t)(identity.FromEvent(again(t, e)))
		if e.RawPath != "/notes" || e.RouteKey != "POST /notes" || e.RawQueryString != "q=a&q=b" || e.QueryStringParameters["q"] != "a,b" ||
			e.RequestContext.HTTP.Method != "POST" || e.Headers["content-type"] != "application/json" || e.Body != `{"text":"x"}` {
			t.Errorf("%+v", e)
		}
	})
	t.Run("REST API", func(t *testing.T) {
		e := testkit.REST(ada, "GET", "/notes?q=a&q=b", "")
		check(t)(identity.FromEvent(e))
		check(t)(identity.FromEvent(again(t, e)))
		if e.Path != "/notes" || e.HTTPMethod != "GET" || e.QueryStringParameters["q"] != "b" || len(e.MultiValueQueryStringParameters["q"]) != 2 {
			t.Errorf("%+v", e)
		}
	})
	t.Run("WebSocket API", func(t *testing.T) {
		e := testkit.WebSocket(ada, "$connect", "")
		check(t)(identity.FromEvent(e))
		check(t)(identity.FromEvent(again(t, e)))
		if e.RequestContext.EventType != "CONNECT" || testkit.WebSocket(ada, "send", "hi").RequestContext.EventType != "MESSAGE" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("net/http", func(t *testing.T) {
		r := testkit.Request(ada, "POST", "/notes", "{}")
		if who, ok := identity.FromContext(r.Context()); !ok || who.Subject != "u_ada" || r.Header.Get("Content-Type") != "application/json" {
			t.Error(who, ok, r.Header)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		var nobody identity.Identity
		_, http := identity.FromEvent(testkit.HTTP(nobody, "GET", "/", ""))
		_, rest := identity.FromEvent(testkit.REST(nobody, "GET", "/", ""))
		_, ws := identity.FromEvent(testkit.WebSocket(nobody, "$default", ""))
		for _, err := range []error{http, rest, ws} {
			if err != identity.ErrNone {
				t.Error(err)
			}
		}
		if who, ok := identity.FromContext(testkit.Request(nobody, "GET", "/", "").Context()); ok {
			t.Error(who)
		}
	})
}

// again is the event as a function receives it.
func again[E any](t *testing.T, event E) (received E) {
	t.Helper()
	b, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &received); err != nil {
		t.Fatal(err)
	}
	return received
}

// The real authorizer, with keys fetched from the issuer, takes its tokens.
func TestIssuer(t *testing.T) {
	issuer := testkit.NewIssuer(t)
	keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: issuer.JWKSURL()})
	if err != nil {
		t.Fatal(err)
	}
	a, err := authorizer.New(authorizer.Config{
		Issuer: issuer.URL, Audience: issuer.Audience, Keys: keys.Key, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(bearer string) (who identity.Identity, ok bool) {
		t.Helper()
		payload, err := json.Marshal(events.APIGatewayV2CustomAuthorizerV2Request{
			Version: "2.0", Type: "REQUEST", RouteArn: "arn:aws:execute-api:eu-west-1:000000000000:api/$default/GET/notes",
			RouteKey: "GET /notes", RawPath: "/notes", IdentitySource: []string{bearer}, Headers: map[string]string{"authorization": bearer},
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := a.Handle(t.Context(), payload)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			IsAuthorized bool
			Context      map[string]any
		}
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatal(err)
		}
		if !answer.IsAuthorized {
			return who, false
		}
		if who, err = identity.FromMap(answer.Context); err != nil {
			t.Fatal(err)
		}
		return who, true
	}

	ada := testkit.As("ada", testkit.Roles("admin"))
	who, ok := ask(issuer.Bearer(ada))
	if diff := cmp.Diff(ada, who); diff != "" || !ok {
		t.Error(diff, ok)
	}
	if who, ok := ask(issuer.Bearer(testkit.As("ada", testkit.Expired()))); ok {
		t.Error("expired, and let in:", who)
	}
	if who, ok := ask(testkit.NewIssuer(t).Bearer(ada)); ok {
		t.Error("another issuer's, and let in:", who)
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
