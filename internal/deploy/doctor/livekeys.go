package doctor

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
)

var maxAge = regexp.MustCompile(`max-age=(\d+)`)

// keys reads the JWK Set as the strictest verifiers do.
func (l *live) keys(ctx context.Context, where string) {
	a, ok := l.ask(ctx, "GET", where)
	if !ok {
		return
	}
	if a.StatusCode != http.StatusOK {
		l.wrong("live-keys", where, "answers %d: nobody can verify a token: look at loginsvc's log", a.StatusCode)
		return
	}
	if a.took > slowest {
		l.wrong("live-slow", where, "took %v: API Gateway's own JWT authorizers wait 1.5 s: give loginsvc more memory", a.took)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(a.body, &set); err != nil {
		l.wrong("live-keys", where, "is no JWK Set: look at what stands before the API")
		return
	}
	l.members(where, set.Keys)
	public, err := jwks.Parse(a.body)
	switch {
	case len(set.Keys) > keys.MaxPublished:
		l.wrong("live-keys", where, "has %d keys: a load balancer of AWS reads 10: retire the oldest with gatehouse keys retire", len(set.Keys))
	case err != nil:
		l.wrong("live-keys", where, "%v: want RSA keys of 2,048 bits and more, each under its thumbprint: gatehouse keys list", err)
	default:
		l.fact("%d public keys in %d bytes", len(public), len(a.body))
	}
	caching := a.Header.Get("Cache-Control")
	found := maxAge.FindStringSubmatch(caching)
	switch {
	case found == nil:
		l.wrong("live-keys", where, "has no max-age: every verifier fetches it again and again: let Cache-Control through")
	default:
		if seconds, _ := strconv.Atoi(found[1]); seconds > 7200 {
			l.wrong("live-keys", where, "may be kept for %d s: a new key signs after two hours, and would not be known: keep it for 900 s", seconds)
		}
	}
}

// members refuses what has no business in a public document.
func (l *live) members(where string, set []map[string]any) {
	for _, key := range set {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if key[private] != nil {
				l.wrong("live-keys", where, "publishes the member %s of a private key: everybody can sign: rotate at once with gatehouse keys rotate, and retire this key as compromised", private)
				break
			}
		}
		if kid, _ := key["kid"].(string); strings.Contains(kid, "arn:") || strings.Contains(kid, "alias/") {
			l.wrong("live-keys", where, "has a key id that tells your account: name keys by their thumbprint")
		}
	}
}
