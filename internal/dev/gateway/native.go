package gateway

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// AWSIAM is the name of what guards a route whose callers sign requests with
// credentials of AWS.
const AWSIAM = "AWS_IAM"

// JWT is an HTTP API's own JWT authorizer, which calls no function.
type JWT struct {
	Issuer    string // "" only where a template is judged and not served
	Audiences []string
	// Key returns the issuer's public key of an id, or an error. Without it, every
	// token is refused.
	Key func(ctx context.Context, keyID string) (*rsa.PublicKey, error)
}

// Native tells whether the gateway decides by itself, without a function.
func (a Authorizer) Native() bool { return a.JWT != nil || a.Unverified != "" }

// AddIAM declares [AWSIAM] if a route has it.
func (t *Template) AddIAM() {
	if slices.ContainsFunc(t.Routes, func(r Route) bool { return r.Authorizer == AWSIAM }) {
		t.Authorizers = append(t.Authorizers, Authorizer{Name: AWSIAM, Unverified: AWSIAM})
	}
}

func (a Authorizer) checkNative() error {
	switch {
	case a.JWT == nil:
		return nil
	case a.Kind != HTTP2:
		return errors.New("only an HTTP API has a JWT authorizer")
	case len(a.JWT.Audiences) == 0:
		return errors.New("a JWT authorizer has an audience")
	case len(a.IdentitySources) != 1:
		return errors.New("a JWT authorizer has one identity source")
	}
	_, err := parseSource(a.Kind, a.IdentitySources[0])
	return err
}

// unverified refuses what this gateway cannot verify.
func (a Authorizer) unverified() Judgement {
	status := http.StatusForbidden
	if a.Unverified != AWSIAM {
		status = http.StatusUnauthorized
	}
	return Judgement{Status: status, Reason: "no authorizer here can verify " + a.Unverified}
}

// judge decides about the token in value, as API Gateway documents it: the key of
// the issuer that kid names, an RSA algorithm, iss, aud (or client_id where aud is
// absent), exp, nbf, iat, and one of the route's scopes.
func (j *JWT) judge(ctx context.Context, value string, scopes []string, now time.Time) Judgement {
	raw := value
	if scheme, rest, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "Bearer") {
		raw = rest
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "RS384", "RS512"}), jwt.WithIssuer(j.Issuer), jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithJSONNumber())
	claims := jwt.MapClaims{}
	_, err := parser.ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		if id == "" {
			return nil, errors.New("the header has no kid")
		}
		if j.Key == nil || j.Issuer == "" {
			return nil, errors.New("the issuer has no keys here")
		}
		return j.Key(ctx, id)
	})
	if err == nil && !j.isFor(claims) {
		err = errors.New("the token is for another audience")
	}
	if err != nil {
		return Judgement{Status: http.StatusUnauthorized, Reason: err.Error(), challenge: challenge(nil, "invalid_token", describe(err))}
	}
	granted := scopesOf(claims)
	if len(scopes) > 0 && !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(granted, s) }) {
		return Judgement{Status: http.StatusForbidden, Reason: "the token has none of the scopes " + strings.Join(scopes, " "),
			challenge: challenge(scopes, "insufficient_scope", "the token lacks a scope")}
	}
	out := verifiedJWT{Claims: flattened(claims)}
	for _, s := range scopes {
		if slices.Contains(granted, s) {
			out.Scopes = append(out.Scopes, s)
		}
	}
	return Judgement{Status: http.StatusOK, jwt: &out}
}

// verifiedJWT is what a function finds under requestContext.authorizer.jwt.
type verifiedJWT struct {
	Claims map[string]string `json:"claims"`
	Scopes []string          `json:"scopes"` // of the route, those that the token has; null if the route wants none
}

func challenge(scopes []string, code, description string) string {
	return fmt.Sprintf("Bearer scope=%q error=%q error_description=%q", strings.Join(scopes, " "), code, description)
}

// describe says why a token is refused, without a word of the token.
func describe(err error) string {
	for _, known := range []struct {
		err  error
		text string
	}{
		{jwt.ErrTokenExpired, "the token has expired"}, {jwt.ErrTokenNotValidYet, "the token is not valid yet"}, {jwt.ErrTokenUsedBeforeIssued, "the token is used before it was issued"},
		{jwt.ErrTokenInvalidIssuer, "the token is of another issuer"}, {jwt.ErrTokenMalformed, "the token is malformed"}, {jwt.ErrTokenSignatureInvalid, "the signature is invalid"},
	} {
		if errors.Is(err, known.err) {
			return known.text
		}
	}
	return "the token is invalid"
}

// isFor compares the audience. "client_id is used only if aud is not present."
func (j *JWT) isFor(claims jwt.MapClaims) bool {
	names, err := claims.GetAudience()
	if _, present := claims["aud"]; !present {
		id, _ := claims["client_id"].(string)
		names, err = jwt.ClaimStrings{id}, nil
	}
	return err == nil && slices.ContainsFunc(names, func(name string) bool { return name != "" && slices.Contains(j.Audiences, name) })
}

// scopesOf returns the words of scope, or of scp, which can be a list.
func scopesOf(claims jwt.MapClaims) []string {
	var out []string
	for _, name := range []string{"scope", "scp"} {
		switch value := claims[name].(type) {
		case string:
			out = append(out, strings.Fields(value)...)
		case []any:
			for _, word := range value {
				if s, ok := word.(string); ok {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// flattened returns the claims as functions get them: every one a string, a list
// as "[a b]".
func flattened(claims jwt.MapClaims) map[string]string {
	out := make(map[string]string, len(claims))
	for name, value := range claims {
		switch value := value.(type) {
		case nil:
		case map[string]any:
			text, _ := json.Marshal(value)
			out[name] = string(text)
		default:
			out[name] = fmt.Sprint(value)
		}
	}
	return out
}
