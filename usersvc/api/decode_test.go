package api

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
)

// What lies deeper than the members that we know is held to the same.
func TestStrict(t *testing.T) {
	known := map[string]bool{"x": true, "k": true, "\u212a": true}
	for _, body := range []string{
		`{"x":{"a":1,"a":2}}`, `{"x":[{"a":1,"A":2}]}`, "{\"x\":{\"k\":1,\"\u212a\":2}}", "{\"k\":1,\"\u212a\":2}", `{"x":{"s":1,"\u017f":2}}`,
		`{"x":[9007199254740992]}`, `{"x":-9007199254740993}`, `{"x":1e400}`, `{"x":1}{}`, `{"x":1}]`, `{"x":1} 1`,
		`{"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, `{"x":` + strings.Repeat(`{"a":`, 64) + "1" + strings.Repeat("}", 65),
	} {
		if err := strict([]byte(body), known); err == nil {
			t.Errorf("accepted %s", body)
		}
	}
	for _, body := range []string{
		`{}`, `{"x":{"a":1,"b":2}}`, `{"x":[{"a":1},{"a":2}]}`, `{"x":9007199254740991}`, `{"x":[1.5,-1e3,null,true,"\ud83d\ude00"]}`,
		`{"x":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`,
	} {
		if err := strict([]byte(body), known); err != nil {
			t.Errorf("%v: %s", err, body)
		}
	}
}

// Whatever is accepted says the same to a reader that takes the first of two
// equal members and to one that takes the last, and survives being written again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a"}`, `{"name":"\ud83d\ude00"}`, `{"name":"\ud83d"}`, `{"name":null}`, `{"Name":"a"}`, `{"name":{"a":[1e3,{"b":[]}]}}`,
		`{"name":"\\u0000"}`, `{"name":"a"}{}`, "{\"name\":\"\xff\"}", `{"name":9007199254740993}`, `[`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), "PATCH", "/me", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		got, err := decode[profileChange](r)
		if err != nil {
			return
		}
		var members map[string]*string
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatalf("%q is accepted, and is %v", body, err)
		}
		name, ok := members["name"]
		if len(members) > 1 || ok != (len(members) == 1) {
			t.Fatalf("%q has %v", body, members)
		}
		if (got.Name == nil) != (name == nil) || name != nil && *got.Name != *name {
			t.Fatalf("%q: %v and %v", body, got.Name, name)
		}
		if name != nil && bytes.ContainsRune([]byte(*name), 0) {
			t.Fatalf("%q has a NUL", body)
		}
	})
}
