package gateway

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// ReadTemplate reads routes and authorizers from a serverless.yml. What the file
// says about its HTTP API and this gateway does not do is an error, so that
// nothing behaves otherwise here than in AWS without a word.
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

// serverless is what is read of a serverless.yml.
type serverless struct {
	Provider struct {
		HTTPAPI struct {
			ID          any                       `yaml:"id"`
			CORS        any                       `yaml:"cors"`
			Payload     string                    `yaml:"payload"`
			Authorizers map[string]authorizerYAML `yaml:"authorizers"`
		} `yaml:"httpApi"`
	} `yaml:"provider"`
	Functions yaml.Node `yaml:"functions"` // a node, because its order matters
}

type authorizerYAML struct {
	Type            string    `yaml:"type"`
	FunctionName    string    `yaml:"functionName"`
	IdentitySource  yaml.Node `yaml:"identitySource"` // a string or a list
	TTL             *int      `yaml:"resultTtlInSeconds"`
	PayloadVersion  string    `yaml:"payloadVersion"`
	SimpleResponses bool      `yaml:"enableSimpleResponses"`
}

type functionYAML struct {
	Events []struct {
		HTTPAPI yaml.Node `yaml:"httpApi"` // "GET /path", or a mapping
	} `yaml:"events"`
}

type routeYAML struct {
	Method     string    `yaml:"method"`
	Path       string    `yaml:"path"`
	Authorizer yaml.Node `yaml:"authorizer"` // a name, or a mapping with one
}

// ParseTemplate is [ReadTemplate] for a text at hand.
func ParseTemplate(raw []byte) (*Template, error) {
	var in serverless
	if err := yaml.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	api := in.Provider.HTTPAPI
	switch {
	case api.CORS != nil:
		return nil, fmt.Errorf("provider.httpApi.cors: not done here; let the function answer OPTIONS")
	case api.ID != nil:
		return nil, fmt.Errorf("provider.httpApi.id: an API of another stack cannot be read")
	case api.Payload != "" && api.Payload != "2.0":
		return nil, fmt.Errorf("provider.httpApi.payload: want '2.0'")
	}
	t := &Template{}
	for name, a := range api.Authorizers {
		authorizer, err := a.authorizer(name)
		if err != nil {
			return nil, fmt.Errorf("authorizer %s: %w", name, err)
		}
		t.Authorizers = append(t.Authorizers, authorizer)
	}
	slices.SortFunc(t.Authorizers, func(a, b Authorizer) int { return strings.Compare(a.Name, b.Name) })

	functions := in.Functions.Content // name, value, name, value, …
	for i := 0; i+1 < len(functions); i += 2 {
		name := functions[i].Value
		routes, err := readRoutes(name, functions[i+1])
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", name, err)
		}
		t.Routes = append(t.Routes, routes...)
	}
	return t, t.check()
}

func (a authorizerYAML) authorizer(name string) (Authorizer, error) {
	out := Authorizer{Name: name, Function: a.FunctionName, Simple: a.SimpleResponses}
	switch {
	case a.Type != "request":
		return out, fmt.Errorf("type: want request, have %q", a.Type)
	case a.FunctionName == "":
		return out, fmt.Errorf("functionName: want a function of this file")
	case a.PayloadVersion != "2.0" && a.PayloadVersion != "":
		return out, fmt.Errorf("payloadVersion: want '2.0'")
	case a.TTL == nil:
		return out, fmt.Errorf("resultTtlInSeconds: not set; 0 keeps no answer")
	}
	var err error
	if a.IdentitySource.Kind == yaml.ScalarNode {
		out.IdentitySources = []string{a.IdentitySource.Value}
	} else if !a.IdentitySource.IsZero() {
		err = a.IdentitySource.Decode(&out.IdentitySources)
	}
	out.TTL = time.Duration(*a.TTL) * time.Second
	return out, err
}

func readRoutes(function string, node *yaml.Node) ([]Route, error) {
	var in functionYAML
	if err := node.Decode(&in); err != nil {
		return nil, err
	}
	var routes []Route
	for _, event := range in.Events {
		if event.HTTPAPI.IsZero() {
			continue // another kind of event
		}
		r := Route{Key: event.HTTPAPI.Value, Function: function}
		if event.HTTPAPI.Kind == yaml.MappingNode {
			var in routeYAML
			if err := event.HTTPAPI.Decode(&in); err != nil {
				return nil, err
			}
			r.Key = in.Method + " " + in.Path
			if err := in.authorizer(&r); err != nil {
				return nil, fmt.Errorf("%s: %w", r.Key, err)
			}
		}
		r.Key = routeKey(r.Key)
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
		Name string `yaml:"name"`
	}
	if err := in.Authorizer.Decode(&a); err != nil {
		return err
	}
	if r.Authorizer = a.Name; a.Name == "" {
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
