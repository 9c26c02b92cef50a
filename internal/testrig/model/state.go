package model

// seconds is an instant, in whole seconds after the world began, or a span.
type seconds = int16

// The clients of the world.
const (
	First int8 = iota // first-party: its tokens have roles
	Third             // third-party: the user consents to it
)

// State is the small world at one moment. The zero value of each part is absent.
type State struct {
	Now           seconds
	User          user
	Sessions      [2]session // begun with one identity each
	Consent       bool       // to Third
	Codes         [2]code
	Families      [2]family
	Tokens        [3]token
	Requests      [2]request
	Ledger        ledger
	Doc           feed // the feed, as the login service has it in memory
	List          feed // the feed, as the authorizer has it
	Down, WasDown bool // the authorizer cannot reach the feed
	Ring          ring
}

// user is the user's row.
type user struct {
	Suspended, Demoted, Unlinked bool // Demoted: no longer an admin. Unlinked: the identity of session 0

	From seconds
}

// session is a session's row, and whether the user's row has ended it.
type session struct {
	Gone, Ended bool // Gone: its row is deleted. Ended: by the epoch of the user's row, or by a cutoff
}

// live tells whether a session can be used.
func (s *State) live(id int8) bool {
	return !s.User.Suspended && !s.Sessions[id].Gone && !s.Sessions[id].Ended
}

// code is an authorization code, or a device code that was approved.
type code struct {
	Made, Device, Offline, Spent, Ended, Void bool // Void: its consent was withdrawn, perhaps given again

	Client, Session, Family, Mints int8 // Family: 1 + its place; 0: none. Mints: how often tokens left for it

	Until seconds
}

// family is a family of refresh tokens.
type family struct {
	Made, Gone, Void bool

	Client, Session, Renewals int8    // Renewals: 2 is two or more
	RotatedAt, PreviousAt     seconds // when the live token took its place, and the one before it
	Old, Demoted              bool    // the user, as remembered. Old: the user has changed since
	From                      seconds // the same
}

// token is an access token.
type token struct {
	Made, Admin, Cached  bool // Cached: an authorizer has verified it before
	Client, Session, Key int8
	IssuedAt, Dead       seconds // Dead: when its revocation was acknowledged; 0: not
}

// request is a request between its reads and its write.
type request struct {
	Op       Op
	Sleeps   bool // until Instant
	Client   int8 // who sends it
	X        int8 // which code, family, token, session or entry it is about
	Presents int8 // how many renewals ago its refresh token was the live one; 3: three or more
	Began    seconds
	Instant  seconds // iat of what is issued, or the instant of a revocation
	Rotates  seconds // when the renewal was signed
	Key      int8
	Holds    int8 // bits: which families the request read
	Kind     kind

	// What has changed since the request read it.
	OldUser, OldLedger, OldFamily bool

	Demoted       bool    // the user, as read
	Seen          seconds // the latest instant of the ledger, as read
	Raced, Reread bool    // it reads the family again; it has read session and user

	// For the laws: the token was the live one when the request began, or had been a
	// moment before it was read.
	WasLive, InGrace bool
}

// kind is what a request has become.
type kind int8

const (
	issues  kind = iota // it mints
	renews              // with the live token
	repeats             // a renewal whose answer may be lost
	ends                // a code or refresh token that comes again
	spends              // only with a fault: it spends after the tokens left
)

// entries are instants of the revocation feed, by what they name.
type entries [9]seconds

const subjectEntry int8 = 0

func sessionEntry(session int8) int8        { return 1 + session }
func clientEntry(session, client int8) int8 { return 3 + 2*session + client }
func consentEntry(client int8) int8         { return 7 + client }
func (t token) named(e int8) bool {
	return e == subjectEntry || e == sessionEntry(t.Session) || e == clientEntry(t.Session, t.Client) || e == consentEntry(t.Client)
}
func (f feed) revokes(t token) bool { return t.IssuedAt < f.Bucket || f.Entries.revokes(t) }
func (all *entries) revokes(t token) bool {
	for e, before := range all {
		if t.named(int8(e)) && t.IssuedAt < before {
			return true
		}
	}
	return false
}

// latest is the latest instant of a ledger.
func (all *entries) latest() (latest seconds) {
	for _, before := range all {
		latest = max(latest, before)
	}
	return latest
}

// ledger is what is revoked of the user, as the user's row has it, and a row of the
// feed.
type ledger struct {
	Row     seconds // the second of the feed's row
	Last    int8    // which entry was added last: it stands first in the row
	Entries entries
}

// feed is a copy of the feed.
type feed struct {
	Made      bool
	At, Tried seconds // by the reader's clock: when it was read, and when it was tried last
	Entries   entries
	Bucket    seconds // tokens of before are dead: entries that did not fit
}

// ring is the signing keys, by number, and who knows them.
type ring struct {
	Keys                     [3]ringKey
	Made                     int8    // how many there are
	Stolen                   bool    // one was compromised
	Service, Source, Gateway keyCopy // Source: of the authorizer. Gateway: of one that verifies by itself
}

type ringKey struct {
	State                 keyState
	Published, Keep, Lost seconds // Lost: when its compromise was acknowledged; 0: not
}

type keyState int8

const (
	noKey keyState = iota
	nextKey
	currentKey
	retiringKey
	retiredKey
	compromisedKey
)

// keyCopy is the published keys as bits, and the one that signs.
type keyCopy struct {
	Made         bool
	At, Tried    seconds
	Known, Signs int8 // Signs: -1 is none
}
