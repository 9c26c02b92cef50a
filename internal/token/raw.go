package token

import (
	"encoding/base64"
	"strings"
)

// raw is a token taken apart. Nothing in it is verified.
type raw struct {
	signed    string // header and payload as they were signed
	header    []byte
	payload   []byte
	signature []byte
}

// split takes rawToken apart if it has the compact form (RFC 7515, Section 7.1)
// in its one canonical spelling, so that no two strings are the same token.
func split(rawToken string) (raw, error) {
	if len(rawToken) > MaxSize {
		return raw{}, refuse(ReasonTooLarge)
	}
	first := strings.IndexByte(rawToken, '.')
	last := strings.LastIndexByte(rawToken, '.')
	if first == last { // no dot, or one
		return raw{}, refuse(ReasonMalformed)
	}
	header, payload, signature := rawToken[:first], rawToken[first+1:last], rawToken[last+1:]
	buf := make([]byte, 0, len(rawToken)) // for all three
	t := raw{signed: rawToken[:last]}
	for _, segment := range []struct {
		into *[]byte
		text string
	}{{&t.header, header}, {&t.payload, payload}, {&t.signature, signature}} {
		whole, ok := decode(buf, segment.text) // a third dot fails here: it is not base64url
		if !ok {
			return raw{}, refuse(ReasonMalformed)
		}
		*segment.into = whole[len(buf):]
		buf = whole
	}
	return t, nil
}

// canonical is base64url without padding, where the bits that are left over
// must be zero.
var canonical = base64.RawURLEncoding.Strict()

// decode appends to buf what segment spells.
func decode(buf []byte, segment string) ([]byte, bool) {
	// "All whitespace, line breaks […] MUST be omitted" (RFC 7515, Section 2),
	// but Go's decoder skips line breaks even when it is strict.
	if strings.ContainsAny(segment, "\r\n") {
		return nil, false
	}
	whole, err := canonical.AppendDecode(buf, []byte(segment))
	return whole, err == nil
}
