package revocation_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func marshal(t *testing.T, l *revocation.List) string {
	t.Helper()
	data, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestList(t *testing.T) {
	var l revocation.List
	l.AddSession("s_1")
	l.AddSubject("u_lin", noon)
	l.AddSubject("u_ada", noon.Add(time.Millisecond))
	l.AddSubject("u_ada", noon.Add(-time.Hour)) // what was said later stays
	var read revocation.List
	if err := json.Unmarshal([]byte(marshal(t, &l)), &read); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		subject, session string
		issuedAt         time.Time
		want             bool
	}{
		{"u_sam", "s_1", noon.Add(time.Hour), true},
		{"u_sam", "s_2", noon.Add(-time.Hour), false},
		{"u_sam", "", noon, false},
		{"u_lin", "s_2", noon.Add(-time.Second), true},
		{"u_lin", "s_2", noon, false},
		{"u_lin", "", noon.Add(-time.Hour), true},
		{"u_lin", "s_1", noon, true},
		{"u_ada", "s_2", noon, true}, // within the second of the change
		{"u_ada", "s_2", noon.Add(time.Second), false},
		{"s_1", "u_lin", noon.Add(-time.Hour), false}, // a subject is no session
	} {
		for name, list := range map[string]*revocation.List{"written": &l, "read": &read} {
			if got := list.Revoked(test.subject, test.session, test.issuedAt); got != test.want {
				t.Errorf("%s: %s, %q, issued at %v: %v", name, test.subject, test.session, test.issuedAt, got)
			}
		}
	}
	if l.Len() != 3 || read.Len() != 3 {
		t.Errorf("%d and %d entries", l.Len(), read.Len())
	}
}

func TestWireFormat(t *testing.T) {
	t.Run("it names nobody, and says the same in the same bytes", func(t *testing.T) {
		var a, b revocation.List
		for i := range 20 {
			a.AddSession(fmt.Sprint("s_", i))
			b.AddSession(fmt.Sprint("s_", 19-i))
			a.AddSubject(fmt.Sprint("u_", i), noon)
			b.AddSubject(fmt.Sprint("u_", 19-i), noon)
		}
		text := marshal(t, &a)
		if text != marshal(t, &b) {
			t.Error("equal lists are written differently")
		}
		if strings.Contains(text, "s_") || strings.Contains(text, "u_") || len(text) > 1100 {
			t.Errorf("%d bytes: %s", len(text), text)
		}
	})
	t.Run("an empty list says so", func(t *testing.T) {
		var l revocation.List
		if text := marshal(t, &l); text != `{"version":1,"sessions":[],"subjects":{}}` {
			t.Error(text)
		}
	})
	for name, text := range map[string]string{
		"another version":  `{"version":2,"sessions":[],"subjects":{}}`,
		"no version":       `{"sessions":[],"subjects":{}}`,
		"no sessions":      `{"version":1,"subjects":{}}`,
		"null":             `{"version":1,"sessions":null,"subjects":{}}`,
		"another type":     `{"version":1,"sessions":{},"subjects":{}}`,
		"a short entry":    `{"version":1,"sessions":["abc"],"subjects":{}}`,
		"a long entry":     `{"version":1,"sessions":["p0mTnh6W8WoW1XplAAAA"],"subjects":{}}`,
		"a line break":     `{"version":1,"sessions":["p0mTnh6W8WoW1Xpl\n"],"subjects":{}}`,
		"a number":         `{"version":1,"sessions":[1],"subjects":{}}`,
		"no base64":        `{"version":1,"sessions":["p0mTnh6W8WoW1Xp="],"subjects":{}}`,
		"a subject's":      `{"version":1,"sessions":[],"subjects":{"abc":1}}`,
		"no instant":       `{"version":1,"sessions":[],"subjects":{"p0mTnh6W8WoW1Xpl":null}}`,
		"a bad instant":    `{"version":1,"sessions":[],"subjects":{"p0mTnh6W8WoW1Xpl":"now"}}`,
		"a fraction":       `{"version":1,"sessions":[],"subjects":{"p0mTnh6W8WoW1Xpl":1.5}}`,
		"something behind": `{"version":1,"sessions":[],"subjects":{}} x`,
		"a page":           `<html>`,
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			var l revocation.List
			if err := json.Unmarshal([]byte(text), &l); err == nil {
				t.Error("read")
			}
		})
	}
}

func TestRevokedAllocatesNothing(t *testing.T) {
	var l revocation.List
	l.AddSession("s_1")
	l.AddSubject("u_1", noon)
	if n := testing.AllocsPerRun(100, func() { l.Revoked("u_0123456789abcdefghijklmnop", "s_0123456789abcdefghijklmnop", noon) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	for _, n := range []int{0, 100, 5000} {
		var l revocation.List
		for i := range n {
			l.AddSession(fmt.Sprint(i))
		}
		text, err := json.Marshal(&l)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if err := new(revocation.List).UnmarshalJSON(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
