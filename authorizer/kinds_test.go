package authorizer_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
)

// The parts of an ARN in the events of this package.
const (
	api   = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/"
	stage = api + "prod/"
)

// rest is a REQUEST event of a REST API for GET /notes/{id}.
func rest(authorization string) map[string]any {
	e := map[string]any{
		"type": "REQUEST", "methodArn": stage + "GET/notes/42", "resource": "/notes/{id}", "path": "/notes/42", "httpMethod": "GET",
		"headers":               map[string]any{"Accept": "*/*", "Host": "api.example.com"},
		"multiValueHeaders":     map[string]any{"Accept": []any{"*/*"}, "Host": []any{"api.example.com"}},
		"queryStringParameters": map[string]any{}, "pathParameters": map[string]any{"id": "42"}, "stageVariables": nil,
		"requestContext": map[string]any{"stage": "prod", "resourcePath": "/notes/{id}", "httpMethod": "GET", "apiId": "abcdef1234"},
	}
	if authorization != "" {
		object(e, "headers")["Authorization"] = authorization
		object(e, "multiValueHeaders")["Authorization"] = []any{authorization}
	}
	return e
}

// restToken is a TOKEN event of a REST API.
func restToken(authorization string) map[string]any {
	return map[string]any{"type": "TOKEN", "methodArn": stage + "GET/notes/42", "authorizationToken": authorization}
}

// httpAPI1 is an event of an HTTP API, payload 1.0.
func httpAPI1(authorization string) map[string]any {
	e := rest(authorization)
	e["version"], e["identitySource"], e["authorizationToken"] = "1.0", authorization, authorization
	return e
}

// connect is the handshake of a WebSocket.
func connect(authorization string) map[string]any {
	e := rest(authorization)
	delete(e, "resource")
	delete(e, "httpMethod")
	delete(e, "path")
	e["methodArn"] = stage + "$connect"
	e["requestContext"] = map[string]any{"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c", "apiId": "abcdef1234", "stage": "prod"}
	return e
}

// browserConnect is the handshake as a page in a browser can make it.
func browserConnect(authorization string) map[string]any {
	e := connect("")
	if rawToken, ok := strings.CutPrefix(authorization, "Bearer "); ok {
		object(e, "headers")["Sec-WebSocket-Protocol"] = "chat, bearer, " + rawToken
		object(e, "multiValueHeaders")["Sec-WebSocket-Protocol"] = []any{"chat, bearer, " + rawToken}
	}
	return e
}

// outcome is what a client would see.
type outcome int

const (
	allowed  outcome = 200
	notKnown         = outcome(http.StatusUnauthorized) // who calls is not known
	refused          = outcome(http.StatusForbidden)
	failed           = outcome(http.StatusInternalServerError)
)

// kinds is every kind of event.
var kinds = []struct {
	name  string
	event func(authorization string) map[string]any
	iam   bool    // needs Config.IAM
	bad   outcome // what a refused token ends in
}{
	{"HTTP API, simple answers", httpAPI, false, refused},
	{"HTTP API, IAM answers", httpAPI, true, refused},
	{"HTTP API, payload 1.0", httpAPI1, false, refused},
	{"REST API, TOKEN", restToken, false, notKnown},
	{"REST API, REQUEST", rest, false, notKnown},
	{"WebSocket, header", connect, false, notKnown},
	{"WebSocket, subprotocol", browserConnect, false, notKnown},
}

// outcomeOf tells what the gateway would answer to a request for the event's own
// route.
func outcomeOf(t testing.TB, event, answer map[string]any, err error) outcome {
	t.Helper()
	switch {
	case err != nil && err.Error() == "Unauthorized":
		return notKnown
	case err != nil:
		return failed
	case answer["policyDocument"] == nil:
		if answer["isAuthorized"] == true {
			return allowed
		}
		return refused
	}
	arn, ok := event["routeArn"].(string)
	if !ok {
		arn = event["methodArn"].(string)
	}
	if invokes(t, answer, arn) {
		return allowed
	}
	return refused
}

// TestEveryKindOfEvent sends the whole table of tokens through every kind.
func TestEveryKindOfEvent(t *testing.T) {
	for _, kind := range kinds {
		users := newWorld(t, nil, func(c *authorizer.Config) { c.IAM = kind.iam })
		machines := newWorld(t, forMachines, func(c *authorizer.Config) { c.IAM = kind.iam })
		for _, row := range tokens() {
			w := users
			if row.Name == aMachine {
				w = machines
			}
			// What follows the first dot of a list of subprotocols is another one.
			if kind.name == "WebSocket, subprotocol" && strings.ContainsAny(row.RawToken, ", \t") {
				continue
			}
			row.RawToken = asSent(row.RawToken)
			t.Run("S115 "+kind.name+": "+row.Name, func(t *testing.T) {
				event := kind.event("Bearer " + row.RawToken)
				answer, err := w.ask(t, event)
				line := w.logged()
				got := outcomeOf(t, event, answer, err)
				switch {
				case row.Genuine() && (got != allowed || line != "" || object(answer, "context")["sub"] != "u_lin"):
					t.Errorf("%v, %v, logged %q", answer, err, line)
				case !row.Genuine() && (got != kind.bad || object(answer, "context")["sub"] != nil):
					t.Errorf("%v, %v, want %d", answer, err, kind.bad)
				case !row.Genuine() && (strings.Count(line, "\n") != 1 || reason(line) == ""):
					t.Errorf("logged %q, want one line with a reason", line)
				}
				if got != allowed {
					silentAbout(t, row.RawToken, line)
				}
				if err != nil && !errors.Is(err, authorizer.ErrUnauthorized) {
					t.Error(err)
				}
			})
		}
		if n := users.issuer.fetches.Load(); n != 1 {
			t.Errorf("%s: %d fetches of the key set, want one", kind.name, n)
		}
	}
}

// asSent is the text of a token behind "Bearer ", where a space before it would
// be a second one between the two words. A tab is not.
func asSent(rawToken string) string {
	if rest, ok := strings.CutPrefix(rawToken, " "); ok {
		return "\t" + rest
	}
	return rawToken
}

// TestMiddleware sends the table through net/http.
func TestMiddleware(t *testing.T) {
	w := newWorld(t, []policy.Rule{{Route: "GET /admin", Roles: []string{"admin"}}, {Route: "GET /notes/{id}", Scopes: []string{"notes:read"}},
		{Route: "DELETE /me", MaxAuthAge: policy.Span(10 * time.Minute)}, {Route: "POST /pay", MaxAuthAge: policy.Span(time.Minute)}})
	hello := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		who, ok := identity.FromContext(r.Context())
		if !ok {
			t.Error("nobody in the context")
		}
		rw.Write([]byte(who.Subject))
		clear(who.Roles) // must not be felt by the next
	})
	serve := func(route string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/notes/42?access_token="+w.rawToken(t, "u_lin", ""), nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		rw := httptest.NewRecorder()
		w.Guard(route, hello).ServeHTTP(rw, r)
		return rw
	}
	for _, row := range tokens() {
		t.Run("S115 "+row.Name, func(t *testing.T) {
			route := "GET /notes"
			if row.Name == aMachine {
				route = "GET /notes/{id}"
			}
			row.RawToken = asSent(row.RawToken)
			rw := serve(route, "Authorization", "Bearer "+row.RawToken)
			line := w.logged()
			if row.Genuine() != (rw.Code == 200) || row.Genuine() != (rw.Body.String() == "u_lin") || row.Genuine() != (line == "") {
				t.Errorf("%d %s, logged %q", rw.Code, rw.Body, line)
			}
			if !row.Genuine() && (rw.Code != 401 || rw.Body.String() != `{"message":"Unauthorized"}` || !strings.HasPrefix(rw.Header().Get("WWW-Authenticate"), "Bearer")) {
				t.Errorf("%d %s %v", rw.Code, rw.Body, rw.Header())
			}
			if !row.Genuine() {
				silentAbout(t, row.RawToken, line+rw.Body.String())
			}
		})
	}
	admin := "Bearer " + w.rawToken(t, "u_ada", "admin")
	w.clock.Pass(time.Second)
	old := admin // w.rawToken's sign-in was a minute before
	for _, test := range []struct {
		name      string
		route     string
		headers   []string
		status    int
		challenge string
	}{
		{"no token", "GET /notes", nil, 401, "Bearer"},
		{"two headers", "GET /notes", []string{"Authorization", admin, "Authorization", admin}, 401, `Bearer error="invalid_token"`},
		{"a subprotocol outside of a handshake", "GET /notes", []string{"Sec-WebSocket-Protocol", "bearer, " + admin[7:]}, 401, "Bearer"},
		{"a subprotocol in a handshake", "$connect", []string{"Upgrade", "WebSocket", "Sec-WebSocket-Protocol", "bearer, " + admin[7:]}, 200, ""},
		{"the role", "GET /admin", []string{"Authorization", admin}, 200, ""},
		{"the role again", "GET /admin", []string{"Authorization", admin}, 200, ""},
		{"not the role", "GET /admin", []string{"Authorization", "Bearer " + w.rawToken(t, "u_lin", "user")}, 403, `Bearer error="insufficient_scope"`},
		{"a recent sign-in", "DELETE /me", []string{"Authorization", admin}, 200, ""},
		{"a sign-in that is too old", "POST /pay", []string{"Authorization", old}, 401, `Bearer error="insufficient_user_authentication", error_description="A more recent sign-in is required", max_age="60"`},
		{"a machine", "GET /notes", []string{"Authorization", "Bearer " + w.machineToken(t, "notes:read")}, 403, `Bearer error="insufficient_scope"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			rw := serve(test.route, test.headers...)
			if rw.Code != test.status || rw.Header().Get("WWW-Authenticate") != test.challenge {
				t.Errorf("%d %v", rw.Code, rw.Header())
			}
		})
	}
	t.Run("trouble of our own", func(t *testing.T) {
		w := newWorld(t, nil)
		w.issuer.says(503, "")
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", admin)
		rw := httptest.NewRecorder()
		w.Guard("GET /", hello).ServeHTTP(rw, r)
		if rw.Code != 500 || !strings.Contains(w.logged(), "level=ERROR") {
			t.Errorf("%d %s", rw.Code, rw.Body)
		}
	})
}

// invokes judges an ARN by the policy of an answer as IAM does: an explicit Deny
// wins, then an Allow, and without either nothing is allowed. It fails the test
// for an answer that API Gateway would not take.
func invokes(t testing.TB, answer map[string]any, arn string) bool {
	t.Helper()
	document := object(answer, "policyDocument")
	if id, _ := answer["principalId"].(string); id == "" {
		t.Errorf("S119 principalId %v", answer["principalId"])
	}
	statements, _ := document["Statement"].([]any)
	if document["Version"] != "2012-10-17" || len(statements) == 0 {
		t.Errorf("S119 policy %v", document)
	}
	effects := map[string]bool{}
	for _, s := range statements {
		s := s.(map[string]any)
		resources, _ := s["Resource"].([]any)
		if fmt.Sprint(s["Action"]) != "[execute-api:Invoke]" || len(resources) == 0 || len(s) != 3 {
			t.Errorf("S119 statement %v", s)
		}
		for _, resource := range resources {
			if len(resource.(string)) > 512 {
				t.Errorf("S119 resource of %d characters", len(resource.(string)))
			}
			if glob(resource.(string), arn) {
				effects[s["Effect"].(string)] = true
			}
		}
	}
	return effects["Allow"] && !effects["Deny"]
}

// glob matches text as IAM does: * for any characters, ? for one.
func glob(pattern, text string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for i := range len(text) + 1 {
				if glob(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case text == "" || pattern[0] != '?' && pattern[0] != text[0]:
			return false
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}
