package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The headers that the Serverless Framework allows unless the file says others.
var defaultCORSHeaders = []string{
	"Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key", "X-Amz-Security-Token", "X-Amz-User-Agent", "X-Amzn-Trace-Id",
}

type corsYAML struct {
	Origins     yaml.Node `yaml:"allowedOrigins"` // a string or a list
	Methods     yaml.Node `yaml:"allowedMethods"`
	Headers     yaml.Node `yaml:"allowedHeaders"`
	Exposed     yaml.Node `yaml:"exposedResponseHeaders"`
	MaxAge      int       `yaml:"maxAge"`
	Credentials bool      `yaml:"allowCredentials"`
}

var corsKeys = []string{"allowedOrigins", "allowedMethods", "allowedHeaders", "exposedResponseHeaders", "maxAge", "allowCredentials"}

// readCORS reads provider.httpApi.cors: true, or a mapping. What is left out is as
// the framework has it: every origin, its usual headers, the methods of the routes.
func readCORS(node *yaml.Node, routes []Route) (*CORS, error) {
	if node.IsZero() || node.Tag == "!!null" || node.Value == "false" {
		return nil, nil
	}
	var in corsYAML
	if node.Kind != yaml.MappingNode && node.Value != "true" {
		return nil, errors.New("want true, or a mapping with allowedOrigins")
	}
	if node.Kind == yaml.MappingNode {
		for name := range pairs(node) {
			if !slices.Contains(corsKeys, name) {
				return nil, fmt.Errorf("%s is no key of it; there are %s", name, strings.Join(corsKeys, ", "))
			}
		}
		if err := node.Decode(&in); err != nil {
			return nil, err
		}
	}
	out := &CORS{MaxAge: in.MaxAge, Credentials: in.Credentials}
	var errs []error
	for _, list := range []struct {
		from *yaml.Node
		to   *[]string
		or   []string
	}{
		{&in.Origins, &out.AllowOrigins, []string{"*"}}, {&in.Methods, &out.AllowMethods, methodsOf(routes)},
		{&in.Headers, &out.AllowHeaders, defaultCORSHeaders}, {&in.Exposed, &out.ExposeHeaders, nil},
	} {
		switch {
		case list.from.IsZero():
			*list.to = list.or
		case list.from.Kind == yaml.ScalarNode:
			*list.to = []string{list.from.Value}
		default:
			errs = append(errs, list.from.Decode(list.to))
		}
	}
	return out, errors.Join(errs...)
}

// methodsOf returns OPTIONS and the methods of routes, sorted.
func methodsOf(routes []Route) []string {
	out := []string{"OPTIONS"}
	for _, r := range routes {
		method, _, _ := strings.Cut(r.Key, " ")
		if r.Key == defaultRoute || method == anyMethod {
			return []string{"*"}
		}
		out = append(out, method)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
