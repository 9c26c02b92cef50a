package token_test

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

// The issuers of the tests. Their tokens are as the issuers' documentation shows
// them, with values made up.
const (
	tenant = "1b0c3d55-7a21-4c6e-9f00-0f1e2d3c4b5a"
	client = "0f7c2a90-5b3d-4e6f-8a1b-2c3d4e5f6071"
)

var foreignNow = time.Unix(1_796_000_100, 0)

// sample is a genuine token of a profile: its typ and claims, and what else of its
// issuer's tokens is genuine.
type sample struct {
	issuer, audience, typ, claims string

	genuine []string // changes, each of which makes a genuine token
	hostile []string // and each of which makes one that is none
	machine string   // changes that make the token of a client that acts for itself
	roles   string   // after the translation below
}

// roleNames translates the roles of all issuers.
var roleNames = map[string]string{"editors": "editor", "editor": "editor", "Orders.Edit": "editor"}

var samples = map[string]sample{
	"rfc9068": {"https://id.acme.test/t1", "https://api.acme.test", `"at+jwt"`,
		`"iss":"https://id.acme.test/t1","sub":"u-7","aud":"https://api.acme.test","iat":1796000000,"exp":1796003600,"jti":"a1","client_id":"web","scope":"openid notes:read","roles":["editors","other"],"auth_time":1795999000`,
		[]string{`typ="application/at+jwt"`, `scope=`, `roles=`, `roles=[]`, `auth_time=`, `groups=["x"]`, `entitlements=["y"]`, `acr="1"`, `sid="s"`, `act={"sub":"x"}`},
		[]string{`typ="JWT"`, `typ=`, `jti=`, `client_id=`, `client_id=1`, `jti=""`},
		`sub="web"`, "editor"},
	"cognito": {"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E", "5k2m7q9r1s3t5u7v9w1x3y5z7a", ``,
		`"sub":"7c1e22aa-9f00-4b1d-8e55-2d31f0c9a611","device_key":"eu-west-1_0d","cognito:groups":["editors"],"iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E","version":2,"client_id":"5k2m7q9r1s3t5u7v9w1x3y5z7a","origin_jti":"0b6e","event_id":"c0a8","token_use":"access","scope":"openid email orders/read","auth_time":1796000000,"exp":1796003600,"iat":1796000000,"jti":"e1d2","username":"nadia"`,
		[]string{`aud="https://api.acme.test"`, `cognito:groups=`, `scope="aws.cognito.signin.user.admin"`, `device_key=`, `auth_time=`, `origin_jti=`, `event_id=`, `version=`, `acr="1"`, `amr=["pwd"]`},
		[]string{`token_use="id"`, `token_use=`, `token_use=["access"]`, `client_id=`, `client_id="other"`, `aud="https://other.test"`, `aud=["https://other.test"]`, `cognito:username="nadia"`, `nonce="x"`, `at_hash="x"`, `typ="JWT"`, `typ="at+jwt"`, `jti=`, `client_id=["5k2m7q9r1s3t5u7v9w1x3y5z7a"]+x=1,token_use="id"`},
		`username=,cognito:groups=,sub="5k2m7q9r1s3t5u7v9w1x3y5z7a"`, "editor"},
	"auth0": {"https://acme-dev.eu.auth0.com/", "https://api.acme.test", `"JWT"`,
		`"iss":"https://acme-dev.eu.auth0.com/","sub":"auth0|66aa11bb22cc33dd44ee55ff","aud":["https://api.acme.test","https://acme-dev.eu.auth0.com/userinfo"],"iat":1796000000,"exp":1796086400,"scope":"openid profile read:orders","azp":"Zk3Q","org_id":"org_Kq1Wm3Er5Ty7","permissions":["read:orders"],"https://acme.test/roles":["editors"]`,
		[]string{`aud="https://api.acme.test"`, `typ="at+jwt",azp=,client_id="Zk3Q",jti="t"`, `permissions=`, `scope=`, `org_id=`, `org_name="acme"`, `gty="password"`, `act={"sub":"agt_1"}`, `sub_profile="x"`, `https://acme.test/roles=`},
		[]string{`azp=`, `aud="Zk3Q"`, `aud=["https://acme-dev.eu.auth0.com/userinfo"]`, `nonce="x"`, `at_hash="x"`, `typ=`, `azp=,nickname="mei"`, `azp=7`, `permissions={}`},
		`sub="Zk3Q@clients",gty="client-credentials",permissions=["read:orders"]`, "editor"},
	"entra-v1": {"https://sts.windows.net/" + tenant + "/", "api://orders.acme.test", `"JWT"`,
		`"aud":"api://orders.acme.test","iss":"https://sts.windows.net/` + tenant + `/","iat":1796000000,"nbf":1796000000,"exp":1796004500,"acr":"1","amr":["pwd","mfa"],"appid":"` + client + `","appidacr":"1","name":"Mei Ito","oid":"5d6e","scp":"Orders.Read Orders.Write","roles":["Orders.Edit"],"sub":"pW3k","tid":"` + tenant + `","unique_name":"mei@acme.test","uti":"Rr0p","ver":"1.0"`,
		[]string{`roles=`, `roles=[]`, `groups=["5d6e"]`, `_claim_names={"groups":"src1"}`, `wids=["x"]`, `ipaddr="203.0.113.9"`, `nbf=`, `idp="live.com"`, `acct=1`, `hasgroups=true`},
		[]string{`ver="2.0"`, `ver=1.0`, `ver=`, `tid="9188040d-6c67-4c5b-b112-36a304b66dad"`, `tid=`, `appid=`, `scp=,roles=`, `scp="",roles=[]`, `nonce="x"`, `typ=`, `iss="https://login.microsoftonline.com/` + tenant + `/v2.0"`, `exp=1796004500.5`},
		`scp=,roles=["Orders.Edit"],idtyp="app"`, "editor"},
	"entra-v2": {"https://login.microsoftonline.com/" + tenant + "/v2.0", "6c5b4a39-2817-4605-9f4e-3d2c1b0a9f8e", `"JWT"`,
		`"aud":"6c5b4a39-2817-4605-9f4e-3d2c1b0a9f8e","iss":"https://login.microsoftonline.com/` + tenant + `/v2.0","iat":1796000000,"nbf":1796000000,"exp":1796004800,"azp":"` + client + `","azpacr":"1","name":"Mei Ito","oid":"5d6e","preferred_username":"mei@acme.test","scp":"Orders.Read","roles":["Orders.Edit"],"sub":"pW3k","tid":"` + tenant + `","uti":"Zz9y","ver":"2.0"`,
		[]string{`roles=`, `groups=["5d6e"]`, `_claim_names={"groups":"src1"},_claim_sources={"src1":{"endpoint":"https://graph.windows.net/"}}`, `preferred_username=`, `nbf=`, `idtyp="user"`, `acct=0`, `email="mei@acme.test"`, `xms_cc=["cp1"]`, `rh="opaque"`},
		[]string{`ver="1.0"`, `ver=2.0`, `ver=`, `tid="9188040d-6c67-4c5b-b112-36a304b66dad"`, `tid=`, `azp=`, `scp=,roles=`, `azp=,scp=,nonce="x"`, `azp=,scp=`, `nonce="x"`, `aio="x",at_hash="y"`, `aud="api://orders.acme.test"`, `iss="https://login.microsoftonline.com/common/v2.0"`, `iss="https://login.microsoftonline.com/{tenantid}/v2.0"`},
		`scp=,roles=["Orders.Edit"],idtyp="app",azpacr="2",sub="1122",oid="1122",preferred_username=`, "editor"},
	"okta": {"https://acme.okta.com/oauth2/ausq1w2e3r4t5y6u7i8o", "api://orders", ``,
		`"ver":1,"jti":"AT.b7Qm2Xn4","iss":"https://acme.okta.com/oauth2/ausq1w2e3r4t5y6u7i8o","aud":"api://orders","iat":1796000000,"exp":1796003600,"cid":"0oaz","uid":"00up","scp":["openid","orders.read"],"auth_time":1795999000,"sub":"mei@acme.test","groups":["editors"]`,
		[]string{`typ="JWT"`, `groups=`, `groups=[]`, `auth_time=`, `scp=`, `scp=[]`, `aud=["api://orders"]`, `iat=1796000000.25`, `ver=2`, `custom="x"`},
		[]string{`jti="ID.b7Qm2Xn4"`, `jti=`, `jti="AT."`, `jti="at.b7"`, `cid=`, `scp={}`, `scp=1`, `nonce="x"`, `at_hash="x"`, `typ="application/okta-internal-at+jwt"`, `aud="0oaz"`, `iss="https://acme.okta.com"`},
		`uid=,sub="0oaz",groups=`, "editor"},
	"keycloak": {"https://sso.acme.test/realms/shop", "orders-api", `"JWT"`,
		`"exp":1796000300,"iat":1796000000,"auth_time":1795999900,"jti":"onrtac:3f9a","iss":"https://sso.acme.test/realms/shop","aud":["orders-api","account"],"sub":"d2a4","typ":"Bearer","azp":"shop-web","sid":"8e0d","acr":"1","allowed-origins":["https://shop.acme.test"],"realm_access":{"roles":["editor"]},"resource_access":{"orders-api":{"roles":["read"]}},"scope":"openid email profile","email_verified":true,"name":"Mei Ito","preferred_username":"mei","email":"mei@acme.test"`,
		[]string{`typ@="at+jwt"`, `aud="orders-api"`, `realm_access=`, `realm_access={}`, `resource_access=`, `sid=,session_state="8e0d"`, `acr="0"`, `nonce="x"`, `groups=["/a/b"]`, `auth_time=`},
		[]string{`typ="ID"`, `typ="Refresh"`, `typ="Offline"`, `typ="Logout"`, `typ="DPoP"`, `typ=`, `typ=["Bearer"]`, `azp=`, `aud=`, `aud="account"`, `aud="shop-web"`, `at_hash="x"`, `sub=`, `realm_access={"roles":"editor","roles":"x"}`, `realm_access={"roles":[1]}`},
		`preferred_username="service-account-shop-web",client_id="shop-web",sid=,email=`, "editor"},
}

// object reads the claims of a sample, which are one level of names.
func object(text string) tokentest.Object {
	var o tokentest.Object
	for text != "" {
		name, rest, _ := strings.Cut(text[1:], `":`)
		end := valueEnd(rest)
		o = append(o, tokentest.Member{Name: name, Value: rest[:end]})
		text = strings.TrimPrefix(rest[end:], ",")
	}
	return o
}

// valueEnd is where the JSON value at the beginning of text ends.
func valueEnd(text string) int {
	depth, quoted := 0, false
	for i, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 0:
			return i
		}
	}
	return len(text)
}

// changed is a token of the sample with changes: NAME=VALUE sets a claim, NAME=
// leaves it out. The header's typ is "typ", except for Keycloak, which has a claim of
// that name; there it is "typ@".
func (s sample) changed(profile, changes string) string {
	header, payload := s.header(), object(s.claims)
	for change := changes; change != ""; {
		name, rest, _ := strings.Cut(change, "=")
		end := valueEnd(rest)
		value := rest[:end]
		change = strings.TrimPrefix(rest[end:], ",")
		switch {
		case name == "typ@" || name == "typ" && profile != "keycloak":
			if header = header.Drop("typ"); value != "" {
				header = header.Add("typ", value)
			}
		case value == "":
			payload = payload.Drop(name)
		default:
			payload = payload.Set(name, value)
		}
	}
	return tokentest.Sign(tokentest.Ours(), header.String(), payload.String())
}

func (s sample) header() tokentest.Object {
	h := tokentest.Object{{Name: "alg", Value: `"RS256"`}, {Name: "kid", Value: strconv.Quote(tokentest.Ours().ID())}}
	if s.typ != "" {
		h = h.Add("typ", s.typ)
	}
	return h
}

func (s sample) issuerOf(profile string) *token.Foreign {
	f := &token.Foreign{
		Issuer: s.issuer, Profile: token.FindProfile(profile), Audiences: []string{s.audience, "https://api.acme.test"}, MaxAge: time.Hour, RoleNames: roleNames,
	}
	if profile == "auth0" {
		f.RolesClaim = "https://acme.test/roles"
	}
	return f
}

func verifyForeign(f *token.Foreign, rawToken string) (token.Access, error) {
	return f.Verify(context.Background(), rawToken, token.Keys(tokentest.Ours().Public(), tokentest.Next().Public()), foreignNow, 30*time.Second)
}

func TestEveryProfileHasASample(t *testing.T) {
	if got, want := slices.Sorted(maps.Keys(samples)), slices.Sorted(slices.Values(token.ProfileNames())); !slices.Equal(got, want) {
		t.Errorf("samples %v, profiles %v", got, want)
	}
}

// TestGenuineForeignTokens accepts what each issuer documents.
func TestGenuineForeignTokens(t *testing.T) {
	for profile, s := range samples {
		f := s.issuerOf(profile)
		if err := f.Profile.CheckIssuer(s.issuer); err != nil {
			t.Error(err)
		}
		for _, changes := range append([]string{"", "unknown={\"a\":[1]}"}, s.genuine...) {
			a, err := verifyForeign(f, s.changed(profile, changes))
			if err != nil {
				t.Errorf("%s, %s: %v", profile, changes, err)
				continue
			}
			if !strings.HasPrefix(a.Subject, s.issuer+"#") || a.Roles == nil || a.ClientID == "" || a.SessionID != "" {
				t.Errorf("%s, %s: %+v", profile, changes, a)
			}
			if changes == "" && strings.Join(a.Roles, " ") != s.roles {
				t.Errorf("%s: roles %q", profile, a.Roles)
			}
		}
		a, err := verifyForeign(f, s.changed(profile, s.machine))
		if err != nil || a.Roles != nil || len(a.Scopes) == 0 || a.Email != "" {
			t.Errorf("%s, a machine: %+v, %v", profile, a, err)
		}
		if n := len(s.genuine) + 3; n < 12 {
			t.Errorf("%s: %d genuine tokens", profile, n)
		}
	}
}

// TestHostileForeignTokens refuses everything else.
func TestHostileForeignTokens(t *testing.T) {
	for profile, s := range samples {
		f := s.issuerOf(profile)
		rows := s.hostileRows(profile)
		for name, rawToken := range rows {
			a, err := verifyForeign(f, rawToken)
			if _, ok := errors.AsType[*token.Refusal](err); !ok {
				t.Errorf("%s: %s: %+v, %v", profile, name, a, err)
			}
		}
		if len(rows) < 150 {
			t.Errorf("%s: only %d hostile tokens", profile, len(rows))
		}
	}
}

func (s sample) hostileRows(profile string) map[string]string {
	rows := map[string]string{}
	change := func(changes ...string) {
		for _, c := range changes {
			rows[c] = s.changed(profile, c)
		}
	}
	change(s.hostile...)
	// The issuer, the audience, the subject, the dates.
	quoted := strconv.Quote
	for _, iss := range []string{"https://evil.example", s.issuer + "/", strings.TrimSuffix(s.issuer, s.issuer[len(s.issuer)-1:]), strings.ToUpper(s.issuer),
		strings.Replace(s.issuer, "https:", "http:", 1), s.issuer + ".evil.example", s.issuer + " ", " " + s.issuer, s.issuer + "#x", s.issuer + "?x", "https://evil.example/" + s.issuer} {
		change("iss=" + quoted(iss))
	}
	change(`iss=`, `iss=""`, `iss=null`, `iss=1`, `iss={}`, `iss=[`+quoted(s.issuer)+`]`)
	audience := "aud"
	if profile == "cognito" {
		audience = "client_id"
	}
	for _, aud := range []string{`"https://other.example"`, quoted(s.audience + "/"), quoted(s.audience + "x"), quoted(strings.ToUpper(s.audience) + "X"), quoted(s.audience[1:]), quoted(s.audience + " x"),
		`""`, `"*"`, `[]`, `[""]`, `["https://other.example"]`, `null`, `1`, `true`, `{}`, `[null]`, `[1]`, `[[` + quoted(s.audience) + `]]`, `[` + quoted(s.audience) + `,1]`, `{` + quoted(s.audience) + `:1}`, quoted(s.issuer), ``} {
		change(audience + "=" + aud)
	}
	for _, sub := range []string{``, `""`, `null`, `1`, `true`, `["x"]`, `{}`, `"a b"`, `"a\nb"`, `"\u0000"`, `" "`} {
		change("sub=" + sub)
	}
	for _, date := range []string{"exp", "iat", "nbf", "auth_time"} {
		for _, value := range []string{`null`, `"1796000000"`, `true`, `[]`, `{}`, `-1`, `-0.5`, `1e400`, `1e10`, `9223372036854775808`, `1796000000000`, `1796000000.`, `1796000000.x`, `1796000000.-1`, `1796000000.1e3`} {
			change(date + "=" + value)
		}
	}
	change(`exp=`, `iat=`, `exp=1796000070`, `exp=0`, `exp=1`, `iat=1796000131`, `nbf=1796000131`, `nbf=253402300799`, `iat=1795996500`, `iat=1795996499,exp=1796003600`, `iat=0`)
	change(`cnf={"jkt":"x"}`, `cnf=null`, `cnf={}`)
	// The header.
	head, body := s.header(), object(s.claims).String()
	sign := func(name string, header tokentest.Object) {
		rows["header: "+name] = tokentest.Sign(tokentest.Ours(), header.String(), body)
	}
	for _, alg := range []string{`"none"`, `"None"`, `""`, `null`, `["RS256"]`, `"rs256"`, `"RS384"`, `"RS512"`, `"PS256"`, `"ES256"`, `"EdDSA"`, `"HS256"`} {
		sign("alg "+alg, head.Set("alg", alg))
	}
	for _, member := range []string{"crit", "jwk", "jku", "x5u", "x5c", "zip", "enc", "b64", "cty"} {
		for _, value := range []string{`null`, `"x"`, `[]`} {
			sign(member+" "+value, head.Add(member, value))
		}
	}
	for _, typ := range []string{`null`, `1`, `["JWT"]`, `"jwt "`, `"logout+jwt"`, `"secevent+jwt"`, `"dpop+jwt"`, `"id_token"`} {
		sign("typ "+typ, head.Set("typ", typ))
	}
	for _, kid := range []string{`""`, `null`, `1`, `"no-such-key"`, quoted(tokentest.Next().ID()), quoted(strings.ToLower(tokentest.Ours().ID())), `"*"`} {
		sign("kid "+kid, head.Set("kid", kid))
	}
	sign("without kid", head.Drop("kid"))
	sign("twice alg", head.Add("alg", `"RS256"`))
	// The spelling and the signature.
	good := s.changed(profile, "")
	part := strings.Split(good, ".")
	for i, rawToken := range []string{"", ".", "..", part[0], part[0] + "." + part[1], part[0] + "." + part[1] + ".", good + ".", "." + good, good + "==", good + "\n", " " + good,
		good + "," + good, good[:len(good)-1], part[0] + "." + tokentest.Encode(object(s.claims).Set("sub", `"admin"`).String()) + "." + part[2],
		tokentest.Sign(tokentest.Foreign(), head.String(), body), tokentest.Sign(tokentest.Ours(), head.String(), body+body), tokentest.Sign(tokentest.Ours(), head.String(), "["+body+"]"),
		tokentest.Sign(tokentest.Ours(), head.String(), object(s.claims).Add("sub", `"admin"`).String()), tokentest.Sign(tokentest.Ours(), head.String(), "null"), body} {
		rows[fmt.Sprint("spelling ", i)] = rawToken
	}
	return rows
}

// A table or a configuration that contradicts the issuer is refused.
func TestCheckIssuer(t *testing.T) {
	for profile, issuers := range map[string][]string{
		"rfc9068":  {"http://id.acme.test", "id.acme.test", "https://id.acme.test?x=1", "https://id.acme.test#x", "https://id acme", "https://"},
		"cognito":  {"https://cognito-idp.eu-west-1.amazonaws.com/", "http://attacker?https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A", "https://cognito-idp.eu-west-1.amazonaws.com.evil.example/x/eu-west-1_A", "https://auth.acme.test"},
		"auth0":    {"https://acme.auth0.com", "https://acme.auth0.com/x/", "http://acme.auth0.com/"},
		"entra-v1": {"https://sts.windows.net/" + tenant, "https://sts.windows.net/common/", "https://login.microsoftonline.com/" + tenant + "/v2.0"},
		"entra-v2": {"https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/{tenantid}/v2.0", "https://login.microsoftonline.com/" + tenant + "/v2.0/", "https://sts.windows.net/" + tenant + "/"},
		"okta":     {"https://acme.okta.com", "https://acme.okta.com/oauth2/", "https://acme.okta.com/oauth2/aus1/"},
		"keycloak": {"https://sso.acme.test", "https://sso.acme.test/realms/", "https://sso.acme.test/realms/shop/", "http://sso.acme.test/realms/shop"},
	} {
		for _, issuer := range issuers {
			if token.FindProfile(profile).CheckIssuer(issuer) == nil {
				t.Errorf("%s takes %s", profile, issuer)
			}
		}
	}
	if token.FindProfile("gatehouse") != nil || token.FindProfile("") != nil {
		t.Error("a profile that is none")
	}
	if got, want := token.FindProfile("entra-v2").KeysURL("https://login.microsoftonline.com/"+tenant+"/v2.0"), "https://login.microsoftonline.com/"+tenant+"/discovery/v2.0/keys"; got != want {
		t.Error(got)
	}
}

// Two issuers with the same kid, sub and aud are never taken for each other.
func TestIssuersAreNotConfused(t *testing.T) {
	ours, theirs := tokentest.Ours(), tokentest.Foreign()
	keys := map[string]*rsa.PublicKey{"https://a.test": ours.Public(), "https://b.test": theirs.Public()}
	for signer, key := range map[string]tokentest.Key{"https://a.test": ours, "https://b.test": theirs} {
		for claimed := range keys {
			for verifier, public := range keys {
				rawToken := tokentest.Sign(key, `{"alg":"RS256","typ":"at+jwt","kid":"k1"}`,
					fmt.Sprintf(`{"iss":%q,"sub":"u1","aud":"api","iat":1796000000,"exp":1796003600,"jti":"j","client_id":"c"}`, claimed))
				f := &token.Foreign{Issuer: verifier, Profile: token.FindProfile("rfc9068"), Audiences: []string{"api"}, MaxAge: time.Hour}
				a, err := f.Verify(t.Context(), rawToken, func(context.Context, string) (*rsa.PublicKey, error) { return public, nil }, foreignNow, 0)
				if want := signer == verifier && claimed == verifier; (err == nil) != want || want && a.Subject != verifier+"#u1" {
					t.Errorf("signed by %s, says %s, verified as %s: %+v, %v", signer, claimed, verifier, a, err)
				}
				if token.UnverifiedIssuer(rawToken) != claimed {
					t.Errorf("iss %q", token.UnverifiedIssuer(rawToken))
				}
			}
		}
	}
}
