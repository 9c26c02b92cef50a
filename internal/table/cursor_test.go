package table_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// FuzzCursor: whatever a client sends as a cursor is refused, or begins inside
// of what the query asks for; and what a query made, it reads.
func FuzzCursor(f *testing.F) {
	base := table.Query{PK: "user#1", Prefix: "session#", Limit: 1}
	own := base.CursorAfter(table.Item{table.PK: "user#1", table.SK: "session#7"})
	f.Add("user#1", "session#", "session#7", uint8(0), false, own)
	f.Add("user#1", "", "\x00", uint8(1), true, own[:20])
	f.Add("é", "é", "é\u2028", uint8(2), true, strings.ToLower(own))
	f.Fuzz(func(t *testing.T, pk, prefix, sk string, index uint8, descending bool, sent string) {
		q := table.Query{Index: []string{"", table.GSI1, table.GSI2}[index%3], PK: pk, Prefix: prefix, Descending: descending, Limit: 1}
		pkName, skName := q.Keys()
		item := table.Item{table.PK: "other", table.SK: "thing"}
		item[pkName], item[skName] = pk, prefix+sk
		if table.CheckQuery(q) == nil && q.Matchable() && table.CheckItem(item) == nil {
			q.Cursor = q.CursorAfter(item)
			p, ok, err := q.Start()
			if err != nil || !ok || p.Key != item.Key() || q.Index != "" && p.IndexSK != prefix+sk {
				t.Errorf("own cursor of %v: %+v, %v, %v", item, p, ok, err)
			}
		}
		q.Cursor = sent
		p, ok, err := q.Start()
		switch {
		case err != nil && !errors.Is(err, table.ErrBadCursor):
			t.Errorf("error %v", err)
		case err == nil && ok != (sent != ""):
			t.Errorf("cursor %q: ok is %v", sent, ok)
		case ok && q.Index == "" && (p.Key.PK != pk || !strings.HasPrefix(p.Key.SK, prefix)):
			t.Errorf("cursor %q leads to %+v", sent, p)
		case ok && !utf8.ValidString(p.Key.PK+p.Key.SK+p.IndexSK):
			t.Errorf("cursor %q leads to %+v", sent, p)
		}
	})
}
