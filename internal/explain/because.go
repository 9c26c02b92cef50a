package explain

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// sentences say each reason to a person, with what can be done where something
// can. %s is the detail.
var sentences = map[authorizer.Reason]string{
	token.ReasonTooLarge:     "it is longer than any token of ours",
	token.ReasonMalformed:    "it is not three parts of base64url with JSON in them: was all of it copied?",
	token.ReasonDuplicate:    "a name stands in it twice, which no honest issuer writes",
	token.ReasonAlgorithm:    "it is not signed with RS256",
	token.ReasonCritical:     "its header has crit, which asks for rules that we do not know",
	token.ReasonHeader:       "its header brings a key of its own, or changes the encoding",
	token.ReasonType:         "it is no access token (typ at+jwt): an ID token tells an app who signed in, and opens no API",
	token.ReasonKeyIDMissing: "it does not say which key signed it (kid)",
	token.ReasonKeyUnknown:   "no published key has its kid: another issuer signed it, or a key that has been retired",
	token.ReasonSignature:    "the key did not sign this: it has been changed",
	token.ReasonClaimType:    "its claim %s is of the wrong type",
	token.ReasonClaimMissing: "its claim %s is missing",
	token.ReasonIssuer:       "another issuer issued it (iss)",
	token.ReasonAudience:     "it is for another API (aud)",
	token.ReasonNotYetValid:  "it is valid in %s only: are the clocks right?",
	token.ReasonExpired:      "it expired %s ago: get a new one",

	authorizer.ReasonTokenMissing: "there is no token",
	authorizer.ReasonTokenDoubled: "there is more than one token",
	authorizer.ReasonScheme:       "the Authorization header is not Bearer",
	authorizer.ReasonOrigin:       "a page of another origin sent the cookie",
	authorizer.ReasonRevoked:      "it was revoked: the session ended, or the user was suspended or given other roles",
	authorizer.ReasonRole:         "the route wants %s",
	authorizer.ReasonScope:        "the route wants %s",
	authorizer.ReasonRoute:        "there is no such route: write a method and a path, such as 'GET /users'",
}

// because says the reason of a refusal to a person.
func (r *refusal) because(a *Answer) string {
	sentence, ok := sentences[authorizer.Reason(r.reason)]
	switch {
	case !ok:
		return r.reason
	case !strings.Contains(sentence, "%s"):
		return sentence
	case r.claim != "":
		return fmt.Sprintf(sentence, r.claim)
	case r.by != 0:
		return fmt.Sprintf(sentence, r.by.Round(time.Second))
	}
	return fmt.Sprintf(sentence, wants(a.Rule))
}

// wants says in words what a rule asks for.
func wants(rule *policy.Rule) string {
	if rule == nil {
		return "what its rule says"
	}
	var parts []string
	for _, part := range []struct {
		what  string
		names []string
	}{
		{"the role", rule.Roles}, {"all of the roles", rule.AllRoles}, {"the scope", rule.Scopes}, {"all of the scopes", rule.AllScopes},
	} {
		if len(part.names) == 0 {
			continue
		}
		join := " or "
		if strings.HasPrefix(part.what, "all") {
			join = " and "
		}
		parts = append(parts, part.what+" "+strings.Join(part.names, join))
	}
	return strings.Join(parts, ", and ")
}

// unverified reads the two parts of a token that hold JSON, as far as they do.
func unverified(rawToken string) (header, claims map[string]any) {
	parts := strings.Split(rawToken, ".")
	if len(rawToken) > token.MaxSize || len(parts) != 3 {
		return nil, nil
	}
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			*into = nil
		}
	}
	return header, claims
}
