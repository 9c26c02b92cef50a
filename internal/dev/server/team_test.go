package server_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

// echo is a Lambda function that answers with what the authorizer said of the
// caller. It needs no module.
const echo = `package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
)

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(base + "next")
		if err != nil {
			return
		}
		var event struct{ RequestContext struct{ Authorizer map[string]any } }
		raw, _ := io.ReadAll(next.Body)
		json.Unmarshal(raw, &event)
		body, _ := json.Marshal(map[string]any{"greeting": "hello", "authorizer": event.RequestContext.Authorizer, "table": os.Getenv("TABLE")})
		out, _ := json.Marshal(map[string]any{"statusCode": 200, "body": string(body)})
		http.Post(base+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "", bytes.NewReader(out))
	}
}
`

const teamTemplate = `
service: shop
provider:
  name: aws
  runtime: provided.al2023
  httpApi:
    cors: {allowedOrigins: ['https://app.example'], allowedHeaders: [authorization]}
    authorizers:
      gatehouse:
        type: request
        functionArn: ${ssm:/gatehouse/prod/stack/authorizer}
        identitySource: [$request.header.Authorization, $context.routeKey]
        enableSimpleResponses: true
        resultTtlInSeconds: 60
functions:
  orders:
    handler: bootstrap
    package: {artifact: dist/orders.zip}
    environment: {TABLE: !Ref Orders}
    events:
      - httpApi: {method: get, path: /orders, authorizer: {name: gatehouse}}
      - httpApi: {method: get, path: /demo/hello, authorizer: {name: gatehouse}}
      - http: {method: get, path: old, authorizer: {arn: x, type: request}}
      - sqs: arn
  absent:
    handler: app.handler
    runtime: python3.13
    events: [{httpApi: GET /absent}]
`

// output is what people read. It is safe for concurrent use.
type output struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// teamFolder is a folder with a team's template and gatehouse.yml. Its functions
// have no code: they answer 501.
func teamFolder(t *testing.T, template, configuration string) (dir string, o server.Options, out *output) {
	t.Helper()
	dir, out = t.TempDir(), &output{}
	put(t, dir, "serverless.yml", template)
	put(t, dir, "gatehouse.yml", configuration)
	return dir, server.Options{Template: filepath.Join(dir, "serverless.yml"), Config: filepath.Join(dir, "gatehouse.yml"), Output: out}, out
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTeamsOwnFunctions(t *testing.T) {
	t.Parallel()
	dir, o, out := teamFolder(t, teamTemplate, "routes:\n  - {route: GET /old, roles: [user]}\n  - {route: GET /demo/hello, roles: [admin]}\n  - {route: GET /nowhere, roles: [admin]}\n")
	put(t, dir, "go.mod", "module example.com/shop\n\ngo 1.26\n")
	put(t, dir, "functions/orders/main.go", echo)
	s := running(t, o)
	lin, ada := tokens(t, s, "lin").AccessToken, tokens(t, s, "ada").AccessToken

	t.Run("a function gets the real event", func(t *testing.T) {
		got := ask(t, "GET", s.Issuer+"/orders", lin).json(t)
		who := got["authorizer"].(map[string]any)["lambda"].(map[string]any)
		if got["greeting"] != "hello" || who["name"] != "Lin" || got["table"] != "Orders" {
			t.Errorf("%v", got)
		}
	})
	t.Run("so does that of a REST API, below its stage", func(t *testing.T) {
		answer := ask(t, "GET", s.REST+"/old", lin)
		if answer.status != 200 {
			t.Fatalf("%+v", answer)
		}
		got := answer.json(t)
		if who := got["authorizer"].(map[string]any); who["name"] != "Lin" || s.REST != s.Issuer+"/dev" {
			t.Errorf("%v %s", got, s.REST)
		}
	})
	t.Run("the team's route hides Gatehouse's, and its rule counts", func(t *testing.T) {
		if got := ask(t, "GET", s.Issuer+"/demo/hello", ada).json(t); got["greeting"] != "hello" {
			t.Errorf("%v", got)
		}
		if got := ask(t, "GET", s.Issuer+"/demo/hello", lin); got.status != 403 {
			t.Errorf("%d", got.status)
		}
		if got := ask(t, "GET", s.Issuer+"/me", lin); got.status != 200 {
			t.Errorf("Gatehouse's own route: %d", got.status)
		}
	})
	t.Run("the cors block is the team's alone", func(t *testing.T) {
		preflight := []string{"Origin", "https://app.example", "Access-Control-Request-Method", "GET"}
		if got := ask(t, "OPTIONS", s.Issuer+"/orders", "", preflight...); got.status != 204 || got.header.Get("Access-Control-Allow-Origin") != "https://app.example" {
			t.Errorf("%+v", got)
		}
		if got := ask(t, "GET", s.Issuer+"/demo/admin", ada, preflight...); got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("what dev leaves out is told", func(t *testing.T) {
		all := strings.Join(s.Findings, "\n")
		for _, want := range []string{"function orders: dev sends it no sqs events", `function absent: runtime "python3.13" is not run here`,
			"GET /demo/hello is a route of Gatehouse, too", `route "GET /nowhere"`} {
			if !strings.Contains(all, want) {
				t.Errorf("%q is missing in:\n%s", want, all)
			}
		}
		if got := ask(t, "GET", s.Issuer+"/absent", ""); got.status != 501 {
			t.Errorf("%d", got.status)
		}
	})
	t.Run("a function that does not build is AWS's status and a reason", func(t *testing.T) {
		put(t, dir, "functions/orders/main.go", "package main\n\nfunc main() { oops }\n")
		got := ask(t, "GET", s.Issuer+"/orders", lin)
		if got.status != 500 || got.body != `{"message":"Internal Server Error"}` || !strings.Contains(got.header.Get("X-Gatehouse-Reason"), "orders does not build") {
			t.Errorf("%+v", got)
		}
		if !strings.Contains(out.String(), "orders | ./main.go:3:15: undefined: oops") {
			t.Errorf("%s", out)
		}
		if got := ask(t, "GET", s.Issuer+"/me", lin); got.status != 200 {
			t.Errorf("dev does not go on: %+v", got)
		}
	})
}

func TestFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	dir, o, out := teamFolder(t, teamTemplate, "routes: []\n")
	s := running(t, o)
	lin := tokens(t, s, "lin").AccessToken
	status := func() int { return ask(t, "GET", s.Issuer+"/orders", lin).status }
	becomes := func(want int, told string) {
		t.Helper()
		for range 100 {
			if status() == want && strings.Contains(out.String(), told) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Errorf("%d, want %d; told:\n%s", status(), want, out)
	}
	becomes(501, "")
	put(t, dir, "gatehouse.yml", "routes:\n  - {route: GET /orders, roles: [admin]}\n")
	becomes(403, "read again")
	put(t, dir, "gatehouse.yml", "rutes: []\n")
	becomes(403, `gatehouse.yml:1: rutes: unknown key; did you mean "routes"?`)
	put(t, dir, "gatehouse.yml", "routes: []\n")
	becomes(501, "read again")
	put(t, dir, "serverless.yml", strings.Replace(teamTemplate, "path: /orders", "path: /other", 1))
	becomes(404, "read again")
	put(t, dir, "serverless.yml", "functions: [\n")
	becomes(404, "serverless.yml: yaml")
}

// TestAuthorizerSettings has the variables of the authorizer act as they do in AWS.
func TestAuthorizerSettings(t *testing.T) {
	t.Parallel()
	template := func(simple, sources, env string) string {
		return `
provider:
  httpApi:
    authorizers:
      gatehouse: {type: request, functionName: authorizer, identitySource: [` + sources + `], enableSimpleResponses: ` + simple + `, resultTtlInSeconds: 0}
functions:
  authorizer: {handler: bootstrap, runtime: provided.al2023, package: {artifact: dist/authorizer.zip}, environment: {` + env + `}}
  orders: {handler: bootstrap, runtime: provided.al2023, events: [{httpApi: {method: get, path: /orders, authorizer: gatehouse}}, {httpApi: {method: post, path: /orders, authorizer: gatehouse}}]}
`
	}
	const header = "$request.header.Authorization"
	for name, tc := range map[string]struct {
		template           string
		good, bad, revoked int // the status with a token, with a bad one, and after the user was suspended
	}{
		"as they are":                    {template("true", header, ""), 501, 403, 403},
		"an IAM answer":                  {template("false", header, "GATEHOUSE_ANSWER: iam"), 501, 403, 403},
		"an IAM answer that is not read": {template("true", header, "GATEHOUSE_ANSWER: iam"), 500, 500, 500},
		"a simple one for a policy":      {template("false", header, ""), 500, 500, 500},
		"a refusal that is an error":     {template("true", header, "GATEHOUSE_REFUSAL: unauthorized"), 501, 500, 500},
		"no revocations":                 {template("true", header, "GATEHOUSE_REVOCATIONS: 'off'"), 501, 403, 501},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, o, _ := teamFolder(t, tc.template, "routes: [{route: GET /orders}, {route: POST /orders}]\n")
			s := running(t, o)
			lin := tokens(t, s, "lin").AccessToken
			if got := ask(t, "GET", s.Issuer+"/orders", lin); got.status != tc.good {
				t.Errorf("a token: %d %v", got.status, got.header)
			}
			if got := ask(t, "GET", s.Issuer+"/orders", "no.token.atall"); got.status != tc.bad {
				t.Errorf("a bad token: %d %v", got.status, got.header)
			}
			if got := ask(t, "POST", s.Issuer+"/demo/suspend", lin); got.status != 200 {
				t.Fatalf("%+v", got)
			}
			revoked := 0
			for range 100 { // the feed is read every few seconds
				if revoked = ask(t, "GET", s.Issuer+"/orders", lin).status; revoked == tc.revoked && tc.good != revoked {
					break
				} else if tc.good == tc.revoked {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if revoked != tc.revoked {
				t.Errorf("after the user was suspended: %d", revoked)
			}
		})
	}
	t.Run("a cookie", func(t *testing.T) {
		t.Parallel()
		_, o, _ := teamFolder(t, template("true", "", "GATEHOUSE_COOKIE: t, GATEHOUSE_ORIGINS: 'https://app.example'"), "routes: []\n")
		s := running(t, o)
		lin := tokens(t, s, "lin").AccessToken
		for _, row := range []struct {
			method, origin string
			want           int
		}{{"GET", "", 501}, {"POST", "https://app.example", 501}, {"POST", "https://evil.example", 403}} {
			if got := ask(t, row.method, s.Issuer+"/orders", "", "Cookie", "t="+lin, "Origin", row.origin); got.status != row.want {
				t.Errorf("%+v: %d %v", row, got.status, got.header)
			}
		}
	})
	t.Run("a value that is none", func(t *testing.T) {
		t.Parallel()
		_, o, _ := teamFolder(t, template("true", header, "GATEHOUSE_ANSWER: xml"), "routes: []\n")
		if _, err := server.Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "GATEHOUSE_ANSWER: want simple or iam") {
			t.Errorf("%v", err)
		}
	})
}

// TestPublicRules holds a template against rules that say which routes are public.
func TestPublicRules(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ rules, refused, noted string }{
		"as the template has it":         {"{route: GET /absent, public: true}", "", ""},
		"the template has an authorizer": {"{route: GET /orders, public: true}", `the rule says public, and the template has an authorizer on "GET /orders"`, ""},
		"on a route of a REST API":       {"{route: GET /old, public: true}", `has an authorizer on "GET /old"`, ""},
		"a route that is not there":      {"{route: GET /nowhere, public: true}", "", "the API has no such route"},
		"and a role":                     {"{route: GET /absent, public: true, roles: [user]}", "routes[1].public: the route has no authorizer, so the rule can require nothing else", ""},
		"a route of Gatehouse":           {"{route: GET /me, public: true}", "", "the API has no such route"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, o, _ := teamFolder(t, teamTemplate, "routes:\n  - "+tc.rules+"\n")
			s, err := server.Start(t.Context(), o)
			if err == nil {
				t.Cleanup(func() { s.Close() })
			}
			switch {
			case tc.refused != "" && (err == nil || !strings.Contains(err.Error(), tc.refused)):
				t.Errorf("%v, want %q", err, tc.refused)
			case tc.refused == "" && err != nil:
				t.Error(err)
			case err == nil && strings.Contains(strings.Join(s.Findings, "\n"), "public") != (tc.noted != ""):
				t.Errorf("%q", s.Findings)
			}
		})
	}
}

// TestNativeJWTAuthorizer runs routes of API Gateway's own JWT authorizer beside one
// of ours, with tokens of dev.
func TestNativeJWTAuthorizer(t *testing.T) {
	t.Parallel()
	dir, o, _ := teamFolder(t, `
provider:
  name: aws
  runtime: provided.al2023
  httpApi:
    authorizers:
      gatehouse: {type: request, functionArn: x, identitySource: [$request.header.Authorization, $context.routeKey], enableSimpleResponses: true, resultTtlInSeconds: 60}
      native: {type: jwt, identitySource: $request.header.Authorization, issuerUrl: 'https://auth.example.com', audience: ['https://auth.example.com/api']}
      pool: {type: jwt, identitySource: $request.header.Authorization, issuerUrl: !Sub 'https://cognito-idp.${AWS::Region}.amazonaws.com/${Pool}', audience: [app]}
functions:
  orders:
    handler: bootstrap
    package: {artifact: dist/orders.zip}
    events:
      - httpApi: {method: get, path: /orders, authorizer: {name: gatehouse}}
      - httpApi: {method: get, path: /native, authorizer: {name: native}}
      - httpApi: {method: get, path: /scoped, authorizer: {name: native, scopes: [orders:write]}}
      - httpApi: {method: get, path: /pool, authorizer: {name: pool}}
      - httpApi: {method: get, path: /signed, authorizer: {type: aws_iam}}
`, "issuer: https://auth.example.com\nroutes:\n  - {route: GET /orders, roles: [user]}\n  - {route: GET /native, roles: [user]}\n")
	put(t, dir, "go.mod", "module example.com/shop\n\ngo 1.26\n")
	put(t, dir, "functions/orders/main.go", echo)
	s := running(t, o)
	lin := tokens(t, s, "lin")
	if got := ask(t, "GET", s.Issuer+"/native", lin.AccessToken); got.status != 200 {
		t.Fatalf("%+v", got)
	} else if claims := got.json(t)["authorizer"].(map[string]any)["jwt"].(map[string]any)["claims"].(map[string]any); claims["name"] != "Lin" || claims["roles"] != "[user]" {
		t.Errorf("%v", claims)
	}
	for path, want := range map[string]int{"/native": 401, "/scoped": 403, "/pool": 401, "/signed": 403, "/orders": 200} {
		token := lin.AccessToken
		if path == "/native" {
			token = lin.IDToken // of another audience
		}
		if got := ask(t, "GET", s.Issuer+path, token); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	told := strings.Join(s.Findings, "\n")
	for _, want := range []string{"authorizer pool: its issuer https://cognito-idp.local-1.amazonaws.com/Pool is known in AWS alone", "authorizer AWS_IAM: dev cannot verify AWS_IAM", `"GET /native": the rule guards nothing`} {
		if !strings.Contains(told, want) {
			t.Errorf("%q is missing in\n%s", want, told)
		}
	}
	if strings.Contains(told, "authorizer native") {
		t.Error(told)
	}
}

// TestRevocationsOff takes the feed away from the authorizer of our own stack: fresh
// routes still refuse a suspended user, and the built-in rules are among them.
func TestRevocationsOff(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../serverless.yml")
	if err != nil {
		t.Fatal(err)
	}
	const setting = "      GOMAXPROCS: '1'   # a quarter"
	template := strings.Replace(string(text), setting, "      GATEHOUSE_REVOCATIONS: 'off'\n"+setting, 1)
	if !strings.Contains(template, "_REVOCATIONS") {
		t.Fatal("the template has changed")
	}
	_, o, _ := teamFolder(t, template, "{}\n")
	s := running(t, o)
	lin := tokens(t, s, "lin").AccessToken
	if got := ask(t, "GET", s.Issuer+"/me/sessions", lin); got.status != 200 {
		t.Fatalf("%+v", got)
	}
	if got := ask(t, "POST", s.Issuer+"/demo/suspend", lin); got.status != 200 {
		t.Fatalf("%+v", got)
	}
	for route, want := range map[string]int{"GET /me/identities": 200, "DELETE /me/sessions": 403} { // the first is not fresh
		method, path, _ := strings.Cut(route, " ")
		if got := ask(t, method, s.Issuer+path, lin); got.status != want {
			t.Errorf("%s: %d, want %d", route, got.status, want)
		}
	}
}

// TestTeamNamesRoutesLikeOurs gives a team's API a route that Gatehouse has as well.
func TestTeamNamesRoutesLikeOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const rule = "routes: [{route: 'GET /users', roles: [user]}, {route: 'GET /users/{name}', public: true}]\n"
	put(t, dir, "gatehouse.yml", rule)
	put(t, dir, "serverless.yml", `
service: shop
provider:
  name: aws
  httpApi:
    authorizers:
      gatehouse: {type: request, functionName: authorizer, payloadVersion: '2.0', enableSimpleResponses: true, identitySource: [$request.header.Authorization, $context.routeKey], resultTtlInSeconds: 60}
functions:
  authorizer: {handler: bootstrap, runtime: provided.al2023, package: {artifact: dist/authorizer.zip}}
  people:
    handler: people.handler
    runtime: python3.13
    events:
      - httpApi: {method: get, path: /users, authorizer: {name: gatehouse}}
      - httpApi: {method: get, path: '/users/{name}'}
`)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("the team's people")) }))
	t.Cleanup(api.Close)
	s := running(t, server.Options{Upstream: api.URL, Config: filepath.Join(dir, "gatehouse.yml"), Template: filepath.Join(dir, "serverless.yml")})
	lin, ada := tokens(t, s, "lin").AccessToken, tokens(t, s, "ada").AccessToken
	if got := ask(t, "GET", s.Issuer+"/users", lin); got.status != 200 || got.body != "the team's people" {
		t.Errorf("the team's route for Lin: %+v", got)
	}
	if got := ask(t, "GET", s.Issuer+"/users", ""); got.status != 401 {
		t.Errorf("the team's route without a token: %+v", got)
	}
	if got := ask(t, "GET", s.Issuer+"/users/lin", ""); got.status != 200 {
		t.Errorf("the team's public route: %+v", got)
	}
	id := ask(t, "GET", s.Issuer+"/me", lin).json(t)["id"].(string)
	for i, rawToken := range []string{lin, ada} {
		if got, want := ask(t, "POST", s.Issuer+"/users/"+id+"/suspend", rawToken), []int{403, 200}[i]; got.status != want {
			t.Errorf("Gatehouse's own route: %+v, want %d", got, want)
		}
	}

	// In one API with Gatehouse's own routes, the rule would not count.
	ours, err := os.ReadFile("../../../serverless.yml")
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "login.yml", string(ours))
	_, err = server.Start(t.Context(), server.Options{Config: filepath.Join(dir, "gatehouse.yml"), Template: filepath.Join(dir, "login.yml")})
	if err == nil || !strings.Contains(err.Error(), `has 2 mistakes`) || !strings.Contains(err.Error(), `"GET /users" is a route of Gatehouse's own user API`) {
		t.Errorf("%v", err)
	}
	// Without a template of the team's, the rule is for an API elsewhere.
	s = running(t, server.Options{Config: filepath.Join(dir, "gatehouse.yml")})
	if found := strings.Join(s.Findings, "\n"); !strings.Contains(found, "gatehouse.yml:1: here the route is Gatehouse's own user API") {
		t.Errorf("%s", found)
	}
	if got := ask(t, "GET", s.Issuer+"/users", tokens(t, s, "lin").AccessToken); got.status != 403 {
		t.Errorf("Gatehouse's own route: %+v", got)
	}
}
