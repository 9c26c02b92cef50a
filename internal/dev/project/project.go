// Package project reads what a team deploys, so that `gatehouse dev` can run it:
// the routes, authorizers and functions of a serverless.yml with its variables,
// or of a CloudFormation template. What a template says and dev cannot do is an
// error with file and line, or a note that dev prints at its start.
package project

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// Options are what a template's variables ask for.
type Options struct {
	Getenv func(string) string // of ${env:NAME}; must not be nil
	Stage  string              // of ${opt:stage}; "": what the template says, else dev
	// Origin is where the APIs of the template are served, such as
	// http://localhost:8787. It takes the place of their addresses in AWS.
	Origin string
}

// Project is what a template deploys.
type Project struct {
	Path  string
	Dir   string // of the template; code is looked for from here
	Stage string

	HTTP      *gateway.Template // never nil; without routes if there is no HTTP API
	REST      *gateway.Template // nil: no REST API
	WebSocket *WebSocket        // nil: no WebSocket API
	Functions []Function
	Notes     []string // what dev leaves out, for people
	Files     []string // the template, and what it includes
}

// WebSocket is a WebSocket API.
type WebSocket struct {
	Routes     map[string]string   // by route key: the function; "$connect", "$default", …
	Authorizer *gateway.Authorizer // of $connect; nil: none
	Selection  string              // the member of a message that names its route: "action"
}

// Function is a Lambda function of the template.
type Function struct {
	Name     string
	Runtime  string // "provided.al2023"
	Handler  string
	Artifact string // the name of its zip, without .zip; "": not named
	Source   string // the folder of its code, if the template names one
	Env      map[string]string
	Timeout  time.Duration
	Memory   int // MB
	Line     int // where the template declares it
	// Elsewhere says that there is no code to run: it stands for what an integration
	// leads to outside of the template.
	Elsewhere bool
}

// Ours returns which of Gatehouse's own functions it is, by its zip, or by its
// name where the template names no zip: "authorizer", "loginsvc", "usersvc" or
// "rotator"; "" is a function of the team. Dev runs ours in its own process.
func (f Function) Ours() string {
	switch name := cmp.Or(f.Artifact, f.Name); name {
	case "authorizer", "loginsvc", "usersvc", "rotator":
		return name
	}
	return ""
}

// Function returns the function of a name, or nil.
func (p *Project) Function(name string) *Function {
	for i := range p.Functions {
		if p.Functions[i].Name == name {
			return &p.Functions[i]
		}
	}
	return nil
}

// Parse reads the template at path, whose text is given.
func Parse(path string, text []byte, o Options) (*Project, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &root); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p := &Project{Path: path, Dir: filepath.Dir(path), HTTP: &gateway.Template{}, Files: []string{path}}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: want a serverless.yml or a CloudFormation template", path)
	}
	document := root.Content[0]
	if err := longForms(document); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	read := p.readServerless
	if member(document, "Resources") != nil {
		read = p.readCloudFormation
	}
	if err := read(document, o); err != nil {
		return nil, prefixed(path, err)
	}
	return p, nil
}

// prefixed puts the path before each of several errors.
func prefixed(path string, err error) error {
	var errs []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			errs = append(errs, prefixed(path, err))
		}
		return errors.Join(errs...)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// note tells people of something that dev leaves out, once.
func (p *Project) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, other := range p.Notes {
		if other == text {
			return
		}
	}
	p.Notes = append(p.Notes, text)
}
