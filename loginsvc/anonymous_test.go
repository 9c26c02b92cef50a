package loginsvc_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse"
)

// publicRoutes returns the routes of the login service in serverless.yml, which have
// the method ANY.
func publicRoutes(t *testing.T) map[string]bool {
	t.Helper()
	text, err := gatehouse.Files.ReadFile("serverless.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n  loginsvc:\n")
	section, _, _ = strings.Cut(section, "\n  usersvc:\n")
	routes := map[string]bool{}
	for _, m := range regexp.MustCompile(`- httpApi: (\w+ /\S*)`).FindAllStringSubmatch(section, -1) {
		routes[m[1]] = true
	}
	if len(routes) < 20 {
		t.Fatalf("only %d routes", len(routes))
	}
	return routes
}

// anonymousRequest is something that a stranger sends.
type anonymousRequest struct {
	route, query string
	form         url.Values
	writes       string // "": nothing
}

// TestAnonymousWritesNothing sends every route of the login service what a
// stranger can send. Nothing is written and nothing is signed, with the exceptions
// that the table lists.
func TestAnonymousWritesNothing(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 60<<10)
	id := "u_00000000000000000000000000"
	// The exceptions. Each is limited by client and source.
	const (
		nothing    = ""
		deviceCode = "a device code, and the count that limits them"
		failure    = "a count of failures"
	)
	requests := []anonymousRequest{
		{"GET /authorize", authorize().Encode(), nil, nothing},
		{"GET /authorize", authorize("state", large[:4000]).Encode(), nil, nothing},
		{"GET /authorize", authorize("prompt", "none").Encode(), nil, nothing},
		{"GET /authorize", authorize("scope", "nosuch").Encode(), nil, nothing},
		{"GET /authorize", authorize("id_token_hint", "a.b.c").Encode(), nil, nothing},
		{"GET /authorize", authorize("client_id", "nobody").Encode(), nil, nothing},
		{"POST /authorize", "", authorize(), nothing},
		{"POST /authorize", "", authorize("state", large), nothing},
		{"GET /login", "", nil, nothing},
		{"GET /login", "idp_hint=demo&return_to=/account", nil, nothing},
		{"GET /login", "continue=yes", nil, nothing},
		{"POST /consent", "", url.Values{"request": {"/authorize?" + authorize().Encode()}, "consent": {"allow"}}, nothing},
		{"POST /consent", "", url.Values{"request": {large}, "consent": {"allow"}}, nothing},
		{"GET /device", "user_code=BCDF-GHJK", nil, nothing},
		{"POST /device", "", url.Values{"user_code": {"BCDF-GHJK"}, "consent": {"allow"}}, nothing},
		{"POST /device_authorization", "", url.Values{"client_id": {"tv"}}, deviceCode},
		{"POST /device_authorization", "", url.Values{"client_id": {"robot"}, "client_secret": {"wrong"}}, failure},
		{"GET /callback/demo", "code=x&state=y", nil, nothing},
		{"GET /callback/demo", "code=x&state=" + large[:3000], nil, nothing},
		{"GET /callback/demo", "error=access_denied", nil, nothing},
		{"POST /callback/demo", "", url.Values{"code": {"x"}, "state": {large}}, nothing},
		{"POST /token", "", redemption("x"), nothing},
		{"POST /token", "", url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {"x"}}, nothing},
		{"POST /token", "", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {"tv"}, "device_code": {"x"}}, nothing},
		{"POST /token", "", redemption("x", "client_id", "nobody"), failure},
		{"POST /token", "", redemption("x", "client_id", "robot", "client_secret", "wrong"), failure},
		{"POST /revoke", "", url.Values{"client_id": {"spa"}, "token": {"x"}}, nothing},
		{"POST /revoke", "", url.Values{"client_id": {"robot"}, "client_secret": {"wrong"}, "token": {"x"}}, failure},
		{"POST /introspect", "", url.Values{"client_id": {"robot"}, "client_secret": {"wrong"}, "token": {"x"}}, failure},
		{"GET /userinfo", "", nil, nothing},
		{"POST /userinfo", "", url.Values{"access_token": {"x"}}, nothing},
		{"GET /logout", "id_token_hint=a.b.c&client_id=spa", nil, nothing},
		{"POST /logout", "", url.Values{"sign_out": {"everywhere"}}, nothing},
		{"GET /account", "", nil, nothing},
		{"POST /account", "", url.Values{"do": {"link"}, "provider": {"demo"}}, nothing},
		{"GET /account/export", "", nil, nothing},
		{"GET /admin", "", nil, nothing},
		{"GET /admin/users", "q=a", nil, nothing},
		{"POST /admin/users", "", url.Values{"q": {"lin@example.com"}}, nothing},
		{"GET /admin/users/" + id, "", nil, nothing},
		{"POST /admin/users/" + id, "", url.Values{"do": {"suspend"}}, nothing},
		{"GET /admin/audit", "", nil, nothing},
		{"POST /admin/audit", "", url.Values{"user": {id}}, nothing},
		{"GET /admin/keys", "", nil, nothing},
		{"GET /users/login", "", nil, nothing},
		{"GET /.well-known/openid-configuration", "", nil, nothing},
		{"GET /.well-known/oauth-authorization-server", "", nil, nothing},
		{"GET /.well-known/jwks.json", "", nil, nothing},
		{"GET /revocations", "", nil, nothing},
		{"GET /.well-known/oauth-authorization-server/x", "", nil, nothing},
		{"GET /.well-known/oauth-protected-resource", "", nil, nothing},
		{"GET /.well-known/oauth-protected-resource/x", "", nil, nothing},
		{"POST /register", "", url.Values{}, nothing}, // where it is on: TestRegistrationFlood
	}
	for route := range publicRoutes(t) {
		_, path, _ := strings.Cut(route, " ")
		example := regexp.MustCompile(`\{\w+\+?\}`).ReplaceAllString(path, "x")
		pattern := regexp.MustCompile("^[A-Z]+ " + regexp.MustCompile(`\{\w+\+?\}`).ReplaceAllString(path, `\S+`) + "$")
		if !slices.ContainsFunc(requests, func(r anonymousRequest) bool { return pattern.MatchString(r.route) }) {
			t.Errorf("no request for %s", route)
		}
		for _, method := range []string{"HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "GET"} {
			requests = append(requests, anonymousRequest{method + " " + example, "", nil, nothing})
		}
	}
	onEngines(t, func(t *testing.T, w *world, table *watched) {
		for _, r := range requests {
			writes, signed := table.writes.Load(), w.key.signed.Load()
			method, path, _ := strings.Cut(r.route, " ")
			if r.query != "" {
				path += "?" + r.query
			}
			a := w.browser().do(method, path, r.form)
			if a.StatusCode >= 500 {
				t.Errorf("%s: %d %s", r.route, a.StatusCode, a.body)
			}
			want := map[string]int64{nothing: 0, failure: 1, deviceCode: 2}[r.writes]
			if n := table.writes.Load() - writes; n != want {
				t.Errorf("%s %.100s %.200s: %d writes, want %d: %s", r.route, r.query, r.form.Encode(), n, want, r.writes)
			}
			if w.key.signed.Load() != signed {
				t.Errorf("%s: something was signed", r.route)
			}
		}
	})
}
