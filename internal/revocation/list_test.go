package revocation_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const remembers = 11 * time.Minute

func marshal(t testing.TB, c *revocation.Copy) string {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func read(t testing.TB, document string) *revocation.List {
	t.Helper()
	var l revocation.List
	if err := json.Unmarshal([]byte(document), &l); err != nil {
		t.Fatal(err)
	}
	return &l
}

func TestList(t *testing.T) {
	t.Parallel()
	c := revocation.Copy{Remembers: remembers}
	c.Add(revocation.Session("s_1"), revocation.BucketOf("u_sam"), noon.Add(time.Second))
	c.Add(revocation.Subject("u_lin"), revocation.BucketOf("u_lin"), noon)
	c.Add(revocation.Subject("u_ada"), revocation.BucketOf("u_ada"), noon.Add(time.Millisecond))
	c.Add(revocation.Subject("u_ada"), revocation.BucketOf("u_ada"), noon.Add(-time.Hour)) // the later instant stays
	c.Add(revocation.ClientInSession("s_3", "app"), revocation.BucketOf("u_kim"), noon)
	c.Add(revocation.Client("gone"), revocation.Everyone, noon)
	c.Add(revocation.Subject("robot"), revocation.BucketOf("robot"), noon)
	c.Add(revocation.ClientAtSubject("u_eve", "app"), revocation.BucketOf("u_eve"), noon)
	l := read(t, marshal(t, &c))
	if l.Remembers() != remembers || l.Len() != 7 {
		t.Errorf("remembers %v, has %d entries", l.Remembers(), l.Len())
	}
	for _, test := range []struct {
		subject, session, client string
		issuedAt                 time.Time
		want                     bool
	}{
		{"u_sam", "s_1", "app", noon, true},
		{"u_sam", "s_1", "app", noon.Add(time.Second), false},
		{"u_sam", "s_2", "app", noon.Add(-time.Second), false},
		{"u_sam", "", "app", noon, false},
		{"u_lin", "s_2", "app", noon.Add(-time.Second), true},
		{"u_lin", "s_2", "app", noon, false},
		{"u_lin", "", "", noon.Add(-time.Hour), true},
		{"u_ada", "s_2", "app", noon, true}, // within the second of the change
		{"u_ada", "s_2", "app", noon.Add(time.Second), false},
		{"u_kim", "s_3", "app", noon.Add(-time.Second), true},
		{"u_kim", "s_3", "other", noon.Add(-time.Second), false},
		{"u_kim", "s_4", "app", noon.Add(-time.Second), false},
		{"u_eve", "s_5", "app", noon.Add(-time.Second), true},
		{"u_eve", "s_6", "app", noon.Add(-time.Second), true},
		{"u_eve", "s_5", "app", noon, false},
		{"u_eve", "s_5", "other", noon.Add(-time.Second), false},
		{"u_kim", "s_5", "app", noon.Add(-time.Second), false},
		{"u_kim", "s_4", "gone", noon.Add(-time.Second), true},
		{"gone", "", "gone", noon.Add(-time.Second), true},
		{"u_kim", "s_4", "gone", noon, false},
		{"robot", "", "robot", noon.Add(-time.Second), true},
		{"u_kim", "s_4", "robot", noon.Add(-time.Second), false}, // it has other tokens of users
	} {
		token := revocation.Token{Subject: test.subject, SessionID: test.session, ClientID: test.client, IssuedAt: test.issuedAt}
		if got := l.Revoked(token); got != test.want {
			t.Errorf("%+v: %v", token, got)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	full := func() *revocation.Copy {
		c := &revocation.Copy{Remembers: time.Hour + time.Minute}
		for i := range 60_000 {
			id := fmt.Sprint("u_", i)
			c.Add(revocation.Subject(id), revocation.BucketOf(id), noon.Add(time.Duration(i%3600)*time.Second))
		}
		c.Trim(noon.Add(time.Hour))
		return c
	}
	t.Run("a full document has less than 200,000 bytes", func(t *testing.T) {
		document := marshal(t, full())
		if n := len(document); n > 200_000 || n < 180_000 {
			t.Errorf("%d bytes", n)
		}
		if n := read(t, document).Len(); n != revocation.MaxEntries {
			t.Errorf("%d entries", n)
		}
	})
	t.Run("equal copies are equal bytes", func(t *testing.T) {
		first, second := marshal(t, full()), marshal(t, full())
		if first != second {
			t.Error("they differ")
		}
	})
	t.Run("what was remembered long enough is forgotten", func(t *testing.T) {
		c := full()
		c.Trim(noon.Add(3 * time.Hour))
		if document := marshal(t, c); document != `{"version":2,"remembers":3660,"base":0,"floor":0,"entries":"","buckets":""}` {
			t.Error(document)
		}
	})
	t.Run("an entry of everyone overflows into the floor, and last", func(t *testing.T) {
		c := full()
		c.Add(revocation.Client("app"), revocation.Everyone, noon)
		c.Trim(noon.Add(time.Hour))
		if l := read(t, marshal(t, c)); !l.Revoked(revocation.Token{Subject: "u_x", ClientID: "app", IssuedAt: noon.Add(-time.Second)}) {
			t.Error("it is not listed")
		}
		for i := range revocation.MaxEntries + 1 {
			c.Add(revocation.Client(fmt.Sprint("app", i)), revocation.Everyone, noon.Add(time.Hour))
		}
		c.Trim(noon.Add(time.Hour))
		l := read(t, marshal(t, c))
		if !l.Revoked(revocation.Token{Subject: "u_x", ClientID: "app", IssuedAt: noon.Add(-time.Second)}) {
			t.Error("it is forgotten")
		}
	})
	t.Run("an instant of a wrong clock neither revives nor stretches", func(t *testing.T) {
		c := &revocation.Copy{Remembers: remembers}
		c.Add(revocation.Subject("u_lin"), revocation.BucketOf("u_lin"), noon.Add(48*time.Hour))
		c.Add(revocation.Subject("u_ada"), revocation.BucketOf("u_ada"), noon)
		c.Trim(noon)
		l := read(t, marshal(t, c))
		if !l.Revoked(revocation.Token{Subject: "u_lin", IssuedAt: noon.Add(30 * time.Second)}) || !l.Revoked(revocation.Token{Subject: "u_ada", IssuedAt: noon.Add(-time.Second)}) {
			t.Error("a token lives")
		}
	})
}

// TestOverflowRevives checks that no token is accepted that was revoked, whatever
// was revoked after it, and that no token is refused that no bucket covers.
func TestOverflowRevivesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := revocation.Copy{Remembers: remembers}
		type revoked struct {
			token  revocation.Token
			before time.Time
		}
		var all []revoked
		now := noon
		id := 0
		for range rapid.IntRange(1, 6).Draw(rt, "bursts") {
			n := rapid.SampledFrom([]int{1, 10, 1000, 12_000}).Draw(rt, "size")
			for range n {
				id++
				at := now.Add(time.Duration(id%1000) * time.Millisecond)
				tok := revocation.Token{Subject: fmt.Sprint("u_", id), SessionID: fmt.Sprint("s_", id), ClientID: "app", IssuedAt: at}
				entry := []revocation.Entry{revocation.Session(tok.SessionID), revocation.Subject(tok.Subject), revocation.ClientInSession(tok.SessionID, "app")}[id%3]
				before := at.Truncate(time.Second).Add(time.Second)
				c.Add(entry, revocation.BucketOf(tok.Subject), before)
				if n < 1000 || id%97 == 0 {
					all = append(all, revoked{tok, before})
				}
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(rt, "seconds")) * time.Second)
			c.Trim(now)
			l := read(t, marshal(t, &c))
			for _, r := range all {
				if now.Sub(r.token.IssuedAt) < remembers && !l.Revoked(r.token) {
					rt.Fatalf("%v after the revocation, a token of %v lives", now.Sub(r.before), r.token.Subject)
				}
			}
			if other := (revocation.Token{Subject: "u_other", SessionID: "s_other", ClientID: "app", IssuedAt: now.Add(2 * time.Second)}); l.Revoked(other) {
				rt.Fatal("a token is refused that was issued after all revocations")
			}
		}
	})
}

func TestWireFormat(t *testing.T) {
	t.Parallel()
	t.Run("it names no one", func(t *testing.T) {
		c := revocation.Copy{Remembers: remembers}
		for i := range 20 {
			c.Add(revocation.Session(fmt.Sprint("s_", i)), 0, noon)
			c.Add(revocation.Subject(fmt.Sprint("u_", i)), 0, noon)
		}
		text := marshal(t, &c)
		if strings.Contains(text, "s_") || strings.Contains(text, "u_") || len(text) > 800 {
			t.Errorf("%d bytes: %s", len(text), text)
		}
	})
	t.Run("version 1 is read", func(t *testing.T) {
		l := read(t, `{"version":1,"sessions":["`+version1("session:s_1")+`"],"subjects":{"`+version1("subject:u_1")+`":1772366400}}`)
		for _, test := range []struct {
			token revocation.Token
			want  bool
		}{
			{revocation.Token{Subject: "u_2", SessionID: "s_1", IssuedAt: noon.Add(time.Hour)}, true},
			{revocation.Token{Subject: "u_2", SessionID: "s_2", IssuedAt: noon}, false},
			{revocation.Token{Subject: "u_1", SessionID: "s_2", IssuedAt: noon.Add(-time.Second)}, true},
			{revocation.Token{Subject: "u_1", SessionID: "s_2", IssuedAt: noon}, false},
		} {
			if got := l.Revoked(test.token); got != test.want || l.Remembers() != 0 {
				t.Errorf("%+v: %v", test.token, got)
			}
		}
	})
	empty := `{"version":2,"remembers":660,"base":0,"floor":0,"entries":"","buckets":""}`
	read(t, empty)
	entry := base64.StdEncoding.EncodeToString(make([]byte, 10))
	twice := base64.StdEncoding.EncodeToString(make([]byte, 20))
	disorder := base64.StdEncoding.EncodeToString(append(append([]byte{1}, make([]byte, 9)...), make([]byte, 10)...))
	read(t, strings.Replace(empty, `""`, `"`+entry+`"`, 1))
	for name, text := range map[string]string{
		"another version":         strings.Replace(empty, "2", "3", 1),
		"a version as text":       strings.Replace(empty, "2", `"2"`, 1),
		"no version":              `{"remembers":660,"base":0,"floor":0,"entries":"","buckets":""}`,
		"no entries":              `{"version":2,"remembers":660,"base":0,"floor":0,"buckets":""}`,
		"no buckets":              `{"version":2,"remembers":660,"base":0,"floor":0,"entries":""}`,
		"no floor":                `{"version":2,"remembers":660,"base":0,"entries":"","buckets":""}`,
		"remembers nothing":       strings.Replace(empty, "660", "0", 1),
		"remembers for ever":      strings.Replace(empty, "660", "99999999999999", 1),
		"remembers less":          strings.Replace(empty, "660", "-1", 1),
		"a fraction":              strings.Replace(empty, "660", "6.5", 1),
		"null":                    strings.Replace(empty, `""`, "null", 1),
		"a list":                  strings.Replace(empty, `""`, "[]", 1),
		"half an entry":           strings.Replace(empty, `""`, `"AAAA"`, 1),
		"entries out of order":    strings.Replace(empty, `""`, `"`+disorder+`"`, 1),
		"an entry twice":          strings.Replace(empty, `""`, `"`+twice+`"`, 1),
		"a line break":            strings.Replace(empty, `""`, `"`+entry+`\n"`, 1),
		"padding that says more":  strings.Replace(empty, `""`, `"`+entry+`===="`, 1),
		"bits beyond the end":     strings.Replace(empty, `""`, `"`+strings.TrimSuffix(entry, "A==")+`B=="`, 1),
		"no padding":              strings.Replace(empty, `""`, `"`+strings.TrimRight(entry, "=")+`"`, 1),
		"few buckets":             strings.Replace(empty, `"buckets":""`, `"buckets":"AAAAAAAA"`, 1),
		"a member twice":          strings.Replace(empty, `"floor":0`, `"floor":0,"floor":0`, 1),
		"an unknown member twice": strings.Replace(empty, `"floor":0`, `"floor":0,"x":0,"x":0`, 1),
		"something behind":        empty + " x",
		"an array":                "[]",
		"nothing":                 "",
		"spaces":                  strings.Repeat(" ", 150_000),
		"more than the limit":     empty + strings.Repeat(" ", revocation.MaxSize),
		"a page":                  `<html>`,

		"version 1 without sessions":                   `{"version":1,"subjects":{}}`,
		"version 1 without subjects":                   `{"version":1,"sessions":[]}`,
		"version 1 with a short entry":                 `{"version":1,"sessions":["abc"],"subjects":{}}`,
		"version 1 with a bad instant":                 `{"version":1,"sessions":[],"subjects":{"p0mTnh6W8WoW1Xpl":"now"}}`,
		"version 1 with a subject twice":               `{"version":1,"sessions":[],"subjects":{"p0mTnh6W8WoW1Xpl":1772366400,"p0mTnh6W8WoW1Xpl":1}}`,
		"version 1 with a subject twice, once escaped": `{"version":1,"sessions":[],"subjects":{"p0mTnh6W8WoW1Xpl":1772366400,"\u00700mTnh6W8WoW1Xpl":1}}`,
		"version 1 with a line break":                  `{"version":1,"sessions":["p0mTnh6W8WoW1Xpl\n"],"subjects":{}}`,
		"version 1 with sessions twice":                `{"version":1,"sessions":[],"sessions":[],"subjects":{}}`,
		"version 1 with another type":                  `{"version":1,"sessions":{},"subjects":{}}`,
		"version 1 with no session":                    `{"version":1,"sessions":null,"subjects":{}}`,
		"version 1 with bytes left over":               `{"version":1,"sessions":["p0mTnh6W8WoW1XplAAAA"],"subjects":{}}`,
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			var l revocation.List
			if err := l.UnmarshalJSON([]byte(text)); err == nil {
				t.Error("read")
			}
		})
	}
}

func TestRevokedAllocatesNothing(t *testing.T) {
	c := revocation.Copy{Remembers: remembers}
	c.Add(revocation.Session("s_1"), 0, noon)
	l := read(t, marshal(t, &c))
	token := revocation.Token{Subject: "u_0123456789abcdefghijklmnop", SessionID: "s_0123456789abcdefghijklmnop", ClientID: "demo-spa", IssuedAt: noon}
	if n := testing.AllocsPerRun(100, func() { l.Revoked(token) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func filled(n int) *revocation.Copy {
	c := &revocation.Copy{Remembers: remembers}
	for i := range n {
		id := fmt.Sprint("u_", rand.Uint64())
		c.Add(revocation.Subject(id), revocation.BucketOf(id), noon.Add(time.Duration(i%600)*time.Second))
	}
	c.Trim(noon.Add(10 * time.Minute))
	return c
}

func BenchmarkUnmarshal(b *testing.B) {
	for _, n := range []int{0, 100, 100_000} {
		document := []byte(marshal(b, filled(n)))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if err := new(revocation.List).UnmarshalJSON(document); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRevoked(b *testing.B) {
	for _, n := range []int{0, 100_000} {
		l := read(b, marshal(b, filled(n)))
		token := revocation.Token{Subject: "u_lin", SessionID: "s_0123456789abcdefghijklmnop", ClientID: "demo-spa", IssuedAt: noon.Add(time.Hour)}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				l.Revoked(token)
			}
		})
	}
}
