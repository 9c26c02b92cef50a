package upstream_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
)

func claim(name string, value any) demoidp.Behaviour {
	return demoidp.Behaviour{Claims: func(c map[string]any) { c[name] = value }}
}

func without(name string) demoidp.Behaviour {
	return demoidp.Behaviour{Claims: func(c map[string]any) { delete(c, name) }}
}

func header(name string, value any) demoidp.Behaviour {
	return demoidp.Behaviour{Header: func(h map[string]any) { h[name] = value }}
}

// signedAs has the header say alg and lets signature make the signature.
func signedAs(alg string, signature func(input string, key *rsa.PrivateKey) []byte) demoidp.Behaviour {
	b := header("alg", alg)
	b.Sign = signature
	return b
}

func hmacWith(key func(*rsa.PrivateKey) []byte) func(string, *rsa.PrivateKey) []byte {
	return func(input string, k *rsa.PrivateKey) []byte {
		mac := hmac.New(sha256.New, key(k))
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
}

func TestIDTokensThatAreRefused(t *testing.T) {
	h := open(t, nil)
	now := h.clock.Now()
	rs256 := func(key *rsa.PrivateKey) func(string, *rsa.PrivateKey) []byte {
		return func(input string, _ *rsa.PrivateKey) []byte {
			digest := sha256.Sum256([]byte(input))
			signature, _ := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
			return signature
		}
	}
	publicPEM := func(k *rsa.PrivateKey) []byte {
		der, _ := x509.MarshalPKIXPublicKey(&k.PublicKey)
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	}
	for name, b := range map[string]demoidp.Behaviour{
		"of another issuer":              claim("iss", "https://evil.test"),
		"of our issuer with a slash":     claim("iss", h.issuer+"/"),
		"without issuer":                 without("iss"),
		"for another client":             claim("aud", "other"),
		"for a list without us":          claim("aud", []string{"other", "another"}),
		"for an empty list":              claim("aud", []string{}),
		"without audience":               without("aud"),
		"for us, issued to another":      claim("azp", "other"),
		"for several, issued to nobody":  claim("aud", []string{"gatehouse", "other"}),
		"for several, issued to another": {Claims: func(c map[string]any) { c["aud"], c["azp"] = []string{"gatehouse", "other"}, "other" }},
		"expired":                        claim("exp", now.Add(-time.Second).Unix()),
		"without expiry":                 without("exp"),
		"issued in the far future":       claim("iat", now.Add(time.Hour).Unix()),
		"issued at no time":              without("iat"),
		"issued at a string":             claim("iat", "yesterday"),
		"not valid yet":                  claim("nbf", now.Add(time.Hour).Unix()),
		"with another nonce":             claim("nonce", "another"),
		"with a longer nonce":            claim("nonce", nonce+"x"),
		"with no nonce":                  without("nonce"),
		"with a nonce that is a list":    claim("nonce", []string{nonce}),
		"without subject":                without("sub"),
		"with an empty subject":          claim("sub", ""),
		"with a subject that is 7":       claim("sub", 7),
		"with a subject of 256 bytes":    claim("sub", string(make([]byte, 256))),
		"whose aud is spelled Aud":       {Claims: func(c map[string]any) { c["Aud"] = c["aud"]; delete(c, "aud") }},
		"whose iss is spelled Iss":       {Claims: func(c map[string]any) { c["Iss"] = c["iss"]; delete(c, "iss") }},
		"whose exp is spelled Exp":       {Claims: func(c map[string]any) { c["Exp"] = c["exp"]; delete(c, "exp") }},
		"with a second spelling of aud":  claim("Aud", "gatehouse"),
		"with a second spelling of sub":  claim("ſub", "demo-ada"),
		"of another access token":        claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"signed with nothing":            signedAs("none", func(string, *rsa.PrivateKey) []byte { return nil }),
		"signed with None":               signedAs("None", func(string, *rsa.PrivateKey) []byte { return nil }),
		"HS256 with the client's secret": signedAs("HS256", hmacWith(func(*rsa.PrivateKey) []byte { return []byte("s3cret") })),
		"HS256 with the public key":      signedAs("HS256", hmacWith(publicPEM)),
		"signed by a key never seen":     {Sign: rs256(foreignKey())},
		"with an unknown kid":            header("kid", "another"),
		"with one bit of it changed": {Sign: func(input string, key *rsa.PrivateKey) []byte {
			signature := rs256(key)(input, nil)
			signature[7] ^= 1
			return signature
		}},
		"not signed at all":         {Sign: func(string, *rsa.PrivateKey) []byte { return nil }},
		"signed with another alg":   header("alg", "RS512"),
		"that is an access token":   header("typ", "at+jwt"),
		"that is a logout token":    header("typ", "logout+jwt"),
		"whose typ is a number":     header("typ", 7),
		"with an unknown extension": header("crit", []string{"exp"}),
		"with no extension, said":   header("crit", nil),
		"of 100 kB":                 claim("padding", string(make([]byte, 100_000))),
	} {
		t.Run("S32 an ID token "+name, func(t *testing.T) {
			h.demo.Behave(b)
			who, err := h.signIn(lin)
			wantErr(t, err, upstream.ErrRefused)
			if !reflect.DeepEqual(who, upstream.Identity{}) {
				t.Errorf("somebody signed in: %+v", who)
			}
		})
	}
	h.demo.Behave(demoidp.Behaviour{})
	if _, err := h.signIn(lin); err != nil {
		t.Errorf("the next sign-in: %v", err)
	}
}

func TestIDTokensThatAreTaken(t *testing.T) {
	h := open(t, nil)
	for name, b := range map[string]demoidp.Behaviour{
		"for us in a list":           claim("aud", []string{"gatehouse"}),
		"for several, issued to us":  {Claims: func(c map[string]any) { c["aud"], c["azp"] = []string{"other", "gatehouse"}, "gatehouse" }},
		"issued a little ahead":      claim("iat", h.clock.Now().Add(30*time.Second).Unix()),
		"without typ":                {Header: func(h map[string]any) { delete(h, "typ") }},
		"with a typ in small":        header("typ", "jwt"),
		"without at_hash":            without("at_hash"),
		"that names no key":          {Header: func(h map[string]any) { delete(h, "kid") }},
		"authenticated in future":    claim("auth_time", h.clock.Now().Add(time.Hour).Unix()),
		"with a name that is a list": claim("name", []string{"x"}),
	} {
		t.Run(name, func(t *testing.T) {
			h.demo.Behave(b)
			who, err := h.signIn(lin)
			if err != nil {
				t.Fatal(err)
			}
			if who.AuthTime.After(h.clock.Now()) {
				t.Errorf("authenticated at %s, which is in the future", who.AuthTime)
			}
		})
	}
}

func TestNonceButtonOfTheDemo(t *testing.T) {
	_, err := open(t, nil).signIn(url.Values{"fault": {"nonce"}})
	wantErr(t, err, upstream.ErrRefused)
}

func TestResponseWithoutIDToken(t *testing.T) {
	h := open(t, nil)
	h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/token": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"access_token":"a","token_type":"Bearer"}`))
	}}})
	_, err := h.signIn(lin)
	wantErr(t, err, upstream.ErrRefused)
}
