package upstream

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	maxIDToken  = 64 << 10        // bytes; some providers list every group of a person
	clockLeeway = 2 * time.Minute // by which a provider's clock may be ahead
	maxSubject  = 255             // bytes (OpenID Connect Core, Section 2)
)

// algorithms are those that an ID token may be signed with: with the provider's
// private key, never with the client's secret and never with nothing.
var algorithms = [...]string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
	oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// verify returns the claims of the ID token among tokens, verified as OpenID
// Connect Core, Section 3.1.3.7, asks.
func (p *Provider) verify(ctx context.Context, d *discovery, tokens *oauth2.Token, nonce string) (claims, error) {
	rawToken, _ := tokens.Extra("id_token").(string)
	if rawToken == "" || len(rawToken) > maxIDToken {
		return nil, refused("ID token is missing or longer than 64 KiB")
	}
	header, err := checkHeader(rawToken)
	if err != nil {
		return nil, err
	}
	signers, err := p.keysFor(ctx, d, header.text("kid"), header.text("alg"))
	if err != nil {
		return nil, err
	}
	// Signature, issuer, audience and expiry.
	verifier := oidc.NewVerifier(p.config.Issuer, &oidc.StaticKeySet{PublicKeys: signers}, &oidc.Config{
		ClientID:             p.config.ClientID,
		SupportedSigningAlgs: d.algorithms(),
		Now:                  p.config.Now,
		SkipIssuerCheck:      p.config.several(), // issuerOf compares it with the tenant's
	})
	verified, err := verifier.Verify(ctx, rawToken)
	if err != nil {
		return nil, refused("ID token: %v", err)
	}
	if verified.AccessTokenHash != "" {
		if err := verified.VerifyAccessToken(tokens.AccessToken); err != nil {
			return nil, refused("ID token: at_hash is of another access token")
		}
	}
	var raw rawJSON
	if err := verified.Claims(&raw); err != nil {
		return nil, refused("ID token: %v", err)
	}
	c, err := parseClaims(raw)
	if err != nil {
		return nil, refused("ID token: %v", err)
	}
	return c, p.checkClaims(c, verified, nonce)
}

// algorithms are those that both the provider names and Gatehouse takes. One that
// names none signs with RS256 (OpenID Connect Discovery, Section 3).
func (d *discovery) algorithms() []string {
	var document struct {
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := d.provider.Claims(&document); err != nil || len(document.Algorithms) == 0 {
		return []string{oidc.RS256}
	}
	var both []string
	for _, a := range algorithms {
		if slices.Contains(document.Algorithms, a) {
			both = append(both, a)
		}
	}
	return both // an empty list stands for RS256, the one that all must have
}

// checkHeader returns the header of a token. It refuses one of another kind than
// an ID token, and one that asks for more than this package understands (RFC
// 7515, Section 4.1.11).
func checkHeader(rawToken string) (claims, error) {
	head, _, _ := strings.Cut(rawToken, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return nil, refused("ID token: header is not base64url")
	}
	h, err := parseClaims(raw)
	if err != nil {
		return nil, refused("ID token: header: %v", err)
	}
	_, crit := h["crit"]
	switch {
	case crit:
		return nil, refused("ID token: header has crit")
	case h.has("typ") && !strings.EqualFold(h.text("typ"), "JWT"):
		return nil, refused("ID token: typ is of another kind of token")
	}
	return h, nil
}

// checkClaims verifies what go-oidc leaves to its caller, and that the claims
// which go-oidc finds in any case bear their exact names.
func (p *Provider) checkClaims(c claims, verified *oidc.IDToken, nonce string) error {
	now := p.config.Now()
	issuedAt, issued := c.instant("iat")
	_, expires := c.instant("exp")
	subject := c.text("sub")
	azp := c.text("azp")
	switch {
	case !c.has("iss"), !c.has("aud"), !expires:
		return refused("ID token: iss, aud or exp is missing")
	case subject == "" || len(subject) > maxSubject:
		return refused("ID token: sub is missing or too long")
	case !issued || issuedAt.After(now.Add(clockLeeway)):
		return refused("ID token: iat is missing or in the future")
	case (!p.config.NonceOff || c.has("nonce")) && subtle.ConstantTimeCompare([]byte(c.text("nonce")), []byte(nonce)) != 1:
		return refused("ID token: nonce is missing or of another sign-in")
	case c.has("azp") && azp != p.config.ClientID:
		return refused("ID token: azp is another client")
	case len(verified.Audience) > 1 && azp != p.config.ClientID:
		return refused("ID token: several audiences and no azp")
	}
	return nil
}
