package authorizer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
)

var notesRules = []policy.Rule{
	{Route: "GET /notes/{id}"},
	{Route: "PUT /notes/{id}/history", Roles: []string{"editor"}},
	{Route: "GET /admin", Roles: []string{"admin"}},
	{Route: "ANY /admin/{proxy+}", Roles: []string{"admin"}},
	{Route: "$connect"},
}

func TestIAMAnswers(t *testing.T) {
	w := newWorld(t, notesRules)
	lin, ada := "Bearer "+w.rawToken(t, "u_lin", "user"), "Bearer "+w.rawToken(t, "u_ada", "admin editor")

	t.Run("S119 the whole answer", func(t *testing.T) {
		answer, err := w.ask(t, rest(lin))
		want := map[string]any{
			"principalId": "u_lin",
			"policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{
				map[string]any{"Action": []any{"execute-api:Invoke"}, "Effect": "Allow", "Resource": []any{stage + "GET/notes/?*", stage + "$connect"}},
				map[string]any{"Action": []any{"execute-api:Invoke"}, "Effect": "Deny", "Resource": []any{
					stage + "GET/notes/?*/?*", stage + "*..*", stage + "*/./*", stage + "*/.", stage + "*//*",
					stage + "*%2e*", stage + "*%2E*", stage + "*%2f*", stage + "*%2F*", stage + "*%5c*", stage + "*%5C*",
				}},
			}},
			"context": map[string]any{
				"sub": "u_lin", "name": "Lin", "email": "lin@example.com", "roles": "user", "scope": "", "client_id": "demo-spa", "sid": "s_1", "first_party": "true",
				"auth_time": float64(w.clock.Now().Unix() - 60), "exp": float64(w.clock.Now().Unix() + 600),
			},
		}
		if diff := cmp.Diff(want, answer); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
	for _, kind := range kinds[1:5] {
		w := newWorld(t, notesRules, func(c *authorizer.Config) { c.IAM = kind.iam })
		t.Run("S120 I31 "+kind.name+": the answer for one route is right for every other", func(t *testing.T) {
			for _, caller := range []struct {
				authorization string
				may           map[string]bool
			}{
				{lin, map[string]bool{"GET/notes/1": true, "PUT/notes/1/history": false, "GET/admin": false, "GET/%61dmin": false, "POST/admin/users": false, "POST/%61dmin/users": false,
					"GET/other": false, "GET/notes/1/2": false, "GET/notes/1/../../admin": false, "GET/notes/": false, "PUT/notes/1%2Fhistory": false}},
				{ada, map[string]bool{"GET/notes/1": true, "PUT/notes/1/history": true, "GET/admin": true, "POST/admin/users": true, "GET/other": false}},
			} {
				event := kind.event(caller.authorization)
				answer, err := w.ask(t, event)
				if err != nil {
					t.Fatal(err)
				}
				prefix := stage
				if kind.iam {
					prefix = api + "$default/"
				}
				for request, want := range caller.may {
					if got := invokes(t, answer, prefix+request); got != want {
						t.Errorf("%s: %v, want %v", request, got, want)
					}
				}
				if invokes(t, answer, strings.Replace(prefix, "abcdef1234", "another123", 1)+"GET/notes/1") {
					t.Error("another API is allowed")
				}
			}
		})
	}
	t.Run("S121 nothing of the request is in the answer", func(t *testing.T) {
		quiet, err := w.ask(t, rest(lin))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"notes/*", "*", "?otes/42", "notes/${aws:username}", `notes/"],"Resource":["*`, "notes/42:GET/admin", ""} {
			e := rest(lin)
			e["methodArn"], e["path"] = stage+"GET/"+path, "/"+path
			object(e, "pathParameters")["id"] = path
			answer, err := w.ask(t, e)
			if diff := cmp.Diff(quiet, answer); diff != "" || err != nil {
				t.Errorf("%q: %s%v", path, diff, err)
			}
			e = restToken(lin)
			e["methodArn"] = stage + "GET/" + path
			if answer, err = w.ask(t, e); err != nil || cmp.Diff(quiet, answer) != "" {
				t.Errorf("%q: %v, %v", path, answer, err)
			}
		}
	})
	t.Run("a path with two spellings has an answer that allows nothing", func(t *testing.T) {
		for _, path := range []string{"notes/42/../../admin", "notes/%34%32", "%6Eotes/42", "notes//42", "notes/42/", "./notes/42", "notes%2F42", "notes%2f42", `notes\42`, "notes/4%", "notes/caf%c3%a9"} {
			for _, kind := range kinds[1:5] {
				w := newWorld(t, notesRules, func(c *authorizer.Config) { c.IAM = kind.iam })
				e := kind.event(lin)
				for _, arn := range []string{"methodArn", "routeArn"} {
					if _, has := e[arn]; has {
						e[arn] = stage + "GET/" + path
					}
				}
				answer, err := w.ask(t, e)
				if err != nil || invokes(t, answer, stage+"GET/notes/42") || invokes(t, answer, stage+"GET/"+path) || reason(w.logged()) != authorizer.ReasonPath {
					t.Errorf("%s, %q: %v, %v", kind.name, path, answer, err)
				}
			}
		}
	})
	t.Run("a route that no rule names is refused", func(t *testing.T) {
		e := rest(lin)
		e["methodArn"], e["resource"] = stage+"GET/other", "/other"
		answer, err := w.ask(t, e)
		if err != nil || invokes(t, answer, stage+"GET/other") || !invokes(t, answer, stage+"GET/notes/42") || reason(w.logged()) != authorizer.ReasonUnnamed {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("a path that is not the event's route is refused", func(t *testing.T) {
		e := rest(lin)
		e["resource"] = "/admin"
		answer, err := w.ask(t, e)
		if err != nil || invokes(t, answer, stage+"GET/notes/42") || reason(w.logged()) != authorizer.ReasonRole {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("S117 who is known and not permitted is refused by the policy", func(t *testing.T) {
		e := rest(lin)
		e["methodArn"], e["resource"] = stage+"GET/admin", "/admin"
		answer, err := w.ask(t, e)
		if got := outcomeOf(t, e, answer, err); got != refused || !strings.Contains(w.logged(), `reason=role route="GET /admin"`) {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("S119 who may call nothing has a policy that says so", func(t *testing.T) {
		w := newWorld(t, []policy.Rule{{Route: "$default", Roles: []string{"staff"}}, {Route: "$connect", Roles: []string{"staff"}}})
		for _, kind := range kinds[2:] {
			event := kind.event(lin)
			answer, err := w.ask(t, event)
			if got := outcomeOf(t, event, answer, err); got != refused || answer["principalId"] != "u_lin" {
				t.Errorf("%s: %v, %v", kind.name, answer, err)
			}
			statement := object(answer, "policyDocument")["Statement"]
			want := []any{map[string]any{"Action": []any{"execute-api:Invoke"}, "Effect": "Deny", "Resource": []any{stage + "*"}}}
			if diff := cmp.Diff(want, statement); diff != "" {
				t.Error(diff)
			}
		}
	})
	t.Run("S127 a WebSocket's policy is for its handshake alone", func(t *testing.T) {
		answer, err := w.ask(t, connect(lin))
		if err != nil || !invokes(t, answer, stage+"$connect") || invokes(t, answer, stage+"$disconnect") || invokes(t, answer, stage+"GET/notes/1") {
			t.Errorf("%v, %v", answer, err)
		}
		// A connection outlives its token; who wants to end it in time is told when.
		if object(answer, "context")["exp"] != float64(w.clock.Now().Unix()+600) {
			t.Errorf("context %v", answer["context"])
		}
	})
}

func TestARNs(t *testing.T) {
	w := newWorld(t, nil)
	lin := "Bearer " + w.rawToken(t, "u_lin", "user")
	for _, base := range []string{
		"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/",
		"arn:aws-cn:execute-api:cn-north-1:123456789012:abcdef1234/prod/",
		"arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:abcdef1234/v1/",
		"arn:aws-iso-b:execute-api:us-isob-east-1:123456789012:abcdef1234/$default/",
		"arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/test-invoke-stage/",
	} {
		root := restToken(lin)
		for request, event := range map[string]map[string]any{"GET/notes/1": rest(lin), "GET/": root, "$connect": connect(lin), "GET/notes/a:b:c": httpAPI1(lin)} {
			t.Run("S122 "+base+request, func(t *testing.T) {
				event["methodArn"] = base + request
				answer, err := w.ask(t, event)
				if err != nil || !invokes(t, answer, base+request) || invokes(t, answer, strings.Replace(base, "123456789012", "999999999999", 1)+request) {
					t.Errorf("%v, %v", answer, err)
				}
			})
		}
	}
	for _, arn := range []string{"arn", "arn:aws:lambda:eu-central-1:123456789012:function:x", "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234",
		"arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod", "arn:aws:execute-api:*:123456789012:abcdef1234/prod/GET/",
		"arn:aws:execute-api:eu-central-1:123456789012:*/prod/GET/", "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/*/GET/",
		"arn:aws:execute-api:eu-central-1::abcdef1234/prod/GET/", "arn:aws:execute-api:eu-central-1:123456789012://GET/", ":::::/a/b"} {
		for name, event := range map[string]map[string]any{"REQUEST": rest(lin), "TOKEN": restToken(lin), "$connect": connect(lin)} {
			event["methodArn"] = arn
			if answer, err := w.ask(t, event); err == nil || errors.Is(err, authorizer.ErrUnauthorized) {
				t.Errorf("%s with %s: %v, %v, want an error of our own", name, arn, answer, err)
			}
		}
	}
}

func TestIAMLimits(t *testing.T) {
	long := strings.Repeat("x", 300)
	t.Run("S119 a resource of more than 512 characters is trouble of our own", func(t *testing.T) {
		w := newWorld(t, []policy.Rule{{Route: "GET /" + long + "/" + long, Roles: []string{"admin"}}})
		if answer, err := w.ask(t, rest("Bearer "+w.rawToken(t, "u_ada", "admin"))); err == nil || errors.Is(err, authorizer.ErrUnauthorized) {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("S119 so is an answer of more than 8 KB", func(t *testing.T) {
		var rules []policy.Rule
		for i := range 90 {
			rules = append(rules, policy.Rule{Route: fmt.Sprintf("GET /route-number-%d/with-a-name", i), Roles: []string{"admin"}})
		}
		w := newWorld(t, rules)
		if answer, err := w.ask(t, rest("Bearer "+w.rawToken(t, "u_ada", "admin"))); err == nil || errors.Is(err, authorizer.ErrUnauthorized) {
			t.Errorf("%v, %v", answer, err)
		}
		if _, err := w.ask(t, rest("Bearer "+w.rawToken(t, "u_lin", ""))); err != nil {
			t.Error(err)
		}
	})
}

// TestRESTHeaders is about what only REST and WebSocket events have: two maps of
// headers, spelt as the client spelt them.
func TestRESTHeaders(t *testing.T) {
	w := newWorld(t, nil)
	good := "Bearer " + w.rawToken(t, "u_lin", "user")
	other := "Bearer " + w.rawToken(t, "u_ada", "admin")
	for _, kind := range []struct {
		name  string
		event func(string) map[string]any
	}{{"REST API", rest}, {"WebSocket", connect}} {
		for _, test := range []struct {
			name    string
			headers any
			multi   any
			want    authorizer.Reason
		}{
			{"both maps", map[string]any{"authorization": good}, map[string]any{"authorization": []any{good}}, ""},
			{"one map", map[string]any{"Authorization": good}, nil, ""},
			{"the other map", nil, map[string]any{"AUTHORIZATION": []any{good}}, ""},
			{"two lines, of which the last is in the other map", map[string]any{"Authorization": other}, map[string]any{"Authorization": []any{good, other}}, authorizer.ReasonTokenDoubled},
			{"two lines in two cases", nil, map[string]any{"Authorization": []any{good}, "authorization": []any{good}}, authorizer.ReasonTokenDoubled},
			{"maps that differ", map[string]any{"Authorization": good}, map[string]any{"Authorization": []any{other}}, authorizer.ReasonTokenDoubled},
			{"both null", nil, nil, authorizer.ReasonTokenMissing},
			{"null in the list", nil, map[string]any{"Authorization": []any{nil}}, authorizer.ReasonTokenMissing},
			{"a list of nothing", nil, map[string]any{"Authorization": []any{}}, authorizer.ReasonTokenMissing},
			{"a null list", map[string]any{"Authorization": nil}, map[string]any{"Authorization": nil}, authorizer.ReasonTokenMissing},
		} {
			t.Run("S116 "+kind.name+": "+test.name, func(t *testing.T) {
				e := kind.event("")
				e["headers"], e["multiValueHeaders"] = test.headers, test.multi
				answer, err := w.ask(t, e)
				got := outcomeOf(t, e, answer, err)
				if line := w.logged(); (test.want == "") != (got == allowed) || test.want != "" && got != notKnown || reason(line) != test.want {
					t.Errorf("%v, %v, logged %q, want %q", answer, err, line, test.want)
				}
			})
		}
	}
	for _, kind := range kinds {
		t.Run("S118 "+kind.name+": asked without a token, the answer is that for a bad one", func(t *testing.T) {
			w := newWorld(t, nil, func(c *authorizer.Config) { c.IAM = kind.iam })
			e := kind.event("")
			answer, err := w.ask(t, e)
			if got := outcomeOf(t, e, answer, err); got != kind.bad || reason(w.logged()) != authorizer.ReasonTokenMissing {
				t.Errorf("%v, %v", answer, err)
			}
		})
	}
}

func TestSubprotocols(t *testing.T) {
	w := newWorld(t, nil)
	good := w.rawToken(t, "u_lin", "user")
	for protocols, want := range map[string]authorizer.Reason{
		"bearer, " + good:                       "",
		"bearer," + good:                        "",
		"chat, bearer, " + good + ", v2":        "",
		"chat":                                  authorizer.ReasonTokenMissing,
		"bearer":                                authorizer.ReasonTokenMissing,
		"chat, bearer":                          authorizer.ReasonTokenMissing,
		"bearer,":                               authorizer.ReasonTokenMissing,
		good:                                    authorizer.ReasonTokenMissing,
		"Bearer, " + good:                       "",
		"BEARER," + good:                        "",
		"bearers, " + good:                      authorizer.ReasonTokenMissing,
		"bearer, Bearer, " + good:               authorizer.ReasonTokenDoubled,
		"bearer, bearer, " + good:               authorizer.ReasonTokenDoubled,
		"bearer, " + good + ", bearer, " + good: authorizer.ReasonTokenDoubled,
	} {
		t.Run("S116 "+strings.ReplaceAll(protocols, good, "TOKEN"), func(t *testing.T) {
			e := connect("")
			object(e, "multiValueHeaders")["Sec-WebSocket-Protocol"] = []any{protocols}
			answer, err := w.ask(t, e)
			if line := w.logged(); (want == "") != (outcomeOf(t, e, answer, err) == allowed) || reason(line) != want {
				t.Errorf("%v, %v, logged %q, want %q", answer, err, line, want)
			}
		})
	}
	t.Run("S116 a header and a subprotocol are two tokens", func(t *testing.T) {
		e := connect("Bearer " + good)
		object(e, "multiValueHeaders")["Sec-WebSocket-Protocol"] = []any{"bearer, " + good}
		if _, err := w.ask(t, e); !errors.Is(err, authorizer.ErrUnauthorized) || reason(w.logged()) != authorizer.ReasonTokenDoubled {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("S116 only the handshake of a WebSocket has subprotocols", func(t *testing.T) {
		e := rest("")
		object(e, "multiValueHeaders")["Sec-WebSocket-Protocol"] = []any{"bearer, " + good}
		if _, err := w.ask(t, e); !errors.Is(err, authorizer.ErrUnauthorized) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestUnknownShapes(t *testing.T) {
	w := newWorld(t, nil)
	good := "Bearer " + w.rawToken(t, "u_lin", "user")
	for name, event := range map[string]map[string]any{
		"a TOKEN event without an ARN":    {"type": "TOKEN", "authorizationToken": good},
		"a REQUEST event without a route": {"type": "REQUEST", "methodArn": stage + "GET/", "headers": map[string]any{"Authorization": good}},
		"another route of a WebSocket": {"type": "REQUEST", "methodArn": stage + "sendMessage", "headers": map[string]any{"Authorization": good},
			"requestContext": map[string]any{"routeKey": "sendMessage", "eventType": "MESSAGE"}},
		"a WebSocket's ARN of another route": func() map[string]any { e := connect(good); e["methodArn"] = stage + "$disconnect"; return e }(),
		"payload 2.0 with a method's ARN":    {"version": "2.0", "type": "REQUEST", "methodArn": stage + "GET/", "routeKey": "GET /"},
		"payload 1.0 with a route's ARN":     {"version": "1.0", "type": "REQUEST", "routeArn": stage + "GET/", "resource": "/", "httpMethod": "GET"},
		"a TOKEN event with a version":       {"version": "1.0", "type": "TOKEN", "methodArn": stage + "GET/", "authorizationToken": good},
	} {
		t.Run("S116 "+name, func(t *testing.T) {
			if answer, err := w.ask(t, event); err == nil || errors.Is(err, authorizer.ErrUnauthorized) {
				t.Errorf("%v, %v, want an error of our own", answer, err)
			} else {
				silentAbout(t, good[7:], err.Error()+w.logged())
			}
		})
	}
	t.Run("the default route of payload 1.0", func(t *testing.T) {
		w := newWorld(t, []policy.Rule{{Route: "$default", Roles: []string{"admin"}}})
		e := httpAPI1(good)
		e["resource"] = "$default"
		answer, err := w.ask(t, e)
		if got := outcomeOf(t, e, answer, err); got != refused || !strings.Contains(w.logged(), "route=$default") {
			t.Errorf("%v, %v", answer, err)
		}
	})
}
