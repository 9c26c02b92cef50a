package main

import (
	"errors"
	"fmt"
	"os"
)

// subject is a server that is measured.
type subject struct {
	name        string
	child       *child
	connections []*connection
	requests    []*request
}

// subjects are measured in turn. The empty ones answer everything with the
// login service's discovery document and do nothing else: they show what a
// request takes in Go and in Node at the least.
type subjects struct {
	signer, key                        *child
	service, local, provider, openAuth *subject
	emptyGo, emptyNode                 *subject

	signed series // by the process that only signs
}

const (
	openIDPath = "/.well-known/openid-configuration"
	oauthPath  = "/.well-known/oauth-authorization-server"
	jwksPath   = "/.well-known/jwks.json"
)

func start(o options) (all *subjects, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	all = &subjects{}
	defer func() {
		if err != nil {
			all.stop()
		}
	}()
	if all.signer, err = spawn(loadCore, self, "-role", "signer"); err != nil {
		return nil, err
	}
	if all.key, err = spawn(subjectCore, self, "-role", "key"); err != nil {
		return nil, err
	}
	n := fmt.Sprint(o.connections)
	started := func(name string, requests []*request, args ...string) *subject {
		s, failed := newSubject(name, requests, args...)
		err = errors.Join(err, failed)
		return s
	}
	all.service = started("login service", provider(openIDPath, jwksPath), self, "-role", "service", "-connections", n, "-signer", all.signer.URL)
	all.local = started("with a local key", provider("", ""), self, "-role", "service", "-connections", n)
	all.provider = started("oidc-provider", provider(openIDPath, "/jwks"), "node", "provider/node/oidc-provider.js", n)
	all.openAuth = started("openauth", provider(oauthPath, jwksPath), "node", "provider/node/openauth.js", n)
	all.emptyGo = started("net/http", document(), self, "-role", "empty", "-connections", n)
	all.emptyNode = started("node:http", document(), "node", "provider/node/empty.js", n)
	return all, err
}

// provider is what a provider is asked for. The documents of one without their
// paths are those of another.
func provider(discovery, jwks string) []*request {
	requests := []*request{{name: "refresh", text: (*connection).renewal, took: (*connection).renewed}}
	for _, r := range []struct{ name, path string }{{"discovery", discovery}, {"jwks", jwks}} {
		if r.path != "" {
			requests = append(requests, get(r.name, r.path))
		}
	}
	return requests
}

func document() []*request { return []*request{get("empty", "/")} }

func get(name, path string) *request {
	return &request{name: name, text: func(c *connection) string { return c.document(path) }}
}

func newSubject(name string, requests []*request, args ...string) (*subject, error) {
	c, err := spawn(subjectCore, args[0], args[1:]...)
	if err != nil {
		return nil, err
	}
	s := &subject{name: name, child: c, requests: requests}
	for _, token := range c.Tokens {
		connection, err := newConnection(c.URL, token)
		if err != nil {
			return s, err
		}
		s.connections = append(s.connections, connection)
	}
	return s, nil
}

// request returns what is asked for under a name, or nil.
func (s *subject) request(name string) *request {
	for _, r := range s.requests {
		if r.name == name {
			return r
		}
	}
	return nil
}

// each returns the subjects, beginning with another in each round.
func (all *subjects) each(round int) []*subject {
	list := []*subject{all.service, all.provider, all.openAuth, all.local, all.emptyGo, all.emptyNode}
	n := round % len(list)
	return append(list[n:len(list):len(list)], list[:n]...)
}

func (all *subjects) stop() {
	for _, c := range []*child{all.signer, all.key} {
		if c != nil {
			c.stop()
		}
	}
	for _, s := range all.each(0) {
		if s != nil {
			s.child.stop()
		}
	}
}
