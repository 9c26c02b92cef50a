package authorizer

import "strings"

// credentials is the one token that a request brought, or why there is none.
type credentials struct {
	rawToken string
	refusal  *Refusal
}

func noCredentials(reason Reason) credentials {
	return credentials{refusal: &Refusal{Reason: reason}}
}

// bearer reads the Authorization header of a request, given every line of it
// (RFC 6750, Section 2.1). There must be one, with one token: where two are
// found, two readers might each find another.
func bearer(lines []string) credentials {
	switch len(lines) {
	case 0:
		return noCredentials(ReasonTokenMissing)
	case 1:
	default:
		return noCredentials(ReasonTokenDoubled)
	}
	line := strings.Trim(lines[0], " ")
	if line == "" {
		return noCredentials(ReasonTokenMissing)
	}
	// "case-insensitive token to identify the authentication scheme" (RFC 9110,
	// Section 11.1).
	scheme, rawToken, _ := strings.Cut(line, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return noCredentials(ReasonScheme)
	}
	rawToken = strings.TrimLeft(rawToken, " ")
	switch {
	case rawToken == "":
		return noCredentials(ReasonTokenMissing)
	case strings.ContainsAny(rawToken, " ,"):
		// An HTTP API joins doubled headers with a comma.
		return noCredentials(ReasonTokenDoubled)
	}
	return credentials{rawToken: rawToken}
}

// headerLines returns every line of the header in an event's two maps. API
// Gateway fills headers, where the last line of a name wins, and on REST and
// WebSocket APIs multiValueHeaders, which has them all. Their keys are spelt as
// the client spelt them, except on HTTP APIs.
func headerLines(headers map[string]string, multi map[string][]string, name string) []string {
	var lines []string
	for key, values := range multi {
		if strings.EqualFold(key, name) {
			lines = append(lines, values...)
		}
	}
	var single []string
	for key, value := range headers {
		if strings.EqualFold(key, name) && value != "" {
			single = append(single, value)
		}
	}
	if len(lines) == 0 || len(single) > 1 || len(single) == 1 && len(lines) == 1 && single[0] != lines[0] {
		return append(lines, single...)
	}
	return lines
}
