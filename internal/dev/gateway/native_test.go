package gateway_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// echoed is a function that answers with its event.
type echoed struct{ event []byte }

func (e *echoed) invoke(_ context.Context, event []byte) ([]byte, error) {
	e.event = event
	return []byte(`{"statusCode":200}`), nil
}

// TestJWTAuthorizer sends tokens to routes of API Gateway's own JWT authorizer. Each
// row but the first changes one thing of a token that is right.
func TestJWTAuthorizer(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	function := &echoed{}
	g, err := gateway.New(gateway.Config{
		Template: &gateway.Template{
			Authorizers: []gateway.Authorizer{{Name: "native", IdentitySources: []string{"$request.header.Authorization"}, JWT: &gateway.JWT{
				Issuer: "https://id.example.com", Audiences: []string{"api", "other"},
				Key: func(_ context.Context, id string) (*rsa.PublicKey, error) {
					if id != "k1" {
						return nil, errors.New("unknown key")
					}
					return &key.PublicKey, nil
				},
			}}, {Name: gateway.AWSIAM, Unverified: gateway.AWSIAM}},
			Routes: []gateway.Route{
				{Key: "GET /a", Function: "f", Authorizer: "native"}, {Key: "GET /old", Function: "f", Authorizer: "native", Payload1: true},
				{Key: "GET /scoped", Function: "f", Authorizer: "native", Scopes: []string{"write", "read"}},
				{Key: "GET /signed", Function: "f", Authorizer: gateway.AWSIAM},
			},
		},
		Functions: map[string]gateway.Function{"f": function.invoke}, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	claims := func(changes ...any) jwt.MapClaims {
		c := jwt.MapClaims{"iss": "https://id.example.com", "aud": "api", "sub": "u_1", "exp": now.Unix() + 60, "iat": now.Unix(), "roles": []string{"a", "b"}, "scope": "read x"}
		for i := 0; i < len(changes); i += 2 {
			if c[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
				delete(c, changes[i].(string))
			}
		}
		return c
	}
	sign := func(method jwt.SigningMethod, with any, kid any, c jwt.MapClaims) string {
		token := jwt.NewWithClaims(method, c)
		if token.Header["kid"] = kid; kid == nil {
			delete(token.Header, "kid")
		}
		raw, err := token.SignedString(with)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	rs := func(changes ...any) string { return sign(jwt.SigningMethodRS256, key, "k1", claims(changes...)) }
	segment := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	confused := segment(`{"alg":"HS256","kid":"k1"}`) + "." + strings.Split(rs(), ".")[1]
	mac := hmac.New(sha256.New, key.PublicKey.N.Bytes())
	io.WriteString(mac, confused)
	for name, tc := range map[string]struct {
		path, value string
		status      int
		challenge   string
	}{
		"a token":                        {"/a", "Bearer " + rs(), 200, ""},
		"without the word Bearer":        {"/a", rs(), 200, ""},
		"RS512":                          {"/a", sign(jwt.SigningMethodRS512, key, "k1", claims()), 200, ""},
		"one of several audiences":       {"/a", rs("aud", []string{"x", "other"}), 200, ""},
		"client_id in place of aud":      {"/a", rs("aud", nil, "client_id", "api"), 200, ""},
		"a scope of the route":           {"/scoped", rs(), 200, ""},
		"scp as a list":                  {"/scoped", rs("scope", nil, "scp", []string{"write"}), 200, ""},
		"payload 1.0":                    {"/old", rs(), 200, ""},
		"nothing":                        {"/a", "", 401, "Bearer"},
		"no token":                       {"/a", "Bearer x", 401, `error="invalid_token"`},
		"another audience":               {"/a", rs("aud", "mine"), 401, `error="invalid_token"`},
		"an empty audience":              {"/a", rs("aud", ""), 401, `error="invalid_token"`},
		"client_id beside another aud":   {"/a", rs("aud", "mine", "client_id", "api"), 401, `error="invalid_token"`},
		"another issuer":                 {"/a", rs("iss", "https://evil.example"), 401, "another issuer"},
		"no issuer":                      {"/a", rs("iss", nil), 401, `error="invalid_token"`},
		"expired":                        {"/a", rs("exp", now.Unix()-1), 401, "the token has expired"},
		"without an end":                 {"/a", rs("exp", nil), 401, `error="invalid_token"`},
		"not valid yet":                  {"/a", rs("nbf", now.Unix()+5), 401, "not valid yet"},
		"issued in the future":           {"/a", rs("iat", now.Unix()+5), 401, `error="invalid_token"`},
		"another key":                    {"/a", sign(jwt.SigningMethodRS256, other, "k1", claims()), 401, "the signature is invalid"},
		"an unknown kid":                 {"/a", sign(jwt.SigningMethodRS256, key, "k2", claims()), 401, `error="invalid_token"`},
		"no kid":                         {"/a", sign(jwt.SigningMethodRS256, key, nil, claims()), 401, `error="invalid_token"`},
		"a kid that is a number":         {"/a", sign(jwt.SigningMethodRS256, key, 1, claims()), 401, `error="invalid_token"`},
		"alg none":                       {"/a", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "k1", claims()), 401, "the signature is invalid"},
		"alg HS256 with the public key":  {"/a", confused + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), 401, `error="invalid_token"`},
		"PS256":                          {"/a", sign(jwt.SigningMethodPS256, key, "k1", claims()), 401, `error="invalid_token"`},
		"no scope of the route":          {"/scoped", rs("scope", "reader writes"), 403, `scope="write read" error="insufficient_scope"`},
		"no scope at all":                {"/scoped", rs("scope", nil), 403, `error="insufficient_scope"`},
		"a route for signatures of AWS":  {"/signed", "Bearer " + rs(), 403, ""},
		"no authorization of any kind":   {"/signed", "", 403, ""},
		"two header lines, one is right": {"/a", rs() + "," + rs(), 401, `error="invalid_token"`},
	} {
		r := httptest.NewRequest("GET", "http://localhost"+tc.path, nil)
		if tc.value != "" {
			r.Header.Set("Authorization", tc.value)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if got := w.Header().Get("WWW-Authenticate"); w.Code != tc.status || !strings.Contains(got, tc.challenge) || tc.challenge == "" && got != "" {
			t.Errorf("%s: %d %q %s", name, w.Code, got, w.Body)
		}
	}
	for path, want := range map[string]string{
		"/a":      `"authorizer":{"jwt":{"claims":{"aud":"api","exp":"1800000060","iat":"1800000000","iss":"https://id.example.com","roles":"[a b]","scope":"read x","sub":"u_1"},"scopes":null}}`,
		"/scoped": `"scopes":["read"]}}`, "/old": `"authorizer":{"claims":{"aud":"api",`,
	} {
		r := httptest.NewRequest("GET", "http://localhost"+path, nil)
		r.Header.Set("Authorization", rs())
		g.ServeHTTP(httptest.NewRecorder(), r)
		if !strings.Contains(string(function.event), want) {
			t.Errorf("%s: want %s in\n%s", path, want, function.event)
		}
	}
}

// TestPreflightOfREST calls methods that a REST API answers by itself, with and
// without an authorizer before them, and reads its refusals as a browser does.
func TestPreflightOfREST(t *testing.T) {
	t.Parallel()
	mock := &gateway.Mock{Status: 204, Header: map[string]string{"Access-Control-Allow-Origin": "*"}}
	refuse := func(context.Context, []byte) ([]byte, error) { return nil, errors.New("Unauthorized") }
	g, err := gateway.New(gateway.Config{REST: true, Stage: "v1", Template: &gateway.Template{
		Authorizers: []gateway.Authorizer{{Name: "g", Kind: gateway.RESTToken, Function: "f", IdentitySources: []string{"method.request.header.Authorization"}}},
		Routes:      []gateway.Route{{Key: "OPTIONS /a", Mock: mock}, {Key: "OPTIONS /guarded", Mock: mock, Authorizer: "g"}, {Key: "GET /a", Function: "f", Authorizer: "g"}},
		Responses:   map[string]map[string]string{"DEFAULT_4XX": {"Access-Control-Allow-Origin": "https://a.example"}, "UNAUTHORIZED": {"X-Why": "401"}},
	}, Functions: map[string]gateway.Function{"f": refuse}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		method, path, token string
		status              int
		origin, why         string
	}{
		{"OPTIONS", "/v1/a", "", 204, "*", ""},
		{"OPTIONS", "/v1/guarded", "", 401, "", "401"},
		{"GET", "/v1/a", "x", 401, "", "401"},
		{"GET", "/v1/none", "", 403, "https://a.example", ""},
	} {
		r := httptest.NewRequest(tc.method, "http://localhost"+tc.path, nil)
		if tc.token != "" {
			r.Header.Set("Authorization", tc.token)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != tc.status || w.Header().Get("Access-Control-Allow-Origin") != tc.origin || w.Header().Get("X-Why") != tc.why {
			t.Errorf("%+v: %d %v", tc, w.Code, w.Header())
		}
	}
}

// TestJWTAuthorizerWithoutKeys refuses every token until the issuer is known.
func TestJWTAuthorizerWithoutKeys(t *testing.T) {
	t.Parallel()
	g, err := gateway.New(gateway.Config{
		Template: &gateway.Template{
			Authorizers: []gateway.Authorizer{{Name: "native", IdentitySources: []string{"$request.header.Authorization"}, JWT: &gateway.JWT{Audiences: []string{"api"}}}},
			Routes:      []gateway.Route{{Key: "GET /a", Function: "f", Authorizer: "native"}},
		},
		Functions: map[string]gateway.Function{"f": (&echoed{}).invoke},
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"iss": "", "aud": "api", "exp": time.Now().Unix() + 60}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "http://localhost/a", nil)
	r.Header.Set("Authorization", "Bearer "+raw)
	w := httptest.NewRecorder()
	if g.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
		t.Errorf("%d", w.Code)
	}
}
