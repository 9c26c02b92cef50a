package policy

import "strings"

// Canonical tells whether a request has the one spelling of its path that every
// server reads alike, given what its ARN has after the stage: "GET/notes/42". An
// IAM policy compares texts, and the gateway has chosen the route by what it
// reads in them. So these are not canonical:
//
//   - an empty part, "." or "..", or a slash at the end;
//   - an escaped letter, digit, "-", ".", "_" or "~", which need no escape (RFC
//     3986, Section 2.3), or an escape in lower case (Section 6.2.2.1);
//   - an escaped slash, a backslash, escaped or not, and a control character;
//   - an escaped percent sign before two hexadecimal digits, which is an escape
//     for a server that decodes twice.
func Canonical(request string) bool {
	_, path, ok := strings.Cut(request, "/")
	if !ok {
		return request == connectRoute
	}
	if path == "" {
		return true
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." || !canonicalPart(part) {
			return false
		}
	}
	return true
}

func canonicalPart(part string) bool {
	for i := 0; i < len(part); i++ {
		c := part[i]
		if c == '%' {
			if i+2 >= len(part) || !upperHex(part[i+1]) || !upperHex(part[i+2]) {
				return false
			}
			c = unhex(part[i+1])<<4 | unhex(part[i+2])
			i += 2
			if alphanumeric(rune(c)) || strings.IndexByte("-._~/", c) >= 0 {
				return false
			}
			if c == '%' && i+2 < len(part) && isHex(part[i+1]) && isHex(part[i+2]) {
				return false
			}
		}
		if c == '\\' || c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

func upperHex(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }

func isHex(c byte) bool { return upperHex(c) || 'a' <= c && c <= 'f' }

// unhex returns the value of an upper-case hexadecimal digit.
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'A' + 10
}
