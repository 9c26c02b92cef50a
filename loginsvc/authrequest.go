package loginsvc

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// authRequest is a valid authorization request (OAuth 2.1, Section 4.1.1; OpenID
// Connect Core, Section 3.1.2.1).
type authRequest struct {
	Client      client.Client
	RedirectURI string
	FormPost    bool   // the response is posted by a form, and not a redirect
	State       string // "" if none was sent
	Scopes      []string
	Audiences   []string // the APIs that tokens may be for
	Challenge   string   // PKCE, always S256
	Nonce       string
	Prompt      prompt
	MaxAge      *int // seconds; nil if the app does not care
	LoginHint   string
	IDTokenHint string

	// IDPHint is the id of the provider that the client wants; "" or an unknown
	// one lets the person choose.
	IDPHint string

	kept     url.Values // the parameters to ask for the same again
	expected string     // the user whom IDTokenHint names, once it was verified; ""
}

// prompt is what the app wants the user to be asked (OpenID Connect Core,
// Section 3.1.2.1).
type prompt struct{ none, login, consent, selectAccount bool }

// authError refuses an authorization request in the words of RFC 6749, Section
// 4.1.2.1. It reaches the app through the browser, so that Description is a
// constant: it never holds what was sent.
type authError struct{ Code, Description string }

func (e *authError) Error() string { return e.Code + ": " + e.Description }

func refuse(code, description string) error { return &authError{code, description} }

// maxParam bounds each parameter that has to be kept, in bytes.
const maxParam = 4096

// parseAuthRequest validates what an app asks for, its client and redirect URI
// being known good. What it returns holds Client, RedirectURI and State also
// with an error, which then can be sent there.
func parseAuthRequest(p params, c client.Client, audience string) (*authRequest, error) {
	req := &authRequest{Client: c, RedirectURI: p.get("redirect_uri"), kept: remembered(p)}
	if !p.twice("state") {
		req.State = p.get("state")
	}
	if err := readResponseMode(p, req); err != nil {
		return req, err
	}
	if _, ok := p.repeated(); ok {
		return req, refuse("invalid_request", "a parameter is repeated")
	}
	for _, values := range p {
		if len(values[0]) > maxParam {
			return req, refuse("invalid_request", "a parameter is too long")
		}
	}
	for _, check := range []func(params, *authRequest) error{checkUnsupported, readResponseType, readPKCE, readPrompt, readMaxAge} {
		if err := check(p, req); err != nil {
			return req, err
		}
	}
	audiences, ok := grantAudiences(p, c, audience)
	if !ok { // RFC 8707, Section 2
		return req, refuse("invalid_target", "no such resource")
	}
	req.Audiences = audiences
	scopes, err := parseScopes(p.get("scope"), c)
	if err != nil {
		return req, err
	}
	req.Scopes = scopes
	req.Nonce, req.LoginHint, req.IDTokenHint = p.get("nonce"), p.get("login_hint"), p.get("id_token_hint")
	req.IDPHint = p.get("idp_hint")
	return req, nil
}

// checkUnsupported refuses what would change the meaning of the request if it
// were ignored (OpenID Connect Core, Section 6.1). A request_uri is not fetched.
func checkUnsupported(p params, _ *authRequest) error {
	switch {
	case p.get("request") != "":
		return refuse("request_not_supported", "send the parameters themselves")
	case p.get("request_uri") != "":
		return refuse("request_uri_not_supported", "send the parameters themselves")
	case p.get("registration") != "":
		return refuse("registration_not_supported", "clients are registered beforehand")
	}
	return nil
}

func readResponseType(p params, req *authRequest) error {
	switch {
	case p.get("response_type") == "":
		return refuse("invalid_request", "response_type is missing")
	case p.get("response_type") != "code":
		return refuse("unsupported_response_type", "only response_type=code is supported")
	case !req.Client.MayUse(client.GrantCode):
		return refuse("unauthorized_client", "this client may not use authorization codes")
	}
	return nil
}

// readResponseMode reads how the client wants the response, also that to whatever
// else is wrong with the request. If it cannot be had, the refusal is a redirect.
func readResponseMode(p params, req *authRequest) error {
	switch mode := p.get("response_mode"); {
	case p.twice("response_mode") || mode != "" && mode != "query" && mode != "form_post":
		return refuse("invalid_request", "response_mode is query or form_post")
	case mode != "form_post":
		return nil
	case !strings.HasPrefix(req.RedirectURI, "https://") && !strings.HasPrefix(req.RedirectURI, "http://"):
		return refuse("invalid_request", "response_mode=form_post needs a redirect URI with https or http")
	case !utf8.ValidString(req.State) || strings.ContainsFunc(req.State, unicode.IsControl): // "state = 1*VSCHAR"; a form changes line breaks
		return refuse("invalid_request", "state has a character that a form does not carry")
	}
	req.FormPost = true
	return nil
}

// readPKCE asks every client for PKCE, unless an exception of the client covers the
// request; and for S256, because a plain challenge is the verifier itself (RFC 9700,
// Section 2.1.1).
func readPKCE(p params, req *authRequest) error {
	req.Challenge = p.get("code_challenge")
	method := p.get("code_challenge_method")
	openID := p.get("nonce") != "" && slices.Contains(splitScopes(p.get("scope")), scopeOpenID) && slices.Contains(req.Client.AllowedScopes(), scopeOpenID)
	switch {
	case req.Challenge == "" && method == "" && !req.Client.NeedsChallenge(openID):
		return nil
	case req.Challenge == "":
		return refuse("invalid_request", "code_challenge is missing")
	case method != "S256": // absent means plain (RFC 7636, Section 4.3)
		return refuse("invalid_request", "only code_challenge_method=S256 is supported")
	case !isVerifier(req.Challenge):
		return refuse("invalid_request", "code_challenge is malformed")
	}
	return nil
}

// isVerifier tells whether s has the form that RFC 7636, Sections 4.1 and 4.2,
// give to verifiers and challenges alike.
func isVerifier(s string) bool {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	return len(s) >= 43 && len(s) <= 128 && only(s, unreserved)
}

// challengeOf is the S256 challenge of a PKCE verifier (RFC 7636, Section 4.2).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func readPrompt(p params, req *authRequest) error {
	for _, value := range splitScopes(p.get("prompt")) {
		switch value {
		case "none":
			req.Prompt.none = true
		case "login":
			req.Prompt.login = true
		case "consent":
			req.Prompt.consent = true
		case "select_account":
			req.Prompt.selectAccount = true
		default:
			return refuse("invalid_request", "unknown prompt")
		}
	}
	// "If this parameter contains none with any other value, an error is returned."
	if req.Prompt.none && req.Prompt != (prompt{none: true}) {
		return refuse("invalid_request", "prompt=none stands alone")
	}
	return nil
}

func readMaxAge(p params, req *authRequest) error {
	s := p.get("max_age")
	if s == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(s, 10, 31) // 68 years, and no overflow as a duration
	if err != nil {
		return refuse("invalid_request", "max_age is not a number of seconds")
	}
	age := int(seconds)
	req.MaxAge = &age
	return nil
}

// parseScopes returns the scopes that value asks for, each once. "Scope values used
// that are not understood by an implementation SHOULD be ignored" (OpenID Connect
// Core, Section 3.1.2.1): so are those that the client may not have, and
// offline_access without the grant of refresh tokens. The response to the client
// names what was granted. If nothing is left, the request is refused. A request
// without scopes asks for every scope of the client except openid, offline_access
// and account, which a client must ask for by name.
func parseScopes(value string, c client.Client) ([]string, error) {
	allowed := c.AllowedScopes()
	var scopes []string
	for _, scope := range splitScopes(value) {
		if slices.Contains(scopes, scope) || !slices.Contains(allowed, scope) || scope == scopeOffline && !c.MayUse(client.GrantRefresh) {
			continue
		}
		scopes = append(scopes, scope)
	}
	if scopes == nil && value != "" {
		return nil, refuse("invalid_scope", "this client may have none of the scopes")
	}
	if value == "" {
		for _, scope := range allowed {
			if scope != scopeOpenID && scope != scopeOffline && !client.IsOwnScope(scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	return scopes, nil
}

func splitScopes(value string) []string {
	return strings.FieldsFunc(value, func(c rune) bool { return c == ' ' })
}

// satisfiedBy tells whether a sign-in at authTime is good enough for the app.
func (req *authRequest) satisfiedBy(authTime, now time.Time) bool {
	if req.Prompt.login || req.Prompt.selectAccount {
		return false
	}
	if req.MaxAge == nil {
		return true
	}
	// max_age=0 is prompt=login (OpenID Connect Core, Section 3.1.2.1).
	return *req.MaxAge > 0 && now.Sub(authTime) <= time.Duration(*req.MaxAge)*time.Second
}

// remembered returns the parameters of an authorization request that we read:
// parsing them again gives the same request.
func remembered(p params) url.Values {
	kept := url.Values{}
	for _, name := range []string{
		"client_id", "redirect_uri", "response_type", "response_mode", "state", "scope", "code_challenge", "code_challenge_method",
		"nonce", "prompt", "max_age", "login_hint", "id_token_hint", "idp_hint", "acr_values", "ui_locales",
	} {
		if v := p.get(name); v != "" {
			kept.Set(name, v)
		}
	}
	if len(p["resource"]) > 0 {
		kept["resource"] = p["resource"]
	}
	return kept
}
