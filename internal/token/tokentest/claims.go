package tokentest

import (
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// issuersAndAudiences is tokens that we signed and that are for somebody else.
func (w World) issuersAndAudiences() []Row {
	var rows []Row
	set := func(want token.Reason, claim string, values ...string) {
		for _, value := range values {
			rows = append(rows, Row{claim + " " + value, signed(w.Claims().Set(claim, value)), want})
		}
	}
	set(token.ReasonIssuer, "iss", `"https://evil.example"`, quote(w.Issuer+"/"), quote(strings.ToUpper(w.Issuer)),
		quote(strings.Replace(w.Issuer, "https:", "http:", 1)), quote(w.Issuer+".evil.example"), quote(w.Issuer[:len(w.Issuer)-1]),
		`"`+w.Issuer+`\u0000"`, quote(w.Issuer+" "), quote(Canary))
	set(token.ReasonClaimMissing, "iss", `""`)
	set(token.ReasonClaimType, "iss", `null`, `1`, `["`+w.Issuer+`"]`, `{}`)

	set(token.ReasonAudience, "aud", `"https://other.example"`, quote(w.Audience+"/"), quote(strings.ToUpper(w.Audience)),
		quote(w.Audience[:len(w.Audience)-1]), quote(w.Audience+"x"), quote(w.Audience+" https://other.example"), `""`, `"*"`, `"demo-spa"`,
		`[""]`, `["https://other.example"]`, quote(w.Issuer))
	set(token.ReasonClaimMissing, "aud", `[]`)
	set(token.ReasonClaimType, "aud", `null`, `1`, `true`, `{}`, `[null]`, `[1]`, `[["`+w.Audience+`"]]`, `["`+w.Audience+`",1]`, `{"`+w.Audience+`":1}`)
	for _, claim := range []string{"iss", "aud"} {
		rows = append(rows, Row{claim + " missing", signed(w.Claims().Drop(claim)), token.ReasonClaimMissing})
	}
	return rows
}

// times is tokens of another time, and times that are none.
func (w World) times() []Row {
	var rows []Row
	set := func(want token.Reason, claim string, values ...string) {
		for _, value := range values {
			rows = append(rows, Row{claim + " " + value, signed(w.Claims().Set(claim, value)), want})
		}
	}
	set(token.ReasonExpired, "exp", w.at(-w.Leeway), w.at(-w.Leeway-time.Second), w.at(-time.Hour), `0`, `1`)
	set(token.ReasonNotYetValid, "iat", w.at(w.Leeway+time.Second), w.at(time.Hour))
	set(token.ReasonNotYetValid, "nbf", w.at(w.Leeway+time.Second), w.at(time.Hour), `253402300799`)
	for _, claim := range []string{"exp", "iat", "nbf", "auth_time"} {
		set(token.ReasonClaimType, claim, `null`, `"`+w.at(time.Minute)+`"`, `true`, `[]`, `{}`, `-1`, `-0.5`, w.at(time.Minute)+`.5`, `1e400`,
			`1e10`, `9223372036854775807`, `9223372036854775808`, w.at(time.Minute)+`000`)
	}
	for _, claim := range []string{"exp", "iat"} {
		rows = append(rows, Row{claim + " missing", signed(w.Claims().Drop(claim)), token.ReasonClaimMissing})
	}
	// encoding/json would take these for the claim.
	for name, other := range map[string]string{"exp": "Exp", "iat": "IAT", "sub": "Sub", "aud": "AUD", "iss": "Iss", "jti": "JTI"} {
		claims := w.Claims()
		for i := range claims {
			if claims[i].Name == name {
				claims[i].Name = other
			}
		}
		rows = append(rows, Row{other + " for " + name, signed(claims), token.ReasonClaimMissing})
	}
	return rows
}

// otherClaims is claims that are missing or of another type than they should be.
func (w World) otherClaims() []Row {
	var rows []Row
	for _, claim := range []string{"sub", "jti", "client_id"} {
		rows = append(rows,
			Row{claim + " missing", signed(w.Claims().Drop(claim)), token.ReasonClaimMissing},
			Row{claim + " empty", signed(w.Claims().Set(claim, `""`)), token.ReasonClaimMissing})
	}
	for _, claim := range []string{"sub", "jti", "client_id", "sid", "scope", "name", "email"} {
		for _, value := range []string{`null`, `1`, `true`, `["x"]`, `{}`} {
			rows = append(rows, Row{claim + " " + value, signed(w.Claims().Set(claim, value)), token.ReasonClaimType})
		}
	}
	for _, value := range []string{`{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`, `{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}`, `{}`, `null`, `"x"`} {
		rows = append(rows, Row{"cnf " + value, signed(w.Claims().Add("cnf", value)), token.ReasonConfirmation})
	}
	for _, value := range []string{`"u_lin u_ada"`, `"u_lin\r\nX-Role: admin"`, `"u_lin\u0000"`, `" "`} {
		rows = append(rows, Row{"sub " + value, signed(w.Claims().Set("sub", value)), token.ReasonClaimType})
	}
	for _, value := range []string{`null`, `"admin"`, `1`, `{"admin":true}`, `[1]`, `[null]`, `[["admin"]]`, `["user",{}]`} {
		rows = append(rows, Row{"roles " + value, signed(w.Claims().Set("roles", value)), token.ReasonClaimType})
	}
	return rows
}
