package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// subject is a provider that is measured.
type subject struct {
	name     string
	child    *child
	clients  []*connection
	requests []*request
}

// request is what a subject is asked for again and again.
type request struct {
	do func(*connection) error

	// One of each for every round.
	perSecond []float64
	cpu       []time.Duration // of the subject, for each
	latencies []time.Duration // of all rounds
}

// subjects are measured in turn.
type subjects struct {
	signer, key                      *child
	house, local, provider, openAuth *subject

	signed    []float64 // signatures per second by the one that only signs
	signedCPU []time.Duration
}

func start(o options) (*subjects, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	all := &subjects{}
	connections := fmt.Sprint(o.connections)
	started := func(name string, discovery, jwks string, args ...string) *subject {
		if err != nil {
			return nil
		}
		var s *subject
		if s, err = newSubject(name, args...); err == nil {
			s.requests = append(s.requests, &request{do: (*connection).refresh})
			for _, path := range []string{discovery, jwks} {
				s.requests = append(s.requests, &request{do: func(c *connection) error { return c.get(path) }})
			}
		}
		return s
	}
	if all.signer, err = spawn(loadCore, self, "-role", "signer"); err != nil {
		return nil, err
	}
	if all.key, err = spawn(subjectCore, self, "-role", "key"); err != nil {
		all.stop()
		return nil, err
	}
	const discovery, jwks = "/.well-known/openid-configuration", "/.well-known/jwks.json"
	all.house = started("login service", discovery, jwks, self, "-role", "house", "-connections", connections, "-signer", all.signer.URL)
	all.local = started("with a local key", discovery, jwks, self, "-role", "house", "-connections", connections)
	all.provider = started("oidc-provider", discovery, "/jwks", "node", "provider/node/oidc-provider.js", connections)
	all.openAuth = started("openauth", "/.well-known/oauth-authorization-server", jwks, "node", "provider/node/openauth.js", connections)
	if err != nil {
		all.stop()
		return nil, err
	}
	return all, nil
}

func newSubject(name string, args ...string) (*subject, error) {
	c, err := spawn(subjectCore, args[0], args[1:]...)
	if err != nil {
		return nil, err
	}
	s := &subject{name: name, child: c}
	for _, token := range c.Tokens {
		s.clients = append(s.clients, newConnection(c.URL, token))
	}
	return s, nil
}

// each returns the subjects, beginning with another in each round.
func (all *subjects) each(round int) []*subject {
	list := []*subject{all.house, all.provider, all.openAuth, all.local}
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

// measure loads all in turn. The first round warms up and does not count.
func (all *subjects) measure(ctx context.Context, o options) error {
	for round := range o.rounds + 1 {
		for _, s := range all.each(round) {
			for i, r := range s.requests {
				if s == all.local && i > 0 {
					continue // the documents do not depend on the key
				}
				if err := s.load(r, o.turn, round > 0); err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
			}
			if s == all.local {
				if err := all.sign(o.turn, round > 0); err != nil {
					return err
				}
			}
		}
	}
	return ctx.Err()
}

// load has all connections ask for one thing for as long as a turn.
func (s *subject) load(r *request, turn time.Duration, counts bool) error {
	for _, c := range s.clients {
		if err := c.dial(); err != nil {
			return err
		}
		defer c.conn.Close()
	}
	before, err := s.child.cpu()
	if err != nil {
		return err
	}
	var (
		wg        sync.WaitGroup
		mu        sync.Mutex
		latencies []time.Duration
		failure   error
	)
	began := time.Now()
	for _, c := range s.clients {
		wg.Go(func() {
			var mine []time.Duration
			var err error
			for err == nil && time.Since(began) < turn {
				asked := time.Now()
				err = r.do(c)
				mine = append(mine, time.Since(asked))
			}
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, mine...)
			if err != nil {
				failure = err
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	after, err := s.child.cpu()
	if err != nil || failure != nil || !counts {
		return firstOf(failure, err)
	}
	r.perSecond = append(r.perSecond, float64(len(latencies))/took.Seconds())
	r.cpu = append(r.cpu, (after-before)/time.Duration(len(latencies)))
	r.latencies = append(r.latencies, latencies...)
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// sign has the process that only signs do so.
func (all *subjects) sign(turn time.Duration, counts bool) error {
	before, err := all.key.cpu()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(all.key.in, int64(turn)); err != nil {
		return err
	}
	if err := all.key.next(); err != nil {
		return err
	}
	after, err := all.key.cpu()
	if err != nil || !counts {
		return err
	}
	all.signed = append(all.signed, float64(all.key.Count)/turn.Seconds())
	all.signedCPU = append(all.signedCPU, (after-before)/time.Duration(all.key.Count))
	return nil
}

// printHead says on what the figures were taken.
func printHead(ctx context.Context, o options) {
	version := func(name string, args ...string) string {
		out, err := exec.CommandContext(ctx, name, args...).Output()
		if err != nil {
			return name + ": " + err.Error()
		}
		return strings.TrimSpace(string(out))
	}
	load, _ := os.ReadFile("/proc/loadavg") // a missing one prints nothing
	fmt.Printf("%s, Node %s, load average %s\n", version("go", "version"), version("node", "--version"), strings.TrimSpace(string(load)))
	fmt.Printf("%d connections, %d rounds of %v each, in turn. The login service's key is in another process on\n"+
		"the other core and takes %v; it signs one token a renewal (RS256). oidc-provider signs an ID token\n"+
		"(RS256) with a key of its own, and its access tokens are opaque; openauth signs an access token (ES256).\n\n",
		o.connections, o.rounds, o.turn, signingTime)
}
