package stack_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/kmstest"
	"github.com/gatehouse-auth/gatehouse/internal/lambdatest"
	"github.com/gatehouse-auth/gatehouse/internal/signin"
	"github.com/gatehouse-auth/gatehouse/internal/stack"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
)

// mainOf returns the import path of a function's main package.
func mainOf(t *testing.T, function string) string {
	t.Helper()
	for _, folder := range []string{"cmd/", "examples/"} {
		if _, err := os.Stat("../../" + folder + function); err == nil {
			return "github.com/gatehouse-auth/gatehouse/" + folder + function
		}
	}
	t.Fatalf("neither cmd nor examples has %s", function)
	return ""
}

// running is the packaged template as a stack on this machine: the built
// functions under a Runtime API, frozen between events, behind the gateway, with
// an emulated DynamoDB and KMS, and the demo provider to sign in at.
type running struct {
	url       string
	functions map[string]*lambdatest.Function
	log       log
	kms       *kmstest.Server
}

func run(t *testing.T) *running {
	t.Helper()
	template, err := stack.Parse(load(t))
	if err != nil {
		t.Fatal(err)
	}
	api, err := template.API()
	if err != nil {
		t.Fatal(err)
	}
	s := &running{functions: make(map[string]*lambdatest.Function)}
	handler := &late{}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // cookies ignore ports

	provider := demoProvider(t, s.url+"/callback/demo")
	configuration := []byte(strings.ReplaceAll(gatehouseYML, "$PROVIDER", provider))
	endpoints, key := s.services(t)
	ref := func(name, attribute string) string {
		switch name + "." + attribute {
		case "Table.":
			return "gatehouse"
		case "SigningKey.Arn":
			return key
		default:
			return name + "." + attribute
		}
	}
	functions := make(map[string]gateway.Function)
	for _, f := range template.Functions() {
		root := lambdatest.Build(t, mainOf(t, f.Name))
		write(t, filepath.Join(root, "gatehouse.yml"), configuration)
		write(t, filepath.Join(root, "policy.json"), compiled(t, configuration))
		env := make(map[string]string)
		for name, value := range f.Env {
			env[name] = value.Resolve(ref)
		}
		for name, value := range endpoints {
			env[name] = value
		}
		env["GATEHOUSE_ISSUER"], env["GATEHOUSE_AUDIENCE"] = s.url, "api"
		s.functions[f.Name] = lambdatest.Start(t, lambdatest.Config{Name: f.Name, Root: root, Env: env, Timeout: f.Timeout, Memory: f.Memory, Freeze: true, Log: &s.log})
		functions[f.Name] = s.functions[f.Name].Invoke
	}
	g, err := gateway.New(gateway.Config{Template: api, Functions: functions, Observe: func(x gateway.Exchange) { t.Log(x) }})
	if err != nil {
		t.Fatal(err)
	}
	handler.set(g)
	return s
}

// services starts DynamoDB with the table and KMS with the key, and returns
// where they are.
func (s *running) services(t *testing.T) (endpoints map[string]string, key string) {
	t.Helper()
	tables := dynamotest.Endpoint(t, os.Getenv)
	if err := dynamotable.Create(t.Context(), dynamotest.Client(tables, nil), dynamotest.Definition("gatehouse")); err != nil {
		t.Fatal(err)
	}
	s.kms = &kmstest.Server{Generate: func(bits int) (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, bits) }}
	made, err := s.kms.Client(t).CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": tables, "AWS_ENDPOINT_URL_KMS": s.kms.Start(t), "DEMO_SECRET": demoSecret,
	}, *made.KeyMetadata.Arn
}

const (
	demoSecret   = "secret-of-the-demo-provider"
	gatehouseYML = `
providers:
  - {id: demo, name: Demo, issuer: $PROVIDER, client_id: gatehouse, client_secret_env: DEMO_SECRET}
admins: [ada@example.com]
routes:
  - {route: GET /users, roles: [admin]}
clients:
  - {id: spa, redirect_uris: [http://127.0.0.1/callback], grants: [authorization_code, refresh_token], scopes: [openid, profile, email, offline_access]}
`
)

func demoProvider(t *testing.T, redirect string) (issuer string) {
	t.Helper()
	handler := &late{}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	p, err := demoidp.New(demoidp.Config{Issuer: server.URL, ClientID: "gatehouse", ClientSecret: demoSecret, RedirectURIs: []string{redirect}})
	if err != nil {
		t.Fatal(err)
	}
	handler.set(p)
	return server.URL
}

func compiled(t *testing.T, configuration []byte) []byte {
	t.Helper()
	cfg, err := config.Parse("gatehouse.yml", configuration, func(name string) string {
		return map[string]string{"GATEHOUSE_ISSUER": "http://localhost"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Compile(cfg.Routes)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request and returns status and body.
func (s *running) ask(ctx context.Context, t *testing.T, method, path, rawToken, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if rawToken != "" {
		r.Header.Set("Authorization", "Bearer "+rawToken)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func TestStackOnThisMachine(t *testing.T) {
	s := run(t)
	began := time.Now()
	if status, body := s.ask(t.Context(), t, "GET", "/.well-known/openid-configuration", "", ""); status != 200 || !strings.Contains(body, s.url) {
		t.Fatalf("discovery: %d %s\n%s", status, body, &s.log)
	}
	t.Logf("cold discovery: %v, of which init %v", time.Since(began), s.functions["loginsvc"].Inits()[0])
	tokens := make(map[string]string)
	for _, who := range []string{"ada", "lin"} {
		got, err := signin.Do(t.Context(), signin.Request{URL: s.url, User: who, ClientID: "spa"})
		if err != nil {
			t.Fatalf("%s: %v\n%s", who, err, &s.log)
		}
		tokens[who] = got.AccessToken
	}
	tampered := tokens["lin"][:len(tokens["lin"])-4] + "AAAA"
	for _, tc := range []struct {
		name, method, path, rawToken, body string
		status                             int
		want                               string
	}{
		{"no token", "GET", "/me", "", "", 401, `{"message":"Unauthorized"}`},
		{"one's own account", "GET", "/me", tokens["lin"], "", 200, "lin@example.com"},
		{"a changed token", "GET", "/me", tampered, "", 403, `{"message":"Forbidden"}`},
		{"users, as a user", "GET", "/users", tokens["lin"], "", 403, `{"message":"Forbidden"}`},
		{"users, as an admin", "GET", "/users", tokens["ada"], "", 200, "lin@example.com"},
		{"a note", "POST", "/notes", tokens["lin"], `{"text":"buy milk"}`, 201, "buy milk"},
		{"others' notes", "GET", "/notes", tokens["ada"], "", 200, "[]"},
		{"who a token is of", "GET", "/userinfo", tokens["lin"], "", 200, `"sub":"u_`},
		{"no route", "GET", "/admin", tokens["ada"], "", 404, `{"message":"Not Found"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.path == "/notes" && s.functions["notes"] == nil {
				t.Skip("this stack has no notes")
			}
			if status, body := s.ask(t.Context(), t, tc.method, tc.path, tc.rawToken, tc.body); status != tc.status || !strings.Contains(body, tc.want) {
				t.Errorf("got %d %s", status, body)
			}
		})
	}
	t.Run("the rotator makes the next key", func(t *testing.T) {
		if _, err := s.functions["rotator"].Invoke(t.Context(), []byte(`{}`)); err != nil || s.kms.Calls()["CreateKey"] != 2 {
			t.Errorf("%v\n%s", err, &s.log)
		}
	})
	t.Run("S101 keys are served while KMS is down", func(t *testing.T) {
		s.kms.SetFaults(kmstest.Faults{Throttled: true})
		if status, body := s.ask(t.Context(), t, "GET", "/.well-known/jwks.json", "", ""); status != 200 || !strings.Contains(body, `"kid"`) {
			t.Errorf("got %d %s", status, body)
		}
	})
	for _, f := range s.functions {
		f.Close()
	}
	t.Run("S124 no log has a token, a secret or an address", func(t *testing.T) {
		for _, secret := range []string{tokens["lin"], tokens["ada"], demoSecret, "lin@example.com", "code=", "state="} {
			if strings.Contains(s.log.String(), secret) {
				t.Errorf("the log holds %.20q", secret)
			}
		}
	})
}
