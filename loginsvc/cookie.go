package loginsvc

import (
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
)

// The names of our cookies. Over https they get the prefix __Host-, which a
// browser accepts only if the cookie is Secure, has no Domain and Path=/: then
// no other host and no other path can have planted it. On plain http, which is
// for a laptop, browsers refuse that prefix.
const (
	sessionCookie  = "gatehouse_session"
	flowCookie     = "gatehouse_flow_"    // followed by the flow's own part
	providerCookie = "gatehouse_provider" // where this browser signed in last
	hostPrefix     = "__Host-"
)

func (s *Service) cookieName(name string) string {
	if s.secure {
		return hostPrefix + name
	}
	return name
}

// setCookie writes a cookie for ttl; 0 or less removes it. It is Lax, not
// Strict, because the browser comes back from the provider by a link of another
// site.
func (s *Service) setCookie(w http.ResponseWriter, name, value string, ttl time.Duration) {
	c := &http.Cookie{
		Name:     s.cookieName(name),
		Value:    value,
		Path:     "/",
		MaxAge:   int(ttl / time.Second),
		Secure:   s.secure,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
	if ttl < time.Second {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// cookie returns the value of a cookie, or "".
func (s *Service) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// maxFlowCookies bounds the sign-ins that one browser can have under way: all
// cookies travel with every request, and a gateway refuses long headers.
const maxFlowCookies = 16

// dropFlowCookies removes the cookies of sign-ins that were never finished, if
// there are too many.
func (s *Service) dropFlowCookies(w http.ResponseWriter, r *http.Request) {
	var names []string
	for _, c := range r.Cookies() {
		name := strings.TrimPrefix(c.Name, hostPrefix)
		if strings.HasPrefix(name, flowCookie) {
			names = append(names, name)
		}
	}
	if len(names) < maxFlowCookies {
		return
	}
	for _, name := range names {
		s.setCookie(w, name, "", 0)
	}
}

// shownTo is what a form carries that asks the person at the browser something
// of consequence. It is derived from their session's cookie and from all that
// they are asked: an answer without it comes from another browser or another
// session than was asked, is about something else, or was never asked for.
func (s *Service) shownTo(r *http.Request, question string) string {
	return grant.Derive(s.cookie(r, sessionCookie), "shown\n"+question)
}
