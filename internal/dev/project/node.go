package project

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// deref follows aliases.
func deref(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// member returns what stands under the names, one in the other, or nil. A number
// is an index of a list.
func member(n *yaml.Node, names ...string) *yaml.Node {
	for _, name := range names {
		n = child(deref(n), name)
	}
	return deref(n)
}

func child(n *yaml.Node, name string) *yaml.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i]
		}
	case n.Kind == yaml.MappingNode:
		var merged *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			switch n.Content[i].Value {
			case name:
				return n.Content[i+1]
			case "<<":
				merged = child(deref(n.Content[i+1]), name)
			}
		}
		return merged
	}
	return nil
}

// text returns the scalar under the names, or "".
func text(n *yaml.Node, names ...string) string {
	if n = member(n, names...); n != nil && n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return n.Value
	}
	return ""
}

// members ranges over the members of a mapping, or of a list of mappings.
func members(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		n := deref(n)
		if n == nil {
			return
		}
		mappings := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			mappings = n.Content
		}
		for _, m := range mappings {
			m = deref(m)
			for i := 0; m.Kind == yaml.MappingNode && i+1 < len(m.Content); i += 2 {
				if !yield(m.Content[i].Value, deref(m.Content[i+1])) {
					return
				}
			}
		}
	}
}

func items(n *yaml.Node) []*yaml.Node {
	n = deref(n)
	switch {
	case n == nil || n.Tag == "!!null":
		return nil
	case n.Kind != yaml.SequenceNode:
		return []*yaml.Node{n}
	}
	out := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		out[i] = deref(item)
	}
	return out
}

func scalar(value string, at *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Line: at.Line}
}

// longForms writes CloudFormation's short tags out: !Ref X is {Ref: X}, and
// !GetAtt A.B is {Fn::GetAtt: [A, B]}.
func longForms(n *yaml.Node) error {
	for _, c := range n.Content {
		if err := longForms(c); err != nil {
			return err
		}
	}
	name, short := strings.CutPrefix(n.Tag, "!")
	if !short || strings.HasPrefix(name, "!") || name == "" {
		return nil
	}
	value := *n
	value.Tag, value.Style = "", 0
	switch name {
	case "Ref", "Condition":
	case "GetAtt":
		if resource, attribute, ok := strings.Cut(n.Value, "."); n.Kind == yaml.ScalarNode && ok {
			value = yaml.Node{Kind: yaml.SequenceNode, Line: n.Line, Content: []*yaml.Node{scalar(resource, n), scalar(attribute, n)}}
		}
		name = "Fn::GetAtt"
	case "Base64", "Cidr", "FindInMap", "GetAZs", "ImportValue", "Join", "Select", "Split", "Sub", "Transform",
		"And", "Equals", "If", "Not", "Or", "Length", "ToJsonString":
		name = "Fn::" + name
	default:
		return fmt.Errorf("line %d: !%s is no function of CloudFormation", n.Line, name)
	}
	if value.Kind == yaml.ScalarNode {
		value.Tag = "!!str"
	}
	*n = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Content: []*yaml.Node{scalar(name, n), &value}}
	return nil
}
