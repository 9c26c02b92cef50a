// Package revocation is the wire format of the revocation feed: what the login
// service writes at GET /revocations, and the authorizer reads there. It lists
// tokens that are dead although they have not expired.
//
//	{"version":1,"sessions":["p0mTnh6W8WoW1Xpl"],"subjects":{"A1b2C3d4E5f6G7h8":1772366401}}
//
// A token is dead if its session is listed, or if its subject is and the token
// was issued before the second given. Entries are the first 12 bytes of SHA-256
// of a session's or a subject's id, in base64url: who knows the id can look for
// it, and the feed, which anyone may read, names nobody. It needs an entry for as
// long as an access token lives, and the difference between two clocks.
package revocation

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// version is what the feed says it is. A reader that knows another refuses it:
// it could not tell what it overlooks.
const version = 1

// entry is the hash of an id.
type entry [12]byte

// List is the content of the feed. The zero List is empty. Reading it is safe for
// concurrent use; adding is not.
type List struct {
	sessions map[entry]struct{}
	subjects map[entry]int64 // Unix seconds
}

// hash returns the entry for an id. The kind keeps sessions and subjects apart.
func hash(kind, id string) entry {
	var buf [96]byte // room for every id of ours, so that nothing is allocated
	sum := sha256.Sum256(append(append(append(buf[:0], kind...), ':'), id...))
	return entry(sum[:len(entry{})])
}

// AddSession lists every token of the session.
func (l *List) AddSession(id string) {
	if l.sessions == nil {
		l.sessions = map[entry]struct{}{}
	}
	l.sessions[hash("session", id)] = struct{}{}
}

// AddSubject lists every token of the subject that was issued before the instant.
// A token's iat is a whole second, so a fraction counts as the next one. Of two
// instants for one subject, the later counts.
func (l *List) AddSubject(id string, issuedBefore time.Time) {
	if l.subjects == nil {
		l.subjects = map[entry]int64{}
	}
	second := issuedBefore.Add(time.Second - time.Nanosecond).Unix()
	e := hash("subject", id)
	l.subjects[e] = max(l.subjects[e], second)
}

// Revoked tells whether a token is listed. A token without a session has "".
func (l *List) Revoked(subject, sessionID string, issuedAt time.Time) bool {
	if len(l.sessions) > 0 && sessionID != "" {
		if _, listed := l.sessions[hash("session", sessionID)]; listed {
			return true
		}
	}
	if len(l.subjects) > 0 {
		if before, listed := l.subjects[hash("subject", subject)]; listed {
			return issuedAt.Unix() < before
		}
	}
	return false
}

// Len returns how many entries the list has.
func (l *List) Len() int { return len(l.sessions) + len(l.subjects) }

type document struct {
	Version  int             `json:"version"`
	Sessions []entry         `json:"sessions"`
	Subjects map[entry]int64 `json:"subjects"`
}

// MarshalJSON writes the list. Equal lists are equal bytes, so that they have
// equal ETags.
func (l *List) MarshalJSON() ([]byte, error) {
	d := document{version, make([]entry, 0, len(l.sessions)), l.subjects}
	for e := range l.sessions {
		d.Sessions = append(d.Sessions, e)
	}
	slices.SortFunc(d.Sessions, func(a, b entry) int { return bytes.Compare(a[:], b[:]) })
	if d.Subjects == nil {
		d.Subjects = map[entry]int64{}
	}
	return json.Marshal(d)
}

// UnmarshalJSON reads a list. What it does not understand is an error: an entry
// that is passed over would be a token that lives on.
func (l *List) UnmarshalJSON(data []byte) error {
	var v string
	read := List{}
	err := strictjson.Members(string(data), func(name, value string) error {
		switch name {
		case "version":
			v = value
		case "sessions":
			return read.readSessions(value)
		case "subjects":
			return read.readSubjects(value)
		}
		return nil
	})
	if err != nil {
		return errors.New("reading revocations: not a list of them") // the cause may quote an error page
	}
	if v != strconv.Itoa(version) || read.sessions == nil || read.subjects == nil {
		return fmt.Errorf("reading revocations: want version %d, with sessions and subjects", version)
	}
	*l = read
	return nil
}

func (l *List) readSessions(value string) error {
	l.sessions = map[entry]struct{}{}
	return strictjson.Elements(value, func(element string) error {
		e, err := readEntry(strictjson.Text(element))
		l.sessions[e] = struct{}{}
		return err
	})
}

func (l *List) readSubjects(value string) error {
	l.subjects = map[entry]int64{}
	return strictjson.Members(value, func(name, value string) error {
		e, err := readEntry(name, true)
		if err != nil {
			return err
		}
		second, err := strconv.ParseInt(value, 10, 64)
		l.subjects[e] = max(l.subjects[e], second)
		return err
	})
}

// MarshalText writes the entry in base64url.
func (e entry) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, e[:]), nil
}

// readEntry reads what MarshalText writes, and nothing else.
func readEntry(text string, ok bool) (e entry, err error) {
	const size = 16 // of an entry in base64
	if !ok || len(text) != size {
		return e, errNoEntry
	}
	var in [size]byte
	copy(in[:], text)
	if n, err := base64.RawURLEncoding.Strict().Decode(e[:], in[:]); err != nil || n != len(e) {
		return e, errNoEntry
	}
	return e, nil
}

var errNoEntry = errors.New("not an entry")
