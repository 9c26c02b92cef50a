package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestNodeClients runs the libraries of others as they come against gatehouse
// dev: openid-client, oauth4webapi, jose and aws-jwt-verify.
func TestNodeClients(t *testing.T) {
	needClients(t)
	h := startService(t, "--config", configWith(t, machineClient+deviceClient))
	command := exec.Command(gatehouse, "token", "--as", "lin", "--url", h.Issuer, "-o", "json")
	command.Env = h.environ()
	tokens, err := command.Output()
	if err != nil {
		t.Fatalf("gatehouse token: %v", err)
	}
	for _, file := range []string{"openid-client.test.mjs", "oauth4webapi.test.mjs", "verifiers.test.mjs"} {
		t.Run(file, func(t *testing.T) {
			cmd := exec.Command("node", "--test", "--test-reporter=spec", file)
			cmd.Dir = "clients"
			cmd.Env = h.environ("GATEHOUSE_ISSUER="+h.Issuer, "GATEHOUSE_API="+h.API, "GATEHOUSE_TOKENS="+string(tokens))
			out, err := cmd.CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte("fail 0")) || bytes.Contains(out, []byte("tests 0")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestOIDCClientTS signs in with oidc-client-ts in a real browser, from an origin
// of its own: what it reads crosses origins.
func TestOIDCClientTS(t *testing.T) {
	needClients(t)
	app, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin := "http://" + app.Addr().String()
	h := startService(t, "--config", configWith(t, fmt.Sprintf(`
  - id: other-spa
    redirect_uris: [%[1]s/app.html]
    post_logout_redirect_uris: [%[1]s/app.html]
    origins: [%[1]s]
    grants: [authorization_code, refresh_token]
    scopes: [openid, profile, email, offline_access]
`, origin)))
	server := &http.Server{Handler: serveApp(h.Issuer)}
	go server.Serve(app)
	t.Cleanup(func() { server.Close() })

	b := openBrowser(t)
	b.open(origin + "/app.html")
	b.text("state", "signed out")
	b.do(chromedp.Click(chromedp.ID("sign-in")))
	b.arrive("Who are you today?")
	b.do(chromedp.Click(chromedp.CSS(`button[value="lin"]`)))
	b.arrive("An app")
	b.text("state", "signed in as Lin")
	for _, step := range []string{"renew", "userinfo", "silent", "revoke"} {
		b.do(chromedp.Click(chromedp.ID(step)))
		b.text("state", step+" done")
	}
	b.do(chromedp.Click(chromedp.ID("sign-out")))
	b.arrive("An app")
	b.text("state", "signed out")
}

func serveApp(issuer string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /oidc.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join("clients", "node_modules", "oidc-client-ts", "dist", "browser", "oidc-client-ts.min.js"))
	})
	mux.HandleFunc("GET /settings.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprintf(w, "const issuer = %q\n", issuer)
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("GET /", http.FileServer(http.Dir("clients")))
	return mux
}

const machineClient = `
  - id: robot
    secret: robot-secret
    grants: [client_credentials]
    scopes: []
`

const deviceClient = `
  - id: tv
    name: Television
    grants: ["urn:ietf:params:oauth:grant-type:device_code", refresh_token]
    scopes: [openid, profile, email, offline_access]
`

// configWith returns a gatehouse.yml with these clients.
func configWith(t *testing.T, clients string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gatehouse.yml")
	if err := os.WriteFile(path, []byte("clients:"+clients), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// needClients skips the test where npm has not installed the clients, but not
// in CI.
func needClients(t *testing.T) {
	t.Helper()
	// The last package that was added stands for all.
	if _, err := os.Stat(filepath.Join("clients", "node_modules", "react-oidc-context")); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("the clients are not installed: npm ci in e2e/clients")
	}
	t.Skip("the clients are not installed: npm ci in e2e/clients")
}
