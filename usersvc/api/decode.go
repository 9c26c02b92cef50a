package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// The bounds of a request body.
const (
	maxBody    = 64 << 10
	maxDepth   = 64
	maxInteger = 1 << 53 // below it every JSON reader keeps each one (RFC 8259, Section 6)
)

// decode reads the body of a request: one JSON object with members of T and no
// others. Where two readers of JSON could understand a body differently, it is
// refused as a whole.
func decode[T any](r *http.Request) (T, error) {
	var v T
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" && mediaType != "application/merge-patch+json" {
		return v, &httpx.Error{Status: http.StatusUnsupportedMediaType, Code: "invalid_request", Detail: "want Content-Type: application/json"}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return v, &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "the body cannot be read", Err: err}
	}
	if err := strict(body, members(reflect.TypeFor[T]())); err != nil {
		return v, invalid("body: " + err.Error())
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "body: a member has the wrong type", Err: err}
	}
	return v, nil
}

// members returns the names of the members of a struct.
func members(t reflect.Type) map[string]bool {
	names := map[string]bool{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}

var errSyntax = errors.New("want one JSON object")

// strict refuses a body that is not one JSON object, that has members other than
// the known ones, and what encoding/json would read in silence: members twice or
// in other case, lone surrogates, NUL, and numbers that lose digits.
func strict(body []byte, known map[string]bool) error {
	if len(body) > maxBody {
		return fmt.Errorf("want at most %d bytes", maxBody)
	}
	if !utf8.Valid(body) {
		return errors.New("want UTF-8")
	}
	if err := checkEscapes(body); err != nil {
		return err
	}
	w := walker{known: known}
	err := strictjson.Members(string(body), w.members(1))
	if errors.Is(err, strictjson.ErrSyntax) {
		return errSyntax
	}
	return err
}

// walker goes through the values of a JSON text.
type walker struct {
	known map[string]bool // the members of the outermost object
}

// members returns what looks at each member of an object.
func (w walker) members(depth int) func(name, value string) error {
	seen := map[string]bool{}
	return func(name, value string) error {
		folded := fold(name)
		if seen[folded] {
			return errors.New("a member is there twice")
		}
		seen[folded] = true
		if depth == 1 && !w.known[name] {
			return errors.New("a member is not known")
		}
		return w.value(value, depth)
	}
}

func (w walker) value(value string, depth int) error {
	switch c := value[0]; {
	case (c == '{' || c == '[') && depth == maxDepth:
		return fmt.Errorf("want at most %d levels", maxDepth)
	case c == '{':
		return strictjson.Members(value, w.members(depth+1))
	case c == '[':
		return strictjson.Elements(value, func(element string) error { return w.value(element, depth+1) })
	case c == '-' || '0' <= c && c <= '9':
		if f, err := strconv.ParseFloat(value, 64); err != nil || math.Abs(f) >= maxInteger {
			return errors.New("a number is too large")
		}
	}
	return nil
}

// checkEscapes refuses \u0000 and halves of surrogate pairs. Backslashes occur
// in JSON only within strings.
func checkEscapes(body []byte) error {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		i++
		r, ok := escaped(body[i:])
		if !ok {
			continue
		}
		i += 4
		switch {
		case r == 0:
			return errors.New("NUL in a string")
		case r >= 0xDC00 && r <= 0xDFFF:
			return errors.New("half a surrogate pair")
		case r >= 0xD800 && r <= 0xDBFF:
			if i+2 >= len(body) || body[i+1] != '\\' {
				return errors.New("half a surrogate pair")
			}
			if low, ok := escaped(body[i+2:]); !ok || low < 0xDC00 || low > 0xDFFF {
				return errors.New("half a surrogate pair")
			}
			i += 6
		}
	}
	return nil
}

// escaped returns the code unit of "uXXXX" at the beginning of b.
func escaped(b []byte) (uint64, bool) {
	if len(b) < 5 || b[0] != 'u' {
		return 0, false
	}
	r, err := strconv.ParseUint(string(b[1:5]), 16, 16)
	return r, err == nil
}

// fold returns the same string for names that encoding/json takes for the same.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, name)
}
