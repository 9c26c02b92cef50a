package revocation

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"
)

// List is the feed as a reader has it. The zero List is empty. It is safe for
// concurrent use once it has been read.
type List struct {
	entries   []listed // sorted by entry
	buckets   []int64  // Unix seconds; nil: none
	floor     int64    // Unix seconds
	remembers time.Duration
}

type listed struct {
	entry  Entry
	before int64 // Unix seconds: tokens issued before are dead
}

// Revoked tells whether a token is dead.
func (l *List) Revoked(t Token) bool {
	issuedAt := t.IssuedAt.Unix()
	if issuedAt < l.floor {
		return true
	}
	if len(l.entries) == 0 && l.buckets == nil {
		return false
	}
	subject := Subject(t.Subject)
	if l.buckets != nil && issuedAt < l.buckets[subject.bucket()] {
		return true
	}
	if l.listed(subject, issuedAt) {
		return true
	}
	if t.ClientID != "" && (l.listed(Client(t.ClientID), issuedAt) ||
		l.listed(ClientAtSubject(t.Subject, t.ClientID), issuedAt)) {
		return true
	}
	return t.SessionID != "" && (l.listed(Session(t.SessionID), issuedAt) ||
		l.listed(ClientInSession(t.SessionID, t.ClientID), issuedAt))
}

func (l *List) listed(e Entry, issuedAt int64) bool {
	i, ok := slices.BinarySearchFunc(l.entries, e, func(a listed, e Entry) int { return compare(a.entry, e) })
	return ok && issuedAt < l.entries[i].before
}

// compare orders entries by their bytes.
func compare(a, b Entry) int {
	return cmp.Compare(binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(b[:]))
}

// Remembers returns how long an entry stays in the feed; 0: the feed does not say.
// A token that was issued longer ago cannot be judged by the list.
func (l *List) Remembers() time.Duration { return l.remembers }

// Len returns how many entries the list has.
func (l *List) Len() int { return len(l.entries) }
