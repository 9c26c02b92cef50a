package strictjson_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// read decodes doc with this package alone where it can.
func read(doc string) (names, values []string, err error) {
	err = strictjson.Members(doc, func(name, value string) error {
		names, values = append(names, name), append(values, value)
		return nil
	})
	return names, values, err
}

func TestMembers(t *testing.T) {
	names, values, err := read(" {\"a\" : 1 ,\t\"a\":\"x\\\"}\",\n\"\\u0062\":[1,{\"c\":\"]\"}, null ] ,\"\":{ }, \"e\":-1.5e+3}\r\n")
	wantNames, wantValues := []string{"a", "a", "b", "", "e"}, []string{"1", `"x\"}"`, `[1,{"c":"]"}, null ]`, "{ }", "-1.5e+3"}
	if err != nil || !reflect.DeepEqual(names, wantNames) || !reflect.DeepEqual(values, wantValues) {
		t.Errorf("%q, %q, %v", names, values, err)
	}
	var elements []string
	err = strictjson.Elements(`[1, "a" ,[],{"b":[2]}]`, func(value string) error {
		elements = append(elements, value)
		return nil
	})
	if want := []string{"1", `"a"`, "[]", `{"b":[2]}`}; err != nil || !reflect.DeepEqual(elements, want) {
		t.Errorf("%q, %v", elements, err)
	}
	for _, doc := range []string{"{}", " { } "} {
		if names, _, err := read(doc); names != nil || err != nil {
			t.Errorf("%q: %v, %v", doc, names, err)
		}
	}
	stop := errors.New("stop")
	calls := 0
	err = strictjson.Members(`{"a":1,"b":2}`, func(string, string) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestText(t *testing.T) {
	for value, want := range map[string]string{`"a"`: "a", `""`: "", `"\u00e9\n\\"`: "é\n\\", `"\ud83d\ude00"`: "😀"} {
		if got, ok := strictjson.Text(value); !ok || got != want {
			t.Errorf("%s: %q, %v", value, got, ok)
		}
	}
	for _, value := range []string{"", "1", "null", "{}", `["a"]`} {
		if _, ok := strictjson.Text(value); ok {
			t.Errorf("%s is a text", value)
		}
	}
}

var documents = []string{
	``, ` `, `{`, `}`, `{}`, `{}{}`, `{}x`, `[]`, `null`, `"a"`, `1`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{a:1}`, `{'a':1}`, `{"a":'b'}`,
	`{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":-}`, `{"a":+1}`, `{"a":1e}`, `{"a":1e+}`, `{"a":-0.0E-1}`, `{"a":0x1}`, `{"a":NaN}`, `{"a":Infinity}`,
	`{"a":tru}`, `{"a":true}`, `{"a":True}`, `{"a":nul`, `{"a":"`, `{"a":"\`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12G4"}`, `{"a":"\ud800"}`, "{\"a\":\"\n\"}", "{\"a\":\"\x7f\"}",
	"{\"a\":\"\x00\"}", "\ufeff{}", `{"a":[}`, `{"a":[1,]}`, `{"a":[1 2]}`, `{"a":[]]}`, `{"a":{"b":[{"c":{}}]}}`, `{"a":/**/1}`, `{"a":1}//`, "{\"a\"\u00a0:1}", "{\"a\":\"\xff\"}",
}

// The grammar is that of encoding/json, but for broken UTF-8 and great depth.
func FuzzMembers(f *testing.F) {
	for _, doc := range documents {
		f.Add(doc)
	}
	f.Add(`{"a":` + strings.Repeat("[", 990) + strings.Repeat("]", 990) + `}`)
	f.Fuzz(func(t *testing.T, doc string) {
		object := json.Valid([]byte(doc)) && utf8.ValidString(doc) && strings.HasPrefix(strings.TrimLeft(doc, " \t\r\n"), "{")
		names, values, err := read(doc)
		if (err == nil) != object {
			if strings.Count(doc, "[")+strings.Count(doc, "{") > 999 {
				return
			}
			t.Fatalf("%q: %v, encoding/json: %v", doc, err, object)
		}
		if err != nil {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(doc), &want); err != nil {
			t.Fatal(err)
		}
		got := map[string]json.RawMessage{}
		for i, name := range names {
			got[name] = json.RawMessage(values[i])
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %q, want %q", doc, got, want)
		}
		for name, value := range want {
			if string(got[name]) != string(value) {
				t.Errorf("%q: %s is %s, want %s", doc, name, got[name], value)
			}
		}
	})
}

func TestDepth(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	if _, _, err := read(deep(1000)); err != nil {
		t.Error(err)
	}
	if _, _, err := read(deep(1_000_000)); !errors.Is(err, strictjson.ErrSyntax) {
		t.Errorf("err = %v", err)
	}
}

func BenchmarkMembers(b *testing.B) {
	doc := `{` + strings.Repeat(`"name":"a value of some length","list":[1,2,{"x":true}],`, 30) + `"last":null}`
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if err := strictjson.Members(doc, func(string, string) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// TestStringBytes puts every byte at every place of strings around the eight bytes
// that are looked at together.
func TestStringBytes(t *testing.T) {
	for length := 1; length <= 20; length++ {
		for at := range length {
			for c := range 256 {
				text := []byte(strings.Repeat("~", length))
				text[at] = byte(c)
				doc := `{"a":"` + string(text) + `"}`
				err := strictjson.Members(doc, func(string, string) error { return nil })
				if valid := json.Valid([]byte(doc)) && utf8.ValidString(doc); valid != (err == nil) {
					t.Fatalf("%q: got %v, and encoding/json finds it valid: %v", doc, err, valid)
				}
			}
		}
	}
}
