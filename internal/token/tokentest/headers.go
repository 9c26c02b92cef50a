package tokentest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// algorithms is tokens signed in another way than ours, or not at all.
func (w World) algorithms() []Row {
	h := Header(Ours())
	var rows []Row
	add := func(name, rawToken string) {
		rows = append(rows, Row{"alg " + name, rawToken, token.ReasonAlgorithm})
	}
	for _, alg := range []string{`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `""`, `null`, `256`, `["RS256"]`, `{"RS256":1}`, `true`,
		`"rs256"`, `"RS256 "`, `"RS256\u0000"`, `"RS384"`, `"RS512"`, `"PS256"`, `"ES256"`, `"EdDSA"`, `"HS256"`} {
		add(alg+" over a good signature", w.headed(h.Set("alg", alg)))
	}
	add("missing", w.headed(h.Drop("alg")))
	for _, alg := range []string{"none", "None", "NONE"} {
		add(alg+" and no signature", Encode(h.Set("alg", quote(alg)).String())+"."+Encode(w.Claims().String())+".")
	}
	for name, secret := range publicForms(Ours().Public()) {
		add("HS256 keyed with "+name, w.hmac(secret))
	}

	signed := Encode(h.Set("alg", `"RS384"`).String()) + "." + Encode(w.Claims().String())
	digest := sha512.Sum384([]byte(signed))
	signature, _ := rsa.SignPKCS1v15(nil, Ours().Private, crypto.SHA384, digest[:])
	add("RS384, truly signed", signed+"."+Encode(string(signature)))

	signed = Encode(h.Set("alg", `"PS256"`).String()) + "." + Encode(w.Claims().String())
	pss := sha256.Sum256([]byte(signed))
	signature, _ = rsa.SignPSS(rand.Reader, Ours().Private, crypto.SHA256, pss[:], nil)
	add("PS256, truly signed", signed+"."+Encode(string(signature)))
	return rows
}

// publicForms is every form in which a verifier might hold the public key and
// take it for a shared secret.
func publicForms(pub *rsa.PublicKey) map[string][]byte {
	spki, _ := x509.MarshalPKIXPublicKey(pub)
	pkcs1 := x509.MarshalPKCS1PublicKey(pub)
	return map[string][]byte{
		"nothing":               {},
		"the key as PEM":        pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}),
		"the key as PKCS#1 PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
		"the key as DER":        spki,
		"the key as PKCS#1 DER": pkcs1,
		"the modulus":           pub.N.Bytes(),
		"the modulus as text":   []byte(base64.RawURLEncoding.EncodeToString(pub.N.Bytes())),
		"the kid":               []byte(Ours().ID()),
	}
}

func (w World) hmac(secret []byte) string {
	signed := Encode(Header(Ours()).Set("alg", `"HS256"`).String()) + "." + Encode(w.Claims().String())
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + Encode(string(mac.Sum(nil)))
}

// types is other kinds of token, signed by the same issuer.
func (w World) types() []Row {
	h := Header(Ours())
	rows := []Row{
		{"typ missing", w.headed(h.Drop("typ")), token.ReasonType},
		{"an ID token", w.idToken(), token.ReasonType},
	}
	for _, typ := range []string{`""`, `null`, `1`, `["at+jwt"]`, `"JWT"`, `"jwt"`, `"AT+JWT"`, `"at+jwt "`, `"at+jwt\u0000"`, `"application/jwt"`,
		`"logout+jwt"`, `"secevent+jwt"`, `"dpop+jwt"`, `"application/application/at+jwt"`, `"x-at+jwt"`} {
		rows = append(rows, Row{"typ " + typ, w.headed(h.Set("typ", typ)), token.ReasonType})
	}
	return rows
}

// idToken is an ID token of ours for the same user.
func (w World) idToken() string {
	claims := Object{{"iss", quote(w.Issuer)}, {"sub", `"u_lin"`}, {"aud", `"demo-spa"`},
		{"exp", w.at(600e9)}, {"iat", w.at(0)}, {"nonce", `"n"`}}
	return Sign(Ours(), Header(Ours()).Set("typ", `"JWT"`).String(), claims.String())
}

// headers is headers that change what the signature means, or bring the key.
func (w World) headers() []Row {
	h := Header(Ours())
	var rows []Row
	for _, crit := range []string{`[]`, `["exp"]`, `["kid"]`, `[""]`, `["b64"]`, `["` + Canary + `"]`, `null`, `"exp"`, `{}`, `false`, `0`} {
		rows = append(rows, Row{"crit " + crit, w.headed(h.Add("crit", crit)), token.ReasonCritical})
	}
	rows = append(rows, Row{"crit b64 with b64 false", w.headed(h.Add("crit", `["b64"]`).Add("b64", `false`)), token.ReasonCritical})

	for _, cty := range []string{`"JWT"`, `"jwt"`, `"application/json"`, `""`, `null`, `[]`} {
		rows = append(rows, Row{"cty " + cty, w.headed(h.Add("cty", cty)), token.ReasonContentType})
	}

	foreign := Foreign()
	jwk := `{"kty":"RSA","e":"AQAB","n":"` + Encode(string(foreign.Public().N.Bytes())) + `","kid":` + quote(foreign.ID()) + `}`
	for name, member := range map[string]Member{
		"its own key":                 {"jwk", jwk},
		"an empty key":                {"jwk", `null`},
		"an address of keys":          {"jku", quote(Canary)},
		"an empty address of keys":    {"jku", `null`},
		"an address of certificates":  {"x5u", quote(Canary)},
		"certificates":                {"x5c", `["MIIB"]`},
		"no certificates":             {"x5c", `[]`},
		"compression":                 {"zip", `"DEF"`},
		"encryption":                  {"enc", `"A256GCM"`},
		"a payload that is plain":     {"b64", `false`},
		"a payload that is not plain": {"b64", `true`},
	} {
		rows = append(rows,
			Row{"header with " + name + ", signed by us", w.headed(h.Add(member.Name, member.Value)), token.ReasonHeader},
			Row{"header with " + name + ", signed by another", Sign(foreign, Header(foreign).Add(member.Name, member.Value).String(), w.Claims().String()), token.ReasonHeader})
	}
	return rows
}

// keyIDs is tokens that name no key of ours, or none at all.
func (w World) keyIDs() []Row {
	h := Header(Ours())
	rows := []Row{{"kid missing", w.headed(h.Drop("kid")), token.ReasonKeyIDMissing}}
	for _, kid := range []string{`""`, `null`, `1`, `true`, `{}`} {
		rows = append(rows, Row{"kid " + kid, w.headed(h.Set("kid", kid)), token.ReasonKeyIDMissing})
	}
	rows = append(rows, Row{"kid a list of ours", w.headed(h.Set("kid", "["+quote(Ours().ID())+"]")), token.ReasonKeyIDMissing})
	for name, kid := range map[string]string{
		"unknown":            "no-such-key",
		"with a path":        "../../../../dev/null",
		"with an address":    Canary,
		"with SQL":           "' OR '1'='1",
		"with a space after": Ours().ID() + " ",
		"in another case":    strings.ToLower(Ours().ID()),
		"cut short":          Ours().ID()[:42],
		"*":                  "*",
	} {
		rows = append(rows, Row{"kid " + name, w.headed(h.Set("kid", quote(kid))), token.ReasonKeyUnknown})
	}
	return append(rows,
		Row{"signed by a key we never published", Sign(Foreign(), Header(Foreign()).String(), w.Claims().String()), token.ReasonKeyUnknown},
		Row{"another issuer, signed by its own key", Sign(Foreign(), Header(Foreign()).String(), w.Claims().Set("iss", `"https://evil.example"`).String()), token.ReasonKeyUnknown})
}

// signatures is signatures that do not fit.
func (w World) signatures() []Row {
	good := signed(w.Claims())
	part := strings.Split(good, ".")
	signature, _ := base64.RawURLEncoding.DecodeString(part[2])
	n := Ours().Public().N
	changed := func(change func(s []byte) []byte) string {
		return part[0] + "." + part[1] + "." + Encode(string(change(append([]byte{}, signature...))))
	}
	sha1Like, _ := rsa.SignPKCS1v15(nil, Ours().Private, 0, make([]byte, 32))
	expired := w.Claims().Set("exp", w.at(-3600e9))
	var rows []Row
	for name, rawToken := range map[string]string{
		"an empty payload":                       part[0] + ".." + part[2],
		"no signature":                           part[0] + "." + part[1] + ".",
		"signature of zeros":                     changed(func(s []byte) []byte { return make([]byte, len(s)) }),
		"signature of ones":                      changed(func(s []byte) []byte { return new(big.Int).Sub(n, big.NewInt(1)).FillBytes(s) }),
		"signature is the modulus":               changed(func(s []byte) []byte { return n.FillBytes(s) }),
		"first bit of the signature flipped":     changed(func(s []byte) []byte { s[0] ^= 0x80; return s }),
		"last bit of the signature flipped":      changed(func(s []byte) []byte { s[len(s)-1] ^= 1; return s }),
		"signature a byte short":                 changed(func(s []byte) []byte { return s[:len(s)-1] }),
		"signature a byte long":                  changed(func(s []byte) []byte { return append(s, 0) }),
		"signature with a zero before":           changed(func(s []byte) []byte { return append([]byte{0}, s...) }),
		"signature plus the modulus":             changed(func(s []byte) []byte { return new(big.Int).Add(new(big.Int).SetBytes(s), n).Bytes() }),
		"signature without the name of a hash":   changed(func([]byte) []byte { return sha1Like }),
		"signature of another token":             part[0] + "." + part[1] + "." + strings.Split(signed(w.Claims().Set("sub", `"u_ada"`)), ".")[2],
		"claims of another token":                part[0] + "." + Encode(w.Claims().Set("sub", `"u_ada"`).String()) + "." + part[2],
		"header of another token":                Encode(Header(Ours()).Add("x", "1").String()) + "." + part[1] + "." + part[2],
		"another of our keys named":              Encode(Header(Next()).String()) + "." + part[1] + "." + part[2],
		"our kid, signed by a foreign key":       Sign(Foreign(), Header(Ours()).String(), w.Claims().String()),
		"a role added":                           part[0] + "." + Encode(w.Claims().Set("roles", `["user","admin"]`).String()) + "." + part[2],
		"expired and then tampered with":         tamper(signed(expired)),
		"expired, and its end then put off":      Encode(Header(Ours()).String()) + "." + Encode(w.Claims().String()) + "." + strings.Split(signed(expired), ".")[2],
		"for another audience and tampered with": tamper(signed(w.Claims().Set("aud", `"https://other.example"`))),
	} {
		rows = append(rows, Row{name, rawToken, token.ReasonSignature})
	}
	return rows
}

// tamper changes one byte of the signature.
func tamper(rawToken string) string {
	i := strings.LastIndexByte(rawToken, '.') + 20
	c := byte('A')
	if rawToken[i] == c {
		c = 'B'
	}
	return rawToken[:i] + string(c) + rawToken[i+1:]
}
