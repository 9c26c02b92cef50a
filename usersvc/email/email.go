// Package email is the one place where Gatehouse compares e-mail addresses.
//
// Internal to Gatehouse: it may change with any release.
package email

import "strings"

// maxLength is the greatest length of an address (RFC 5321, Section 4.5.3.1.3,
// without the angle brackets).
const maxLength = 254

// Canonical returns the form of an address that is equal for equal addresses,
// and false for an address that Gatehouse will not compare. It takes less than
// RFC 5322 allows, because every liberty is a way to look like somebody else:
// one @, a local part of unquoted ASCII, and a domain of at least two ASCII
// labels without a trailing dot. Upper case is lowered everywhere: no provider
// of note tells Ada@ from ada@.
func Canonical(address string) (string, bool) {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || len(address) > maxLength || !isLocal(local) || !isDomain(domain) {
		return "", false
	}
	return strings.ToLower(address), true
}

// isLocal tells whether s is a dot-atom (RFC 5322, Section 3.2.3) of at most 64
// bytes.
func isLocal(s string) bool {
	if len(s) > 64 {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool {
			return !isAlphanumeric(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
		}) {
			return false
		}
	}
	return true
}

// isDomain tells whether s is a domain name of letters, digits and hyphens
// (RFC 5890, Section 2.3.1).
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return !isAlphanumeric(r) && r != '-' }) {
			return false
		}
	}
	return len(labels) >= 2
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
