package authorizer

import (
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// request is what counts of a request, from whichever kind of event.
type request struct {
	routeKey string // as the gateway chose it; "" if the event does not say
	method   string

	exactKeys []string // of the path alone, where Guard guards more than a gateway's route

	// Every line of the headers.
	authorization []string
	protocols     []string // Sec-WebSocket-Protocol
	cookies       []string
	origins       []string
}

// credentials is the one token that a request brought, or why there is none.
type credentials struct {
	rawToken string
	refusal  *refusal
}

func noCredentials(reason Reason) credentials {
	return credentials{refusal: &refusal{reason: reason}}
}

func (c credentials) missing() bool {
	return c.refusal != nil && c.refusal.reason == ReasonTokenMissing
}

// credentials finds the one token of r, in the places where one may be. Where two
// are found, two readers might each take another, so neither is taken.
func (a *Authorizer) credentials(r request) credentials {
	found := bearer(r.authorization)
	others := []credentials{subprotocol(r.protocols)}
	if a.c.Cookie != "" {
		others = append(others, a.cookie(r))
	}
	for _, other := range others {
		switch {
		case other.missing():
		case found.missing():
			found = other
		default:
			return noCredentials(ReasonTokenDoubled)
		}
	}
	return found
}

// bearer reads the Authorization header, given every line of it (RFC 6750,
// Section 2.1).
func bearer(lines []string) credentials {
	switch len(lines) {
	case 0:
		return noCredentials(ReasonTokenMissing)
	case 1:
	default:
		return noCredentials(ReasonTokenDoubled)
	}
	// "credentials = "Bearer" 1*SP b64token" (RFC 6750, Section 2.1); the scheme is a
	// "case-insensitive token" (RFC 9110, Section 11.1).
	scheme, rawToken, _ := strings.Cut(lines[0], " ")
	rawToken = strings.TrimLeft(rawToken, " ")
	switch {
	case lines[0] == "":
		return noCredentials(ReasonTokenMissing)
	case !strings.EqualFold(scheme, "Bearer"):
		return noCredentials(ReasonScheme)
	case rawToken == "":
		return noCredentials(ReasonTokenMissing)
	case strings.HasSuffix(rawToken, " "):
		return noCredentials(token.ReasonMalformed)
	case strings.Contains(rawToken, " "), strings.Contains(rawToken, ","):
		// An HTTP API joins doubled headers with a comma.
		return noCredentials(ReasonTokenDoubled)
	}
	return credentials{rawToken: rawToken}
}

// subprotocol reads the one place in the handshake of a WebSocket that a browser
// lets its page fill: new WebSocket(url, ["bearer", token]). The server has to
// choose the subprotocol "bearer", or another that was offered, and never the
// token.
func subprotocol(lines []string) credentials {
	var offered []string
	for _, line := range lines {
		for protocol := range strings.SplitSeq(line, ",") {
			offered = append(offered, strings.Trim(protocol, " \t"))
		}
	}
	isBearer := func(word string) bool { return strings.EqualFold(word, "bearer") }
	i := slices.IndexFunc(offered, isBearer)
	switch {
	case i < 0 || i+1 == len(offered) || offered[i+1] == "":
		return noCredentials(ReasonTokenMissing)
	case slices.ContainsFunc(offered[i+1:], isBearer):
		return noCredentials(ReasonTokenDoubled)
	}
	return credentials{rawToken: offered[i+1]}
}

// cookie reads the configured cookie. A browser adds cookies to requests that any
// page makes it send, so whatever may change something, and every WebSocket, must
// come from a page of the configured origins.
func (a *Authorizer) cookie(r request) credentials {
	var values []string
	for _, line := range r.cookies {
		for pair := range strings.SplitSeq(line, ";") {
			if name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "="); ok && name == a.c.Cookie {
				values = append(values, value)
			}
		}
	}
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return noCredentials(ReasonTokenMissing)
	case len(values) > 1:
		return noCredentials(ReasonTokenDoubled)
	case !safe(r.method) && !(len(r.origins) == 1 && slices.Contains(a.c.Origins, r.origins[0])):
		return noCredentials(ReasonOrigin)
	}
	return credentials{rawToken: values[0]}
}

// safe tells whether requests with the method change nothing (RFC 9110, Section
// 9.2.1).
func safe(method string) bool {
	return method == "GET" || method == "HEAD" || method == "OPTIONS"
}
