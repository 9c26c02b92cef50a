package token

import (
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// maxMembers bounds how many members an object of ours has. It keeps the search
// for duplicates short.
const maxMembers = 64

// members calls each for every member of the JSON object doc, in order, with
// its name and its value as written. encoding/json lets the last of two members
// win and takes "Exp" for exp; here a name that appears twice is refused ("a
// JWT with duplicate Claim Names MUST be rejected", RFC 7519, Section 4), and
// names are exact. The strings share the memory of one copy of doc.
func members(doc []byte, each func(name, value string) error) error {
	if !json.Valid(doc) || !utf8.Valid(doc) {
		return refuse(ReasonMalformed)
	}
	// From here on doc is known to be valid JSON, so that every step finds what
	// it looks for.
	rest := space(string(doc))
	if rest[0] != '{' {
		return refuse(ReasonMalformed)
	}
	seen := make([]string, 0, 24)
	for rest = space(rest[1:]); rest[0] != '}'; {
		end := stringEnd(rest)
		name, err := memberName(rest[:end])
		if err != nil {
			return err
		}
		if slices.Contains(seen, name) {
			return refuse(ReasonDuplicate)
		}
		if seen = append(seen, name); len(seen) > maxMembers {
			return refuse(ReasonMalformed)
		}
		rest = space(space(rest[end:])[1:]) // over the colon
		end = valueEnd(rest)
		if err := each(name, rest[:end]); err != nil {
			return err
		}
		if rest = space(rest[end:]); rest[0] == ',' {
			rest = space(rest[1:])
		}
	}
	return nil
}

// memberName returns the name that quoted spells.
func memberName(quoted string) (string, error) {
	name, ok := text(quoted)
	if !ok {
		return "", refuse(ReasonMalformed)
	}
	return name, nil
}

func space(s string) string {
	i := 0
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return s[i:]
}

// stringEnd returns the length of the string literal that s begins with.
func stringEnd(s string) int {
	for i := 1; ; i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// valueEnd returns the length of the value that s begins with.
func valueEnd(s string) int {
	depth := 0
	for i := 0; ; i++ {
		switch s[i] {
		case '"':
			i += stringEnd(s[i:]) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default:
			if depth > 0 || i+1 < len(s) && !ends(s[i+1]) {
				continue
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
}

// ends tells whether c ends a number, true, false or null.
func ends(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}
