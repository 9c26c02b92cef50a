package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
)

func start(t *testing.T, file string, env map[string]string) (lambdahttp.Function, error) {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "gatehouse.yml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string {
		if name == "LAMBDA_TASK_ROOT" {
			return root
		}
		return env[name]
	}
	return build(getenv, slog.New(slog.DiscardHandler))
}

var environment = map[string]string{
	"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
	"GATEHOUSE_ISSUER": "https://auth.example.com", "GATEHOUSE_TABLE": "gatehouse", "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
}

func TestBuild(t *testing.T) {
	f, err := start(t, "{}", environment)
	if err != nil {
		t.Fatal(err)
	}
	for name, authorizer := range map[string]string{
		"without an authorizer":                          `null`,
		"behind API Gateway's own, which revokes nobody": `{"jwt":{"claims":{"sub":"u_ada","roles":"[admin]","scope":"account","client_id":"c"}}}`,
	} {
		out, err := f.Invoke(t.Context(), []byte(`{"version":"2.0","routeKey":"GET /users","rawPath":"/users","requestContext":{"http":{"method":"GET"},"authorizer":`+authorizer+`}}`))
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ StatusCode int }
		if err := json.Unmarshal(out, &answer); err != nil || answer.StatusCode != 401 {
			t.Errorf("%s: %s", name, out)
		}
	}
}

func TestRefusesToStart(t *testing.T) {
	if _, err := start(t, "{}", nil); err == nil || !strings.Contains(err.Error(), "GATEHOUSE_TABLE") {
		t.Errorf("without its environment: %v", err)
	}
	if _, err := start(t, "roels: []", environment); err == nil || !strings.Contains(err.Error(), "roels") {
		t.Errorf("with a slip in the file: %v", err)
	}
}
