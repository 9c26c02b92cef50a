package strictjson

// scanner steps over JSON. Every step begins where the last one ended, and
// reports whether it found what it should.
type scanner struct {
	text string
	at   int
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// next steps over c and the white space before it, if c is there.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// end finds nothing but white space.
func (s *scanner) end() error {
	if s.space(); s.at != len(s.text) {
		return ErrSyntax
	}
	return nil
}

// member steps over a name, a colon and a value.
func (s *scanner) member(depth int) (name, value string, ok bool) {
	s.space()
	from := s.at
	if !s.str() {
		return "", "", false
	}
	name = s.text[from:s.at]
	if !s.next(':') {
		return "", "", false
	}
	value, ok = s.element(depth)
	return name, value, ok
}

// element steps over a value.
func (s *scanner) element(depth int) (value string, ok bool) {
	s.space()
	from := s.at
	if !s.value(depth) {
		return "", false
	}
	return s.text[from:s.at], true
}

func (s *scanner) value(depth int) bool {
	if s.at == len(s.text) || depth > maxDepth {
		return false
	}
	switch c := s.text[s.at]; c {
	case '"':
		return s.str()
	case '{', '[':
		return s.nested(depth, c == '{')
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.number()
}

// nested steps over an object or an array.
func (s *scanner) nested(depth int, object bool) bool {
	s.at++
	last := byte(']')
	if object {
		last = '}'
	}
	if s.next(last) {
		return true
	}
	for {
		var ok bool
		if object {
			_, _, ok = s.member(depth + 1)
		} else {
			_, ok = s.element(depth + 1)
		}
		if !ok {
			return false
		}
		if !s.next(',') {
			return s.next(last)
		}
	}
}

func (s *scanner) literal(word string) bool {
	if len(s.text)-s.at < len(word) || s.text[s.at:s.at+len(word)] != word {
		return false
	}
	s.at += len(word)
	return true
}

// str steps over a string (RFC 8259, Section 7).
func (s *scanner) str() bool {
	if s.at == len(s.text) || s.text[s.at] != '"' {
		return false
	}
	for i := s.at + 1 + plain(s.text[s.at+1:]); i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return true
		case c == '\\':
			n := escape(s.text[i:])
			if n == 0 {
				return false
			}
			i += n - 1
		case c < ' ':
			return false
		}
	}
	return false
}

// plain returns a number of bytes at the beginning of text that stand for
// themselves in a string. It looks at eight at a time, and may leave some over.
func plain(text string) int {
	const each, top = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		t := text[i : i+8]
		w := uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
			uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
		quote, backslash := w^each*'"', w^each*'\\'
		// Less 1, a byte of 0 has its top bit set, which it had not before; less a
		// space, so has a control character.
		if ((quote-each)&^quote|(backslash-each)&^backslash|(w-each*' ')&^w)&top != 0 {
			break
		}
	}
	return i
}

// escape returns the length of the escape that text begins with, 0 if it is none.
func escape(text string) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(text) < 6 {
			return 0
		}
		for _, c := range []byte(text[2:6]) {
			if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
				return 0
			}
		}
		return 6
	}
	return 0
}

// number steps over a number (RFC 8259, Section 6).
func (s *scanner) number() bool {
	s.one("-")
	if !s.one("0") && s.digits() == 0 {
		return false
	}
	if s.one(".") && s.digits() == 0 {
		return false
	}
	if s.one("eE") {
		s.one("+-")
		return s.digits() > 0
	}
	return true
}

// one steps over one of the characters, if it is there.
func (s *scanner) one(of string) bool {
	for i := range len(of) {
		if s.at < len(s.text) && s.text[s.at] == of[i] {
			s.at++
			return true
		}
	}
	return false
}

func (s *scanner) digits() int {
	from := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at - from
}
