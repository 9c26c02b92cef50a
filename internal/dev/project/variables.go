package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// variables replaces the variables of the Serverless Framework in a document.
type variables struct {
	Options
	root  *yaml.Node
	dir   string
	stage string
	files map[string]*yaml.Node
	busy  map[string]bool // self: paths that are being resolved
	note  func(format string, args ...any)
	read  func(path string) // told of each file that is included
}

// errNoValue says that no source of a variable has a value.
var errNoValue = errors.New("has no value")

// sourceName is how the address of a value begins: "self:", "file(", "ssm.eu-west-1:".
var sourceName = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9]*)(?:\.[a-z0-9-]+)?[:(]`)

// resolve returns n with every variable in it replaced. A variable that stands
// alone can become a mapping or a list.
func (v *variables) resolve(n *yaml.Node) (*yaml.Node, error) {
	if n = deref(n); n == nil {
		return nil, nil
	}
	if n.Kind == yaml.ScalarNode {
		if !strings.Contains(n.Value, "${") || n.Tag == "!!binary" {
			return n, nil
		}
		out, err := v.expand(n.Value, n)
		if err != nil && !strings.HasPrefix(err.Error(), "line ") {
			err = fmt.Errorf("line %d: %w", n.Line, err)
		}
		return out, err
	}
	out := *n
	out.Anchor, out.Content = "", make([]*yaml.Node, len(n.Content))
	var errs []error
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			out.Content[i] = c // a key
			continue
		}
		if n.Kind == yaml.MappingNode && (n.Content[i-1].Value == "functionArn" || n.Content[i-1].Value == "arn") {
			out.Content[i] = c // of another stack, wherever that is
			continue
		}
		var err error
		out.Content[i], err = v.resolve(c)
		errs = append(errs, err)
	}
	return &out, errors.Join(errs...)
}

// expand replaces the variables in a string.
func (v *variables) expand(s string, at *yaml.Node) (*yaml.Node, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		out.WriteString(before)
		if !found {
			return scalar(out.String(), at), nil
		}
		inner, after, err := matching(rest)
		if err != nil {
			return nil, err
		}
		if !isVariable(inner) { // of Fn::Sub: ${AWS::Region}, ${Table.Arn}
			out.WriteString("${" + inner + "}")
			s = after
			continue
		}
		value, err := v.variable(inner, at)
		if err != nil {
			return nil, err
		}
		if out.Len() == 0 && strings.TrimSpace(after) == "" && before == "" {
			return value, nil
		}
		if value.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("${%s} is a mapping or a list, and stands inside of a text", inner)
		}
		out.WriteString(value.Value)
		s = after
	}
}

// matching cuts s at the brace that closes the one before it.
func matching(s string) (inner, after string, err error) {
	depth := 1
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "${"):
			depth++
		case s[i] == '}':
			if depth--; depth == 0 {
				return s[:i], s[i+1:], nil
			}
		}
	}
	return "", "", fmt.Errorf("${%s: the closing brace is missing", s)
}

func isVariable(inner string) bool {
	first := strings.TrimSpace(inner)
	return strings.HasPrefix(first, "${") || sourceName.MatchString(first) && !strings.HasPrefix(first, "AWS:")
}

// variable returns the value of the first source that has one.
func (v *variables) variable(inner string, at *yaml.Node) (*yaml.Node, error) {
	if strings.Contains(inner, "${") {
		expanded, err := v.expand(inner, at)
		if err != nil {
			return nil, err
		}
		if expanded.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("${%s}: the address of a variable is a mapping or a list", inner)
		}
		inner = expanded.Value
	}
	sources := topLevel(inner)
	for _, source := range sources {
		value, err := v.source(source, at)
		if errors.Is(err, errNoValue) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return value, nil
	}
	if remote(sources[0]) {
		v.note("line %d: ${%s} is looked up in AWS when you deploy; here it stands as it is", at.Line, inner)
		return scalar("${"+inner+"}", at), nil
	}
	return nil, fmt.Errorf("${%s} has no value: set it, or give it a default: ${%s, ''}", inner, inner)
}

// topLevel splits the sources of a variable at their commas.
func topLevel(s string) []string {
	var out []string
	depth, start := 0, 0
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			out, start = append(out, strings.TrimSpace(s[start:i])), i+1
		}
	}
	return append(out, strings.TrimSpace(s[start:]))
}

// remote tells whether a source is asked over the network.
func remote(source string) bool {
	m := sourceName.FindStringSubmatch(source)
	return m != nil && (m[1] == "ssm" || m[1] == "cf" || m[1] == "s3" || m[1] == "terraform" || m[1] == "vault" || m[1] == "doppler" || m[1] == "output")
}

// source returns the value at one address, or errNoValue.
func (v *variables) source(s string, at *yaml.Node) (*yaml.Node, error) {
	if literal, ok := literalOf(s); ok {
		literal.Line = at.Line
		return literal, nil
	}
	m := sourceName.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("${%s}: want an address such as self:custom.name, or a quoted text", s)
	}
	address := s[len(m[1])+1:]
	switch name := m[1]; {
	case name == "self":
		return v.self(address, at)
	case name == "env":
		return orNoValue(v.Getenv(address), at)
	case name == "opt" && address == "stage":
		return orNoValue(v.Stage, at)
	case name == "opt":
		return nil, errNoValue
	case name == "sls" && address == "stage":
		return scalar(v.stage, at), nil
	case name == "sls" && address == "instanceId":
		return scalar("local", at), nil
	case name == "param":
		return v.parameter(address)
	case name == "aws" && address == "accountId":
		return scalar(accountID, at), nil
	case name == "aws" && address == "region":
		return scalar(region, at), nil
	case name == "file":
		return v.file(address, at)
	case name == "strToBool":
		word, _, _ := strings.Cut(address, ")")
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Line: at.Line, Value: strconv.FormatBool(word == "true" || word == "1" || word == "yes")}, nil
	case remote(s):
		return nil, errNoValue
	}
	return nil, fmt.Errorf("${%s}: dev knows self, env, opt, sls, param, file, aws and strToBool", s)
}

func orNoValue(value string, at *yaml.Node) (*yaml.Node, error) {
	if value == "" {
		return nil, errNoValue
	}
	n := scalar(value, at)
	n.Tag = "" // a number stays one
	return n, nil
}

// literalOf reads a default that stands in the variable itself.
func literalOf(s string) (*yaml.Node, bool) {
	if len(s) > 1 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s[1 : len(s)-1]}, true
	}
	if s == "null" || s == "true" || s == "false" {
		tag := map[bool]string{true: "!!null", false: "!!bool"}[s == "null"]
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: s}, true
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		n := &yaml.Node{Kind: yaml.ScalarNode, Value: s}
		n.Tag = n.ShortTag()
		return n, true
	}
	return nil, false
}

// self returns what stands at a path of the document, resolved.
func (v *variables) self(path string, at *yaml.Node) (*yaml.Node, error) {
	n := member(v.root, strings.Split(path, ".")...)
	if path == "provider.stage" && n == nil {
		return scalar(v.stage, at), nil
	}
	if n == nil {
		// A variable on the way can become the mapping that the path goes on in.
		return v.through(v.root, strings.Split(path, "."), at)
	}
	return v.once("self:"+path, n)
}

// through follows a path, and resolves variables on the way.
func (v *variables) through(n *yaml.Node, path []string, at *yaml.Node) (*yaml.Node, error) {
	for i, name := range path {
		if n = child(deref(n), name); n == nil {
			return nil, errNoValue
		}
		if n = deref(n); n.Kind == yaml.ScalarNode {
			var err error
			if n, err = v.once("self:"+strings.Join(path[:i+1], "."), n); err != nil {
				return nil, err
			}
		}
	}
	return v.resolve(n)
}

// once resolves n, and refuses a value that needs itself.
func (v *variables) once(name string, n *yaml.Node) (*yaml.Node, error) {
	if v.busy[name] {
		return nil, fmt.Errorf("${%s} needs its own value", name)
	}
	v.busy[name] = true
	defer delete(v.busy, name)
	return v.resolve(n)
}

func (v *variables) parameter(name string) (*yaml.Node, error) {
	for _, path := range [][]string{{"params", v.stage, name}, {"stages", v.stage, "params", name}, {"params", "default", name}, {"stages", "default", "params", name}} {
		if n := member(v.root, path...); n != nil {
			return v.once("param:"+name, n)
		}
	}
	return nil, errNoValue
}

// file returns the content of a file, or of a part of it: "./a.yml):key.sub".
func (v *variables) file(address string, at *yaml.Node) (*yaml.Node, error) {
	name, part, ok := strings.Cut(address, ")")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return nil, fmt.Errorf("${file(%s}: want ${file(./name.yml):key}", address)
	}
	n, err := v.load(name)
	if err != nil {
		return nil, err
	}
	if part = strings.TrimPrefix(strings.TrimPrefix(part, ":"), "."); part != "" {
		if n = member(n, strings.Split(part, ".")...); n == nil {
			return nil, errNoValue
		}
	}
	return v.once("file("+address, n)
}

func (v *variables) load(name string) (*yaml.Node, error) {
	if n, ok := v.files[name]; ok {
		return n, nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(v.dir, path)
	}
	switch filepath.Ext(name) {
	case ".js", ".cjs", ".mjs", ".ts":
		return nil, fmt.Errorf("${file(%s)}: dev does not run JavaScript: write the values into a YAML or JSON file", name)
	}
	v.read(path)
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errNoValue
	}
	if err != nil {
		return nil, fmt.Errorf("${file(%s)}: %w", name, err)
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(raw)}
	switch filepath.Ext(name) {
	case ".yml", ".yaml", ".json":
		var document yaml.Node
		if err := yaml.Unmarshal(raw, &document); err != nil {
			return nil, fmt.Errorf("${file(%s)}: %w", name, err)
		}
		if len(document.Content) == 0 {
			return nil, errNoValue
		}
		n = document.Content[0]
		if err := longForms(n); err != nil {
			return nil, fmt.Errorf("${file(%s)}: %w", name, err)
		}
	}
	v.files[name] = n
	return n, nil
}
