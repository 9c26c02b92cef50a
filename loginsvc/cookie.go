package loginsvc

import (
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/flow"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
)

// The names of our cookies. Over https they get the prefix __Host-, which a
// browser accepts only if the cookie is Secure, has no Domain and Path=/: then
// no other host and no other path can have planted it. On plain http, which is
// for a laptop, browsers refuse that prefix.
const (
	sessionCookie  = "gatehouse_session"
	flowCookie     = "gatehouse_flow_"    // with the browser's own name: the secret of its sign-ins
	sealedCookie   = "gatehouse_sealed_"  // with the flow's ID: a sealed sign-in that is too large for a URL
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
	s.writeCookie(w, name, value, ttl, http.SameSiteLaxMode)
}

func (s *Service) writeCookie(w http.ResponseWriter, name, value string, ttl time.Duration, sameSite http.SameSite) {
	c := &http.Cookie{
		Name:     s.cookieName(name),
		Value:    value,
		Path:     "/",
		MaxAge:   int(ttl / time.Second),
		Secure:   s.secure,
		HttpOnly: true,
		SameSite: sameSite,
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

// setFlowCookie writes a cookie of a sign-in that is under way. Over https it is
// SameSite=None: a provider that answers with a form (response_mode=form_post)
// makes the browser post from the provider's site, and no Lax cookie comes along.
// It authorizes nothing: it opens only what this browser sealed, and the callback
// judges that again. On plain http browsers refuse None.
func (s *Service) setFlowCookie(w http.ResponseWriter, name, value string, ttl time.Duration) {
	sameSite := http.SameSiteLaxMode
	if s.secure {
		sameSite = http.SameSiteNoneMode
	}
	s.writeCookie(w, name, value, ttl, sameSite)
}

// maxFlowCookies bounds the cookies that tabs which start together leave in one
// browser: all cookies travel with every request, and a gateway refuses headers
// of more than 10 kB.
const maxFlowCookies = 100

// flowSecret returns the secret of the browser and the name of its cookie, which
// lives for another ten minutes from now. A browser without one gets one.
func (s *Service) flowSecret(w http.ResponseWriter, r *http.Request) (name string, secret flow.Secret) {
	names := s.flowCookies(r)
	if len(names) == 0 {
		name, secret = flow.NewName(), flow.NewSecret()
	} else {
		name = names[0]
		secret, _ = flow.ParseSecret(s.cookie(r, flowCookie+name))
	}
	if len(names) > maxFlowCookies {
		for _, other := range names[1:] {
			s.setFlowCookie(w, flowCookie+other, "", 0)
		}
	}
	s.setFlowCookie(w, flowCookie+name, secret.Cookie(), s.flowTTL)
	return name, secret
}

// flowCookies returns the names of the browser's cookies that hold a secret.
func (s *Service) flowCookies(r *http.Request) []string {
	var names []string
	for _, c := range r.Cookies() {
		name, ok := strings.CutPrefix(c.Name, s.cookieName(flowCookie))
		if _, valid := flow.ParseSecret(c.Value); ok && valid && flow.IsName(name) {
			names = append(names, name)
		}
	}
	return names
}

// maxSealedCookies bounds the cookies with sealed sign-ins of one browser, in bytes
// together: a gateway refuses headers of more than 10 kB. Two or three sign-ins
// with a state of 2 kB fit.
const maxSealedCookies = 6000

// setSealedCookie writes the cookie of a sealed sign-in. It drops the oldest ones
// that leave it no room; they come first (RFC 6265, Section 5.4).
func (s *Service) setSealedCookie(w http.ResponseWriter, r *http.Request, id flow.ID, sealed []byte) {
	name, text := sealedCookie+id.Text(), flow.SealedText(sealed)
	size := len(s.cookieName(name)) + len(text)
	cookies := r.Cookies()
	for i := len(cookies) - 1; i >= 0; i-- {
		old, ok := strings.CutPrefix(cookies[i].Name, s.cookieName(sealedCookie))
		if !ok {
			continue
		}
		if size += len(cookies[i].Name) + len(cookies[i].Value); size > maxSealedCookies {
			s.setFlowCookie(w, sealedCookie+old, "", 0)
		}
	}
	s.setFlowCookie(w, name, text, s.flowTTL)
}

// shownTo is what a form carries that asks the person at the browser something
// of consequence. It is derived from their session's cookie and from all that
// they are asked: an answer without it comes from another browser or another
// session than was asked, is about something else, or was never asked for.
func (s *Service) shownTo(r *http.Request, question string) string {
	return grant.Derive(s.cookie(r, sessionCookie), "shown\n"+question)
}
