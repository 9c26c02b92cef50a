package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/kmstest"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// environment returns what Lambda sets, over services of this machine.
func environment(more map[string]string) map[string]string {
	env := map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
		"GATEHOUSE_ISSUER": "https://auth.example.com", "GATEHOUSE_TABLE": "gatehouse", "GATEHOUSE_KMS_KEY": "none",
		"GATEHOUSE_PARAMETERS": "/gatehouse/test", "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
	}
	for name, value := range more {
		env[name] = value
	}
	return env
}

// newFunction builds the function with a configuration.
func newFunction(t *testing.T, file string, env map[string]string) (lambdahttp.Function, *strings.Builder, error) {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "gatehouse.yml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	env["LAMBDA_TASK_ROOT"] = root
	var log strings.Builder
	f, err := build(t.Context(), func(name string) string { return env[name] }, slog.New(slog.NewJSONHandler(&log, nil)))
	return f, &log, err
}

// start is newFunction, for requests without parameters.
func start(t *testing.T, file string, env map[string]string) (func(path string) (int, string), *strings.Builder, error) {
	t.Helper()
	f, log, err := newFunction(t, file, env)
	get := func(path string) (int, string) {
		event := `{"version":"2.0","routeKey":"GET ` + path + `","rawPath":"` + path + `","requestContext":{"http":{"method":"GET"}}}`
		out, err := f(t.Context(), []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			StatusCode int
			Body       string
		}
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, answer.Body
	}
	return get, log, err
}

func TestKeysOfTheStack(t *testing.T) {
	tables := dynamotest.Endpoint(t, os.Getenv)
	if err := dynamotable.Create(t.Context(), dynamotest.Client(tables, nil), dynamotest.Definition("gatehouse")); err != nil {
		t.Fatal(err)
	}
	server := &kmstest.Server{Generate: func(bits int) (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, bits) }}
	key, err := server.Client(t).CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	get, _, err := start(t, "{}", environment(map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": tables, "AWS_ENDPOINT_URL_KMS": server.Start(t), "GATEHOUSE_KMS_KEY": *key.KeyMetadata.Arn,
	}))
	if err != nil {
		t.Fatal(err)
	}
	if status, body := get("/.well-known/jwks.json"); status != http.StatusOK || strings.Count(body, `"kid"`) != 1 || strings.Contains(body, kmstest.Account) {
		t.Errorf("keys: %d %s", status, body)
	}
}

func TestWithoutServices(t *testing.T) {
	get, _, err := start(t, "{}", environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if status, body := get("/.well-known/openid-configuration"); status != http.StatusOK || !strings.Contains(body, `"https://auth.example.com"`) {
		t.Errorf("discovery: %d %s", status, body)
	}
	if status, body := get("/.well-known/jwks.json"); status != http.StatusServiceUnavailable {
		t.Errorf("S102 keys: %d %s", status, body)
	}
}

// TestExportedKeys starts where neither the table nor KMS answers.
func TestExportedKeys(t *testing.T) {
	document, err := jwks.Marshal([]*rsa.PublicKey{&keystest.WeakKey().PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for name, data := range map[string][]byte{"gatehouse.yml": []byte("{}"), "jwks.json": document} {
		if err := os.WriteFile(filepath.Join(root, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := environment(map[string]string{"LAMBDA_TASK_ROOT": root})
	f, err := build(t.Context(), func(name string) string { return env[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	out, err := f(t.Context(), []byte(`{"version":"2.0","routeKey":"GET /.well-known/jwks.json","rawPath":"/.well-known/jwks.json","requestContext":{"http":{"method":"GET"}}}`))
	if err != nil || !strings.Contains(string(out), `"statusCode":200`) || strings.Count(string(out), "RS256") != 1 {
		t.Errorf("S101 %s, %v", out, err)
	}
}

// parameters is an SSM that has some parameters, and remembers what it was asked.
type parameters struct {
	values map[string]string
	asked  [][]string
}

func (p *parameters) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Names          []string
		WithDecryption bool
	}
	raw, _ := io.ReadAll(r.Body)
	if json.Unmarshal(raw, &in) != nil || r.Header.Get("X-Amz-Target") != "AmazonSSM.GetParameters" || !in.WithDecryption || len(in.Names) > 10 {
		http.Error(w, `{"__type":"ValidationException"}`, http.StatusBadRequest)
		return
	}
	p.asked = append(p.asked, in.Names)
	type parameter struct{ Name, Value string }
	var found []parameter
	for _, name := range in.Names {
		if value, ok := p.values[name]; ok {
			found = append(found, parameter{name, value})
		}
	}
	json.NewEncoder(w).Encode(map[string]any{"Parameters": found})
}

const withGoogle = `
providers:
  - {id: google, client_id_env: GOOGLE_CLIENT_ID, client_secret_env: GOOGLE_CLIENT_SECRET}
clients:
  - {id: web, secret_env: WEB_SECRET, redirect_uris: [https://app.example.com/callback]}
`

func TestSecrets(t *testing.T) {
	const secret = "s3cr3t-of-google"
	ssm := &parameters{values: map[string]string{
		"/gatehouse/test/GOOGLE_CLIENT_ID": "id-of-google", "/gatehouse/test/GOOGLE_CLIENT_SECRET": secret,
	}}
	server := httptest.NewServer(ssm)
	defer server.Close()
	_, log, err := start(t, withGoogle, environment(map[string]string{"AWS_ENDPOINT_URL_SSM": server.URL, "WEB_SECRET": strings.Repeat("here", 8)}))
	if err != nil {
		t.Fatal(err)
	}
	if len(ssm.asked) != 1 || !slices.Equal(ssm.asked[0], []string{"/gatehouse/test/GOOGLE_CLIENT_ID", "/gatehouse/test/GOOGLE_CLIENT_SECRET"}) {
		t.Errorf("asked for %v", ssm.asked)
	}
	if strings.Contains(log.String(), "nobody can sign in") || strings.Contains(log.String(), secret) {
		t.Error(log)
	}
}

// TestWeakSecrets wants a secret that can be guessed to stop the start, whether it
// comes from the environment or from SSM.
func TestWeakSecrets(t *testing.T) {
	const weak = "0123456789abcdef"
	server := httptest.NewServer(&parameters{values: map[string]string{"/gatehouse/test/WEB_SECRET": weak}})
	defer server.Close()
	for name, more := range map[string]map[string]string{
		"from SSM":             {"AWS_ENDPOINT_URL_SSM": server.URL},
		"from the environment": {"WEB_SECRET": weak, "GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "short, and not ours to judge"},
	} {
		_, _, err := start(t, withGoogle, environment(more))
		if err == nil || !strings.Contains(err.Error(), "client web: the secret in WEB_SECRET has 16 characters") || strings.Contains(err.Error(), weak) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestMissingSecret(t *testing.T) {
	server := httptest.NewServer(&parameters{})
	defer server.Close()
	get, log, err := start(t, withGoogle, environment(map[string]string{"AWS_ENDPOINT_URL_SSM": server.URL}))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "GOOGLE_CLIENT_SECRET") {
		t.Errorf("the log does not name what is missing: %s", log)
	}
	if status, _ := get("/.well-known/openid-configuration"); status != http.StatusOK {
		t.Errorf("discovery: %d", status)
	}
}

func TestRefusesToStart(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		env  map[string]string
		want []string
	}{
		"without its environment":     {"{}", map[string]string{}, []string{"AWS_REGION", "GATEHOUSE_TABLE", "GATEHOUSE_KMS_KEY", "GATEHOUSE_PARAMETERS"}},
		"with a slip in the file":     {"roels: []", environment(nil), []string{"roels"}},
		"without SSM, if it needs it": {withGoogle, environment(nil), []string{"fetching GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := start(t, tc.file, tc.env)
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in %v", want, err)
				}
			}
		})
	}
}

func TestManySecrets(t *testing.T) {
	ssm := &parameters{values: map[string]string{}}
	server := httptest.NewServer(ssm)
	defer server.Close()
	var file strings.Builder
	file.WriteString("clients:\n")
	for i := range 23 {
		name := string(rune('A' + i))
		file.WriteString("  - {id: c" + name + ", secret_env: SECRET_" + name + ", redirect_uris: [https://app.example.com/callback]}\n")
	}
	if _, _, err := start(t, file.String(), environment(map[string]string{"AWS_ENDPOINT_URL_SSM": server.URL})); err != nil {
		t.Fatal(err)
	}
	if len(ssm.asked) != 3 || len(ssm.asked[2]) != 3 {
		t.Errorf("asked %v", ssm.asked)
	}
}

// TestClientsOfTheTable asks about clients that are in the table alone.
func TestClientsOfTheTable(t *testing.T) {
	endpoint := dynamotest.Endpoint(t, os.Getenv)
	tables := dynamotest.Client(endpoint, nil)
	if err := dynamotable.Create(t.Context(), tables, dynamotest.Definition("gatehouse")); err != nil {
		t.Fatal(err)
	}
	clients := registry.Clients{Table: dynamotable.New(tables, "gatehouse")}
	spa := client.Client{ID: "spa", RedirectURIs: []string{"https://spa.test/cb"}, Origins: []string{"https://spa.test"}}
	if _, err := clients.Add(t.Context(), usersvc.By{}, spa, false); err != nil {
		t.Fatal(err)
	}
	authorize := func(endpoint, clientID string) int {
		t.Helper()
		f, _, err := newFunction(t, "{}", environment(map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": endpoint}))
		if err != nil {
			t.Fatal(err)
		}
		query := url.Values{
			"client_id": {clientID}, "redirect_uri": {"https://spa.test/cb"}, "response_type": {"code"}, "scope": {"openid"}, "prompt": {"none"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		}
		out, err := f(t.Context(), []byte(`{"version":"2.0","routeKey":"GET /authorize","rawPath":"/authorize","rawQueryString":"`+
			query.Encode()+`","requestContext":{"http":{"method":"GET"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ StatusCode int }
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode
	}
	if status := authorize(endpoint, "spa"); status != http.StatusSeeOther && status != http.StatusFound {
		t.Errorf("a client of the table: %d", status)
	}
	if status := authorize(endpoint, "nobody"); status != http.StatusBadRequest {
		t.Errorf("a client of nobody: %d", status)
	}
	if status := authorize("http://127.0.0.1:1", "spa"); status != http.StatusServiceUnavailable {
		t.Errorf("a table out of reach: %d", status)
	}
}
