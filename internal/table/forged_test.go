package table

import (
	"encoding/json"
	"errors"
	"testing"
)

// TestForgedCursor makes cursors as an attacker does who has read cursor.go.
func TestForgedCursor(t *testing.T) {
	onTable := Query{PK: "user#1", Prefix: "session#", Limit: 1}
	onIndex := Query{Index: GSI1, PK: "users", Prefix: "2026", Limit: 1}
	for _, test := range []struct {
		name  string
		query Query
		at    Position
		ok    bool
	}{
		{"a place of one's own", onTable, Position{Key: Key{"user#1", "session#x"}}, true},
		{"another partition", onTable, Position{Key: Key{"user#2", "session#x"}}, false},
		{"outside of the prefix", onTable, Position{Key: Key{"user#1", "audit#x"}}, false},
		{"no sort key", onTable, Position{Key: Key{"user#1", ""}}, false},
		{"a key that is not there in the table", onTable, Position{Key: Key{"user#1", "session#x"}, IndexSK: "2026"}, false},
		{"a place in the index", onIndex, Position{Key: Key{"user#2", "user"}, IndexSK: "2026-01"}, true},
		{"outside of the prefix, in the index", onIndex, Position{Key: Key{"user#2", "user"}, IndexSK: "2025"}, false},
		{"no key in the index", onIndex, Position{Key: Key{"user#2", "user"}}, false},
		{"no key in the table", onIndex, Position{IndexSK: "2026"}, false},
	} {
		t.Run("S131 "+test.name, func(t *testing.T) {
			position, err := json.Marshal(test.at)
			if err != nil {
				t.Fatal(err)
			}
			test.query.Cursor = cursorEncoding.EncodeToString(append(test.query.checksum(position), position...))
			got, ok, err := test.query.Start()
			if test.ok && (err != nil || !ok || got != test.at) {
				t.Errorf("%+v, %v, %v", got, ok, err)
			}
			if !test.ok && (!errors.Is(err, ErrBadCursor) || ok) {
				t.Errorf("%+v, %v, %v; want %v", got, ok, err, ErrBadCursor)
			}
		})
	}
}
