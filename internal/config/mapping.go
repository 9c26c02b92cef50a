package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// document is a file while it is read: its mistakes so far, and the line of
// every path in it.
type document struct {
	file     string
	lines    map[string]int
	mistakes Mistakes
}

// maxSize is far above any configuration that a person writes.
const maxSize = 1 << 20

// parse returns the mapping that the whole file is, or nil after a mistake that
// leaves nothing to read.
func (d *document) parse(text []byte) *mapping {
	d.lines[""] = 1
	if len(text) > maxSize {
		d.refuse("", "the file is larger than 1 MB")
		return nil
	}
	in := yaml.NewDecoder(bytes.NewReader(text))
	var root yaml.Node
	switch err := in.Decode(&root); {
	case errors.Is(err, io.EOF):
		return &mapping{doc: d} // an empty file sets nothing
	case err != nil:
		d.refuseSyntax(err, text)
		return nil
	}
	var more yaml.Node
	if err := in.Decode(&more); err == nil {
		d.lines["---"] = more.Line
		d.refuse("---", "a second document in the file: only one is read")
	}
	top := root.Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return &mapping{doc: d}
	}
	return d.mapping("", top)
}

var syntaxLine = regexp.MustCompile(`^yaml: line (\d+): `)

func (d *document) refuseSyntax(err error, file []byte) {
	text := err.Error()
	if m := syntaxLine.FindStringSubmatch(text); m != nil {
		d.lines[""], _ = strconv.Atoi(m[1])
		text = strings.TrimPrefix(text, m[0])
	}
	for i, line := range bytes.Split(file, []byte("\n")) {
		if indentation := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]; bytes.ContainsRune(indentation, '\t') {
			d.lines[""], text = i+1, "a tab in the indentation: indent with spaces"
			break
		}
	}
	d.refuse("", "not YAML: %s", strings.TrimPrefix(text, "yaml: "))
}

// mapping is one mapping of the file. Its methods take the value of a key;
// what nobody took is a mistake, told by done.
type mapping struct {
	doc    *document
	path   string
	values map[string]*yaml.Node
	order  []string
	known  []string
}

// mapping reads node as a mapping; it returns nil if it is none.
func (d *document) mapping(path string, node *yaml.Node) *mapping {
	d.lines[path] = node.Line
	if node.Kind != yaml.MappingNode {
		d.refuse(path, "want keys and values, not %s", kind(node))
		return nil
	}
	m := &mapping{doc: d, path: path, values: map[string]*yaml.Node{}}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		at := m.at(key.Value)
		if _, twice := m.values[key.Value]; twice {
			first := d.lines[at]
			d.lines[at] = key.Line
			d.refuse(at, "stands here a second time, first in line %d", first)
			continue
		}
		d.lines[at] = key.Line
		m.values[key.Value] = value
		m.order = append(m.order, key.Value)
	}
	return m
}

func (m *mapping) at(key string) string {
	if m.path == "" {
		return key
	}
	return m.path + "." + key
}

// take returns the value of key, or nil if there is none or it is empty.
func (m *mapping) take(key string) *yaml.Node {
	m.known = append(m.known, key)
	node := m.values[key]
	if node == nil || node.Tag == "!!null" && node.Kind == yaml.ScalarNode {
		return nil
	}
	return node
}

func (m *mapping) string(key string, into *string) {
	if node := m.take(key); node != nil {
		*into = m.doc.text(m.at(key), node)
	}
}

func (m *mapping) bool(key string, into *bool) {
	node := m.take(key)
	if node == nil {
		return
	}
	if node.Kind != yaml.ScalarNode || node.Tag != "!!bool" {
		m.doc.refuse(m.at(key), "want true or false, not %s", kind(node))
		return
	}
	*into = strings.EqualFold(node.Value, "true")
}

// strings reads a list; a single word counts as a list of one.
func (m *mapping) strings(key string, into *[]string) {
	node := m.take(key)
	if node == nil {
		return
	}
	*into = nil
	if node.Kind == yaml.ScalarNode {
		*into = []string{m.doc.text(m.at(key), node)}
		return
	}
	m.doc.items(m.at(key), node, func(path string, item *yaml.Node) {
		text := m.doc.text(path, item)
		if text != "" && slices.Contains(*into, text) {
			m.doc.refuse(path, "%q stands here twice", text)
		}
		*into = append(*into, text)
	})
}

// names reads a list that someone must be on: an empty one reads like "nobody",
// and would mean "everybody".
func (m *mapping) names(key string, into *[]string) {
	m.strings(key, into)
	if node := m.values[key]; node != nil && node.Kind == yaml.SequenceNode && len(node.Content) == 0 {
		m.doc.refuse(m.at(key), "is empty: name one, or take it out and the rule asks for none")
	}
}

// texts reads a mapping whose keys are the team's choice. Each needs a value.
func (m *mapping) texts() map[string]string {
	out := make(map[string]string)
	for _, key := range m.order {
		var value string
		if m.string(key, &value); strings.TrimSpace(value) == "" {
			m.doc.refuse(m.at(key), "has no reason: say why, in a sentence")
		}
		out[key] = value
	}
	return out
}

// pairs reads a mapping whose keys are a provider's.
func (m *mapping) pairs() map[string]string {
	out := make(map[string]string)
	for _, key := range m.order {
		var value string
		m.string(key, &value)
		out[key] = value
	}
	return out
}

// span reads a duration such as 10m, 720h or 30d.
func (m *mapping) span(key string, into *time.Duration) {
	node := m.take(key)
	if node == nil {
		return
	}
	span, err := ParseSpan(m.doc.text(m.at(key), node))
	if err != nil {
		m.doc.refuse(m.at(key), "%v", err)
		return
	}
	*into = span
}

// ParseSpan reads a span of time as gatehouse.yml spells it.
func ParseSpan(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 12); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	span, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("want a span of time such as 90s, 10m, 12h or 30d, not %q", text)
	}
	return span, nil
}

// each reads a list of mappings.
func (m *mapping) each(key string, read func(*mapping)) {
	if node := m.take(key); node != nil {
		m.doc.items(m.at(key), node, func(path string, item *yaml.Node) {
			if in := m.doc.mapping(path, item); in != nil {
				read(in)
				in.done()
			}
		})
	}
}

// under reads the mapping under key, if there is one.
func (m *mapping) under(key string, read func(*mapping)) {
	if node := m.take(key); node != nil {
		if in := m.doc.mapping(m.at(key), node); in != nil {
			read(in)
			in.done()
		}
	}
}

// done refuses the keys that nobody took.
func (m *mapping) done() {
	for _, key := range m.order {
		if !slices.Contains(m.known, key) {
			m.doc.refuse(m.at(key), "unknown key%s", suggest(key, m.known))
		}
	}
}

func (d *document) items(path string, node *yaml.Node, read func(path string, item *yaml.Node)) {
	if node.Kind != yaml.SequenceNode {
		d.refuse(path, "want a list, not %s", kind(node))
		return
	}
	for i, item := range node.Content {
		at := fmt.Sprintf("%s[%d]", path, i+1)
		d.lines[at] = item.Line
		read(at, item)
	}
}

// text reads node as a string. Numbers and the like are taken as written.
func (d *document) text(path string, node *yaml.Node) string {
	d.lines[path] = node.Line
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" {
		d.refuse(path, "want a text, not %s", kind(node))
		return ""
	}
	if node.Value == "" {
		d.refuse(path, "is empty: give it a value or take the key out")
	}
	return node.Value
}

func kind(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "keys and values"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case node.Kind == yaml.AliasNode:
		return "an alias (*): write the value out"
	case node.Tag == "!!null":
		return "nothing"
	}
	return strconv.Quote(node.Value)
}
