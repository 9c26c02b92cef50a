package project

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/env"
)

// readServerless reads a serverless.yml. Only what dev uses is resolved, so that
// a value which is known in AWS alone does not matter elsewhere.
func (p *Project) readServerless(document *yaml.Node, o Options) error {
	if member(document, "functions") == nil && member(document, "provider") == nil {
		return errors.New("want a serverless.yml (functions and provider) or a CloudFormation template (Resources)")
	}
	if text(document, "useDotenv") == "true" {
		getenv, err := withDotenv(o.Getenv, p.Dir, cmp.Or(o.Stage, literal(text(document, "provider", "stage")), "dev"))
		if err != nil {
			return err
		}
		o.Getenv = getenv
	}
	v := &variables{Options: o, root: document, dir: p.Dir, files: map[string]*yaml.Node{}, busy: map[string]bool{}, note: p.note,
		read: func(path string) { p.Files = append(p.Files, path) }}
	v.stage = cmp.Or(o.Stage, "dev")
	if stage := member(document, "provider", "stage"); stage != nil && o.Stage == "" {
		resolved, err := v.resolve(stage)
		if err != nil {
			return err
		}
		v.stage = cmp.Or(text(resolved), v.stage)
	}
	p.Stage = v.stage

	resolved, err := v.needed(document)
	if err != nil {
		return err
	}
	e := &evaluator{resources: member(document, "resources", "Resources"), parameters: member(document, "resources", "Parameters"), origin: o.Origin, stage: p.Stage, note: p.note}
	e.replaceIn(member(resolved, "provider", "httpApi", "authorizers"), "issuerUrl", "audience")
	if p.HTTP, err = gateway.FromServerless(resolved); err != nil {
		return err
	}
	for name, f := range members(member(resolved, "functions")) {
		if err := p.addServerlessFunction(name, f, member(resolved, "provider"), e); err != nil {
			return err
		}
	}
	return p.otherEvents(resolved)
}

// needed returns the parts of the document that dev reads, resolved.
func (v *variables) needed(document *yaml.Node) (*yaml.Node, error) {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: document.Line}
	provider := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	add := func(to *yaml.Node, name string, path ...string) error {
		n, err := v.through(v.root, path, document)
		if errors.Is(err, errNoValue) {
			return nil
		}
		if err == nil && n != nil {
			to.Content = append(to.Content, scalar(name, n), n)
		}
		return err
	}
	var errs []error
	for _, name := range []string{"httpApi", "environment", "runtime", "timeout", "memorySize", "layers", "websocketsApiRouteSelectionExpression"} {
		errs = append(errs, add(provider, name, "provider", name))
	}
	out.Content = append(out.Content, scalar("provider", document), provider)
	errs = append(errs, add(out, "functions", "functions"))
	return out, errors.Join(errs...)
}

func (p *Project) addServerlessFunction(name string, f, provider *yaml.Node, e *evaluator) error {
	out := Function{Name: name, Line: f.Line, Env: map[string]string{},
		Runtime: cmp.Or(text(f, "runtime"), text(provider, "runtime")), Handler: text(f, "handler"), Artifact: artifactOf(text(f, "package", "artifact"))}
	if text(f, "image") != "" || member(f, "image") != nil {
		p.note("line %d: function %s is a container image: run it yourself, with --upstream", f.Line, name)
	}
	if len(items(member(f, "layers")))+len(items(member(provider, "layers"))) > 0 {
		p.note("line %d: function %s: dev runs it without its layers", f.Line, name)
	}
	if url := member(f, "url"); url != nil && url.Value != "false" {
		p.note("line %d: function %s: dev serves no function URLs", url.Line, name)
	}
	var err error
	if out.Timeout, err = seconds(cmp.Or(text(f, "timeout"), text(provider, "timeout"), "6")); err != nil {
		return fmt.Errorf("line %d: function %s: timeout: %w", f.Line, name, err)
	}
	out.Memory, _ = strconv.Atoi(cmp.Or(text(f, "memorySize"), text(provider, "memorySize"), "1024"))
	for _, from := range []*yaml.Node{member(provider, "environment"), member(f, "environment")} {
		for variable, value := range members(from) {
			out.Env[variable] = e.text(value)
		}
	}
	p.Functions = append(p.Functions, out)
	return nil
}

// artifactOf returns the name of a zip without its folder and .zip; "" of "".
func artifactOf(zip string) string {
	if zip == "" {
		return ""
	}
	return strings.TrimSuffix(path.Base(filepath.ToSlash(zip)), ".zip")
}

func seconds(s string) (time.Duration, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 900 {
		return 0, fmt.Errorf("want 1 to 900 seconds, have %q", s)
	}
	return time.Duration(n) * time.Second, nil
}

// otherEvents reads what stands beside httpApi in the functions' events.
func (p *Project) otherEvents(resolved *yaml.Node) error {
	for name, f := range members(member(resolved, "functions")) {
		for _, event := range items(member(f, "events")) {
			for kind, e := range members(event) {
				var err error
				switch kind {
				case "httpApi":
				case "http":
					err = p.addREST(name, e)
				case "websocket":
					err = p.addWebSocket(name, e)
				default:
					if p.Function(name).Ours() != "" {
						continue // dev does their work by itself
					}
					p.note("line %d: function %s: dev sends it no %s events", event.Line, name, kind)
				}
				if err != nil {
					return fmt.Errorf("line %d: function %s: %s: %w", event.Line, name, kind, err)
				}
			}
		}
	}
	if p.WebSocket != nil {
		p.WebSocket.Selection = cmp.Or(strings.TrimPrefix(text(resolved, "provider", "websocketsApiRouteSelectionExpression"), "$request.body."), "action")
	}
	return nil
}

// literal returns a value that has no variables, or "".
func literal(value string) string {
	if strings.Contains(value, "${") {
		return ""
	}
	return value
}

// withDotenv extends getenv by the .env.STAGE or .env beside the template, which
// Serverless reads with useDotenv. Variables that are set go first.
func withDotenv(getenv func(string) string, dir, stage string) (func(string) string, error) {
	path, err := env.OfStage(dir, stage)
	if err != nil || path == "" {
		return getenv, err
	}
	file, err := env.ReadFile(path, getenv)
	if err != nil {
		return nil, err
	}
	return func(name string) string { return cmp.Or(getenv(name), file[name]) }, nil
}
