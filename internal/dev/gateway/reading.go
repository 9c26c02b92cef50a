package gateway

import (
	"net/url"
	"path"
	"strings"
)

// maxDecodings is how often a chain of servers decodes a path at most.
const maxDecodings = 3

// otherReadings returns the paths that the servers behind the gateway can read in
// an escaped path, beside the one by which the route was chosen: with escaped
// slashes and backslashes taken as slashes, with and without empty and dotted
// segments.
func otherReadings(escaped string) [][]string {
	decoded := escaped
	for range maxDecodings {
		next, err := url.PathUnescape(decoded)
		if err != nil || next == decoded {
			break
		}
		decoded = next
	}
	decoded = "/" + strings.TrimPrefix(strings.ReplaceAll(decoded, `\`, "/"), "/")
	readings := [][]string{strings.Split(decoded[1:], "/")}
	if clean := path.Clean(decoded); clean != decoded {
		readings = append(readings, strings.Split(clean[1:], "/"))
	}
	return readings
}

// guards returns the routes whose authorizers have to let a request pass: the one
// that was chosen, and those that another server could choose. AWS does not say
// whether it takes an escaped slash apart before it chooses a route.
func (g *Gateway) guards(method, escaped string, chosen route) []route {
	guards := []route{chosen}
	for _, reading := range otherReadings(escaped) {
		other, _, found := g.find(method, reading)
		if found && other.Key != chosen.Key && other.Authorizer != "" && g.cfg.Handlers[other.Key] == nil {
			guards = append(guards, other)
		}
	}
	return guards
}
