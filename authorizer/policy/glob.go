package policy

// oneSegment stands in a pattern for one part of a path, of one character or
// more. A star stands for any characters, a question mark for one, as in an IAM
// policy.
const oneSegment = "\x00"

// overlaps tells whether some text matches both patterns.
func overlaps(a, b string) bool {
	// match[j] says, for the rest of a from i on, whether b[j:] overlaps it.
	match := make([]bool, len(b)+1)
	below := make([]bool, len(b)+1) // the same for i+1
	for i := len(a); i >= 0; i-- {
		for j := len(b); j >= 0; j-- {
			match[j] = overlapsAt(a, b, i, j, below, match)
		}
		match, below = below, match
	}
	return below[0]
}

// overlapsAt is one step: it may use the answers for (i+1, j), (i+1, j+1) and
// (i, j+1).
func overlapsAt(a, b string, i, j int, below, match []bool) bool {
	switch {
	case i == len(a) && j == len(b):
		return true
	case i < len(a) && a[i] == '*' && below[j], j < len(b) && b[j] == '*' && match[j+1]:
		return true // the star ends here
	case i == len(a) || j == len(b):
		return false
	}
	x, y := a[i], b[j]
	switch {
	case x == y && !wild(x):
		return below[j+1]
	case x == '?' && y == '?':
		return below[j+1]
	case x == '*' && y == '*':
		return below[j] || match[j+1]
	case x == '*':
		// The star takes what y stands for.
		return match[j+1]
	case y == '*':
		return below[j]
	case x == '?' && y == oneSegment[0]:
		return below[j+1] || below[j]
	case x == oneSegment[0] && y == '?':
		return below[j+1] || match[j+1]
	case x == '?' || y == '?':
		return below[j+1]
	case x == oneSegment[0] && y == oneSegment[0]:
		return below[j+1] || below[j] || match[j+1]
	case x == oneSegment[0]:
		return y != '/' && (below[j+1] || match[j+1])
	case y == oneSegment[0]:
		return x != '/' && (below[j+1] || below[j])
	}
	return false
}

func wild(c byte) bool { return c == '*' || c == '?' || c == oneSegment[0] }

// matches tells whether text matches the pattern, in which a star stands for any
// characters and a question mark for one.
func matches(pattern, text string) bool {
	star, after := -1, 0 // the last star, and how far the text before its end reaches
	p, i := 0, 0
	for i < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, after = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[i]):
			p++
			i++
		case star >= 0: // let the star take one character more
			after++
			p, i = star+1, after
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
