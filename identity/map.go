package identity

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The members of the request context. They are the same on every kind of API, and
// functions in other languages read them without a package.
const (
	keySubject    = "sub"
	keyEmail      = "email"
	keyName       = "name"
	keyRoles      = "roles" // separated by single spaces
	keyScope      = "scope" // separated by single spaces
	keyClientID   = "client_id"
	keySessionID  = "sid"
	keyFirstParty = "first_party" // "false" for a machine and a third-party client, else "true"
	keyAuthTime   = "auth_time"   // Unix seconds
	keyExpiresAt  = "exp"         // Unix seconds
)

// members are all of them.
var members = [...]string{keySubject, keyEmail, keyName, keyRoles, keyScope, keyClientID, keySessionID, keyFirstParty, keyAuthTime, keyExpiresAt}

func isMember(name string) bool { return slices.Contains(members[:], name) }

// maxUnix is the last second of the year 9999.
const maxUnix = 253402300799

// Map returns i as the authorizer puts it into the request context: flat, of
// strings and whole numbers only, because API Gateway refuses anything else. Every
// member is there, "" if there is nothing, so that an integration that maps it to a
// header overwrites what a client sent. An id, an e-mail, a role or a scope is left
// out if it holds a control character, or white space where that would part it in
// two; without a subject, [FromMap] finds nobody. Control characters in the name are
// dropped. Times lose their fraction of a second.
func (i Identity) Map() map[string]any {
	return map[string]any{
		keySubject:    onlyWord(i.Subject),
		keyEmail:      onlyWord(i.Email),
		keyName:       plain(i.Name),
		keyRoles:      join(i.Roles),
		keyScope:      join(i.Scopes),
		keyClientID:   onlyWord(i.ClientID),
		keySessionID:  onlyWord(i.SessionID),
		keyFirstParty: strconv.FormatBool(i.Roles != nil),
		keyAuthTime:   seconds(i.AuthTime),
		keyExpiresAt:  seconds(i.ExpiresAt),
	}
}

// onlyWord returns s, or "" if it is not one word.
func onlyWord(s string) string {
	if !word(s) {
		return ""
	}
	return s
}

// seconds returns Unix seconds, or "" for an instant that is not known.
func seconds(at time.Time) any {
	if at.IsZero() {
		return ""
	}
	return at.Unix()
}

// FromMap is the inverse of [Identity.Map]. It takes numbers in each form that
// API Gateway gives them: as numbers, and on REST and WebSocket APIs as strings.
// Keys it does not know are left alone. Without a subject it returns [ErrNone];
// a value of another type, or one that Map never writes, is an error.
func FromMap(m map[string]any) (Identity, error) {
	if v, ok := m[keySubject]; !ok || v == nil || v == "" {
		return Identity{}, ErrNone
	}
	r := reader{m: m}
	i := Identity{
		Subject:   r.word(keySubject),
		Email:     r.word(keyEmail),
		Name:      plain(r.text(keyName)),
		Roles:     r.list(keyRoles),
		Scopes:    r.list(keyScope),
		ClientID:  r.word(keyClientID),
		SessionID: r.word(keySessionID),
		AuthTime:  r.time(keyAuthTime),
		ExpiresAt: r.time(keyExpiresAt),
	}
	switch firstParty := r.text(keyFirstParty); {
	case firstParty == "false" && i.Roles != nil:
		r.fail(keyRoles, "none, because the caller is not first-party")
	case firstParty != "" && firstParty != "true" && firstParty != "false":
		r.fail(keyFirstParty, "true or false")
	case firstParty != "false" && i.Roles == nil && m[keyRoles] != nil: // an earlier version left first_party out
		i.Roles = []string{}
	}
	if r.err != nil {
		return Identity{}, fmt.Errorf("reading identity: %w", r.err)
	}
	return i, nil
}

// reader reads values of a request context and keeps the first mistake.
type reader struct {
	m   map[string]any
	err error
}

func (r *reader) fail(key, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: want %s", key, want)
	}
}

func (r *reader) text(key string) string {
	s, ok := r.m[key].(string)
	if !ok && r.m[key] != nil {
		r.fail(key, "a string")
	}
	return s
}

func (r *reader) word(key string) string {
	s := r.text(key)
	if !word(s) {
		r.fail(key, "no space and no control character")
	}
	return s
}

func (r *reader) list(key string) []string { return r.split(key, r.text(key)) }

// split takes words apart that stand between spaces.
func (r *reader) split(key, text string) []string {
	var list []string
	for s := range strings.SplitSeq(text, " ") {
		switch {
		case s == "":
		case word(s):
			list = append(list, s)
		default:
			r.fail(key, "words between single spaces")
		}
	}
	return list
}

func (r *reader) time(key string) time.Time {
	v := r.m[key]
	if v == nil || v == "" {
		return time.Time{}
	}
	seconds, ok := wholeNumber(v)
	if !ok || seconds < 0 || seconds > maxUnix {
		r.fail(key, "Unix seconds")
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// wholeNumber returns v as an integer if it is one, in whatever form JSON or
// API Gateway gave it.
func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) <= maxUnix
	case json.Number:
		return wholeNumber(v.String())
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n, true
		}
		// A number of this size may have become 1.7e+09 on its way.
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return 0, false
		}
		return wholeNumber(f)
	}
	return 0, false
}

// join writes a list. An element that would be read back as two, or as another,
// is left out: a role "user admin" must not become the role admin.
func join(list []string) string {
	var kept []string
	for _, s := range list {
		if s != "" && word(s) {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, " ")
}

// word tells whether s survives every way of writing it down and reading it
// again: valid UTF-8 without white space or control characters.
func word(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	})
}

// plain drops control characters (line breaks among them) and broken UTF-8.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
