// Package plaintext keeps characters out of names that a reader cannot see, or
// that rearrange the text around them: control characters, bidirectional
// controls, zero-width characters and the like. With them a name can look like
// another name, or turn a sentence of a page around.
//
// Internal to Gatehouse: it may change with any release.
package plaintext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// hidden holds the characters that have no shape of their own: Unicode's
// Default_Ignorable_Code_Point, formats and separators of lines.
var hidden = []*unicode.RangeTable{
	unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Bidi_Control,
	unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector,
}

const blankBraille = '\u2800' // a symbol without a dot

func isHidden(r rune) bool {
	return r == utf8.RuneError || r == blankBraille || unicode.In(r, hidden...)
}

// HasHidden tells whether s contains a hidden character or is not UTF-8.
func HasHidden(s string) bool { return strings.ContainsFunc(s, isHidden) }

// Strip returns s without hidden characters and without space at its ends.
// Emoji that are joined by hidden characters come apart.
func Strip(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if isHidden(r) {
			return -1
		}
		return r
	}, s))
}

// Cut returns s with at most limit bytes, cut at the end of a character.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
