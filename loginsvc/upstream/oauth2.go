package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream/preset"
)

// readPerson returns what a provider without ID tokens says at its API about the
// person that an access token is for. The token has just come from the provider
// itself, for a code that PKCE and the state bind to this sign-in.
func (p *Provider) readPerson(ctx context.Context, tokens *oauth2.Token) (claims, error) {
	raw, err := p.getJSON(ctx, p.config.UserInfoURL, tokens)
	if err != nil {
		return nil, err
	}
	c, err := parseClaims(raw)
	if err != nil {
		return nil, refused("userinfo: %v", err)
	}
	if subject, ok := c.plain(p.config.claim(preset.ClaimSubject)); !ok || subject == "" || len(subject) > maxSubject {
		return nil, refused("userinfo: claim %s is missing or too long", p.config.claim(preset.ClaimSubject))
	}
	if p.config.emailsURL != "" {
		return c, p.addPrimaryEmail(ctx, tokens, c)
	}
	return c, nil
}

// addPrimaryEmail puts GitHub's primary address into c, if it is verified. The
// address of /user is what the person shows to the public, and proves nothing.
func (p *Provider) addPrimaryEmail(ctx context.Context, tokens *oauth2.Token, c claims) error {
	raw, err := p.getJSON(ctx, p.config.emailsURL, tokens)
	if err != nil {
		return err
	}
	var all []struct {
		Email             string `json:"email"`
		Primary, Verified bool
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return refused("addresses: not a list")
	}
	delete(c, p.config.claim(preset.ClaimEmail))
	delete(c, p.config.claim(preset.ClaimEmailVerified))
	for _, e := range all {
		if e.Primary && e.Verified {
			c[p.config.claim(preset.ClaimEmail)], _ = json.Marshal(e.Email)
			c[p.config.claim(preset.ClaimEmailVerified)] = json.RawMessage("true")
		}
	}
	return nil
}

func (p *Provider) getJSON(ctx context.Context, address string, tokens *oauth2.Token) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, unavailable("reading userinfo", err)
	}
	r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	r.Header.Set("User-Agent", "gatehouse") // GitHub wants one
	res, err := p.http.Do(r)
	if err != nil {
		return nil, unavailable("reading userinfo", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body) // bounded by the client
	switch {
	case err != nil:
		return nil, unavailable("reading userinfo", err)
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return nil, refused("userinfo: status %d: does the app have the scopes?", res.StatusCode)
	case res.StatusCode != http.StatusOK:
		return nil, unavailable("reading userinfo", fmt.Errorf("status %d", res.StatusCode))
	}
	return body, nil
}
