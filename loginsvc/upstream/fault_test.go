package upstream_test

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
)

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		w.Write([]byte("an internal detail of the provider"))
	}
}

func answer(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write([]byte(body))
	}
}

// hang answers nothing until the client has gone, which a server notices only
// once it has read the body.
func hang(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// flood answers with 10 MB that begin like JSON.
func flood(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write([]byte(`{"access_token":"`))
	block := bytes.Repeat([]byte("a"), 1<<16)
	for range 160 {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
	w.Write([]byte(`"}`))
}

// TestTroubleAtTheProvider is fault 24 of the list, and S40.
func TestTroubleAtTheProvider(t *testing.T) {
	for name, instead := range map[string]http.HandlerFunc{
		"status 500":      status(500),
		"status 404":      status(404),
		"no answer":       hang,
		"HTML":            answer("text/html", "<html>maintenance</html>"),
		"half an answer":  answer("application/json", `{"access_token":"a`),
		"an empty answer": answer("application/json", ""),
		"a list":          answer("application/json", `[]`),
		"10 MB":           flood,
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		},
	} {
		for _, path := range []string{"/.well-known/openid-configuration", "/token", "/keys"} {
			t.Run("S40 fault 24 "+path+" answers with "+name, func(t *testing.T) {
				t.Parallel()
				h := open(t, func(c *upstream.Config) { c.Timeout = 300 * time.Millisecond })
				trouble := demoidp.Behaviour{Instead: map[string]http.HandlerFunc{path: instead}}
				if path == "/.well-known/openid-configuration" {
					h.demo.Behave(trouble)
					within(t, 2*time.Second, func() {
						_, err := h.upstream.AuthURL(t.Context(), upstream.Request{State: "s", Nonce: nonce, Verifier: verifier})
						wantErr(t, err, upstream.ErrUnavailable)
					})
				} else {
					r := h.authorize(lin)
					h.demo.Behave(trouble)
					within(t, 2*time.Second, func() {
						_, err := h.upstream.Exchange(t.Context(), r, nonce, verifier)
						wantErr(t, err, upstream.ErrUnavailable)
						if err != nil && (strings.Contains(err.Error(), r.Code) || strings.Contains(err.Error(), "s3cret")) {
							t.Errorf("the log would tell a secret: %v", err)
						}
					})
				}
				h.demo.Behave(demoidp.Behaviour{})
				if _, err := h.signIn(lin); err != nil {
					t.Errorf("the next sign-in: %v", err)
				}
			})
		}
	}
}

// slowly answers as the provider does, after d.
func (h *house) slowly(d time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(d)
		h.demo.Behave(demoidp.Behaviour{})
		h.demo.ServeHTTP(w, r)
		h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/keys": h.slowly(d)}})
	}
}

func TestSlowSteps(t *testing.T) {
	t.Run("S40 fault 24 steps that are each in time are not in time together", func(t *testing.T) {
		const limit = 400 * time.Millisecond
		h := open(t, func(c *upstream.Config) { c.Timeout = limit })
		r := h.authorize(lin)
		h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/token": h.slowly(limit * 3 / 4)}})
		_, err := h.upstream.Exchange(t.Context(), r, nonce, verifier)
		wantErr(t, err, upstream.ErrUnavailable)
	})
}

func TestTokenEndpointRedirects(t *testing.T) {
	t.Run("S33 a code is not sent on to where the token endpoint redirects", func(t *testing.T) {
		h := open(t, nil)
		r := h.authorize(lin)
		h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/token": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/canary", http.StatusTemporaryRedirect)
		}}})
		_, err := h.upstream.Exchange(t.Context(), r, nonce, verifier)
		wantErr(t, err, upstream.ErrUnavailable)
		if n := h.called("/canary"); n != 0 {
			t.Errorf("sent on %d times", n)
		}
	})
}

func TestTokenEndpointSaysNo(t *testing.T) {
	const echo = `{"error":"invalid_grant","error_description":"code c0de of client s3cret <script>"}`
	h := open(t, nil)
	r := h.authorize(lin)
	h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/token": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(echo))
	}}})
	_, err := h.upstream.Exchange(t.Context(), r, nonce, verifier)
	wantErr(t, err, upstream.ErrRefused)
	t.Run("S48 what the token endpoint echoes is not kept", func(t *testing.T) {
		for _, secret := range []string{"c0de", "s3cret", "script", r.Code} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%q stands in %q", secret, err)
			}
		}
	})
}

func TestTokenEndpointFailsWithACode(t *testing.T) {
	h := open(t, nil)
	h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/token": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		w.Write([]byte(`{"error":"invalid_request"}`))
	}}})
	_, err := h.signIn(lin)
	wantErr(t, err, upstream.ErrUnavailable)
}

func TestMixUp(t *testing.T) {
	for name, issuer := range map[string]string{"another provider's": "https://evil.test", "ours with a slash": "/", "none": ""} {
		t.Run("S33 the response's issuer is "+name, func(t *testing.T) {
			h := open(t, nil)
			r := h.authorize(lin)
			if issuer == "/" {
				issuer = h.issuer + "/"
			}
			r.Issuer = issuer
			h.called("")
			_, err := h.upstream.Exchange(t.Context(), r, nonce, verifier)
			wantErr(t, err, upstream.ErrRefused)
			if n := h.called("/token"); n != 0 {
				t.Errorf("the code was sent %d times", n)
			}
		})
	}
	t.Run("S33 a provider that sends no issuer and never said it would", func(t *testing.T) {
		h := open(t, nil)
		h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{
			"/.well-known/openid-configuration": h.discoveryWithout("authorization_response_iss_parameter_supported"),
		}})
		r := h.authorize(lin)
		r.Issuer = ""
		if _, err := h.upstream.Exchange(t.Context(), r, nonce, verifier); err != nil {
			t.Error(err)
		}
	})
}

func TestNothingStays(t *testing.T) {
	t.Run("S40 no goroutine is left", func(t *testing.T) {
		before := runtime.NumGoroutine()
		h := open(t, func(c *upstream.Config) { c.Timeout = 100 * time.Millisecond })
		r := h.authorize(lin)
		for _, path := range []string{"/keys", "/token"} {
			h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{path: hang}})
			h.upstream.Exchange(t.Context(), r, nonce, verifier)
			r = h.authorize(lin)
		}
		deadline := time.Now().Add(3 * time.Second)
		for runtime.NumGoroutine() > before+8 { // the server's own and idle connections
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<16)
				t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}
