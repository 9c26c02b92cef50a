package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// discoveryTTL is how long a discovery document and the keys read for it are
// used. A key that the provider withdraws is refused after this at the latest.
const discoveryTTL = time.Hour

// discovery is what a provider says of itself.
type discovery struct {
	provider    *oidc.Provider // nil without a discovery document
	endpoint    oauth2.Endpoint
	authMethods []string // token_endpoint_auth_methods_supported
	sendsIssuer bool     // authorization_response_iss_parameter_supported
	keysURL     string
	readAt      time.Time
	keys        atomic.Pointer[[]jose.JSONWebKey] // nil until they were read
}

// discover returns the provider's discovery document. One caller asks the
// provider while the others wait, each no longer than its ctx.
func (p *Provider) discover(ctx context.Context) (*discovery, error) {
	if d := p.found.Load(); p.fresh(d) {
		return d, nil
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, unavailable("waiting for discovery", ctx.Err())
	}
	old := p.found.Load()
	if p.fresh(old) {
		return old, nil
	}
	d, err := p.readDiscovery(ctx)
	if err != nil {
		if old != nil {
			return old, nil // what was right an hour ago beats nothing
		}
		return nil, err
	}
	p.found.Store(d)
	return d, nil
}

func (p *Provider) fresh(d *discovery) bool {
	return d != nil && p.config.Now().Sub(d.readAt) < discoveryTTL
}

func (p *Provider) readDiscovery(ctx context.Context) (*discovery, error) {
	if p.config.preset.OAuth2 {
		return &discovery{endpoint: oauth2.Endpoint{AuthURL: p.config.AuthURL, TokenURL: p.config.TokenURL}, readAt: p.config.Now()}, nil
	}
	if p.config.several() { // the document names a template in the place of the issuer
		ctx = oidc.InsecureIssuerURLContext(ctx, p.template())
	}
	// The issuer of the document must be the one asked, by the byte (OpenID
	// Connect Discovery, Section 4.3); NewProvider sees to it.
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.http), p.config.Issuer)
	if err != nil {
		return nil, unavailable("reading discovery document", err)
	}
	var document struct {
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		SendsIssuer bool     `json:"authorization_response_iss_parameter_supported"`
		KeysURL     string   `json:"jwks_uri"`
	}
	if err := found.Claims(&document); err != nil {
		return nil, unavailable("reading discovery document", err)
	}
	endpoint := found.Endpoint()
	for _, e := range []struct{ name, url string }{
		{"authorization_endpoint", endpoint.AuthURL}, {"token_endpoint", endpoint.TokenURL}, {"jwks_uri", document.KeysURL},
		{"userinfo_endpoint", found.UserInfoEndpoint()},
	} {
		if e.name == "userinfo_endpoint" && e.url == "" {
			continue
		}
		if err := checkEndpoint(e.url, p.config.Issuer); err != nil {
			return nil, unavailable("reading discovery document", fmt.Errorf("%s: %w", e.name, err))
		}
	}
	return &discovery{
		provider: found, endpoint: endpoint, authMethods: document.AuthMethods, sendsIssuer: document.SendsIssuer,
		keysURL: document.KeysURL, readAt: p.config.Now(),
	}, nil
}

// style is how to authenticate at the token endpoint. A provider that names no
// method takes client_secret_basic (OpenID Connect Discovery, Section 3).
func (d *discovery) style(secret client.Secret) oauth2.AuthStyle {
	if secret == "" || len(d.authMethods) > 0 && !slices.Contains(d.authMethods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// checkIssuer tells what is wrong with an issuer in a configuration.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return errors.New("issuer: not set")
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return fmt.Errorf("issuer %q: want a URL such as https://accounts.google.com, without query or fragment", issuer)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback.URL(u)):
		return fmt.Errorf("issuer %q: want https; http is for a provider on this machine", issuer)
	}
	return nil
}

// checkEndpoint tells what is wrong with an address in a discovery document of
// issuer. A provider on this machine may name http addresses on this machine;
// no other may make Gatehouse talk to this machine in the clear.
func checkEndpoint(raw, issuer string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("not an absolute URL")
	}
	if u.Scheme == "https" {
		return nil
	}
	if i, err := url.Parse(issuer); err == nil && i.Scheme == "http" && u.Scheme == "http" && loopback.URL(u) {
		return nil
	}
	return errors.New("not https")
}
