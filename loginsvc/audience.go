package loginsvc

import (
	"net/http"
	"slices"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// Each access token is for one API, its audience. An app says which with
// resource (RFC 8707): at the sign-in, for all that comes of it, and at /token
// among those. What it never names is for the first API that it may have.

// grantAudiences are the APIs that a request asks for, where own is that of
// clients that name none: all that the client may have, if the request names
// none. ok is false if it names another.
func grantAudiences(p params, c client.Client, own string) (audiences []string, ok bool) {
	allowed := c.AllowedAudiences(own)
	for _, resource := range p["resource"] {
		switch {
		case resource == "" || slices.Contains(audiences, resource):
		case !slices.Contains(allowed, resource):
			return nil, false
		default:
			audiences = append(audiences, resource)
		}
	}
	if audiences == nil {
		audiences = allowed
	}
	return audiences, true
}

// audienceFor is the API that a token is for, by a request to /token: the one it
// names, or the first, of those that were granted and that the client may have
// still.
func (s *Service) audienceFor(p params, c client.Client, granted []string) (string, error) {
	asked, ok := grantAudiences(p, c, s.Audience)
	if len(p["resource"]) > 1 || !ok {
		return "", invalidTarget()
	}
	if granted == nil {
		granted = []string{s.Audience}
	}
	for _, audience := range granted {
		if audience != s.Issuer && slices.Contains(asked, audience) { // ours is no API
			return audience, nil
		}
	}
	return "", invalidTarget()
}

func invalidTarget() error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_target", Detail: "no such resource, or more than one: ask for one at a time"}
}

// rememberedAudiences is a list of APIs as what was granted remembers it: nil if it is
// the team's own alone, which is what most have.
func (s *Service) rememberedAudiences(audiences []string) []string {
	if len(audiences) == 1 && audiences[0] == s.Audience {
		return nil
	}
	return audiences
}

// lifetimes are how long what c is given is good for.
func (s *Service) lifetimes(c client.Client) client.Lifetimes {
	return c.Lifetimes.Within(client.Lifetimes{AccessToken: s.accessTTL, RefreshToken: s.refreshTTL, RefreshIdle: s.refreshIdleTTL})
}
