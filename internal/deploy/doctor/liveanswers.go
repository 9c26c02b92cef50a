package doctor

import (
	"context"
	"net/http"
	"strings"
)

// guards wants the API to refuse requests without a token, or with a made-up one.
func (l *live) guards(ctx context.Context) {
	for _, path := range []string{"/me", "/users"} {
		a, ok := l.ask(ctx, "GET", path)
		if ok && a.StatusCode != http.StatusUnauthorized {
			l.wrong("live-open", l.issuer+path, "answers %d without a token, not 401: give the route its authorizer", a.StatusCode)
		}
		a, ok = l.ask(ctx, "GET", path, "Authorization", "Bearer made.up.token")
		if ok && a.StatusCode != http.StatusForbidden && a.StatusCode != http.StatusUnauthorized {
			l.wrong("live-open", l.issuer+path, "answers %d to a made-up token, not 403: look at the authorizer's log", a.StatusCode)
		}
		if ok && a.Header.Get("X-Gatehouse-Reason") != "" && strings.HasPrefix(l.issuer, "https:") {
			l.wrong("live-dev", l.issuer+path, "tells strangers why they were refused: this is gatehouse dev, and not for the public: make deploy")
		}
	}
}

// pages wants what a browser is shown to be safe from other pages.
func (l *live) pages(ctx context.Context) {
	const path = "/authorize?client_id=nobody-of-this-name&redirect_uri=https%3A%2F%2Fevil.example%2F&response_type=code"
	a, ok := l.ask(ctx, "GET", path, "Accept", "text/html")
	if !ok {
		return
	}
	where := l.issuer + "/authorize"
	if a.Header.Get("Location") != "" || a.StatusCode < 400 {
		l.wrong("live-page", where, "sends people on for an unknown app: an open redirect: want 4xx and no Location")
	}
	for header, part := range map[string]string{
		"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
	} {
		if !strings.Contains(a.Header.Get(header), part) {
			l.wrong("live-page", where, "has no %s: %s: let the function's headers through", header, part)
		}
	}
	if strings.HasPrefix(l.issuer, "https:") && a.Header.Get("Strict-Transport-Security") == "" {
		l.wrong("live-page", where, "has no Strict-Transport-Security: the first visit may be in the clear: is GATEHOUSE_ISSUER an https address?")
	}
	if strings.Contains(a.Header.Get("Content-Security-Policy"), "unsafe-inline") {
		l.wrong("live-page", where, "allows inline scripts: take unsafe-inline out of its Content-Security-Policy")
	}
}

func (l *live) tokenEndpoint(ctx context.Context) {
	where := l.issuer + "/token"
	a, ok := l.ask(ctx, "POST", "/token", "Content-Type", "application/x-www-form-urlencoded", "Origin", "https://evil.example")
	if !ok {
		return
	}
	refused := a.StatusCode == http.StatusBadRequest || a.StatusCode == http.StatusUnauthorized
	if !refused || !strings.Contains(string(a.body), `"error"`) {
		l.wrong("live-token", where, "answers %d to an empty form, and with no OAuth error: is POST /token a route?", a.StatusCode)
	}
	if !strings.Contains(a.Header.Get("Cache-Control"), "no-store") {
		l.wrong("live-token", where, "may be kept by a proxy on the way: want Cache-Control: no-store")
	}
	if origin := a.Header.Get("Access-Control-Allow-Origin"); origin == "*" || origin == "https://evil.example" {
		l.wrong("live-token", where, "lets pages of any origin read tokens: name the origins of your clients in gatehouse.yml, and set no cors in serverless.yml")
	}
	if a, ok := l.ask(ctx, "GET", "/token?grant_type=authorization_code"); ok && a.StatusCode < 400 {
		l.wrong("live-token", where, "answers GET, and secrets would be in addresses: want POST alone")
	}
}
