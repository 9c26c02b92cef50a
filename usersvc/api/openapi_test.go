package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/usersvc/api"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// document is what the tests read of openapi.json.
type document struct {
	Paths      map[string]map[string]operation
	Components struct {
		Schemas   map[string]schema
		Responses map[string]response
	}
}

type operation struct {
	OperationID string
	Parameters  []struct {
		Ref string `json:"$ref"`
	}
	Responses map[string]response
}

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]struct{ Schema schema }
}

// schema is the part of JSON Schema that the document uses.
type schema struct {
	Ref                  string `json:"$ref"`
	Type                 string
	Enum                 []string
	Const                string
	Properties           map[string]schema
	Required             []string
	AdditionalProperties *bool
	Items                *schema
	Pattern, Format      string
	Minimum              float64
}

var apiDocument = sync.OnceValues(func() (document, error) {
	var d document
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(text, &d)
})

// find returns the operation of a request by its method and path.
func (d document) find(method, path string) (template string, op operation, ok bool) {
	if method == "HEAD" {
		method = "GET"
	}
	for _, template := range slices.Sorted(maps.Keys(d.Paths)) {
		pattern := regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`)
		if op, ok := d.Paths[template][strings.ToLower(method)]; ok && regexp.MustCompile("^"+pattern+"$").MatchString(path) {
			if _, exact := d.Paths[path]; !exact || template == path {
				return template, op, true
			}
		}
	}
	return "", operation{}, false
}

// check returns what an answer has that the document does not allow.
func (d document) check(method, path string, a answer) error {
	_, op, ok := d.find(method, path)
	if !ok {
		if a.status == http.StatusNotFound {
			return nil
		}
		return fmt.Errorf("%s %s is not in the document", method, path)
	}
	r, ok := op.Responses[strconv.Itoa(a.status)]
	if !ok {
		return fmt.Errorf("%s %s: status %d is not in the document", method, path, a.status)
	}
	if r.Ref != "" {
		r = d.Components.Responses[r.Ref[strings.LastIndex(r.Ref, "/")+1:]]
	}
	if method == "HEAD" || len(r.Content) == 0 {
		if a.body != "" {
			return fmt.Errorf("%s %s: %d has a body", method, path, a.status)
		}
		return nil
	}
	content, ok := r.Content[a.header.Get("Content-Type")]
	if !ok {
		return fmt.Errorf("%s %s: %d: Content-Type %q is not in the document", method, path, a.status, a.header.Get("Content-Type"))
	}
	var v any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		return err
	}
	if err := d.valid(content.Schema, v); err != nil {
		return fmt.Errorf("%s %s: %d: %w: %s", method, path, a.status, err, a.body)
	}
	return nil
}

// valid checks a value against a schema.
func (d document) valid(s schema, v any) error {
	if s.Ref != "" {
		target, ok := d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
		if !ok {
			return fmt.Errorf("no schema %s", s.Ref)
		}
		return d.valid(target, v)
	}
	switch v := v.(type) {
	case map[string]any:
		return d.validObject(s, v)
	case []any:
		if s.Type != "array" {
			return fmt.Errorf("%v: want %s", v, s.Type)
		}
		for _, item := range v {
			if err := d.valid(*s.Items, item); err != nil {
				return err
			}
		}
	case string:
		_, err := time.Parse(time.RFC3339, v)
		switch {
		case s.Enum != nil && !slices.Contains(s.Enum, v), s.Const != "" && v != s.Const,
			s.Enum == nil && s.Const == "" && s.Type != "string",
			s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v), s.Format == "date-time" && err != nil:
			return fmt.Errorf("%q does not fit %+v", v, s)
		}
	case float64:
		if s.Type != "integer" || v != float64(int64(v)) || v < s.Minimum {
			return fmt.Errorf("%v does not fit %+v", v, s)
		}
	case bool:
		if s.Type != "boolean" {
			return fmt.Errorf("%v does not fit %+v", v, s)
		}
	default:
		return fmt.Errorf("%v does not fit %+v", v, s)
	}
	return nil
}

func (d document) validObject(s schema, v map[string]any) error {
	if s.Type != "object" {
		return fmt.Errorf("an object: want %s", s.Type)
	}
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			return fmt.Errorf("no %s", name)
		}
	}
	for name, member := range v {
		property, ok := s.Properties[name]
		if !ok {
			return fmt.Errorf("%s is not in the document", name)
		}
		if err := d.valid(property, member); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func TestOpenAPI(t *testing.T) {
	d, err := apiDocument()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("has the routes of the API, all of them and no others", func(t *testing.T) {
		var documented []string
		ids := map[string]bool{}
		for path, operations := range d.Paths {
			for method, op := range operations {
				documented = append(documented, strings.ToUpper(method)+" "+path)
				if ids[op.OperationID] || op.OperationID == "" {
					t.Errorf("operationId %q", op.OperationID)
				}
				ids[op.OperationID] = true
			}
		}
		slices.Sort(documented)
		if diff := cmp.Diff(slices.Sorted(slices.Values(api.Routes())), documented); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("names nothing that it does not define", func(t *testing.T) {
		text, _ := os.ReadFile("openapi.json")
		var all map[string]any
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		for _, ref := range regexp.MustCompile(`"#/([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
			var at any = all
			for part := range strings.SplitSeq(ref[1], "/") {
				at = at.(map[string]any)[part]
				if at == nil {
					t.Fatal(ref[1])
				}
			}
		}
	})
	t.Run("is served to anyone", func(t *testing.T) {
		a := (&harness{Harness: userstest.OpenBolt(t)}).call(t, nobody, "GET", "/openapi.json", "")
		want, _ := os.ReadFile("openapi.json")
		if a.status != 200 || a.body != string(want) || !strings.HasPrefix(a.header.Get("Content-Type"), "application/openapi+json") {
			t.Error(a.status, a.header)
		}
	})
	t.Run("the checker finds what is wrong", func(t *testing.T) {
		good := `{"id":"u_1","email":"","email_verified":true,"name":"","roles":["a"],"status":"active","created_at":"2026-03-01T12:00:00Z","version":1}`
		header := http.Header{"Content-Type": {"application/json"}}
		if err := d.check("GET", "/me", answer{200, header, good}); err != nil {
			t.Error(err)
		}
		for _, change := range [][2]string{
			{`"u_1"`, `"1"`}, {`"u_1"`, `1`}, {`true`, `"true"`}, {`["a"]`, `null`}, {`["a"]`, `[1]`}, {`"active"`, `"on"`},
			{`2026-03-01T12`, `yesterday`}, {`:1}`, `:0}`}, {`:1}`, `:1.5}`}, {`"version":1`, `"x":1`}, {`"name":""`, `"name":"","hash":""`},
		} {
			if err := d.check("GET", "/me", answer{200, header, strings.Replace(good, change[0], change[1], 1)}); err == nil {
				t.Error("passed:", change)
			}
		}
		if err := errors.Join(d.check("GET", "/me", answer{201, header, good})); err == nil {
			t.Error("passed: another status")
		}
	})
}
