package authorizer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

// TestSeenBefore is about tokens that were verified before and are not any more.
func TestSeenBefore(t *testing.T) {
	t.Run("S125 a token that was accepted ends with its exp", func(t *testing.T) {
		w := newWorld(t, nil)
		lin := w.rawToken(t, "u_lin", "")
		for range 3 {
			w.expect(t, "GET /", lin, allowed, "")
		}
		w.clock.Pass(10*time.Minute + 29*time.Second)
		w.expect(t, "GET /", lin, allowed, "")
		w.clock.Pass(time.Second)
		w.expect(t, "GET /", lin, refused, token.ReasonExpired)
		w.clock.Pass(-time.Hour)
		w.expect(t, "GET /", lin, refused, token.ReasonNotYetValid)
	})
	t.Run("I4 and with its key", func(t *testing.T) {
		w := newWorld(t, nil)
		lin := w.rawToken(t, "u_lin", "")
		w.expect(t, "GET /", lin, allowed, "")
		w.issuer.publish(tokentest.Next())
		w.clock.Pass(5 * time.Minute)
		w.expect(t, "GET /", lin, refused, token.ReasonKeyUnknown)
	})
	t.Run("I6 another key under the same id does not inherit it", func(t *testing.T) {
		w := newWorld(t, nil)
		lin := w.rawToken(t, "u_lin", "")
		w.expect(t, "GET /", lin, allowed, "")
		w.issuer.says(200, `{"keys":[`+jwk(tokentest.Next().Public(), `"kid":"`+tokentest.Ours().ID()+`"`)+`]}`)
		w.clock.Pass(5 * time.Minute)
		w.expect(t, "GET /", lin, refused, token.ReasonSignature)
	})
	t.Run("I30 what one route allowed says nothing about another", func(t *testing.T) {
		w := newWorld(t, []policy.Rule{{Route: "GET /admin", Roles: []string{"admin"}}, {Route: "GET /notes", Scopes: []string{"notes"}}})
		lin := w.rawToken(t, "u_lin", "user|notes")
		for range 3 {
			w.expect(t, "GET /notes", lin, allowed, "")
			w.expect(t, "GET /admin", lin, refused, authorizer.ReasonRole)
		}
	})
	t.Run("a token tampered with is not the one that was seen", func(t *testing.T) {
		w := newWorld(t, nil)
		lin := w.rawToken(t, "u_lin", "")
		w.expect(t, "GET /", lin, allowed, "")
		for i := 0; i < len(lin); i += 3 {
			changed := []byte(lin)
			changed[i] = '_'
			if string(changed) == lin {
				changed[i] = '-'
			}
			if got, _ := w.call(t, "GET /", string(changed)); got != refused {
				t.Fatalf("accepted with byte %d changed", i)
			}
		}
		w.expect(t, "GET /", lin[:len(lin)-1], refused, token.ReasonMalformed)
	})
	t.Run("it remembers few, and none that it refused", func(t *testing.T) {
		w := newWorld(t, nil)
		for _, row := range tokens() {
			if !row.Genuine() {
				w.call(t, "GET /", asSent(row.RawToken))
			}
		}
		if n := w.Remembered(); n != 0 {
			t.Errorf("%d refused tokens are remembered", n)
		}
		for i := range 800 {
			w.call(t, "GET /", w.rawToken(t, fmt.Sprint("u_", i), ""))
		}
		if n := w.Remembered(); n < 384 || n > 768 {
			t.Errorf("%d tokens are remembered", n)
		}
	})
}

// TestInterleavedUsers lets two users, and a third without a genuine token, go
// through one authorizer at once.
func TestInterleavedUsers(t *testing.T) {
	w := newWorld(t, []policy.Rule{{Route: "GET /admin", Roles: []string{"admin"}}}, func(c *authorizer.Config) { c.Log = silent })
	tokens := map[string]string{"u_lin": w.rawToken(t, "u_lin", "user"), "u_ada": w.rawToken(t, "u_ada", "admin")}
	events := map[string][]byte{}
	for sub, rawToken := range tokens {
		e := httpAPI("Bearer " + rawToken)
		e["routeKey"] = "GET /admin"
		events[sub] = marshal(t, e)
		events[sub+" forged"] = []byte(strings.Replace(string(events[sub]), rawToken, rawToken[:len(rawToken)-8]+"AAAAAAAA", 1))
	}
	want := map[string]string{"u_ada": `"sub":"u_ada"`, "u_lin": `{"isAuthorized":false}`, "u_lin forged": `{"isAuthorized":false}`, "u_ada forged": `{"isAuthorized":false}`}
	t.Run("S128 10,000 requests of two users never meet", func(t *testing.T) {
		var users sync.WaitGroup
		for sub, event := range events {
			users.Go(func() {
				for range 2500 {
					out, err := w.Handle(t.Context(), event)
					if err != nil || !strings.Contains(string(out), want[sub]) {
						t.Errorf("%s: %s, %v", sub, out, err)
						return
					}
				}
			})
		}
		users.Wait()
	})
}

func TestCookies(t *testing.T) {
	withCookie := func(c *authorizer.Config) { c.Cookie, c.Origins = "__Host-token", []string{"https://app.example.com"} }
	w := newWorld(t, nil, withCookie)
	good := w.rawToken(t, "u_lin", "user")
	const ours, theirs = "https://app.example.com", "https://evil.example"
	for _, test := range []struct {
		name    string
		method  string
		cookies []string
		headers map[string]string
		want    authorizer.Reason
	}{
		{"a safe request", "GET", []string{"__Host-token=" + good}, nil, ""},
		{"among others", "GET", []string{"a=b", "__Host-token=" + good, "c=d"}, nil, ""},
		{"a safe request from another page", "GET", []string{"__Host-token=" + good}, map[string]string{"origin": theirs}, ""},
		{"from our page", "POST", []string{"__Host-token=" + good}, map[string]string{"origin": ours}, ""},
		{"from another page", "POST", []string{"__Host-token=" + good}, map[string]string{"origin": theirs}, authorizer.ReasonOrigin},
		{"from nowhere", "DELETE", []string{"__Host-token=" + good}, nil, authorizer.ReasonOrigin},
		{"from null", "POST", []string{"__Host-token=" + good}, map[string]string{"origin": "null"}, authorizer.ReasonOrigin},
		{"from an origin that begins as ours", "POST", []string{"__Host-token=" + good}, map[string]string{"origin": ours + ".evil.example"}, authorizer.ReasonOrigin},
		{"with a method that nobody knows", "PURGE", []string{"__Host-token=" + good}, nil, authorizer.ReasonOrigin},
		{"twice", "GET", []string{"__Host-token=" + good, "__Host-token=" + good}, nil, authorizer.ReasonTokenDoubled},
		{"twice in one line", "GET", []string{"__Host-token=" + good + "; __Host-token=x"}, nil, authorizer.ReasonTokenDoubled},
		{"and a header", "GET", []string{"__Host-token=" + good}, map[string]string{"authorization": "Bearer " + good}, authorizer.ReasonTokenDoubled},
		{"and a header of another scheme", "GET", []string{"__Host-token=" + good}, map[string]string{"authorization": "Basic eA=="}, authorizer.ReasonTokenDoubled},
		{"empty, and a header", "GET", []string{"__Host-token="}, map[string]string{"authorization": "Bearer " + good}, ""},
		{"a header alone, from another page", "POST", nil, map[string]string{"authorization": "Bearer " + good, "origin": theirs}, ""},
		{"empty", "GET", []string{"__Host-token="}, nil, authorizer.ReasonTokenMissing},
		{"another name", "GET", []string{"token=" + good}, nil, authorizer.ReasonTokenMissing},
		{"a name in another case", "GET", []string{"__host-token=" + good}, nil, authorizer.ReasonTokenMissing},
		{"quoted", "GET", []string{`__Host-token="` + good + `"`}, nil, token.ReasonMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := httpAPI("")
			e["cookies"] = test.cookies
			object(object(e, "requestContext"), "http")["method"] = test.method
			for name, value := range test.headers {
				object(e, "headers")[name] = value
			}
			answer, err := w.ask(t, e)
			if line := w.logged(); err != nil || answer["isAuthorized"] != (test.want == "") || reason(line) != test.want {
				t.Errorf("%v, %v, logged %q, want %q", answer, err, line, test.want)
			}

			e = rest("")
			e["httpMethod"] = test.method
			object(e, "multiValueHeaders")["cookie"] = []any{strings.Join(test.cookies, "; ")}
			for name, value := range test.headers {
				object(e, "multiValueHeaders")[name] = []any{value}
			}
			answer, err = w.ask(t, e)
			if line := w.logged(); (outcomeOf(t, e, answer, err) == allowed) != (test.want == "") || reason(line) != test.want {
				t.Errorf("REST: %v, %v, logged %q, want %q", answer, err, line, test.want)
			}
		})
	}
	t.Run("a WebSocket is opened from our pages alone", func(t *testing.T) {
		for origin, want := range map[string]outcome{ours: allowed, theirs: notKnown, "": notKnown} {
			e := connect("")
			object(e, "headers")["Cookie"] = "__Host-token=" + good
			if origin != "" {
				object(e, "headers")["Origin"] = origin
			}
			answer, err := w.ask(t, e)
			if got := outcomeOf(t, e, answer, err); got != want {
				t.Errorf("from %q: %d, want %d", origin, got, want)
			}
		}
	})
	t.Run("before an http.Handler too", func(t *testing.T) {
		for _, test := range []struct {
			method, origin, upgrade string
			status                  int
		}{
			{"GET", "", "", 200},
			{"GET", theirs, "", 200},
			{"GET", theirs, "websocket", 401},
			{"GET", ours, "websocket", 200},
			{"POST", ours, "", 200},
			{"POST", theirs, "", 401},
			{"POST", "", "", 401},
		} {
			r := httptest.NewRequest(test.method, "/notes", nil)
			r.AddCookie(&http.Cookie{Name: "__Host-token", Value: good})
			for name, value := range map[string]string{"Origin": test.origin, "Upgrade": test.upgrade} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			rw := httptest.NewRecorder()
			w.Guard(test.method+" /notes", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(rw, r)
			if rw.Code != test.status {
				t.Errorf("%+v: %d", test, rw.Code)
			}
		}
	})
	t.Run("not configured, no cookie is a token", func(t *testing.T) {
		w := newWorld(t, nil)
		e := httpAPI("")
		e["cookies"] = []string{"__Host-token=" + good, "=" + good}
		if answer, err := w.ask(t, e); err != nil || answer["isAuthorized"] != false {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("a cookie without origins is refused at the start", func(t *testing.T) {
		if _, err := authorizer.New(authorizer.Config{Issuer: issuer, Audience: audience, Keys: token.Keys(), Cookie: "t"}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("and what is no origin", func(t *testing.T) {
		for _, origin := range []string{"", "*", "app.example.com", "https://app.example.com/", "https://a@app.example.com", "ftp://app.example.com", "https://", "null"} {
			c := authorizer.Config{Issuer: issuer, Audience: audience, Keys: token.Keys(), Cookie: "t", Origins: []string{origin}}
			if _, err := authorizer.New(c); err == nil {
				t.Errorf("%q: no error", origin)
			}
		}
	})
	t.Run("so is a fresh route without a feed", func(t *testing.T) {
		p, _ := policy.Compile([]policy.Rule{{Route: "GET /", Fresh: true}})
		if _, err := authorizer.New(authorizer.Config{Issuer: issuer, Audience: audience, Keys: token.Keys(), Policy: p}); err == nil {
			t.Error("no error")
		}
	})
}

func TestSeenBeforeAllocatesNothing(t *testing.T) {
	w := newWorld(t, nil)
	lin := w.rawToken(t, "u_lin", "user|notes")
	again := func() {
		if _, err := w.Verify(t.Context(), lin); err != nil {
			t.Fatal(err)
		}
	}
	again()
	w.clock.Pass(5 * time.Minute)
	again() // with keys fetched again
	if n := testing.AllocsPerRun(100, again); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
