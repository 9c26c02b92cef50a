package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// claims are the members of a JSON object under their exact names: encoding/json
// alone would take "Email_Verified" for "email_verified".
type claims map[string]json.RawMessage

// rawJSON keeps a document as it came, for decoders that insist on decoding.
type rawJSON []byte

// UnmarshalJSON keeps raw.
func (r *rawJSON) UnmarshalJSON(raw []byte) error {
	*r = bytes.Clone(raw)
	return nil
}

// folding are the members that go-oidc reads, which takes "ISS" for "iss".
var folding = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "nonce", "at_hash", "azp", "alg", "kid", "typ", "crit"}

// parseClaims reads an object, and refuses one that names a member twice: each
// reader would believe another one. Names that differ by case are two, but for
// those that go-oidc reads.
func parseClaims(raw []byte) (claims, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	c, seen := claims{}, map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errors.New("not a JSON object")
		}
		key, _ := name.(string)
		folded := strings.ToLower(strings.ToUpper(key)) // also the long s and the Kelvin sign
		if !slices.Contains(folding, folded) {
			folded = key
		}
		if seen[folded] {
			return nil, fmt.Errorf("member %q is there twice", key)
		}
		seen[folded] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, errors.New("not a JSON object")
		}
		c[key] = value
	}
	return c, nil
}

// has tells whether there is such a claim and it is not null.
func (c claims) has(name string) bool {
	value, ok := c[name]
	return ok && string(value) != "null"
}

// text returns a claim that is a string, or "".
func (c claims) text(name string) string {
	var s string
	if err := json.Unmarshal(c[name], &s); err != nil {
		return ""
	}
	return s
}

// isTrue tells whether a claim is exactly true. The strings "true" and "false"
// and the number 1 are not: their sender means something that we do not know.
func (c claims) isTrue(name string) bool { return string(c[name]) == "true" }

// instant returns a claim that is a NumericDate (RFC 7519, Section 2) between
// 1970 and 9999.
func (c claims) instant(name string) (time.Time, bool) {
	var seconds float64
	if !c.has(name) || json.Unmarshal(c[name], &seconds) != nil || seconds < 0 || seconds > 253402300799 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// plain returns a claim that is a string or a number as text.
func (c claims) plain(name string) (string, bool) {
	var number json.Number
	switch raw := bytes.TrimSpace(c[name]); {
	case len(raw) > 0 && raw[0] == '"':
		return c.text(name), true
	case len(raw) > 0 && json.Unmarshal(raw, &number) == nil && string(raw) != "null":
		return number.String(), true
	}
	return "", false
}

// take copies claims of more over those of c, or removes them where more has none.
func (c claims) take(more claims, names ...string) {
	for _, name := range names {
		delete(c, name)
		if more.has(name) {
			c[name] = more[name]
		}
	}
}

// composedName is the name made of given_name and family_name, or "".
func (c claims) composedName() string {
	return strings.TrimSpace(c.text("given_name") + " " + c.text("family_name"))
}

// Bounds of what a provider says about an authentication, in bytes and values.
const (
	maxACR, maxMethod, maxMethods = 256, 64, 16
)

// authContext returns the claims acr, a string, and amr, a list of strings (OpenID
// Connect Core, Section 2; RFC 8176). If one has another form or is too long, it
// returns neither, and ok is false.
func (c claims) authContext() (acr string, amr []string, ok bool) {
	if c.has("acr") && json.Unmarshal(c["acr"], &acr) != nil || len(acr) > maxACR {
		return "", nil, false
	}
	var methods []*string // nil for null, which is no string
	if c.has("amr") && json.Unmarshal(c["amr"], &methods) != nil || len(methods) > maxMethods {
		return "", nil, false
	}
	for _, method := range methods {
		if method == nil || *method == "" || len(*method) > maxMethod {
			return "", nil, false
		}
		amr = append(amr, *method)
	}
	return acr, amr, true
}
