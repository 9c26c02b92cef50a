package demoidp_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
)

func TestRequestsThatAreNotRedirected(t *testing.T) {
	i := start(t)
	for name, otherwise := range map[string]url.Values{
		"another client":          {"client_id": {"other"}},
		"another redirect URI":    {"redirect_uri": {callback + "/"}},
		"a parameter twice":       {"state": {"a", "b"}},
		"a redirect URI of evils": {"redirect_uri": {"https://evil.test"}},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, _ := http.NewRequest(method, i.authorizeURL(otherwise), nil)
			res, err := i.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusBadRequest || res.Header.Get("Location") != "" {
				t.Errorf("%s %s: status %d, Location %q", method, name, res.StatusCode, res.Header.Get("Location"))
			}
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	i := start(t)
	for want, otherwise := range map[string]url.Values{
		"unsupported_response_type": {"response_type": {"token"}},
		"invalid_scope":             {"scope": {"email"}},
		"invalid_request":           {"code_challenge_method": {"plain"}},
		"login_required":            {"prompt": {"none"}},
	} {
		_, answer := i.choose(i.authorizeURL(otherwise), url.Values{"user": {"lin"}})
		if answer.Get("error") != want || answer.Get("state") != "s1" || answer.Get("code") != "" {
			t.Errorf("%v, want %s", answer, want)
		}
	}
	if _, answer := i.choose(i.authorizeURL(url.Values{"nonce": {""}}), url.Values{"user": {"lin"}}); answer.Get("error") != "invalid_request" {
		t.Errorf("without a nonce: %v", answer)
	}
}

func TestFaults(t *testing.T) {
	i := start(t)
	for value, want := range map[string]string{"cancel": "access_denied", "error": "server_error"} {
		if _, answer := i.choose(i.authorizeURL(nil), url.Values{"fault": {value}}); answer.Get("error") != want {
			t.Errorf("%s: %v", value, answer)
		}
	}
	_, answer := i.redeem(grantForm(i.code(url.Values{"fault": {"nonce"}})))
	if _, claims := unverifiedClaims(t, answer); claims["nonce"] == "n1" {
		t.Error("the nonce is right")
	}
	_, answer = i.redeem(grantForm(i.code(url.Values{"fault": {"unverified"}, "user": {"ada"}})))
	if _, claims := unverifiedClaims(t, answer); claims["email_verified"] != false || claims["sub"] != "demo-ada" {
		t.Errorf("claims %v", claims)
	}
	i.client.Timeout = 50 * time.Millisecond
	form := grantForm(i.code(url.Values{"fault": {"slow"}}))
	r, _ := http.NewRequest(http.MethodPost, i.issuer+"/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("gatehouse", url.QueryEscape("demo secret+"))
	if _, err := i.client.Do(r); err == nil {
		t.Error("a slow answer came at once")
	}
}

func TestPage(t *testing.T) {
	i := start(t)
	for name, to := range map[string]string{"home": i.issuer + "/", "choice": i.authorizeURL(url.Values{"state": {`"><script>x</script>`}})} {
		res, err := i.client.Get(to)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(res.Body)
		res.Body.Close()
		body := string(raw)
		if strings.Contains(body, "<script") || !strings.Contains(body, "DEMO") || strings.Count(body, "<h1>") != 1 || len(body) > 30_000 {
			t.Errorf("%s: %d bytes: %s", name, len(body), body)
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") {
			t.Errorf("%s: policy %s", name, csp)
		}
	}
}

func TestForeignForm(t *testing.T) {
	i := start(t)
	r, _ := http.NewRequest(http.MethodPost, i.authorizeURL(nil), strings.NewReader("user=ada"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := i.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", res.StatusCode)
	}
}

func TestStaysOnThisMachine(t *testing.T) {
	for _, addr := range []string{":8788", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "8788", ""} {
		if l, err := demoidp.Listen(addr); err == nil {
			l.Close()
			t.Errorf("listens on %q", addr)
		} else if !strings.Contains(err.Error(), "demo provider: address") {
			t.Errorf("%q: %v does not say what to write", addr, err)
		}
	}
	l, err := demoidp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := demoidp.Listen(l.Addr().String()); err == nil {
		t.Error("listens twice on one port")
	}
	for _, issuer := range []string{"https://127.0.0.1:1", "http://example.com", "http://127.0.0.1:1/path", "", "http://0.0.0.0:1"} {
		if _, err := demoidp.New(demoidp.Config{Issuer: issuer, ClientID: "a", ClientSecret: "b", RedirectURIs: []string{callback}}); err == nil {
			t.Errorf("serves as %q", issuer)
		}
	}
}
