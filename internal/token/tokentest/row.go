package tokentest

import (
	"slices"

	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// Row is one token and the answer it must have.
type Row struct {
	Name     string
	RawToken string
	Want     token.Reason // "": accepted
}

// Genuine tells whether the token must be accepted.
func (r Row) Genuine() bool { return r.Want == "" }

// Canary is an address that hostile tokens name in every place where a careless
// verifier might follow it. Nobody may ask it for anything.
const Canary = "https://canary.invalid/jwks.json"

// Rows is all of them: more than 120 hostile tokens, and the genuine ones strewn
// in between.
func (w World) Rows() []Row {
	hostile := slices.Concat(w.shapes(), w.duplicates(), w.algorithms(), w.types(), w.headers(),
		w.keyIDs(), w.signatures(), w.issuersAndAudiences(), w.times(), w.otherClaims())
	genuine := w.genuine()
	rows := make([]Row, 0, len(hostile)+len(genuine))
	every := len(hostile)/len(genuine) + 1
	for i, row := range hostile {
		if i%every == 0 {
			rows = append(rows, genuine[i/every])
			genuine[i/every].Name = ""
		}
		rows = append(rows, row)
	}
	for _, row := range genuine {
		if row.Name != "" {
			rows = append(rows, row)
		}
	}
	return rows
}

// signed is the token of a genuine header and the given claims.
func signed(claims Object) string { return Sign(Ours(), Header(Ours()).String(), claims.String()) }

// headed is the token of the given header and genuine claims.
func (w World) headed(header Object) string {
	return Sign(Ours(), header.String(), w.Claims().String())
}
