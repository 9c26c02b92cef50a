package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestSPA has examples/spa, on an origin of its own, call a Go function behind the
// authorizer of gatehouse dev.
func TestSPA(t *testing.T) {
	needClients(t)
	if *onStack {
		t.Skip("the function is run by gatehouse dev")
	}
	app, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin := "http://" + app.Addr().String()
	template := filepath.Join(t.TempDir(), "serverless.yml")
	if err := os.WriteFile(template, []byte(fmt.Sprintf(`
provider:
  name: aws
  runtime: provided.al2023
  httpApi:
    cors: {allowedOrigins: ['%s'], allowedHeaders: [authorization, content-type]}
    authorizers:
      gatehouse:
        type: request
        functionArn: arn
        identitySource: [$request.header.Authorization, $context.routeKey]
        enableSimpleResponses: true
        resultTtlInSeconds: 60
functions:
  notes:
    handler: bootstrap
    events:
      - httpApi: {method: get, path: /notes, authorizer: {name: gatehouse}}
`, origin)), 0o600); err != nil {
		t.Fatal(err)
	}
	notes, err := filepath.Abs("../examples/notes")
	if err != nil {
		t.Fatal(err)
	}
	h := startService(t, "--template", template, "--function", "notes="+notes, "--config", configWith(t, fmt.Sprintf(`
  - id: orders-spa
    redirect_uris: [%[1]s/]
    post_logout_redirect_uris: [%[1]s/]
    origins: [%[1]s]
    grants: [authorization_code, refresh_token]
    scopes: [openid, profile, email, offline_access]
`, origin)))
	server := &http.Server{Handler: serveSPA(t, h.Issuer)}
	go server.Serve(app)
	t.Cleanup(func() { server.Close() })

	b := openBrowser(t)
	b.open(origin + "/")
	b.text("who", "Signed out")
	b.do(chromedp.Click(chromedp.ID("sign-in")))
	b.arrive("Who are you today?")
	b.do(chromedp.Click(chromedp.CSS(`button[value="lin"]`)))
	b.arrive("Shop")
	b.text("who", "Signed in as Lin")
	call := func() {
		t.Helper()
		b.do(chromedp.Click(chromedp.ID("call")))
		b.text("answer", "200 ")
		b.eval(`document.getElementById("answer").textContent = ""`)
	}
	call()
	// A token that the authorizer refuses, as an expired one, is renewed.
	for _, rawToken := range []string{"bad", ""} {
		b.eval(fmt.Sprintf(`(() => {
			const key = Object.keys(sessionStorage).find(k => k.startsWith("oidc.user:"))
			const user = JSON.parse(sessionStorage[key])
			user.access_token = %q
			sessionStorage[key] = JSON.stringify(user)
			return ""
		})()`, rawToken))
		call()
	}
	b.do(chromedp.Click(chromedp.ID("sign-out")))
	b.arrive("Shop")
	b.text("who", "Signed out")
}

// serveSPA serves examples/spa with the addresses of this run.
func serveSPA(t *testing.T, issuer string) http.Handler {
	t.Helper()
	script, err := os.ReadFile("../examples/spa/app.js")
	if err != nil {
		t.Fatal(err)
	}
	script = bytes.ReplaceAll(script, []byte("http://localhost:8787"), []byte(issuer))
	script = bytes.ReplaceAll(script, []byte(`"/orders"`), []byte(`"/notes"`))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /app.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(script)
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("GET /node_modules/", http.FileServer(http.Dir("clients")))
	mux.Handle("GET /", http.FileServer(http.Dir("../examples/spa")))
	return mux
}
