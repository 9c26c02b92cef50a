package signin_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
)

// rogue is an authorization server that goes wrong in one way. The right way is
// tested against `gatehouse dev`.
type rogue struct {
	issuer   string                                // in its metadata; "": its address
	answer   func(query url.Values) url.Values     // to the authorization request
	redirect string                                // where to; "": where it should
	page     string                                // shown instead of a redirect
	token    func(http.ResponseWriter, url.Values) // the token endpoint
}

func (r rogue) start(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	if r.issuer == "" {
		r.issuer = server.URL
	}
	mux.HandleFunc("/.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q}`, r.issuer, server.URL+"/authorize", server.URL+"/token")
	})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, req *http.Request) {
		if r.page != "" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, r.page)
			return
		}
		to := r.redirect
		if to == "" {
			to = req.URL.Query().Get("redirect_uri")
		}
		query := req.URL.Query()
		query.Set("own", server.URL)
		http.Redirect(w, req, to+"?"+r.answer(query).Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, req *http.Request) {
		req.ParseForm()
		r.token(w, req.PostForm)
	})
	return server.URL
}

// right is the answer of an honest server.
func right(query url.Values) url.Values {
	return url.Values{"code": {"c"}, "state": {query.Get("state")}, "iss": {query.Get("own")}}
}

func but(name, value string) func(url.Values) url.Values {
	return func(query url.Values) url.Values {
		v := right(query)
		v.Set(name, value)
		return v
	}
}

func TestRogues(t *testing.T) {
	never := func(w http.ResponseWriter, _ url.Values) { t.Error("the code was sent to the token endpoint") }
	for _, row := range []struct {
		name string
		r    rogue
		want string
	}{
		{"another state", rogue{answer: but("state", "x"), token: never}, "the answer has another state: it belongs to another sign-in"},
		{"no state", rogue{answer: but("state", ""), token: never}, "the answer has another state: it belongs to another sign-in"},
		{"another issuer answers", rogue{answer: but("iss", "https://evil.example"), token: never}, "the answer comes from another issuer"},
		{"no issuer answers", rogue{answer: but("iss", ""), token: never}, "the answer comes from another issuer"},
		{"metadata of another issuer", rogue{issuer: "https://evil.example"}, "the issuer is https://evil.example: use --url https://evil.example"},
		{"an error", rogue{answer: but("error", "access_denied"), token: never}, "sign-in refused: access_denied: "},
		{"a page", rogue{page: "<p class=x>first</p><h1 id=a>Not <b>here</b> &amp; now</h1>"}, "sign-in refused: Not here & now"},
		{"a warning", rogue{page: `<h1>Who?</h1><div class="m" role="alert"><p>nobody</p></div>`}, "sign-in refused: nobody"},
		{"an empty page", rogue{page: " "}, "sign-in refused: 400 Bad Request"},
		{"round in circles", rogue{answer: right, redirect: "/authorize"}, "the sign-in goes round in circles"},
		{"a refused code", rogue{answer: right, token: func(w http.ResponseWriter, _ url.Values) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintln(w, `{"error":"invalid_grant"}`)
		}}, `sign-in refused: the token endpoint answers 400 {"error":"invalid_grant"}`},
		{"no JSON", rogue{answer: right, token: func(w http.ResponseWriter, _ url.Values) { fmt.Fprint(w, "hello") }},
			"reading the token endpoint's answer: invalid character 'h' looking for beginning of value"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := signin.Do(t.Context(), signin.Request{URL: row.r.start(t), User: "lin", ClientID: "app"})
			if err == nil || err.Error() != row.want {
				t.Errorf("told %v, want %s", err, row.want)
			}
		})
	}
}

// Each sign-in has a state and a verifier of its own, and redeems with the
// verifier of the challenge it sent.
func TestPKCE(t *testing.T) {
	seen := map[string]bool{}
	var challenge string
	r := rogue{
		answer: func(query url.Values) url.Values {
			challenge = query.Get("code_challenge")
			if query.Get("code_challenge_method") != "S256" || seen[challenge] || seen[query.Get("state")] {
				t.Errorf("%v", query)
			}
			seen[challenge], seen[query.Get("state")] = true, true
			return right(query)
		},
		token: func(w http.ResponseWriter, form url.Values) {
			if form.Get("code") != "c" || form.Get("code_verifier") == challenge || len(form.Get("code_verifier")) < 43 || form.Get("client_id") != "app" {
				t.Errorf("%v", form)
			}
			fmt.Fprint(w, `{"access_token":"a","expires_in":600}`)
		},
	}
	address := r.start(t)
	for range 2 {
		got, err := signin.Do(t.Context(), signin.Request{URL: address + "/", User: "lin", ClientID: "app"})
		if err != nil || got.AccessToken != "a" || got.ExpiresIn != 600 || !strings.Contains(string(got.Raw), `"a"`) {
			t.Errorf("%+v %v", got, err)
		}
	}
}

func TestNotRunning(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	if _, err := signin.Issuer(t.Context(), server.URL); err == nil || !strings.HasSuffix(err.Error(), "is not Gatehouse") {
		t.Errorf("%v", err)
	}
	server.Close()
	if _, err := signin.Issuer(t.Context(), server.URL); !errors.Is(err, signin.ErrNotRunning) {
		t.Errorf("%v", err)
	}
}
