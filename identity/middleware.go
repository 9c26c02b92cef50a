package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// headerPrefix begins the headers that a gateway maps the members of the request
// context to: client_id is in X-Gatehouse-Client-Id.
const headerPrefix = "X-Gatehouse-"

// SecretHeader is the header with the secret that proves the gateway.
const SecretHeader = headerPrefix + "Secret"

// minSecret is the least length of a secret, in bytes.
const minSecret = 32

// Middleware lets a server behind API Gateway (HTTP_PROXY or VPC link) know who
// called: next finds the caller with [FromContext]. It reads the headers that the
// integration maps from the authorizer's context with overwrite:, as docs/adopt
// shows and as gatehouse dev --upstream sends them. A request without a caller, of a
// route that has no authorizer, goes on to next without an identity.
//
// The integration maps one of the secrets as a constant to X-Gatehouse-Secret. Two
// are for the time in which the integration changes from one to the other. A request
// without a secret has not come through the gateway, and gets 403. One with a header
// twice, in another spelling (X_Gatehouse_Sub), or with values that were joined by a
// comma, gets 400: other software on the way can read another value in it.
//
// Every header must be mapped: one that is not is the client's. Middleware returns
// an error if there is no secret, or one with fewer than 32 bytes.
func Middleware(next http.Handler, secrets ...string) (http.Handler, error) {
	if len(secrets) == 0 {
		return nil, errors.New("identity: no secret: anyone who reaches the server could name any caller")
	}
	var digests [][sha256.Size]byte
	for _, secret := range secrets {
		if len(secret) < minSecret {
			return nil, fmt.Errorf("identity: a secret has %d bytes: want at least %d random ones", len(secret), minSecret)
		}
		digests = append(digests, sha256.Sum256([]byte(secret)))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers, err := mapped(r.Header)
		switch {
		case err != nil:
			refuse(w, http.StatusBadRequest)
			return
		case !anyEqual(digests, headers[secretMember]):
			refuse(w, http.StatusForbidden)
			return
		}
		r = r.Clone(r.Context())
		r.Header.Del(SecretHeader)
		switch who, err := fromHeaders(headers); {
		case err == nil:
			r = r.WithContext(NewContext(r.Context(), who))
		case !errors.Is(err, ErrNone):
			refuse(w, http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	}), nil
}

// secretMember stands for the secret among the members.
const secretMember = "secret"

var errHeader = errors.New("a header of the gateway is there twice or in another spelling")

// mapped returns the values of the gateway's headers by member.
func mapped(h http.Header) (map[string]string, error) {
	found := make(map[string]string, len(members)+1)
	for name, values := range h {
		member, ours := strings.CutPrefix(strings.Map(loosely, name), "x_gatehouse_")
		switch {
		case !ours || member != secretMember && !isMember(member):
			continue
		case name != headerOf(member) || len(values) != 1:
			return nil, errHeader
		}
		found[member] = values[0]
	}
	return found, nil
}

// loosely maps a header name as servers do that make it the name of a variable: they
// take X_Gatehouse_Sub and x.gatehouse.sub for X-Gatehouse-Sub.
func loosely(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r + 'a' - 'A'
	case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
		return r
	}
	return '_'
}

// headerOf returns the header of a member of the context.
func headerOf(member string) string {
	return http.CanonicalHeaderKey(headerPrefix + strings.ReplaceAll(member, "_", "-"))
}

// anyEqual compares a secret with each digest, in a time that does not depend on
// where they differ.
func anyEqual(digests [][sha256.Size]byte, secret string) bool {
	given, equal := sha256.Sum256([]byte(secret)), 0
	for _, want := range digests {
		equal |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return equal == 1
}

// fromHeaders reads the caller. A comma is in no member but the name.
func fromHeaders(headers map[string]string) (Identity, error) {
	m := make(map[string]any, len(headers))
	for member, value := range headers {
		switch {
		case member == keyName:
			value = headerText(value)
		case member != secretMember && strings.Contains(value, ","):
			return Identity{}, errHeader
		}
		m[member] = value
	}
	// Without a word about it, a caller without roles is as good as a machine.
	if m[keyRoles] == "" && m[keyFirstParty] != "true" {
		delete(m, keyRoles)
	}
	return FromMap(m)
}

// headerText reads a name, which is UTF-8 or percent-encoded ASCII.
func headerText(value string) string {
	if decoded, err := url.PathUnescape(value); err == nil && !strings.ContainsFunc(value, func(r rune) bool { return r > '~' }) {
		return decoded
	}
	return value
}

// refuse says what API Gateway says.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, `{"message":"`+http.StatusText(status)+`"}`)
}
