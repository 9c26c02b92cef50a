package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// ReadTemplate reads routes, authorizers and CORS from a serverless.yml whose
// variables do not matter here. What the file says about its HTTP API and this
// gateway does not do is an error, so that nothing behaves differently here than
// in AWS without a word.
func ReadTemplate(path string) (*Template, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := ParseTemplate(raw)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return t, nil
}

// ParseTemplate is [ReadTemplate] for a text at hand.
func ParseTemplate(raw []byte) (*Template, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(raw, &root); err != nil {
		return nil, err
	}
	return FromServerless(&root)
}

// serverless is what is read of a serverless.yml.
type serverless struct {
	Provider struct {
		HTTPAPI struct {
			ID          any       `yaml:"id"`
			CORS        yaml.Node `yaml:"cors"`
			Payload     string    `yaml:"payload"`
			Authorizers yaml.Node `yaml:"authorizers"`
		} `yaml:"httpApi"`
	} `yaml:"provider"`
	Functions yaml.Node `yaml:"functions"` // a node, because its order matters
}

type authorizerYAML struct {
	Type            string    `yaml:"type"`
	FunctionName    string    `yaml:"functionName"`
	FunctionARN     yaml.Node `yaml:"functionArn"`
	IdentitySource  yaml.Node `yaml:"identitySource"` // a string or a list
	TTL             *int      `yaml:"resultTtlInSeconds"`
	PayloadVersion  string    `yaml:"payloadVersion"`
	SimpleResponses bool      `yaml:"enableSimpleResponses"`
	IssuerURL       yaml.Node `yaml:"issuerUrl"`
	Audience        yaml.Node `yaml:"audience"` // a string or a list
}

type functionYAML struct {
	HTTPAPI struct {
		Payload string `yaml:"payload"`
	} `yaml:"httpApi"`
	Events []struct {
		HTTPAPI yaml.Node `yaml:"httpApi"` // "GET /path", or a mapping
	} `yaml:"events"`
}

type routeYAML struct {
	Method     string    `yaml:"method"`
	Path       string    `yaml:"path"`
	Authorizer yaml.Node `yaml:"authorizer"` // a name, or a mapping with one
}

// FromServerless is [ReadTemplate] for a parsed document, whose variables have
// been replaced.
func FromServerless(root *yaml.Node) (*Template, error) {
	var in serverless
	if err := root.Decode(&in); err != nil {
		return nil, plain(err)
	}
	api := in.Provider.HTTPAPI
	if api.ID != nil {
		return nil, fmt.Errorf("provider.httpApi.id: an API of another stack cannot be read")
	}
	payload1, err := isPayload1(api.Payload)
	if err != nil {
		return nil, fmt.Errorf("provider.httpApi.payload: %w", err)
	}
	t := &Template{}
	if kind := api.Authorizers.Kind; kind == yaml.SequenceNode || kind == yaml.ScalarNode && api.Authorizers.Tag != "!!null" {
		return nil, fmt.Errorf("line %d: provider.httpApi.authorizers: want a mapping of names", api.Authorizers.Line)
	}
	for name, node := range pairs(&api.Authorizers) {
		authorizer, err := readAuthorizer(name, node)
		if err != nil {
			return nil, fmt.Errorf("line %d: authorizer %s: %w", node.Line, name, err)
		}
		t.Authorizers = append(t.Authorizers, authorizer)
	}
	slices.SortFunc(t.Authorizers, func(a, b Authorizer) int { return strings.Compare(a.Name, b.Name) })
	for name, node := range pairs(&in.Functions) {
		routes, err := readRoutes(name, node, payload1)
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", name, err)
		}
		t.Routes = append(t.Routes, routes...)
	}
	t.AddIAM()
	if t.CORS, err = readCORS(&api.CORS, t.Routes); err != nil {
		return nil, fmt.Errorf("line %d: provider.httpApi.cors: %w", api.CORS.Line, err)
	}
	return t, t.check(false)
}

// mismatch is how the YAML library says that a value is of another kind.
var mismatch = regexp.MustCompile("cannot unmarshal !!(\\w+)( `[^`]*`)? into .*")

// plain says what is wrong in the words of a template.
func plain(err error) error {
	wrong, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return err
	}
	kinds := map[string]string{"seq": "a list", "map": "a mapping", "str": "a text", "int": "a number", "float": "a number", "bool": "true or false"}
	lines := make([]string, len(wrong.Errors))
	for i, line := range wrong.Errors {
		m := mismatch.FindStringSubmatch(line)
		if lines[i] = line; m != nil {
			lines[i] = mismatch.ReplaceAllLiteralString(line, cmp.Or(kinds[m[1]], m[1])+m[2]+" stands where another kind of value belongs")
		}
	}
	return errors.New(strings.Join(lines, "; "))
}

// pairs ranges over the members of a mapping. Functions can also be a list of
// mappings, as files that are included often are.
func pairs(node *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		mappings := []*yaml.Node{node}
		if node.Kind == yaml.SequenceNode {
			mappings = node.Content
		}
		for _, m := range mappings {
			if m.Kind == yaml.AliasNode {
				m = m.Alias
			}
			for i := 0; m.Kind == yaml.MappingNode && i+1 < len(m.Content); i += 2 {
				if !yield(m.Content[i].Value, m.Content[i+1]) {
					return
				}
			}
		}
	}
}

func isPayload1(version string) (bool, error) {
	switch version {
	case "1.0":
		return true, nil
	case "", "2.0":
		return false, nil
	}
	return false, fmt.Errorf("want '1.0' or '2.0', have %q", version)
}

func readAuthorizer(name string, node *yaml.Node) (Authorizer, error) {
	out := Authorizer{Name: name}
	var a authorizerYAML
	if err := node.Decode(&a); err != nil {
		return out, plain(err)
	}
	if a.Type == "" || a.Type == "jwt" { // the framework's default
		return readJWT(out, a)
	}
	payload1, err := isPayload1(a.PayloadVersion)
	out.Function, out.Simple, out.External = a.FunctionName, a.SimpleResponses, !a.FunctionARN.IsZero()
	switch {
	case err != nil:
		return out, fmt.Errorf("payloadVersion: %w", err)
	case a.Type != "request":
		return out, fmt.Errorf("type: want request or jwt, have %q", a.Type)
	case (a.FunctionName == "") != out.External:
		return out, fmt.Errorf("want functionName, a function of this file, or functionArn, one of another stack")
	case a.TTL == nil:
		return out, fmt.Errorf("resultTtlInSeconds: not set; 0 keeps no answer")
	}
	if payload1 {
		out.Kind = HTTP1
	}
	out.IdentitySources = words(&a.IdentitySource)
	out.TTL = time.Duration(*a.TTL) * time.Second
	return out, nil
}

// readJWT reads an authorizer of type jwt. An issuer or an audience that is no text
// is known when the stack is deployed.
func readJWT(out Authorizer, a authorizerYAML) (Authorizer, error) {
	out.JWT = &JWT{Issuer: a.IssuerURL.Value, Audiences: words(&a.Audience)}
	if out.IdentitySources = words(&a.IdentitySource); len(out.IdentitySources) == 0 {
		out.IdentitySources = []string{"$request.header.Authorization"}
	}
	if a.IssuerURL.IsZero() || a.Audience.IsZero() {
		return out, errors.New("type jwt: want issuerUrl and audience; for a function, type: request")
	}
	return out, nil
}

// words returns a text, or a list of texts, as a list.
func words(n *yaml.Node) []string {
	switch n.Kind {
	case yaml.SequenceNode:
		out := make([]string, len(n.Content))
		for i, item := range n.Content {
			out[i] = item.Value
		}
		return out
	case yaml.ScalarNode, yaml.MappingNode:
		return []string{n.Value}
	}
	return nil
}

func readRoutes(function string, node *yaml.Node, payload1 bool) ([]Route, error) {
	var in functionYAML
	if err := node.Decode(&in); err != nil {
		return nil, plain(err)
	}
	if in.HTTPAPI.Payload != "" {
		var err error
		if payload1, err = isPayload1(in.HTTPAPI.Payload); err != nil {
			return nil, fmt.Errorf("httpApi.payload: %w", err)
		}
	}
	var routes []Route
	for _, event := range in.Events {
		if event.HTTPAPI.IsZero() {
			continue // another kind of event
		}
		r := Route{Key: event.HTTPAPI.Value, Function: function, Payload1: payload1}
		if event.HTTPAPI.Kind == yaml.MappingNode {
			var in routeYAML
			if err := event.HTTPAPI.Decode(&in); err != nil {
				return nil, plain(err)
			}
			r.Key = in.Method + " " + in.Path
			if err := in.authorizer(&r); err != nil {
				return nil, fmt.Errorf("line %d: %s: %w", event.HTTPAPI.Line, r.Key, err)
			}
		}
		r.Key = routeKey(r.Key)
		if _, err := parseRoute(r.Key); err != nil {
			return nil, fmt.Errorf("line %d: %w", event.HTTPAPI.Line, err)
		}
		routes = append(routes, r)
	}
	return routes, nil
}

func (in routeYAML) authorizer(r *Route) error {
	if in.Authorizer.Kind != yaml.MappingNode {
		r.Authorizer = in.Authorizer.Value
		return nil
	}
	var a struct {
		Name   string   `yaml:"name"`
		Type   string   `yaml:"type"`
		Scopes []string `yaml:"scopes"`
	}
	if err := in.Authorizer.Decode(&a); err != nil {
		return plain(err)
	}
	r.Authorizer, r.Scopes = a.Name, a.Scopes
	if a.Type == "aws_iam" {
		r.Authorizer = AWSIAM
	}
	if r.Authorizer == "" {
		return fmt.Errorf("authorizer: only one with a name is known here")
	}
	return nil
}

// routeKey returns the key that the framework gives a route: '*' for a method
// is ANY, and '*' for everything is $default.
func routeKey(s string) string {
	method, path, _ := strings.Cut(strings.TrimSpace(s), " ")
	path = strings.TrimSpace(path)
	switch {
	case method == "*" && (path == "" || path == "*"):
		return "$default"
	case method == "*":
		method = "ANY"
	}
	return strings.ToUpper(method) + " " + path
}
