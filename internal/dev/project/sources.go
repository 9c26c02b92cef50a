package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

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
