package usersvc

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"testing"
)

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
