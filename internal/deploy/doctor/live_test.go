package doctor_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/doctor"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

func start(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.Start(t.Context(), server.Options{Config: "../../../gatehouse.yml", Template: "../../../serverless.yml"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSoundService(t *testing.T) {
	r := doctor.Live(t.Context(), start(t).Issuer)
	if len(r.Findings) != 0 || len(r.Facts) != 2 {
		t.Errorf("findings %v, facts %v", r.Findings, r.Facts)
	}
}

// spoilt is a sound service with one thing changed on the way.
func spoilt(t *testing.T, change func(r *http.Request, status *int, h http.Header, body *string)) string {
	t.Helper()
	var origin string
	good := start(t).Issuer
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		forward(t, rec, r, good)
		status, h, body := rec.Code, rec.Header(), strings.ReplaceAll(rec.Body.String(), good, origin)
		change(r, &status, h, &body)
		h.Del("Content-Length")
		for name, values := range h {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	origin = server.URL
	return origin
}

func forward(t *testing.T, w http.ResponseWriter, r *http.Request, to string) {
	out, err := http.NewRequestWithContext(t.Context(), r.Method, to+r.URL.RequestURI(), r.Body)
	if err != nil {
		t.Error(err)
		return
	}
	out.Header = r.Header.Clone()
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	var body strings.Builder
	resp.Write(&body)
	_, text, _ := strings.Cut(body.String(), "\r\n\r\n")
	fmt.Fprint(w, text)
}

func TestTrapsInService(t *testing.T) {
	var trap func(r *http.Request, status *int, h http.Header, body *string)
	url := spoilt(t, func(r *http.Request, status *int, h http.Header, body *string) {
		if trap != nil {
			trap(r, status, h, body)
		}
	})
	text := func(path, old, new string) func(*http.Request, *int, http.Header, *string) {
		return func(r *http.Request, _ *int, _ http.Header, body *string) {
			if r.URL.Path == path {
				*body = strings.Replace(*body, old, new, 1)
			}
		}
	}
	code := func(path string, to int) func(*http.Request, *int, http.Header, *string) {
		return func(r *http.Request, status *int, _ http.Header, _ *string) {
			if r.URL.Path == path {
				*status = to
			}
		}
	}
	header := func(path, name, value string) func(*http.Request, *int, http.Header, *string) {
		return func(r *http.Request, _ *int, h http.Header, _ *string) {
			if r.URL.Path == path {
				h.Set(name, value)
			}
		}
	}
	const discovery, keys = "/.well-known/openid-configuration", "/.well-known/jwks.json"
	if r := doctor.Live(t.Context(), url); r.Wrong() != 0 {
		t.Fatalf("a sound service: %v", r.Findings)
	}
	for _, tc := range []struct {
		name string
		trap func(*http.Request, *int, http.Header, *string)
		want string
	}{
		{"no discovery", code(discovery, 404), "answers 404, and not with the metadata"},
		{"another issuer", text(discovery, `"issuer":"`+url+`"`, `"issuer":"`+url+`/"`), "verifiers compare byte by byte"},
		{"an endpoint elsewhere", text(discovery, url+"/token", "https://evil.example/token"), "outside of the issuer"},
		{"I29 a host out of a header", func(r *http.Request, _ *int, _ http.Header, body *string) {
			if host := r.Header.Get("X-Forwarded-Host"); host != "" {
				*body = strings.ReplaceAll(*body, "127.0.0.1", host)
			}
		}, "from a header of the request"},
		{"the implicit flow", text(discovery, `["code"]`, `["code","token"]`), "only code"},
		{"plain challenges", text(discovery, `["S256"]`, `["S256","plain"]`), "S256 alone"},
		{"no signature", text(discovery, `["RS256"]`, `["RS256","none"]`), "never none"},
		{"answers without iss", text(discovery, `"authorization_response_iss_parameter_supported":true`, `"authorization_response_iss_parameter_supported":false`), "RFC 9207"},
		{"a clock that is wrong", header(discovery, "Date", "Mon, 02 Jan 2006 15:04:05 GMT"), "differ by"},
		{"no keys", code(keys, 503), "nobody can verify a token"},
		{"an empty set", func(r *http.Request, _ *int, _ http.Header, body *string) {
			if r.URL.Path == keys {
				*body = `{"keys":[]}`
			}
		}, "want RSA keys"},
		{"a private key", text(keys, `"kty"`, `"d":"AQAB","kty"`), "a private key"},
		{"S70 a key id that tells", text(keys, `"kid":"`, `"kid":"arn:aws:kms:`), "tells your account"},
		{"keys that are never kept", header(keys, "Cache-Control", "no-store"), "has no max-age"},
		{"keys kept for a day", header(keys, "Cache-Control", "max-age=86400"), "kept for 86400 s"},
		{"no feed", code("/revocations", 404), "refuse everybody"},
		{"a feed without ETag", header("/revocations", "ETag", ""), "no ETag"},
		{"an open API", code("/me", 200), "without a token, not 401"},
		{"an authorizer in trouble", func(r *http.Request, status *int, _ http.Header, _ *string) {
			if r.Header.Get("Authorization") != "" {
				*status = 500
			}
		}, "answers 500 to a made-up token"},
		{"an open redirect", header("/authorize", "Location", "https://evil.example/"), "an open redirect"},
		{"pages in frames", header("/authorize", "Content-Security-Policy", "default-src 'none'"), "frame-ancestors"},
		{"inline scripts", header("/authorize", "Content-Security-Policy", "frame-ancestors 'none'; script-src 'unsafe-inline'"), "inline scripts"},
		{"a token endpoint that is gone", code("/token", 404), "is POST /token a route?"},
		{"tokens that are kept", header("/token", "Cache-Control", "public"), "may be kept by a proxy"},
		{"tokens for any page", header("/token", "Access-Control-Allow-Origin", "*"), "any origin read tokens"},
		{"tokens by GET", code("/token", 200), "secrets would be in addresses"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			trap = tc.trap
			if r := doctor.Live(t.Context(), url); !has(r, tc.want) {
				t.Errorf("not found; findings: %v", r.Findings)
			}
		})
	}
	t.Run("nothing there", func(t *testing.T) {
		if r := doctor.Live(t.Context(), "http://127.0.0.1:1"); !has(r, "does not answer") {
			t.Errorf("findings: %v", r.Findings)
		}
	})
	t.Run("no issuer's address", func(t *testing.T) {
		if r := doctor.Live(t.Context(), "https://auth.example.com/"); !has(r, "ends in a slash") {
			t.Errorf("findings: %v", r.Findings)
		}
	})
}
