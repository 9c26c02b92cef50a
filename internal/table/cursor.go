package table

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// A cursor is the position of the last item of a page and a checksum over that
// position and the query. The checksum has no key: one who reads this file can
// make a cursor, but only one that begins elsewhere in the very partition and
// prefix that the query names anyway. Nothing of the query comes from a cursor.

// Position is where a page ended: at the item Key, which in an index stood
// under the sort key IndexSK.
type Position struct {
	Key     Key
	IndexSK string // "" on the table itself
}

var cursorEncoding = base64.RawURLEncoding.Strict() // one spelling per cursor

const checksumSize = 12 // bytes

// CursorAfter returns the cursor of a page of q that ends with item.
func (q Query) CursorAfter(item Item) string {
	p := Position{Key: item.Key()}
	if _, sk := q.Keys(); q.Index != "" {
		p.IndexSK, _ = item[sk].(string)
	}
	return q.CursorAt(p)
}

// CursorAt returns the cursor of a page of q that ends at p.
func (q Query) CursorAt(p Position) string {
	position, _ := json.Marshal(p) // strings always encode
	sum := q.checksum(position)
	return cursorEncoding.EncodeToString(append(sum, position...))
}

// Start returns the position after which q begins; ok is false if that is the
// beginning. It returns [ErrBadCursor] for a cursor that q did not make.
func (q Query) Start() (p Position, ok bool, err error) {
	if q.Cursor == "" {
		return Position{}, false, nil
	}
	raw, err := cursorEncoding.DecodeString(q.Cursor)
	if err != nil || len(raw) < checksumSize || strings.ContainsAny(q.Cursor, "\r\n") {
		return Position{}, false, ErrBadCursor
	}
	sum, position := raw[:checksumSize], raw[checksumSize:]
	if subtle.ConstantTimeCompare(sum, q.checksum(position)) != 1 {
		return Position{}, false, ErrBadCursor
	}
	if err := json.Unmarshal(position, &p); err != nil || !q.covers(p) {
		return Position{}, false, ErrBadCursor
	}
	return p, true, nil
}

// covers tells whether q can find an item at p. It is true of every cursor that
// [Query.CursorAfter] made; an engine may rely on it of a forged one as well.
func (q Query) covers(p Position) bool {
	if CheckKey(p.Key) != nil {
		return false
	}
	if q.Index == "" {
		return p.Key.PK == q.PK && p.IndexSK == "" && strings.HasPrefix(p.Key.SK, q.Prefix)
	}
	return p.IndexSK != "" && fits(p.IndexSK, MaxSK) && strings.HasPrefix(p.IndexSK, q.Prefix)
}

func (q Query) checksum(position []byte) []byte {
	b, _ := json.Marshal([]any{"gatehouse cursor 1", q.Index, q.PK, q.Prefix, q.Descending, position})
	sum := sha256.Sum256(b)
	return sum[:checksumSize]
}
