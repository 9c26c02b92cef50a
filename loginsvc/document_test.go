package loginsvc

import (
	"crypto/rsa"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestDocument(t *testing.T) {
	t.Parallel()
	d := newDocument("application/json", "no-cache", []byte(`{"a":1}`))
	tag := d.header.Get("ETag")
	for name, c := range map[string]struct {
		header, value string
		status        int
		body          string
	}{
		"anyone gets it":                       {"Accept", "*/*", 200, `{"a":1}`},
		"who has it gets nothing":              {"If-None-Match", `"x", W/` + tag, 304, ""},
		"who has another gets it":              {"If-None-Match", `"x"`, 200, `{"a":1}`},
		"who wants another alone gets none":    {"If-Match", `"x"`, 412, ""},
		"who wants a part of it gets the part": {"Range", "bytes=1-3", 206, `"a"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set(c.header, c.value)
			rec := httptest.NewRecorder()
			d.serve(rec, r)
			if kept := rec.Code == 200 || rec.Code == 304; kept != (rec.Header().Get("Cache-Control") == "no-cache") || !kept && rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%d may be kept: %q", rec.Code, rec.Header().Get("Cache-Control"))
			}
			if rec.Code != c.status || rec.Body.String() != c.body || rec.Header().Get("ETag") != tag {
				t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
			}
		})
	}
}

func TestKeySetOf(t *testing.T) {
	t.Parallel()
	a, b := &rsa.PublicKey{N: big.NewInt(15), E: 3}, &rsa.PublicKey{N: big.NewInt(21), E: 3}
	again := &rsa.PublicKey{N: big.NewInt(15), E: 3} // a, read anew
	set := &keySet{keys: []*rsa.PublicKey{a, b}}
	for name, c := range map[string]struct {
		published []*rsa.PublicKey
		want      bool
	}{
		"the same":         {[]*rsa.PublicKey{a, b}, true},
		"read anew":        {[]*rsa.PublicKey{again, b}, true},
		"in another order": {[]*rsa.PublicKey{b, a}, false},
		"one less":         {[]*rsa.PublicKey{a}, false},
		"one more":         {[]*rsa.PublicKey{a, b, a}, false},
		"another":          {[]*rsa.PublicKey{a, a}, false},
		"none":             {nil, false},
	} {
		if got := set.of(c.published); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (*keySet)(nil).of(nil) {
		t.Error("no set is that of no keys")
	}
}
