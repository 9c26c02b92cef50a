package template

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Value is a piece of a template: a map, a list or a scalar, as JSON has it.
// What is not there is the zero Value, and asking it for more is no mistake.
type Value struct{ v any }

// UnmarshalJSON keeps any JSON.
func (v *Value) UnmarshalJSON(raw []byte) error { return json.Unmarshal(raw, &v.v) }

// At returns what stands under the names, one in the other.
func (v Value) At(names ...string) Value {
	for _, name := range names {
		m, _ := v.v.(map[string]any)
		v = Value{m[name]}
	}
	return v
}

// List returns the entries of a list; a value that is none is a list of one, as
// IAM has it, and nothing is the empty list.
func (v Value) List() []Value {
	items, ok := v.v.([]any)
	if !ok && v.v != nil {
		items = []any{v.v}
	}
	out := make([]Value, len(items))
	for i, item := range items {
		out[i] = Value{item}
	}
	return out
}

// String returns a string as it is, and anything else as JSON.
func (v Value) String() string {
	if s, ok := v.v.(string); ok {
		return s
	}
	raw, _ := json.Marshal(v.v) // it came from JSON
	return string(raw)
}

// Is tells whether v is the scalar want.
func (v Value) Is(want any) bool { return v.v == want }

// Number returns a number, or 0.
func (v Value) Number() float64 {
	n, _ := v.v.(float64)
	return n
}

// positive tells whether v is a number above 0.
func (v Value) positive() bool { return v.Number() > 0 }

// Strings returns List with every entry's String.
func (v Value) Strings() []string {
	list := v.List()
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = item.String()
	}
	return out
}

// Refers tells whether v is a Ref to, or an attribute of, the resource name.
func (v Value) Refers(name string) bool {
	attribute := v.At("Fn::GetAtt").List()
	return v.At("Ref").Is(name) || len(attribute) > 0 && attribute[0].Is(name)
}

// text returns a string, and "" for anything else.
func (v Value) text() string {
	s, _ := v.v.(string)
	return s
}

// parts returns what a Fn::Join joins.
func (v Value) parts() []Value {
	if join := v.At("Fn::Join").List(); len(join) == 2 {
		return join[1].List()
	}
	return nil
}

// substituted is what a Fn::Sub replaces: ${Name} or ${Name.Attribute}.
var substituted = regexp.MustCompile(`\$\{[A-Za-z0-9:.]+\}`)

// Resolve returns the text that v becomes in a stack. ref returns what a Ref to a
// name is, or with an attribute a Fn::GetAtt.
func (v Value) Resolve(ref func(name, attribute string) string) string {
	if name := v.At("Ref").text(); name != "" {
		return ref(name, "")
	}
	if get := v.At("Fn::GetAtt").Strings(); len(get) == 2 {
		return ref(get[0], get[1])
	}
	if join := v.At("Fn::Join").List(); len(join) == 2 {
		var texts []string
		for _, part := range join[1].List() {
			texts = append(texts, part.Resolve(ref))
		}
		return strings.Join(texts, join[0].String())
	}
	if sub := v.At("Fn::Sub").text(); sub != "" {
		return substituted.ReplaceAllStringFunc(sub, func(found string) string {
			name, attribute, _ := strings.Cut(found[2:len(found)-1], ".")
			return ref(name, attribute)
		})
	}
	return v.String()
}
