package authorizer_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

// reason is the reason in a log line.
func reason(line string) authorizer.Reason {
	_, rest, _ := strings.Cut(line, "reason=")
	name, _, _ := strings.Cut(rest, " ")
	return authorizer.Reason(strings.TrimSpace(name))
}

func TestHTTPAPI(t *testing.T) {
	w := newWorld(t, []policy.Rule{{Route: "GET /admin", Roles: []string{"admin"}}, {Route: "GET /notes", Scopes: []string{"notes:read"}}})
	rawToken := w.rawToken(t, "u_lin", "user editor|openid notes:read")

	t.Run("S123 an answer holds who called, flat and of strings and numbers", func(t *testing.T) {
		answer, err := w.ask(t, httpAPI("Bearer "+rawToken))
		want := map[string]any{"isAuthorized": true, "context": map[string]any{
			"sub": "u_lin", "name": "Lin", "email": "lin@example.com", "roles": "user editor", "scope": "openid notes:read",
			"client_id": "demo-spa", "sid": "s_1", "first_party": "true", "auth_time": float64(w.clock.Now().Unix() - 60), "exp": float64(w.clock.Now().Unix() + 600),
		}}
		if diff := cmp.Diff(want, answer); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if line := w.logged(); line != "" {
			t.Errorf("logged %q", line)
		}
	})
	t.Run("S117 a refusal is a boolean and nothing more, with its reason in the log alone", func(t *testing.T) {
		w.clock.Pass(11 * time.Minute)
		defer w.clock.Pass(-11 * time.Minute)
		out, err := w.Handle(t.Context(), marshal(t, httpAPI("Bearer "+rawToken)))
		if string(out) != `{"isAuthorized":false}` || err != nil {
			t.Errorf("%s, %v", out, err)
		}
		if line := w.logged(); strings.Count(line, "\n") != 1 || !strings.Contains(line, `reason=expired route="GET /notes/{id}" by=30s`) {
			t.Errorf("logged %q", line)
		}
	})
	for _, test := range []struct {
		route string
		want  authorizer.Reason
	}{
		{"GET /admin", authorizer.ReasonRole},
		{"ANY /admin", ""},
		{"GET /notes", ""},
		{"$default", ""},
		{"GET /a b", authorizer.ReasonRoute},
	} {
		t.Run("the policy decides by the event's route key: "+test.route, func(t *testing.T) {
			e := httpAPI("Bearer " + rawToken)
			e["routeKey"] = test.route
			answer, err := w.ask(t, e)
			if line := w.logged(); err != nil || answer["isAuthorized"] != (test.want == "") || reason(line) != test.want {
				t.Errorf("%v, %v, logged %q", answer, err, line)
			}
		})
	}
	t.Run("a missing scope", func(t *testing.T) {
		e := httpAPI("Bearer " + w.rawToken(t, "u_lin", "user|openid"))
		e["routeKey"] = "GET /notes"
		answer, err := w.ask(t, e)
		if line := w.logged(); err != nil || answer["isAuthorized"] != false || !strings.Contains(line, "reason=scope") || !strings.Contains(line, "sub=u_lin") {
			t.Errorf("%v, %v, logged %q", answer, err, line)
		}
	})
	t.Run("S117 a setting makes a refusal the error Unauthorized", func(t *testing.T) {
		w := newWorld(t, nil, func(c *authorizer.Config) { c.UnauthorizedError = true })
		if _, err := w.ask(t, httpAPI("")); err == nil || err.Error() != "Unauthorized" {
			t.Errorf("err = %v", err)
		}
		if _, err := w.ask(t, httpAPI("Bearer "+w.rawToken(t, "u_lin", ""))); err != nil {
			t.Error(err)
		}
		w = newWorld(t, []policy.Rule{{Route: "GET /notes/{id}", Roles: []string{"admin"}}}, func(c *authorizer.Config) { c.UnauthorizedError = true })
		if answer, err := w.ask(t, httpAPI("Bearer "+w.rawToken(t, "u_lin", ""))); err != nil || answer["isAuthorized"] != false {
			t.Errorf("%v, %v: who is known and not permitted is refused", answer, err)
		}
	})
	t.Run("S117 trouble of our own is another error, and is logged", func(t *testing.T) {
		w := newWorld(t, nil)
		w.issuer.says(503, "")
		_, err := w.ask(t, httpAPI("Bearer "+w.rawToken(t, "u_lin", "")))
		if err == nil || errors.Is(err, authorizer.ErrUnauthorized) || !strings.Contains(w.logged(), "level=ERROR") {
			t.Errorf("err = %v", err)
		}
	})
}

func marshal(t testing.TB, event map[string]any) []byte {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// TestHeaders is the table of where a token may be, and where not.
func TestHeaders(t *testing.T) {
	w := newWorld(t, nil)
	good := w.rawToken(t, "u_lin", "user")
	for _, test := range []struct {
		name    string
		headers any
		want    authorizer.Reason // "": accepted
	}{
		{"as it should be", map[string]any{"authorization": "Bearer " + good}, ""},
		{"scheme in lower case", map[string]any{"authorization": "bearer " + good}, ""},
		{"scheme in upper case", map[string]any{"authorization": "BEARER " + good}, ""},
		{"header key in another case", map[string]any{"Authorization": "Bearer " + good}, ""},
		{"header key in capitals", map[string]any{"AUTHORIZATION": "Bearer " + good}, ""},
		{"a space before", map[string]any{"authorization": " Bearer " + good}, authorizer.ReasonScheme},
		{"two spaces", map[string]any{"authorization": "Bearer  " + good}, ""},
		{"many spaces", map[string]any{"authorization": "bearer      " + good}, ""},
		{"a space behind it", map[string]any{"authorization": "Bearer " + good + " "}, token.ReasonMalformed},
		{"a tab", map[string]any{"authorization": "Bearer \t" + good}, token.ReasonMalformed},
		{"two spaces and two tokens", map[string]any{"authorization": "Bearer  " + good + " " + good}, authorizer.ReasonTokenDoubled},
		{"a space behind", map[string]any{"authorization": "Bearer " + good + " "}, token.ReasonMalformed},
		{"no header", map[string]any{}, authorizer.ReasonTokenMissing},
		{"headers are null", nil, authorizer.ReasonTokenMissing},
		{"the header is null", map[string]any{"authorization": nil}, authorizer.ReasonTokenMissing},
		{"the header is empty", map[string]any{"authorization": ""}, authorizer.ReasonTokenMissing},
		{"the scheme alone", map[string]any{"authorization": "Bearer"}, authorizer.ReasonTokenMissing},
		{"the scheme and a space", map[string]any{"authorization": "Bearer "}, authorizer.ReasonTokenMissing},
		{"no scheme", map[string]any{"authorization": good}, authorizer.ReasonScheme},
		{"no space", map[string]any{"authorization": "Bearer" + good}, authorizer.ReasonScheme},
		{"a colon", map[string]any{"authorization": "Bearer:" + good}, authorizer.ReasonScheme},
		{"a tab", map[string]any{"authorization": "Bearer\t" + good}, authorizer.ReasonScheme},
		{"a no-break space", map[string]any{"authorization": "Bearer\u00a0" + good}, authorizer.ReasonScheme},
		{"Basic", map[string]any{"authorization": "Basic " + good}, authorizer.ReasonScheme},
		{"DPoP", map[string]any{"authorization": "DPoP " + good}, authorizer.ReasonScheme},
		{"quoted", map[string]any{"authorization": `Bearer "` + good + `"`}, token.ReasonMalformed},
		{"base64 of a token", map[string]any{"authorization": "Bearer " + tokentest.Encode(good)}, token.ReasonMalformed},
		{"a tab behind", map[string]any{"authorization": "Bearer " + good + "\t"}, token.ReasonMalformed},
		{"a line feed behind", map[string]any{"authorization": "Bearer " + good + "\n"}, token.ReasonMalformed},
		{"two tokens", map[string]any{"authorization": "Bearer " + good + " " + good}, authorizer.ReasonTokenDoubled},
		{"two headers, joined", map[string]any{"authorization": "Bearer " + good + ",Bearer " + good}, authorizer.ReasonTokenDoubled},
		{"two headers, joined, the second Basic", map[string]any{"authorization": "Bearer " + good + ", Basic eA=="}, authorizer.ReasonTokenDoubled},
		{"two headers, joined, the first Basic", map[string]any{"authorization": "Basic eA==, Bearer " + good}, authorizer.ReasonScheme},
		{"an empty header joined", map[string]any{"authorization": "Bearer " + good + ","}, authorizer.ReasonTokenDoubled},
		{"two headers in two cases", map[string]any{"authorization": "Bearer " + good, "Authorization": "Bearer " + good}, authorizer.ReasonTokenDoubled},
		{"another header's name", map[string]any{"x-authorization": "Bearer " + good}, authorizer.ReasonTokenMissing},
		{"an underscore", map[string]any{"authorization_": "Bearer " + good, "x_authorization": "Bearer " + good}, authorizer.ReasonTokenMissing},
		{"a cookie that nobody asked for", map[string]any{"cookie": "token=" + good}, authorizer.ReasonTokenMissing},
	} {
		t.Run("S116 "+test.name, func(t *testing.T) {
			e := httpAPI("")
			e["headers"] = test.headers
			answer, err := w.ask(t, e)
			if line := w.logged(); err != nil || answer["isAuthorized"] != (test.want == "") || reason(line) != test.want {
				t.Errorf("%v, %v, logged %q, want reason %q", answer, err, line, test.want)
			}
		})
	}
	t.Run("S116 a token in the query or in a cookie is none", func(t *testing.T) {
		e := httpAPI("")
		e["rawQueryString"] = "access_token=" + good
		e["queryStringParameters"] = map[string]any{"access_token": good, "authorization": "Bearer " + good}
		e["cookies"] = []string{"authorization=" + good}
		e["identitySource"] = []string{"Bearer " + good}
		e["authorizationToken"] = "Bearer " + good
		answer, err := w.ask(t, e)
		if err != nil || answer["isAuthorized"] != false {
			t.Errorf("%v, %v", answer, err)
		}
	})
}

func TestMalformedEvents(t *testing.T) {
	w := newWorld(t, nil)
	good := w.rawToken(t, "u_lin", "user")
	for name, change := range map[string]func(e map[string]any){
		"a later version":        func(e map[string]any) { e["version"] = "3.0" },
		"no version":             func(e map[string]any) { delete(e, "version") },
		"no type":                func(e map[string]any) { delete(e, "type") },
		"no route":               func(e map[string]any) { delete(e, "routeKey") },
		"no ARN":                 func(e map[string]any) { delete(e, "routeArn") },
		"a version that is none": func(e map[string]any) { e["version"] = 2.0 },
		"headers in a list":      func(e map[string]any) { e["headers"] = []string{"Bearer " + good} },
		"a header that is a list": func(e map[string]any) {
			e["headers"] = map[string]any{"authorization": []string{"Bearer " + good}}
		},
	} {
		t.Run("S116 "+name, func(t *testing.T) {
			e := httpAPI("Bearer " + good)
			change(e)
			if answer, err := w.ask(t, e); err == nil || errors.Is(err, authorizer.ErrUnauthorized) {
				t.Errorf("%v, %v, want an error of our own", answer, err)
			} else {
				silentAbout(t, good, err.Error()+w.logged())
			}
		})
	}
	for name, payload := range map[string]string{
		"nothing": "", "null": "null", "a number": "1", "a list": "[]", "a warm-up event with an ARN": `{"warmer":true,"methodArn":"x"}`, "no JSON": "Bearer " + good, "cut short": `{"version":"2.0"`,
		"a request of the API itself": `{"version":"2.0","routeKey":"GET /","rawPath":"/","headers":{"authorization":"Bearer ` + good + `"}}`,
	} {
		t.Run("S116 "+name, func(t *testing.T) {
			if out, err := w.Handle(t.Context(), []byte(payload)); err == nil || out != nil {
				t.Errorf("%s, %v", out, err)
			} else {
				silentAbout(t, good, err.Error()+w.logged())
			}
		})
	}
}

// An event that keeps the function warm is nothing to report.
func TestWarmUp(t *testing.T) {
	w := newWorld(t, nil)
	for _, payload := range []string{`{}`, `{"source":"serverless-plugin-warmup"}`, `{"warmer":true,"concurrency":3}`} {
		if out, err := w.Handle(t.Context(), []byte(payload)); err != nil || string(out) != `{}` || w.logged() != "" {
			t.Errorf("%s: %s, %v", payload, out, err)
		}
	}
}

// silentAbout fails the test if the text holds a part of the token.
func silentAbout(t testing.TB, rawToken, text string) {
	t.Helper()
	for segment := range strings.SplitSeq(rawToken, ".") {
		if len(segment) > 8 && strings.Contains(text, segment[:min(len(segment), 20)]) {
			t.Errorf("S124 a part of the token in %q", text)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := authorizer.Config{Issuer: issuer, Audience: audience, Keys: token.Keys()}
	if _, err := authorizer.New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*authorizer.Config){
		"I11 no audience": func(c *authorizer.Config) { c.Audience = "" },
		"no issuer":       func(c *authorizer.Config) { c.Issuer = "" },
		"no keys":         func(c *authorizer.Config) { c.Keys = nil },
		"a policy that IAM cannot say": func(c *authorizer.Config) {
			c.IAM = true
			c.Policy, _ = policy.Compile([]policy.Rule{{Route: "ANY /a/{proxy+}"}, {Route: "GET /a/b", Roles: []string{"x"}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			spoil(&c)
			if a, err := authorizer.New(c); err == nil || a != nil {
				t.Error("no error")
			}
		})
	}
}

func TestLeeway(t *testing.T) {
	for leeway, want := range map[time.Duration]bool{0: true, -1: false, time.Minute: true} {
		w := newWorld(t, nil, func(c *authorizer.Config) { c.Leeway = leeway })
		rawToken := w.rawToken(t, "u_lin", "")
		w.clock.Pass(10*time.Minute + 29*time.Second)
		if answer, err := w.ask(t, httpAPI("Bearer "+rawToken)); err != nil || answer["isAuthorized"] != want {
			t.Errorf("leeway %v: %v, %v", leeway, answer, err)
		}
	}
}
