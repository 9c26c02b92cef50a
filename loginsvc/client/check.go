package client

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/plaintext"
)

// Problem is one thing for which a client cannot be registered.
type Problem struct {
	Field string // as gatehouse.yml spells it, such as "redirect_uris[2]"
	Text  string // what is wrong and, unless Known is set, how to repair it
	// Word is unknown where Known are the words that may stand; Known is nil for
	// every other problem.
	Word  string
	Known []string
}

// Error tells the problem in one line.
func (p Problem) Error() string {
	if p.Known == nil {
		return p.Field + ": " + p.Text
	}
	return fmt.Sprintf("%s: %s; known: %s", p.Field, p.Text, strings.Join(p.Known, ", "))
}

// grants are those that a client can be registered for.
var grants = []string{GrantCode, GrantRefresh, GrantClientCredentials, GrantDevice}

// HouseID is the client_id of tokens that no app asked for, which people get at
// /users/login. No client has it.
const HouseID = "gatehouse"

// Limits is what there is for clients to have.
type Limits struct {
	Scopes    []string  // all that there are
	Issuer    string    // "" if unknown
	Audience  string    // the API of clients that name none
	Lifetimes Lifetimes // the longest; 0: any
}

// Problems returns all for which the client cannot be registered. It does not
// look at the form of the id, nor whether it is unique.
func (c Client) Problems(limits Limits) []Problem {
	var found []Problem
	refuse := func(field, format string, args ...any) {
		found = append(found, Problem{Field: field, Text: fmt.Sprintf(format, args...)})
	}
	if c.ID == HouseID {
		refuse("id", "%q stands for the login service itself in tokens: choose another", HouseID)
	}
	if plaintext.HasHidden(c.Name) {
		refuse("name", "has a character that people cannot see, or that turns text around: type the name again")
	}
	if len(c.RedirectURIs) == 0 && c.MayUse(GrantCode) {
		refuse("redirect_uris", "not set: say where %s may be sent with a code", c.DisplayName())
	}
	found = append(found, c.uriProblems("redirect_uris", c.RedirectURIs)...)
	found = append(found, c.uriProblems("post_logout_redirect_uris", c.PostLogoutRedirectURIs)...)
	found = append(found, unknownWords("grants", "grant", c.Grants, grants)...)
	if c.Public() && c.MayUse(GrantClientCredentials) { // RFC 6749, Section 4.4
		refuse("grants", "a client that acts for itself has to prove who it is: give it a secret_env")
	}
	for i, origin := range c.Origins {
		if err := checkOrigin(origin); err != nil {
			refuse(fmt.Sprintf("origins[%d]", i+1), "%v", err)
		}
	}
	if len(c.Origins) > 0 && !c.Public() {
		refuse("origins", "a client with a secret has no business in a browser: take out origins, or the secret")
	}
	found = append(found, unknownWords("scopes", "scope", c.Scopes, limits.Scopes)...)
	if i := slices.IndexFunc(c.Scopes, IsOwnScope); c.ThirdParty && i >= 0 {
		refuse(fmt.Sprintf("scopes[%d]", i+1), "%q is for your own apps: take it out, or third_party", c.Scopes[i])
	}
	found = append(found, c.exceptionProblems()...)
	found = append(found, c.audienceProblems(limits)...)
	return append(found, c.Lifetimes.problems(limits.Lifetimes)...)
}

func (c Client) uriProblems(field string, uris []string) []Problem {
	var found []Problem
	for i, uri := range uris {
		if err := c.CheckRedirectURI(uri); err != nil {
			found = append(found, Problem{Field: fmt.Sprintf("%s[%d]", field, i+1), Text: err.Error()})
		}
	}
	return found
}

func unknownWords(field, kind string, words, known []string) []Problem {
	var found []Problem
	for i, word := range words {
		if !slices.Contains(known, word) {
			found = append(found, Problem{Field: fmt.Sprintf("%s[%d]", field, i+1), Text: fmt.Sprintf("unknown %s %q", kind, word), Word: word, Known: known})
		}
	}
	return found
}
