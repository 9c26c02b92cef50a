package demoidp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/keys"
)

const (
	verifier = "a-verifier-of-at-least-forty-three-characters-0"
	callback = "http://localhost:8787/callback/demo"
)

// idp is a demo provider that serves, with its only client.
type idp struct {
	t      *testing.T
	p      *demoidp.Provider
	issuer string
	now    time.Time
	client *http.Client
}

func start(t *testing.T) *idp {
	t.Helper()
	i := &idp{t: t, now: time.Now(), client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { i.p.ServeHTTP(w, r) }))
	i.issuer = "http://" + server.Listener.Addr().String()
	p, err := demoidp.New(demoidp.Config{
		Issuer: i.issuer, ClientID: "gatehouse", ClientSecret: "demo secret+", RedirectURIs: []string{callback},
		SignaturesPerKey: 2, Now: func() time.Time { return i.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	i.p = p
	server.Start()
	t.Cleanup(server.Close)
	return i
}

// authorizeURL is a correct request with some parameters set otherwise.
func (i *idp) authorizeURL(otherwise url.Values) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {"gatehouse"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid email profile"},
		"state": {"s1"}, "nonce": {"n1"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	for name, values := range otherwise {
		q[name] = values
	}
	return i.issuer + "/authorize?" + q.Encode()
}

// choose posts form where the page would, and returns where that leads.
func (i *idp) choose(to string, form url.Values) (status int, answer url.Values) {
	i.t.Helper()
	res, err := i.client.PostForm(to, form)
	if err != nil {
		i.t.Fatal(err)
	}
	defer res.Body.Close()
	at, err := res.Location()
	if err != nil {
		return res.StatusCode, nil
	}
	if !strings.HasPrefix(at.String(), callback+"?") {
		i.t.Fatalf("led to %s", at)
	}
	return res.StatusCode, at.Query()
}

func (i *idp) code(form url.Values) string {
	i.t.Helper()
	status, answer := i.choose(i.authorizeURL(nil), form)
	if status != http.StatusSeeOther || answer.Get("code") == "" || answer.Get("state") != "s1" || answer.Get("iss") != i.issuer {
		i.t.Fatalf("status %d, answer %v", status, answer)
	}
	return answer.Get("code")
}

// redeem sends form to the token endpoint, authenticated by a header.
func (i *idp) redeem(form url.Values) (int, map[string]any) {
	i.t.Helper()
	r, _ := http.NewRequest(http.MethodPost, i.issuer+"/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if form.Get("client_secret") == "" {
		r.SetBasicAuth("gatehouse", url.QueryEscape("demo secret+"))
	}
	return i.json(r)
}

func (i *idp) json(r *http.Request) (int, map[string]any) {
	i.t.Helper()
	res, err := i.client.Do(r)
	if err != nil {
		i.t.Fatal(err)
	}
	defer res.Body.Close()
	var body map[string]any
	raw, _ := io.ReadAll(res.Body)
	if err := json.Unmarshal(raw, &body); err != nil && len(raw) > 0 {
		i.t.Fatalf("%v in %s", err, raw)
	}
	return res.StatusCode, body
}

func grantForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

// claims reads an ID token without verifying it.
func unverifiedClaims(t *testing.T, answer map[string]any) (header, claims map[string]any) {
	t.Helper()
	rawToken, _ := answer["id_token"].(string)
	parts := strings.Split(rawToken, ".")
	if len(parts) != 3 {
		t.Fatalf("no ID token in %v", answer)
	}
	for i, into := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func TestSignIn(t *testing.T) {
	i := start(t)
	status, answer := i.redeem(grantForm(i.code(url.Values{"user": {"lin"}})))
	if status != http.StatusOK {
		t.Fatalf("status %d: %v", status, answer)
	}
	_, claims := unverifiedClaims(t, answer)
	for name, want := range map[string]any{"iss": i.issuer, "sub": "demo-lin", "name": "Lin", "email": "lin@example.com", "email_verified": true, "nonce": "n1"} {
		if claims[name] != want {
			t.Errorf("%s: %v, want %v", name, claims[name], want)
		}
	}
	r, _ := http.NewRequest(http.MethodGet, i.issuer+"/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+answer["access_token"].(string))
	if status, info := i.json(r); status != http.StatusOK || info["sub"] != "demo-lin" {
		t.Errorf("userinfo: %d %v", status, info)
	}
	r.Header.Set("Authorization", "Bearer other")
	if status, _ := i.json(r); status != http.StatusUnauthorized {
		t.Errorf("userinfo for another token: %d", status)
	}
}

func TestSomeoneElse(t *testing.T) {
	i := start(t)
	form := url.Values{"user": {"other"}, "name": {"Grace"}, "email": {"g@example.org"}, "claims": {`{"hd":"example.org","iss":"https://evil.test","email":"G@example.org"}`}}
	_, answer := i.redeem(grantForm(i.code(form)))
	_, first := unverifiedClaims(t, answer)
	if first["email_verified"] != false || first["hd"] != "example.org" || first["iss"] != i.issuer || first["email"] != "G@example.org" {
		t.Errorf("claims: %v", first)
	}
	_, answer = i.redeem(grantForm(i.code(form)))
	if _, again := unverifiedClaims(t, answer); again["sub"] != first["sub"] {
		t.Error("the same person has another subject")
	}
	for name, bad := range map[string]url.Values{
		"nobody":         {"user": {"eve"}},
		"no e-mail":      {"user": {"other"}},
		"not an object":  {"user": {"other"}, "email": {"a@b.test"}, "claims": {"[1]"}},
		"nothing chosen": {},
	} {
		if status, _ := i.choose(i.authorizeURL(nil), bad); status != http.StatusBadRequest {
			t.Errorf("%s: status %d", name, status)
		}
	}
}

func TestUnkind(t *testing.T) {
	i := start(t)
	kids, lists, texts := map[any]bool{}, 0, 0
	for range 5 {
		_, answer := i.redeem(grantForm(i.code(url.Values{"user": {"ada"}})))
		header, claims := unverifiedClaims(t, answer)
		kids[header["kid"]] = true
		switch claims["aud"].(type) {
		case string:
			texts++
		case []any:
			lists++
		}
		r, _ := http.NewRequest(http.MethodGet, i.issuer+"/keys", nil)
		_, set := i.json(r)
		if published, _ := json.Marshal(set); !strings.Contains(string(published), header["kid"].(string)) {
			t.Error("the key that signed is not published")
		}
	}
	if len(kids) != 3 || lists == 0 || texts == 0 {
		t.Errorf("%d keys for five tokens, %d audiences as a list and %d as a string", len(kids), lists, texts)
	}
}

// TestManySignIns has more sign-ins within the life of an ID token than there is
// room for keys in the set.
func TestManySignIns(t *testing.T) {
	i := start(t)
	for range 2*keys.MaxPublished + 3 {
		i.redeem(grantForm(i.code(url.Values{"user": {"ada"}})))
	}
	r, _ := http.NewRequest(http.MethodGet, i.issuer+"/keys", nil)
	if status, set := i.json(r); status != http.StatusOK || len(set["keys"].([]any)) != keys.MaxPublished {
		t.Errorf("%d: %v", status, set)
	}
}

// TestSignInsAtOnce wants every ID token to be verifiable while it is valid.
func TestSignInsAtOnce(t *testing.T) {
	i := start(t)
	kids := make([]string, 200)
	var all sync.WaitGroup
	signIn := func(n int) {
		status, answer := i.redeem(grantForm(i.code(url.Values{"user": {"ada"}})))
		if status != http.StatusOK {
			t.Errorf("sign-in %d: %d %v", n, status, answer)
			return
		}
		rawHeader, _, _ := strings.Cut(answer["id_token"].(string), ".")
		var header struct{ Kid string }
		raw, _ := base64.RawURLEncoding.DecodeString(rawHeader)
		if err := json.Unmarshal(raw, &header); err != nil {
			t.Error(err)
		}
		kids[n] = header.Kid
	}
	for n := range 100 {
		all.Go(func() { signIn(n) })
	}
	all.Wait()
	for n := 100; n < len(kids); n += 4 { // fewer at once leave time for more keys
		for more := range 4 {
			all.Go(func() { signIn(n + more) })
		}
		all.Wait()
	}
	r, _ := http.NewRequest(http.MethodGet, i.issuer+"/keys", nil)
	status, set := i.json(r)
	published, _ := json.Marshal(set)
	if list, _ := set["keys"].([]any); status != http.StatusOK || len(list) > keys.MaxPublished {
		t.Fatalf("%d: %d keys: %s", status, len(list), published)
	}
	for n, kid := range kids {
		if kid == "" || !strings.Contains(string(published), kid) {
			t.Errorf("sign-in %d: the key %q is not published", n, kid)
		}
	}
}

func TestCodes(t *testing.T) {
	i := start(t)
	used := i.code(url.Values{"user": {"lin"}})
	i.redeem(grantForm(used))
	with := func(name, value string) url.Values {
		form := grantForm(i.code(url.Values{"user": {"lin"}}))
		form.Set(name, value)
		return form
	}
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"a code used before":         {grantForm(used), "invalid_grant"},
		"a code of our own making":   {grantForm("x"), "invalid_grant"},
		"another redirect URI":       {with("redirect_uri", callback+"/"), "invalid_grant"},
		"another verifier":           {with("code_verifier", verifier+"x"), "invalid_grant"},
		"no verifier":                {with("code_verifier", ""), "invalid_grant"},
		"another grant type":         {with("grant_type", "password"), "unsupported_grant_type"},
		"a wrong secret in the form": {url.Values{"client_id": {"gatehouse"}, "client_secret": {"x"}}, "invalid_client"},
		"a parameter twice":          {url.Values{"code": {"a", "b"}}, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, answer := i.redeem(c.form); answer["error"] != c.want || status < 400 {
				t.Errorf("%d %v, want %s", status, answer, c.want)
			}
		})
	}
	t.Run("a code of a minute ago", func(t *testing.T) {
		code := i.code(url.Values{"user": {"lin"}})
		i.now = i.now.Add(61 * time.Second)
		if _, answer := i.redeem(grantForm(code)); answer["error"] != "invalid_grant" {
			t.Error(answer)
		}
	})
	t.Run("the secret in the form", func(t *testing.T) {
		form := grantForm(i.code(url.Values{"user": {"lin"}}))
		form.Set("client_id", "gatehouse")
		form.Set("client_secret", "demo secret+")
		if status, answer := i.redeem(form); status != http.StatusOK {
			t.Error(status, answer)
		}
	})
}
