package doctor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/doctor"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/lambdazip"
)

const sound = `
issuer: https://auth.example.com
providers:
  - {id: google, client_id: gatehouse}
admins: [ada@example.com]
routes:
  - {route: GET /notes, roles: [admin]}
clients:
  - {id: spa, redirect_uris: [https://app.example.com/callback], scopes: [openid]}
`

// examine writes the two files into a folder and examines them.
func examine(t *testing.T, configuration, template string) *doctor.Report {
	t.Helper()
	folder := t.TempDir()
	in := doctor.Inputs{Config: filepath.Join(folder, "gatehouse.yml"), Template: filepath.Join(folder, "serverless.yml")}
	for path, text := range map[string]string{in.Config: configuration, in.Template: template} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return doctor.Files(in)
}

func ours(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func has(r *doctor.Report, want string) bool {
	for _, f := range r.Findings {
		if strings.Contains(f.Text, want) {
			return true
		}
	}
	return false
}

func TestSoundFiles(t *testing.T) {
	r := examine(t, sound, ours(t, "serverless.yml"))
	if len(r.Findings) != 0 {
		t.Errorf("findings: %v", r.Findings)
	}
	if facts := strings.Join(r.Facts, "\n"); !strings.Contains(facts, "refused after at most 1m5s") || !strings.Contains(facts, "ends 10m0s after it was issued") {
		t.Errorf("S125 the bounds are not told:\n%s", facts)
	}
}

// Rules for the APIs of other stacks that ask this authorizer are not for nothing.
func TestRulesOfOtherAPIs(t *testing.T) {
	template := ours(t, "serverless.yml")
	more := strings.Replace(sound, "clients:", "  - {route: $connect, roles: [admin]}\n  - {route: GET /orders, roles: [admin]}\nclients:", 1)
	if r := examine(t, more, template); len(r.Findings) != 1 || !has(r, `"GET /orders": the rule guards nothing`) {
		t.Errorf("findings: %v", r.Findings)
	}
	listed := strings.Replace(template, "custom:\n", "custom:\n  elsewhere: [GET /orders]\n", 1)
	if r := examine(t, more, listed); len(r.Findings) != 0 {
		t.Errorf("findings: %v", r.Findings)
	}
}

func TestOurFiles(t *testing.T) {
	if r := examine(t, ours(t, "gatehouse.yml"), ours(t, "serverless.yml")); r.Wrong() != 0 {
		t.Errorf("findings: %v", r.Findings)
	}
}

// TestTrapsInConfiguration plants each trap into a sound gatehouse.yml.
func TestTrapsInConfiguration(t *testing.T) {
	template := ours(t, "serverless.yml")
	for _, tc := range []struct {
		name, old, new, want string
	}{
		{"an issuer with a slash", "https://auth.example.com", "https://auth.example.com/", "ends in a slash"},
		{"an issuer in the clear", "https://auth.example.com", "http://auth.example.com", "want https"},
		{"an issuer on this machine", "https://auth.example.com", "http://localhost:8787", "is not https"},
		{"an issuer of one API", "auth.example.com", "abc.execute-api.eu-west-3.amazonaws.com", "belongs to one API"},
		{"an issuer with a path", "auth.example.com", "example.com/auth", "has the path /auth"},
		{"no issuer", "issuer: https://auth.example.com", "", "the address that AWS gives the API"},
		{"a wildcard redirect", "https://app.example.com/callback", "https://*.example.com/callback", "*"},
		{"a redirect in the clear", "https://app.example.com/callback", "http://app.example.com/callback", "redirect_uris"},
		{"a redirect to localhost", "https://app.example.com/callback", "http://localhost:5173/callback", "a client of its own"},
		{"a role that nobody gets", "admins: [ada@example.com]", "", `the role "admin" is never granted`},
		{"a role that is not declared", "roles: [admin]", "roles: [editor]", "unknown role"},
		{"a scope that nobody gets", "roles: [admin]", "scopes: ['orders:read']", "unknown scope"},
		{"a rule of our own", "GET /notes,", "GET /users,", "whose rule is built in: take it out"},
		{"a rule for no route", "GET /notes,", "GET /note,", "the rule guards nothing"},
		{"a rule for a public route", "GET /notes,", "GET /login,", "the rule guards nothing"},
		{"a fresh rule on a kept route", "GET /notes,", "GET /notes, fresh: true,", "GET /notes: its rule says fresh"},
		{"no provider", "providers:\n  - {id: google, client_id: gatehouse}", "", "nobody can sign in"},
		{"two providers that are one", "admins:", "  - {id: work, issuer: 'https://accounts.google.com', client_id: b}\nadmins:", "keep one"},
		{"e-mails on anybody's word", "admins:", "  - {id: acme, issuer: 'https://id.example.org', client_id: b, trust_email: true}\nadmins:", "has trust_email"},
		{"a client without a challenge", "clients:\n", "clients:\n  - {id: web, secret_env: S, redirect_uris: [https://web.example.com/cb], pkce: off}\n", "client web has pkce: off: its requests may come without a code challenge"},
		{"a client on any port of localhost", "clients:\n", "clients:\n  - {id: cli, redirect_uris: [http://localhost/cb], loopback: localhost}\n", "client cli has loopback: localhost: its codes go to any port"},
		{"a client with schemes of its own", "clients:\n", "clients:\n  - {id: ide, redirect_uris: [cursor://a/cb], redirect_schemes: [cursor]}\n", "client ide has redirect_schemes: cursor: any app on a device"},
		{"a grace that is long beside short tokens", "clients:\n", "lifetimes: {access_token: 4m}\nclients:\n", "all clients: a renewal can be repeated for 1m0s, more than a fifth of the 4m0s that an access token lives"},
		{"a client with a long grace", "clients:\n", "clients:\n  - {id: web, secret_env: S, redirect_uris: [https://web.example.com/cb], grants: [authorization_code, refresh_token], refresh_grace: 121s}\n", "client web: a renewal can be repeated for 2m1s"},
		{"a client with short tokens", "clients:\n", "clients:\n  - {id: web, secret_env: S, redirect_uris: [https://web.example.com/cb], grants: [authorization_code, refresh_token], lifetimes: {access_token: 1m}}\n", "client web: a renewal can be repeated for 1m0s"},
		{"no clients", "clients:\n  - {id: spa, redirect_uris: [https://app.example.com/callback], scopes: [openid]}", "", "there are no clients"},
		{"everybody an admin", "admins:", "default_roles: [admin]\nadmins:", "everyone who signs in an admin"},
		{"a slip", "admins:", "amdins:", "amdins"},
		{"an audience that is the issuer", "admins:", "audience: https://auth.example.com\nadmins:", "is the issuer"},
		{"tokens for a day", "admins:", "lifetimes: {access_token: 24h}\nadmins:", "lifetimes.access_token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.Contains(sound, tc.old) {
				t.Fatalf("nothing to change: %q", tc.old)
			}
			if r := examine(t, strings.Replace(sound, tc.old, tc.new, 1), template); !has(r, tc.want) {
				t.Errorf("not found; findings: %v", r.Findings)
			}
		})
	}
}

// TestTrapsInTemplate plants each trap into our serverless.yml.
func TestTrapsInTemplate(t *testing.T) {
	template := ours(t, "serverless.yml")
	for _, tc := range []struct {
		name, old, new, want string
	}{
		{"a route that anybody can call", "{method: get, path: /me, authorizer: {name: gatehouse}}", "GET /me", "GET /me has no authorizer: anybody can call it"},
		{"a login route for every path", "      - httpApi: ANY /login\n", "      - httpApi: '*'\n", "$default is open for every path"},
		{"an open route of the user API", "      - httpApi: ANY /openapi.json\n", "      - httpApi: GET /people\n", "GET /people has no authorizer"},
		{"a route without a rule, and IAM policies", "        enableSimpleResponses: true\n", "        enableSimpleResponses: false\n", "add {route: 'POST /notes'}"},
		{"one answer for all routes", "          - $context.routeKey\n", "", "one route's answer opens all"},
		{"answers kept too long", "resultTtlInSeconds: 60", "resultTtlInSeconds: 300", "answers are kept for 5m0s"},
		{"answers kept without a word", "        resultTtlInSeconds: 60\n", "", "resultTtlInSeconds: not set"},
		{"answers kept for anybody", "          - $request.header.Authorization\n          - $context.routeKey\n", "          - $request.header.X-App\n          - $context.routeKey\n", "does not tell callers apart"},
		{"a token in the query", "          - $request.header.Authorization\n          - $context.routeKey\n", "          - $request.header.Authorization\n          - $request.querystring.token\n          - $context.routeKey\n", "a token in a query string"},
		{"a fresh authorizer that keeps", "resultTtlInSeconds: 0", "resultTtlInSeconds: 60", "one route's answer opens all"},
		{"an authorizer that is not", "path: /me, authorizer: {name: gatehouse}", "path: /me, authorizer: {name: gatehuose}", `no authorizer is called "gatehuose"`},
		{"ANY, and browsers", "{method: get, path: /notes, authorizer", "{method: '*', path: /notes, authorizer", "a browser's preflight"},
		{"CORS by the gateway", "    name: ${self:custom.name}\n    payload", "    name: ${self:custom.name}\n    cors: true\n    payload", "cors"},
		{"a route twice", "      - httpApi: ANY /login\n", "      - httpApi: ANY /login\n      - httpApi: ANY /login\n", "declared twice"},
		{"payload 1.0", "    payload: '2.0'", "    payload: '1.0'", "payload"},
		{"a secret in the open", "      GATEHOUSE_PARAMETERS: ${self:custom.parameters}", "      GATEHOUSE_PARAMETERS: ${self:custom.parameters}\n      GOOGLE_CLIENT_SECRET: abc", "GOOGLE_CLIENT_SECRET stands in the environment"},
		{".env that is not read", "useDotenv: true", "useDotenv: false", "useDotenv is off"},
		{"logs for ever", "  logRetentionInDays: 90\n", "", "logs are kept"},
		{"one part of AWS", "{Fn::GetAtt: [NotesLogGroup, Arn]}", "arn:aws:logs:*:*:*", "an ARN with its partition"},
		{"an action that is not", "dynamodb:ConditionCheckItem", "dynamodb:TransactWriteItems", "are no IAM actions"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.Contains(template, tc.old) {
				t.Fatalf("nothing to change: %q", tc.old)
			}
			configuration := sound
			if r := examine(t, configuration, strings.Replace(template, tc.old, tc.new, 1)); !has(r, tc.want) {
				t.Errorf("not found; findings: %v", r.Findings)
			}
		})
	}
}

func TestAbsentFiles(t *testing.T) {
	if r := doctor.Files(doctor.Inputs{Config: "none.yml", Template: "none.yml"}); r.Wrong() != 1 {
		t.Errorf("findings: %v", r.Findings)
	}
	in := doctor.Inputs{Config: "../../../gatehouse.yml", Template: "../../../serverless.yml", Packaged: "none.json", Dist: t.TempDir()}
	if r := doctor.Files(in); r.Wrong() != 0 || !has(r, "nothing is packaged") {
		t.Errorf("findings: %v", r.Findings)
	}
}

func TestDeploymentWantsARegion(t *testing.T) {
	folder := t.TempDir()
	in := doctor.Inputs{Config: filepath.Join(folder, "gatehouse.yml"), Template: "../../../serverless.yml", Deploy: true}
	if err := os.WriteFile(in.Config, []byte(sound), 0o600); err != nil {
		t.Fatal(err)
	}
	if !has(doctor.Files(in), "write AWS_REGION=… into .env") {
		t.Error("a deployment without a region passes")
	}
	for _, variable := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		in.Getenv = func(name string) string { return map[string]string{variable: "eu-central-1"}[name] }
		if r := doctor.Files(in); has(r, "region") {
			t.Errorf("with %s: %v", variable, r.Findings)
		}
	}
}

func TestWeakSecretOfAClient(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	in := doctor.Inputs{Config: filepath.Join(folder, "gatehouse.yml"), Template: "../../../serverless.yml"}
	text := strings.Replace(sound, "clients:\n", "clients:\n  - {id: web, secret_env: WEB_SECRET, redirect_uris: [https://web.example.com/callback]}\n", 1)
	if err := os.WriteFile(in.Config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for secret, wrong := range map[string]int{"": 0, "hunter22": 1, strings.Repeat("x", 32): 0} {
		in.Getenv = func(name string) string { return map[string]string{"WEB_SECRET": secret}[name] }
		if r := doctor.Files(in); r.Wrong() != wrong || wrong == 1 && !has(r, "WEB_SECRET has 8 characters") {
			t.Errorf("%q: %v", secret, r.Findings)
		}
	}
}

func TestWaivers(t *testing.T) {
	t.Parallel()
	faulty := strings.Replace(sound, "https://app.example.com/callback", "http://localhost:5173/callback", 1)
	faulty = strings.Replace(faulty, "providers:\n  - {id: google, client_id: gatehouse}\n", "", 1)
	template := ours(t, "serverless.yml")
	if r := examine(t, faulty, template); r.Wrong() != 1 {
		t.Fatalf("findings: %v", r.Findings)
	}
	r := examine(t, faulty+"doctor: {ignore: {provider-none: people come later}}\n", template)
	if r.Wrong() != 0 || !strings.Contains(fmt.Sprint(r.Findings), "[provider-none] because: people come later") {
		t.Errorf("waived: %v", r.Findings)
	}
	for ignore, want := range map[string]string{
		"{provider-nun: a slip}":    `no finding has the code "provider-nun"`,
		"{provider-none: ''}":       "has no reason",
		"{provider-none: ' '}":      "has no reason",
		"{provider-none:}":          "has no reason",
		"[provider-none]":           "want keys and values",
		"{domain-open: not at all}": "domain-open is not found any more",
	} {
		if r := examine(t, faulty+"doctor: {ignore: "+ignore+"}\n", template); !has(r, want) {
			t.Errorf("%s: %v", ignore, r.Findings)
		}
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b"
	for _, tc := range []struct{ certificate, region, want string }{
		{arn, "us-east-1", ""},
		{arn, "", ""}, // the Region is another finding
		{arn, "eu-central-1", "the certificate is in us-east-1 and the stack in eu-central-1"},
		{strings.Replace(arn, ":acm:us-east-1", ":iam:", 1), "us-east-1", "is no certificate of ACM"},
		{"auth.example.com", "us-east-1", "is no certificate of ACM"},
		{strings.Replace(arn, "arn:aws:", "arn:aws-cn:", 1), "us-east-1", ""},
	} {
		folder := t.TempDir()
		in := doctor.Inputs{Config: filepath.Join(folder, "gatehouse.yml"), Template: "../../../serverless.yml", Getenv: func(name string) string {
			return map[string]string{"GATEHOUSE_CERTIFICATE": tc.certificate, "AWS_REGION": tc.region}[name]
		}}
		if err := os.WriteFile(in.Config, []byte(sound), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := doctor.Files(in); (r.Wrong() == 1) != (tc.want != "") || !has(r, tc.want) && tc.want != "" {
			t.Errorf("%s in %q: %v", tc.certificate, tc.region, r.Findings)
		}
	}
}

// TestTeamsTemplate examines a serverless.yml with what is a team's own choice.
func TestTeamsTemplate(t *testing.T) {
	t.Parallel()
	const text = `
functions:
  authorizer: {handler: bootstrap}
  cart:
    events:
      - httpApi: {method: get, path: /cart, authorizer: {name: gatehouse}}
      - httpApi: {method: get, path: /native, authorizer: {name: native}}
      - httpApi: {method: options, path: /cart}
provider:
  environment: {STRIPE_SECRET: abc}
  httpApi:
    payload: '1.0'
    authorizers:
      native: {type: jwt, identitySource: $request.header.Authorization, issuerUrl: 'https://id.example.com', audience: [api]}
      gatehouse: {type: request, functionName: authorizer, payloadVersion: '2.0', enableSimpleResponses: true,
        identitySource: [$request.header.Authorization, $context.routeKey], resultTtlInSeconds: 60}
`
	rules := strings.Replace(sound, "GET /notes,", "GET /cart,", 1)
	if r := examine(t, rules, text); r.Wrong() != 0 {
		t.Errorf("findings: %v", r.Findings)
	}
	if r := examine(t, rules, strings.Replace(text, "path: /native, authorizer: {name: native}", "path: /native", 1)); !has(r, "GET /native has no authorizer") {
		t.Errorf("findings: %v", r.Findings)
	}
}

// TestNoTemplate examines a folder with a gatehouse.yml alone.
func TestNoTemplate(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("gatehouse.yml", []byte(sound), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := doctor.Files(doctor.Inputs{Config: "gatehouse.yml"}); r.Wrong() != 0 {
		t.Errorf("findings: %v", r.Findings)
	}
	more := strings.Replace(sound, "clients:", "  - {route: GET /orders, roles: [admin]}\nclients:", 1)
	if err := os.WriteFile("gatehouse.yml", []byte(more), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := doctor.Files(doctor.Inputs{Config: "gatehouse.yml"}); r.Wrong() != 0 || !has(r, "name the template of your API with --packaged") {
		t.Errorf("findings: %v", r.Findings)
	}
}

// TestZipOfATeam compares the rules in a team's zip with those of its file, also
// where the deployment tool gave the zip another name.
func TestZipOfATeam(t *testing.T) {
	t.Parallel()
	const adopt = "../../../examples/adopt/"
	folder := t.TempDir()
	c, err := config.Load(adopt+"gatehouse.yml", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	pack := func(rules []policy.Rule, machine byte) {
		t.Helper()
		compiled, err := policy.Compile(rules)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(compiled)
		if err != nil {
			t.Fatal(err)
		}
		program := append([]byte("\x7fELF"), make([]byte, 60)...)
		program[18] = machine
		zip, err := lambdazip.Zip([]lambdazip.File{{Name: "bootstrap", Data: program}, {Name: "policy.json", Data: text}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "authorizer.zip"), zip, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	template := strings.Replace(ours(t, "examples/adopt/plain/template.json"), `"authorizer.zip"`, `"0a1b2c.zip"`, 1)
	packaged := filepath.Join(folder, "template.json")
	if err := os.WriteFile(packaged, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	in := doctor.Inputs{Config: adopt + "gatehouse.yml", Template: adopt + "serverless/serverless.yml", Packaged: packaged, Dist: folder}
	pack(c.Routes, 0xb7)
	if r := doctor.Files(in); r.Wrong() != 0 {
		t.Errorf("findings: %v", r.Findings)
	}
	pack(c.Routes[:1], 0xb7)
	if r := doctor.Files(in); r.Wrong() != 1 || !has(r, "has other route rules than gatehouse.yml") {
		t.Errorf("findings: %v", r.Findings)
	}
	pack(c.Routes, 0x3e)
	if r := doctor.Files(in); r.Wrong() != 1 || !has(r, "its function has the architecture arm64") {
		t.Errorf("findings: %v", r.Findings)
	}
}

// TestPublicRulesAndTheTemplate holds rules that say public against the template.
func TestPublicRulesAndTheTemplate(t *testing.T) {
	t.Parallel()
	const text = `
functions:
  authorizer: {handler: bootstrap}
  cart:
    events:
      - httpApi: {method: get, path: /cart, authorizer: {name: gatehouse}}
      - httpApi: {method: get, path: /docs}
      - httpApi: {method: get, path: /native, authorizer: {name: native}}
  usersvc: {events: [{httpApi: GET /profile}]}
provider:
  httpApi:
    authorizers:
      native: {type: jwt, identitySource: $request.header.Authorization, issuerUrl: 'https://id.example.com', audience: [api]}
      gatehouse: {type: request, functionName: authorizer, enableSimpleResponses: true,
        identitySource: [$request.header.Authorization, $context.routeKey], resultTtlInSeconds: 60}
`
	cart := strings.Replace(sound, "GET /notes,", "GET /cart,", 1)
	for rule, want := range map[string]string{
		"{route: GET /docs, public: true}":       "GET /profile has no authorizer",
		"{route: GET /other, public: true}":      "GET /docs has no authorizer: anybody can call it",
		"{route: 'ANY /{proxy+}', public: true}": "GET /docs has no authorizer: anybody can call it",
		"{route: GET /nowhere, public: true}":    "the rule says public, and the API has no such route",
		"{route: GET /native, public: true}":     `an authorizer on "GET /native"`,
		"{route: GET /profile, public: true}":    "GET /profile has no authorizer",
	} {
		r := examine(t, strings.Replace(cart, "clients:", "  - "+rule+"\nclients:", 1), text)
		if !has(r, want) {
			t.Errorf("%s: %v", rule, r.Findings)
		}
		if open := has(r, "GET /docs has no authorizer"); open == strings.Contains(rule, "GET /docs,") {
			t.Errorf("%s: %v", rule, r.Findings)
		}
	}
}
