// Package strictjson reads JSON objects in one pass, member by member, without
// reflection. It accepts what the grammar of RFC 8259 does and nothing else, in
// valid UTF-8. Unlike encoding/json it takes names as they are: it does not match
// "Exp" for exp, and shows the caller every member, so that a name which appears
// twice can be refused.
package strictjson

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep values may lie in each other.
const maxDepth = 1000

// ErrSyntax says that a text is not JSON of the kind asked for. It does not say
// where: the text may be a secret.
var ErrSyntax = errors.New("malformed JSON")

// Members calls each for every member of the object that doc holds, in order, with
// its name and its value as it is written. It stops at the first error of each and
// returns it. Members before a mistake in the syntax are shown before ErrSyntax is
// returned. Names and values share the memory of doc.
func Members(doc string, each func(name, value string) error) error {
	if !utf8.ValidString(doc) {
		return ErrSyntax
	}
	s := scanner{text: doc}
	if !s.next('{') {
		return ErrSyntax
	}
	for more := !s.next('}'); more; {
		name, value, ok := s.member(1)
		if !ok {
			return ErrSyntax
		}
		name, ok = Text(name)
		if !ok {
			return ErrSyntax
		}
		if err := each(name, value); err != nil {
			return err
		}
		if more = s.next(','); !more && !s.next('}') {
			return ErrSyntax
		}
	}
	return s.end()
}

// Elements calls each for every element of the array that doc holds, as [Members]
// does.
func Elements(doc string, each func(value string) error) error {
	if !utf8.ValidString(doc) {
		return ErrSyntax
	}
	s := scanner{text: doc}
	if !s.next('[') {
		return ErrSyntax
	}
	for more := !s.next(']'); more; {
		value, ok := s.element(1)
		if !ok {
			return ErrSyntax
		}
		if err := each(value); err != nil {
			return err
		}
		if more = s.next(','); !more && !s.next(']') {
			return ErrSyntax
		}
	}
	return s.end()
}

// Text returns the string that value is, where value is as [Members] gives it.
func Text(value string) (string, bool) {
	if value == "" || value[0] != '"' {
		return "", false
	}
	if strings.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1], true
	}
	var s string
	err := json.Unmarshal([]byte(value), &s)
	return s, err == nil
}
