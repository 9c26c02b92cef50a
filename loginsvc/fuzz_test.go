package loginsvc

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// FuzzSafeReturn looks for a target that is let through and leads off our
// origin, in the eyes of a strict parser or of a browser.
func FuzzSafeReturn(f *testing.F) {
	for _, seed := range []string{"/", "/a?b=c", "//evil", `/\evil`, "\t//evil", "https:evil", "/%2f%2fevil", "/..//evil", "/a/../b", "/?//evil"} {
		f.Add(seed)
	}
	base, _ := url.Parse("https://login.test/callback/demo")
	f.Fuzz(func(t *testing.T, target string) {
		if !safeReturn(target) {
			return
		}
		browser := strings.ReplaceAll(strings.Map(func(r rune) rune {
			if r == '\t' || r == '\r' || r == '\n' {
				return -1
			}
			return r
		}, target), `\`, "/")
		for _, location := range []string{"https://login.test" + target, target, browser} {
			ref, err := url.Parse(location)
			if err != nil {
				t.Fatalf("%q: %v", location, err)
			}
			if to := base.ResolveReference(ref); to.Scheme != "https" || to.Host != "login.test" || to.User != nil {
				t.Errorf("%q leads to %v", target, to)
			}
		}
		if unescaped, err := url.PathUnescape(target); err == nil && strings.HasPrefix(unescaped, "//") {
			t.Errorf("%q is %q", target, unescaped)
		}
	})
}

// FuzzTokenForm posts any body: what is accepted holds each parameter once, and
// is what the body says.
func FuzzTokenForm(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=b&a=c", "a=%zz", "a;b", "resource=a&resource=b", "grant_type=authorization_code&code=x", "=&=", "a=%00"} {
		f.Add("application/x-www-form-urlencoded", seed, "query=1")
	}
	f.Fuzz(func(t *testing.T, contentType, body, query string) {
		r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", contentType)
		p, err := singleForm(httptest.NewRecorder(), r)
		if err != nil {
			return
		}
		want, err := url.ParseQuery(body)
		if err != nil {
			t.Fatalf("accepted %q: %v", body, err)
		}
		for name, values := range p {
			if len(values) != 1 && name != "resource" || !equal(values, want[name]) {
				t.Errorf("%q: %q is %q, want %q", body, name, values, want[name])
			}
		}
		if len(p) != len(want) {
			t.Errorf("%q: %d parameters, want %d", body, len(p), len(want))
		}
	})
}

func equal(a, b []string) bool {
	return strings.Join(a, "\x00") == strings.Join(b, "\x00") && len(a) == len(b)
}

// FuzzRemembered holds that an authorization request survives a redirect: parsed
// again, it is the same or the same refusal.
func FuzzRemembered(f *testing.F) {
	f.Add("client_id=a&redirect_uri=https://a.test/&response_type=code&state=a%20b&code_challenge=x&scope=openid&max_age=1&prompt=login")
	c := client.Client{ID: "a", RedirectURIs: []string{"https://a.test/"}}
	f.Fuzz(func(t *testing.T, rawQuery string) {
		values, err := url.ParseQuery(rawQuery)
		if err != nil {
			return
		}
		one, err1 := parseAuthRequest(params(values), c, "aud")
		if err1 != nil {
			return
		}
		_, rawAgain, _ := strings.Cut(purpose{path: atAuthorize, app: one}.String(), "?")
		again, err := url.ParseQuery(rawAgain)
		if err != nil {
			t.Fatal(err)
		}
		two, err2 := parseAuthRequest(params(again), c, "aud")
		if err2 != nil || one.State != two.State || one.Nonce != two.Nonce || strings.Join(one.Scopes, " ") != strings.Join(two.Scopes, " ") || one.Prompt != two.Prompt {
			t.Errorf("%+v became %+v, %v", one, two, err2)
		}
	})
}
