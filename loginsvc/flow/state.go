package flow

import (
	"crypto/rand"
	"encoding/binary"
)

// State is what the parameter state holds.
type State struct {
	Browser string // the name of the cookie with the secret: [NameSize] characters
	ID      ID
	Sealed  []byte // empty: the sealed flow is in a cookie of its own
}

// NameSize is how many characters the name of a browser's cookie has.
const NameSize = 6

// NewName returns a random name for a browser's cookie. Tabs that start together
// in a browser without a cookie each get their own.
func NewName() string { return rand.Text()[:NameSize] }

// IsName tells whether a text can be such a name.
func IsName(text string) bool {
	for _, c := range []byte(text) {
		if (c < 'A' || c > 'Z') && (c < '2' || c > '7') { // the alphabet of rand.Text
			return false
		}
	}
	return len(text) == NameSize
}

// String returns the state as it travels: letters, digits, "-" and "_".
func (s State) String() string {
	return s.Browser + encode(append(s.ID[:len(s.ID):len(s.ID)], s.Sealed...))
}

// ParseState reads a state. Only what [State.String] returns is accepted.
func ParseState(text string) (State, bool) {
	if len(text) < NameSize {
		return State{}, false
	}
	name := text[:NameSize]
	raw, err := decode(text[NameSize:])
	if err != nil || len(raw) < len(ID{}) || !IsName(name) {
		return State{}, false
	}
	return State{Browser: name, ID: ID(raw[:len(ID{})]), Sealed: raw[len(ID{}):]}, true
}

// SealedText returns a sealed flow as the value of a cookie.
func SealedText(sealed []byte) string { return encode(sealed) }

// ParseSealedText reads what [SealedText] returns.
func ParseSealedText(text string) ([]byte, bool) {
	raw, err := decode(text)
	return raw, err == nil
}

// Join packs fields into one content for [Keys.Seal]: each after its length.
func Join(fields ...string) []byte {
	var content []byte
	for _, f := range fields {
		content = binary.AppendUvarint(content, uint64(len(f)))
		content = append(content, f...)
	}
	return content
}

// Split returns the fields that [Join] packed.
func Split(content []byte) (fields []string, ok bool) {
	for len(content) > 0 {
		size, n := binary.Uvarint(content)
		if n <= 0 || size > uint64(len(content)-n) {
			return nil, false
		}
		end := n + int(size)
		fields = append(fields, string(content[n:end]))
		content = content[end:]
	}
	return fields, true
}
