// Package revocation is the wire format of the revocation feed: what the login
// service writes at GET /revocations, and the authorizer reads there. It says
// which access tokens are dead although they have not expired.
//
//	{"version":2,"remembers":690,"base":1772366000,"floor":0,"entries":"…","buckets":"…"}
//
// A token is dead if it was issued before the instant of an entry that names its
// session, its subject, its client in its session, or its client. An entry is the
// first 8 bytes of a SHA-256 over kind and id: a reader that knows the id can
// look for it, and the feed, which anyone can read, names nobody.
//
// The document is bounded. It lists the newest [MaxEntries] entries. An older one
// raises the instant of its bucket instead: subjects are spread over [Buckets] of
// them by their hash, and a token is dead if it was issued before the instant of
// its subject's bucket. So what overflows stays revoked, and others in the bucket
// renew once. The floor is such an instant for all tokens. Each instant is in
// whole seconds, like the claim iat.
//
// Remembers is how many seconds an entry stays in the feed. A token that is older
// cannot be judged by it, and its reader refuses it.
//
// Entries are sorted blocks of 10 bytes, buckets are blocks of 2 bytes, both in
// base64 (RFC 4648, Section 4). The last 2 bytes of a block are an instant, in
// seconds after the base; 0 is no instant. Without any bucket, buckets is "".
//
// Version 1 is still read: it lists sessions and subjects, and neither has a
// bound nor says what it remembers.
package revocation

import (
	"crypto/sha256"
	"time"
)

const (
	// Buckets is the number of instants for entries that are not listed.
	Buckets = 1 << 14
	// MaxEntries is the greatest number of entries that a document lists. With
	// it and all buckets, a document has less than 200,000 bytes.
	MaxEntries = 11_500
	// MaxSize is the greatest size of a document in bytes that a reader accepts.
	MaxSize = 256_000
)

// Entry names tokens without telling whose they are.
type Entry [8]byte

// Session is the entry for the tokens of a session.
func Session(id string) Entry { return hash("session", id, "") }

// Subject is the entry for the tokens of a subject: of a user, or of a client
// that acts for itself.
func Subject(id string) Entry { return hash("subject", id, "") }

// Client is the entry for all tokens of a client.
func Client(id string) Entry { return hash("client", id, "") }

// ClientInSession is the entry for the tokens that a client has from a session.
func ClientInSession(sessionID, clientID string) Entry {
	return hash("grant", sessionID, clientID)
}

// ClientAtSubject is the entry for the tokens that a client has from a user, in
// all sessions.
func ClientAtSubject(subject, clientID string) Entry {
	return hash("consent", subject, clientID)
}

// hash returns the entry of a kind and an id of one or two parts. No part but the
// last can contain a space.
func hash(kind, id, more string) Entry {
	var buf [160]byte // room for the ids in use, so that nothing is allocated
	text := append(append(append(buf[:0], kind...), ':'), id...)
	if more != "" {
		text = append(append(text, ' '), more...)
	}
	sum := sha256.Sum256(text)
	return Entry(sum[:len(Entry{})])
}

// Bucket is where an entry counts that is not listed.
type Bucket int

// Everyone is the bucket of an entry that can concern any subject: instead of a
// bucket's, it raises the floor.
const Everyone Bucket = -1

// BucketOf returns the bucket of a subject.
func BucketOf(subject string) Bucket { return Subject(subject).bucket() }

func (e Entry) bucket() Bucket { return Bucket(e[0])<<6 | Bucket(e[1])>>2 }

// Token is what the feed needs to know about an access token.
type Token struct {
	Subject   string
	SessionID string // "" if it has no session
	ClientID  string
	IssuedAt  time.Time
}

// second rounds an instant up to a whole second: a token that was issued within
// the second of a change is dead.
func second(t time.Time) int64 { return t.Add(time.Second - time.Nanosecond).Unix() }
