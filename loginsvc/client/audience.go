package client

import (
	"fmt"
	"strings"
)

// AllowedAudiences is every API that the client may get tokens for; the first is
// what it gets unless it asks for another. The usual one is the API of a client that
// names none.
func (c Client) AllowedAudiences(usual string) []string {
	if len(c.Audiences) == 0 {
		return []string{usual}
	}
	return c.Audiences
}

// maxAudiences bounds what a row has to hold.
const maxAudiences = 10

// CheckAudience tells why no token can be for an API of this name, in words for
// the person who wrote it; nil means that one can.
func CheckAudience(audience, issuer string) error {
	switch {
	case audience == "" || len(audience) > 200 || strings.ContainsFunc(audience, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }):
		return fmt.Errorf("want a name or URL without spaces, such as https://api.example.com, not %q", audience)
	case issuer != "" && strings.TrimRight(audience, "/") == issuer:
		return fmt.Errorf("is the issuer: a token for your API would be one for the login service: want another name, such as https://api.example.com")
	case strings.Contains(audience, "#"): // RFC 8707, Section 2
		return fmt.Errorf("want a URL without a fragment, not %q", audience)
	}
	return nil
}

func (c Client) audienceProblems(limits Limits) []Problem {
	var found []Problem
	for _, list := range []setOfAPIs{{"audiences", c.Audiences}, {"serves", c.Serves}} {
		found = append(found, list.problems(c.ID, limits.Issuer)...)
	}
	if len(c.Serves) > 0 && c.Public() {
		found = append(found, Problem{Field: "serves", Text: "an API has to prove who it is, or anybody could try tokens in its name: give it a secret_env"})
	}
	if limits.Issuer != "" && strings.TrimRight(c.ID, "/") == limits.Issuer {
		found = append(found, Problem{Field: "id", Text: "is the issuer: ID tokens for the client would be for the login service: choose another"})
	}
	if c.ID != "" && c.ID == limits.Audience {
		found = append(found, Problem{Field: "id", Text: "is the name of the API: ID tokens for the client would pass for access tokens where types are not compared"})
	}
	return found
}

type setOfAPIs struct {
	field string
	names []string
}

func (a setOfAPIs) problems(id, issuer string) []Problem {
	var found []Problem
	if len(a.names) > maxAudiences {
		found = append(found, Problem{Field: a.field, Text: fmt.Sprintf("want %d at most", maxAudiences)})
	}
	for i, name := range a.names {
		field := fmt.Sprintf("%s[%d]", a.field, i+1)
		if err := CheckAudience(name, issuer); err != nil {
			found = append(found, Problem{Field: field, Text: err.Error()})
		} else if name == id {
			found = append(found, Problem{Field: field, Text: "is the client's own id, which its ID tokens are for: give the API another name"})
		}
	}
	return found
}
