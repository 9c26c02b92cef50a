package authorizer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
)

// guarded has rules of each kind.
var guarded = []policy.Rule{
	{Route: "GET /", Roles: []string{"root"}},
	{Route: "GET /hello", Roles: []string{"hello"}},
	{Route: "POST /hello", Roles: []string{"poster"}},
	{Route: "HEAD /head", Roles: []string{"header"}},
	{Route: "GET /head", Roles: []string{"hello"}},
	{Route: "GET /notes/{id}", Roles: []string{"reader"}},
	{Route: "GET /notes/special", Roles: []string{"special"}},
	{Route: "ANY /static/{proxy+}", Roles: []string{"static"}},
	{Route: "GET /static/secret", Roles: []string{"secret"}},
	{Route: "GET /open/machine", Scopes: []string{"m"}},
	{Route: "GET /docs/{page}", Public: true},
	{Route: "DELETE /docs/{page}", Roles: []string{"editor"}},
}

// TestGuardPatterns registers patterns at http.ServeMux, which is how they are meant.
func TestGuardPatterns(t *testing.T) {
	w := newWorld(t, guarded)
	tokenOf := map[string]string{"m": w.machineToken(t, "m")}
	for _, role := range []string{"root", "hello", "poster", "header", "reader", "special", "static", "secret", "static secret", "editor"} {
		tokenOf[role] = w.rawToken(t, "u_lin", role)
	}
	for _, test := range []struct {
		pattern, request string
		may              string // these roles, with a comma between two callers, and no others
	}{
		{"GET /{$}", "GET /", "root"},
		{"/{$}", "GET /", "root"},
		{"/hello", "GET /hello", "hello"},
		{"/hello", "HEAD /hello", "hello"},
		{"/hello", "POST /hello", "poster"},
		{"/hello", "TRACE /hello", ""},
		{"/hello", "FOO /hello", ""},
		{"GET /hello", "HEAD /hello", "hello"},
		{"/head", "HEAD /head", "header"},
		{"/head", "GET /head", "hello"},
		{"GET /notes/{id}", "GET /notes/7", "reader"},
		{"GET /notes/{id}", "GET /notes/special", ""}, // both rules count, and nobody has both roles
		{"GET  /notes/{note}", "GET /notes/7", "reader"},
		{"/static/", "GET /static/", "static,static secret"},
		{"/static/", "GET /static/a/b", "static,static secret"},
		{"/static/", "GET /static/secret", "static secret"},
		{"/static/", "GET /static/secret/", "static secret"},
		{"/static/", "GET /static/%73ecret", "static secret"},
		{"/static/", "GET /static/a b", "static,static secret"},
		{"/static/{path...}", "GET /static/secret", "static secret"},
		{"ANY /static/{proxy+}", "DELETE /static/x", "static,static secret"},
		{"/static/{$}", "GET /static/", "root,hello,poster,header,reader,special,static,secret,static secret,editor"},
		{"/open/", "GET /open/machine", "m"}, // no rule is for the pattern: the one for the path decides
		{"/open/", "GET /open/other", "root,hello,poster,header,reader,special,static,secret,static secret,editor"},
		{"/", "GET /notes/7", "reader"},
		{"/", "GET /", "root"},
		{"DELETE /docs/{page}", "DELETE /docs/a", "editor"},
	} {
		t.Run(test.pattern+": "+test.request, func(t *testing.T) {
			mux := http.NewServeMux()
			handler := w.Guard(test.pattern, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {}))
			if strings.HasPrefix(test.pattern, "ANY ") {
				mux.Handle("/", handler)
			} else {
				mux.Handle(test.pattern, handler)
			}
			method, path, _ := strings.Cut(test.request, " ")
			for role, rawToken := range tokenOf {
				r := httptest.NewRequest(method, strings.ReplaceAll(path, " ", "%20"), nil)
				r.Header.Set("Authorization", "Bearer "+rawToken)
				rw := httptest.NewRecorder()
				mux.ServeHTTP(rw, r)
				want := 403
				for may := range strings.SplitSeq(test.may, ",") {
					if may == role {
						want = 200
					}
				}
				if rw.Code != want {
					t.Errorf("%s: %d, want %d", role, rw.Code, want)
				}
			}
		})
	}
}

// A handler that cleans the path itself gets no other rule than its own.
func TestGuardCleansPaths(t *testing.T) {
	w := newWorld(t, guarded)
	handler := w.Guard("/static/", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, path := range []string{"/static/secret", "/static//secret", "/static/a/../secret", "/static/./secret", "/static/secret/."} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		r.Header.Set("Authorization", "Bearer "+w.rawToken(t, "u_lin", "static"))
		rw := httptest.NewRecorder()
		handler.ServeHTTP(rw, r)
		if rw.Code != 403 {
			t.Errorf("%s: %d", path, rw.Code)
		}
	}
}

// Behind http.StripPrefix the path is another one, whose rules are not for the pattern.
func TestGuardBehindStripPrefix(t *testing.T) {
	w := newWorld(t, guarded)
	handler := http.StripPrefix("/notes", w.Guard("/notes/special", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	for role, want := range map[string]int{"special": 200, "reader": 403, "hello": 403} {
		r := httptest.NewRequest("GET", "/notes/hello", nil)
		r.Header.Set("Authorization", "Bearer "+w.rawToken(t, "u_lin", role))
		rw := httptest.NewRecorder()
		handler.ServeHTTP(rw, r)
		if rw.Code != want {
			t.Errorf("%s: %d, want %d", role, rw.Code, want)
		}
	}
}

// A pattern that can match no rule would refuse everybody, silently.
func TestGuardRefusesPatterns(t *testing.T) {
	w := newWorld(t, guarded)
	for pattern, want := range map[string]string{
		"":                         "want a path",
		"GET":                      "want a path",
		"hello":                    "want a path",
		"GET hello":                "want a path",
		"example.com/":             "take example.com out",
		"GET example.com/hello":    "take example.com out",
		"get /hello":               `method "get"`,
		"PROPFIND /hello":          `method "PROPFIND"`,
		"CONNECT /hello":           `method "CONNECT"`,
		"/a//b":                    "no empty part",
		"/{a...}/b":                "must be the last",
		"/{}":                      "want a variable",
		"/a{b}":                    "letters, digits",
		"/a*":                      "letters, digits",
		"$message":                 "$connect alone",
		"GET /docs/{name}":         "says public",
		"/docs/{name}":             "says public",
		"GET /notes/{proxy+}/tail": "must be the last",
	} {
		t.Run(pattern, func(t *testing.T) {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, want) {
					t.Errorf("said %q, want %q", said, want)
				}
			}()
			w.Guard(pattern, http.NotFoundHandler())
		})
	}
}

func TestGuardLetsPreflightsPass(t *testing.T) {
	w := newWorld(t, guarded)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "page.txt"), []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, cors := http.FileServer(http.Dir(dir)), http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 || r.Body != http.NoBody {
			t.Error("the body got through")
		}
		rw.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		rw.Header().Set("Set-Cookie", "s3cret=1")
		rw.WriteHeader(http.StatusNoContent)
	})
	preflight := []string{"Origin", "https://app.example.com", "Access-Control-Request-Method", "GET"}
	for _, test := range []struct {
		name    string
		next    http.Handler
		method  string
		headers []string
		status  int
		origin  string
	}{
		{"a preflight", cors, "OPTIONS", preflight, 204, "https://app.example.com"},
		{"a preflight of a handler that knows no methods", files, "OPTIONS", preflight, 200, ""},
		{"without an origin", files, "OPTIONS", preflight[2:], 401, ""},
		{"without the method it asks for", files, "OPTIONS", preflight[:2], 401, ""},
		{"another method", files, "GET", preflight, 401, ""},
		{"with a token, which no browser sends", files, "OPTIONS", append([]string{"Authorization", "Bearer x"}, preflight...), 401, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "/page.txt", strings.NewReader("drop it"))
			for i := 0; i < len(test.headers); i += 2 {
				r.Header.Set(test.headers[i], test.headers[i+1])
			}
			rw := httptest.NewRecorder()
			w.Guard("/", test.next).ServeHTTP(rw, r)
			if rw.Code != test.status || rw.Header().Get("Access-Control-Allow-Origin") != test.origin {
				t.Errorf("%d %v", rw.Code, rw.Header())
			}
			if text := fmt.Sprint(rw.Body, rw.Header()); strings.Contains(text, "s3cret") || strings.Contains(text, "Last-Modified") {
				t.Errorf("got through: %s", text)
			}
		})
	}
}

// TestGuardReadings: a narrower rule counts however a handler reads the path.
func TestGuardReadings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []policy.Rule{
		{Route: "ANY /static/{proxy+}"}, {Route: "ANY /static/secret/{proxy+}", Roles: []string{"admin"}},
		{Route: "ANY /notes/{proxy+}"}, {Route: "GET /notes/{id}", Roles: []string{"admin"}}, {Route: "GET /notes/{id}/all", Roles: []string{"admin"}},
	})
	notes := http.NewServeMux()
	notes.HandleFunc("GET /notes/{id}", func(http.ResponseWriter, *http.Request) {})
	notes.HandleFunc("GET /notes/{id}/all", func(http.ResponseWriter, *http.Request) {})
	files := fstest.MapFS{"open/x": {Data: []byte("open")}, "secret/x": {Data: []byte("secret")}}
	mux := http.NewServeMux()
	mux.Handle("/static/", w.Guard("/static/", http.StripPrefix("/static", http.FileServerFS(files))))
	mux.Handle("/notes/", w.Guard("/notes/{rest...}", notes))
	for path, want := range map[string]int{
		"/static/open/x": http.StatusOK, "/static/secret/x": http.StatusForbidden, "/static/secret%2Fx": http.StatusForbidden,
		"/static/..%2Fsecret/x": http.StatusForbidden, "/static/%2e%2e/secret/x": http.StatusForbidden, "/static/%2E/secret/x": http.StatusForbidden,
		"/static/open%2F..%2Fsecret/x": http.StatusForbidden, "/static/..%2Fother/..%2Fsecret/x": http.StatusForbidden,
		"/notes/1": http.StatusForbidden, "/notes/1%2F2": http.StatusForbidden, "/notes/..%2F1": http.StatusForbidden, "/notes/%2e%2e": http.StatusForbidden,
		"/notes/1%2f2/all": http.StatusForbidden, "/notes/1/2/3": http.StatusNotFound,
	} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer "+w.rawToken(t, "u_lin", "user"))
		rw := httptest.NewRecorder()
		mux.ServeHTTP(rw, r)
		if rw.Code != want {
			t.Errorf("%s: %d %s", path, rw.Code, rw.Body)
		}
	}
}
