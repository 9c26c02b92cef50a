package project

import (
	"errors"
	"fmt"
	"regexp"
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
