package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var withPrograms = flag.Bool("programs", false, "also run programs that are built or come from Debian: oauth2-proxy, Apache, Python's libraries")

// program is a client program of others: a page of docs/clients has its name.
type program struct {
	page string
	try  func(*testing.T, *service, registered)
	long bool // only with -programs
}

var clientPrograms = []program{
	{page: "alb", try: replayALB},
	{page: "appauth-js", try: node},
	{page: "authjs", try: node},
	{page: "authlib", try: python, long: true},
	{page: "dex", try: replayDex},
	{page: "express-openid-connect", try: node},
	{page: "grant", try: node},
	{page: "kubelogin", try: replayKubelogin},
	{page: "mod-auth-openidc", try: apache, long: true},
	{page: "oauth2-proxy", try: oauth2Proxy, long: true},
	{page: "openid-client", try: func(*testing.T, *service, registered) {}}, // TestNodeClients has more of it
	{page: "passport-oauth2", try: node},
	{page: "passport-openidconnect", try: node},
	{page: "react-oidc-context", try: reactOIDCContext},
	{page: "requests-oauthlib", try: python, long: true},
	{page: "simple-oauth2", try: node},
}

// registered is the client that a page registers, moved to this machine.
type registered struct {
	page     string
	ID       string `json:"id"`
	Secret   string `json:"secret"`
	Redirect string `json:"redirect"`
	origin   string // of the program
	yaml     string
}

// programSecret has what clients encode in different ways.
const programSecret = "a+secret/with=what-some-clients-do-not-encode"

// TestPrograms signs in with client programs of others, registered as docs/clients
// says, and renews where the program can.
func TestPrograms(t *testing.T) {
	if *onStack {
		t.Skip("gatehouse dev will do")
	}
	needClients(t)
	t.Setenv("APP_SECRET", programSecret)
	var config strings.Builder
	clients := map[string]registered{}
	for _, p := range clientPrograms {
		c := register(t, p.page)
		clients[p.page] = c
		config.WriteString("\n" + c.yaml)
	}
	h := startService(t, "--config", configWith(t, config.String()))
	for _, p := range clientPrograms {
		t.Run(p.page, func(t *testing.T) {
			if p.long && !*withPrograms {
				t.Skip("with -programs")
			}
			p.try(t, h, clients[p.page])
		})
	}
}

// TestProgramsHavePages compares the programs with the pages of docs/clients.
func TestProgramsHavePages(t *testing.T) {
	files, err := filepath.Glob("../docs/clients/*.md")
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile("../docs/clients/README.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]bool{}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".md"); name != "README" {
			pages[name] = true
			if !strings.Contains(string(index), "("+name+".md)") {
				t.Errorf("docs/clients/README.md does not lead to %s", name)
			}
		}
	}
	for _, p := range clientPrograms {
		if !pages[p.page] {
			t.Errorf("%s has no page in docs/clients", p.page)
		}
		delete(pages, p.page)
	}
	for name := range pages {
		t.Errorf("docs/clients/%s.md is about a program that is not tested", name)
	}
}

var (
	registration = regexp.MustCompile("(?s)```yaml\nclients:\n(.*?)```")
	clientID     = regexp.MustCompile(`id: (\S+)`)
	redirectURI  = regexp.MustCompile(`redirect_uris: \[([^,\]]+)`)
)

// register reads what a page registers. The program is at a free port of this
// machine, and the client is called like the page.
func register(t *testing.T, page string) registered {
	t.Helper()
	text, err := os.ReadFile("../docs/clients/" + page + ".md")
	if err != nil {
		t.Fatal(err)
	}
	found := registration.FindStringSubmatch(string(text))
	if found == nil {
		t.Fatalf("docs/clients/%s.md registers nothing", page)
	}
	c := registered{page: page, ID: page, origin: "http://" + freeAddress(t)}
	c.yaml = strings.ReplaceAll(clientID.ReplaceAllString(found[1], "id: "+page), "https://app.example.com", c.origin)
	c.Redirect = redirectURI.FindStringSubmatch(c.yaml)[1]
	if strings.Contains(c.yaml, "secret_env: APP_SECRET") {
		c.Secret = programSecret
	}
	return c
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// node runs the part of programs.mjs that is called like the page.
func node(t *testing.T, h *service, c registered) { script(t, h, c, "node", "programs.mjs") }

// python runs the part of programs.py, with Debian's libraries.
func python(t *testing.T, h *service, c registered) {
	script(t, h, c, "/usr/bin/python3", "programs.py")
}

func script(t *testing.T, h *service, c registered, interpreter, file string) {
	t.Helper()
	t.Parallel()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(interpreter, file, c.page)
	cmd.Dir = "clients"
	cmd.Env = h.environ("GATEHOUSE_ISSUER="+h.Issuer, "GATEHOUSE_PROGRAM="+string(text), "NODE_NO_WARNINGS=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.HasSuffix(string(out), "ok\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// reactOIDCContext signs in and renews in Chromium, from an origin of its own.
func reactOIDCContext(t *testing.T, h *service, c registered) {
	bundle := exec.Command("node", "bundle.mjs", "react.jsx")
	bundle.Dir = "clients"
	code, err := bundle.Output()
	if err != nil {
		t.Fatal(err)
	}
	settings, err := json.Marshal(map[string]string{"authority": h.Issuer, "client_id": c.ID, "redirect_uri": c.Redirect, "scope": "openid profile email offline_access"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", strings.TrimPrefix(c.origin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /app.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(code)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "<!doctype html><title>A React app</title><h1>A React app</h1><main></main><script>window.config = %s</script><script src=app.js></script>", settings)
	})
	server := &http.Server{Handler: mux}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })

	b := openBrowser(t)
	b.open(c.Redirect)
	b.do(chromedp.Click(chromedp.ID("sign-in")))
	b.arrive("Who are you today?")
	b.do(chromedp.Click(chromedp.CSS(`button[value="lin"]`)))
	b.arrive("A React app")
	b.text("state", "signed in as Lin")
	b.do(chromedp.Click(chromedp.ID("renew")))
	b.text("renewed", "renewed")
}

// serve runs a server of others until the test ends, and waits until it listens.
func serve(t *testing.T, c registered, cmd *exec.Cmd) *safeBuffer {
	t.Helper()
	log := &safeBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		stopped := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		defer stopped.Stop()
		cmd.Wait()
		if t.Failed() {
			t.Logf("log of %s:\n%s", c.page, log.String())
		}
	})
	for range 100 {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(c.origin, "http://")); err == nil {
			conn.Close()
			return log
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s does not listen", c.page)
	return nil
}

// surf opens an address in a browser, signs in as Lin where that is asked for, and
// returns the page where it ends.
func surf(t *testing.T, h *service, browser *http.Client, address string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	response, err := browser.Do(request)
	if err == nil && strings.HasPrefix(response.Request.URL.String(), h.Demo) {
		response.Body.Close()
		response, err = browser.PostForm(response.Request.URL.String(), url.Values{"user": {"lin"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// issued counts the successful requests for tokens in the log of h.
func issued(h *service) int { return strings.Count(h.log.String(), "POST /token 200") }

func oauth2Proxy(t *testing.T, h *service, c registered) {
	path, err := exec.LookPath("oauth2-proxy")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, c, exec.Command(path, "--provider=oidc", "--oidc-issuer-url="+h.Issuer, "--client-id="+c.ID, "--client-secret="+c.Secret,
		"--redirect-url="+c.Redirect, "--scope=openid profile email offline_access", "--email-domain=*", "--cookie-secret=0123456789abcdef0123456789abcdef",
		"--cookie-refresh=1s", "--cookie-secure=false", "--upstream=static://200", "--skip-provider-button", "--http-address="+strings.TrimPrefix(c.origin, "http://")))
	browser := h.browser(t)
	if status, body := surf(t, h, browser, c.origin+"/"); status != http.StatusOK || !strings.Contains(body, "Authenticated") {
		t.Fatalf("%d %s", status, body)
	}
	before := issued(h)
	time.Sleep(2 * time.Second)
	if status, body := surf(t, h, browser, c.origin+"/oauth2/userinfo"); status != http.StatusOK || !strings.Contains(body, "lin@example.com") {
		t.Errorf("%d %s", status, body)
	}
	if issued(h) == before {
		t.Error("it did not renew")
	}
}

// apache runs Debian's Apache with mod_auth_openidc.
func apache(t *testing.T, h *service, c registered) {
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "htdocs/protected"), 0o755); err != nil {
		t.Fatal(err)
	}
	for f := folder; f != os.TempDir() && f != "/"; f = filepath.Dir(f) { // Apache's workers are another user
		os.Chmod(f, 0o755)
	}
	address := strings.TrimPrefix(c.origin, "http://")
	for name, text := range map[string]string{
		"htdocs/protected/index.html": "the protected page",
		"apache.conf": fmt.Sprintf(`
ServerRoot %[1]s
ServerName %[2]s
Listen %[2]s
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authn_core_module /usr/lib/apache2/modules/mod_authn_core.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_user_module /usr/lib/apache2/modules/mod_authz_user.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule auth_openidc_module /usr/lib/apache2/modules/mod_auth_openidc.so
DocumentRoot %[1]s/htdocs
OIDCProviderMetadataURL %[3]s/.well-known/openid-configuration
OIDCClientID %[4]s
OIDCClientSecret %[5]q
OIDCRedirectURI %[6]s
OIDCScope "openid profile email offline_access"
OIDCCryptoPassphrase "of this test"
OIDCInfoHook access_token session
<Location /protected>
  AuthType openid-connect
  Require valid-user
</Location>
`, folder, address, h.Issuer, c.ID, c.Secret, c.Redirect),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, c, exec.Command("/usr/sbin/apache2", "-DFOREGROUND", "-f", filepath.Join(folder, "apache.conf")))
	browser := h.browser(t)
	status, body := surf(t, h, browser, c.origin+"/protected/")
	if status != http.StatusOK || !strings.Contains(body, "the protected page") {
		log, _ := os.ReadFile(filepath.Join(folder, "error.log"))
		t.Fatalf("%d %s\n%s", status, body, log)
	}
	before := issued(h)
	if status, body := surf(t, h, browser, c.Redirect+"?info=json&access_token_refresh_interval=0"); status != http.StatusOK || !strings.Contains(body, "access_token") {
		t.Errorf("%d %s", status, body)
	}
	if issued(h) == before {
		t.Error("it did not renew")
	}
}
