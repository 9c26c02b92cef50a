package demoidp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

func (p *Provider) handleToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		tokenError(w, http.StatusBadRequest, "invalid_request")
		return
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			tokenError(w, http.StatusBadRequest, "invalid_request")
			return
		}
	}
	if !p.authenticated(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="demo provider"`)
		tokenError(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if r.PostForm.Get("grant_type") != "authorization_code" {
		tokenError(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	g, ok := p.redeem(r.PostForm)
	if !ok {
		tokenError(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	if g.slow {
		select {
		case <-time.After(p.config.SlowFor):
		case <-r.Context().Done():
			return
		}
	}
	accessToken := rand.Text() + rand.Text()
	idToken, err := p.idToken(g, accessToken)
	if err != nil {
		tokenError(w, http.StatusInternalServerError, "server_error")
		return
	}
	g.expiresAt = p.config.Now().Add(tokenTTL)
	p.remember(p.tokens, accessToken, g)
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": accessToken, "token_type": "Bearer", "expires_in": int(tokenTTL.Seconds()),
		"id_token": idToken, "scope": strings.Join(g.scopes, " "),
	})
}

// authenticated tells whether the client proved itself, by a header or in the
// form and not by both (RFC 6749, Section 2.3).
func (p *Provider) authenticated(r *http.Request) bool {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		// In the header both are form-encoded (RFC 6749, Section 2.3.1).
		basicID, err1 := url.QueryUnescape(user)
		basicSecret, err2 := url.QueryUnescape(password)
		if err1 != nil || err2 != nil || secret != "" || id != "" && id != basicID {
			return false
		}
		id, secret = basicID, basicSecret
	}
	return id == p.config.ClientID && subtle.ConstantTimeCompare([]byte(secret), []byte(p.config.ClientSecret)) == 1
}

// redeem returns the grant of a code, once. A code is spent by the attempt.
func (p *Provider) redeem(form url.Values) (grant, bool) {
	p.mu.Lock()
	g, ok := p.grants[form.Get("code")]
	if !p.behaviour.ReuseCodes {
		delete(p.grants, form.Get("code"))
	}
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	return g, ok && !p.config.Now().After(g.expiresAt) && form.Get("redirect_uri") == g.redirectURI &&
		base64.RawURLEncoding.EncodeToString(sum[:]) == g.challenge
}

func tokenError(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]any{"error": code})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
