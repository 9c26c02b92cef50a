package demoidp

import (
	"net/http"
	"strings"
)

// handleUserInfo answers with what the ID token says, or would say.
func (p *Provider) handleUserInfo(w http.ResponseWriter, r *http.Request) {
	accessToken, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	g, ok := p.tokens[accessToken]
	change := p.behaviour.UserInfo
	p.mu.Unlock()
	if !bearer || !ok || p.config.Now().After(g.expiresAt) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	claims := g.person.claims()
	if change != nil {
		change(claims)
	}
	writeJSON(w, http.StatusOK, claims)
}
