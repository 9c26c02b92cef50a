// Package server is the whole of Gatehouse in one process, for one machine:
// what `gatehouse dev` runs. The parts are those that are deployed, behind a
// gateway that reads the same serverless.yml; a file stands in for DynamoDB, a
// key in memory for KMS, and a provider with three people for Google.
//
// It listens on loopback only. Nothing that is deployed may import it.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// Options say how to run. The zero value runs on free ports, without a trace.
type Options struct {
	Addr     string // where Gatehouse is served, a loopback host and a port
	DemoAddr string // the same for the demo provider; better another host, because cookies ignore ports
	Data     string // folder of the table and the key; "" keeps neither
	Upstream string // address of someone's own API to put behind the authorizer; "": none

	// Functions say where the code of functions of the template is, by name. Code
	// of the others is looked for.
	Functions map[string]string
	Stage     string // of the template's REST and WebSocket APIs; "": as the template says
	gateway.Switches
	Output io.Writer // what functions print, builds, and files that are read again; nil: nowhere

	Config   string // path of gatehouse.yml; "": the one in this folder, or the built-in one
	Template string // path of serverless.yml; the same

	Getenv func(string) string // where gatehouse.yml finds the variables it names; nil: none are set
	// EnvFile names, for messages, the file that Getenv reads. If it is not "",
	// a provider whose variables are missing is a mistake; else it is left out.
	EnvFile string

	Log     *slog.Logger           // what is not about a request; nil: nowhere
	Observe func(gateway.Exchange) // every request, after its answer; may be nil
	Now     func() time.Time       // nil: time.Now
}

// Server is a running Gatehouse.
type Server struct {
	Issuer    string   // http://localhost:8787
	Audience  string   // of access tokens
	DemoURL   string   // the demo provider, http://127.0.0.1:8788
	Providers []string // names of the team's providers that can be used
	Functions []string // the team's functions that run
	REST      string   // where the team's REST API is served; "": there is none
	WebSocket string   // the same for its WebSocket API
	Findings  []string // what dev leaves out, and what is probably a slip

	stopWatching func()
	watching     sync.WaitGroup

	store     *store
	addresses []*address
	servers   []*http.Server
}

// Start opens what it needs and serves. The caller calls Close.
func Start(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults()
	s := &Server{}
	if err := s.start(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Addr == "" {
		o.Addr = "localhost:0"
	}
	if o.DemoAddr == "" {
		o.DemoAddr = "127.0.0.1:0"
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Output == nil {
		o.Output = io.Discard
	}
	return o
}

func (s *Server) start(ctx context.Context, o Options) error {
	own, err := listen(o.Addr, "--addr")
	if err != nil {
		return err
	}
	s.addresses = append(s.addresses, own)
	demo, err := listen(o.DemoAddr, "--demo-addr")
	if err != nil {
		return err
	}
	s.addresses = append(s.addresses, demo)
	s.Issuer, s.DemoURL = own.url(), demo.url()

	c, err := o.config(s.Issuer)
	if err != nil {
		return err // before a folder is made
	}
	for _, weak := range c.WeakSecrets() {
		o.Log.Warn("a deployment will refuse a secret", "err", weak)
	}
	if s.store, err = openStore(ctx, o.Data); err != nil {
		return err
	}
	b := &builder{Options: o, issuer: s.Issuer, store: s.store, demoURL: s.DemoURL}
	provider, err := b.start(ctx)
	if err != nil {
		return err
	}
	a, handler, err := b.assemble(ctx, nil)
	if err != nil {
		return err
	}
	s.describe(a)
	api := &current{}
	api.handler.Store(&handler)
	watching, stop := context.WithCancel(ctx)
	s.stopWatching = stop
	s.watching.Go(func() { b.watch(watching, a, api) })
	for i, handler := range []http.Handler{api, provider} {
		srv := newServer(handler)
		s.servers = append(s.servers, srv)
		s.addresses[i].serve(srv)
	}
	return nil
}

// describe tells what an assembly has.
func (s *Server) describe(a *assembly) {
	s.Audience, s.Findings = a.config.Audience, a.findings()
	for _, p := range a.own {
		s.Providers = append(s.Providers, p.Name)
	}
	if a.running != nil {
		s.Functions = a.running.Names()
	}
	if a.team.REST != nil {
		s.REST = s.Issuer + "/" + a.team.Stage
	}
	if a.team.WebSocket != nil {
		s.WebSocket = "ws" + strings.TrimPrefix(s.Issuer, "http") + "/" + a.team.Stage
	}
}

// config reads gatehouse.yml for the issuer that this run has.
func (o Options) config(issuer string) (*config.Config, error) {
	return ReadConfig(o.Config, issuer, o.Getenv)
}

// ReadConfig reads the gatehouse.yml at path as a run at issuer does: with path
// "" it is the one in this folder or, where there is none, the built-in one.
func ReadConfig(path, issuer string, lookup func(string) string) (*config.Config, error) {
	getenv := func(name string) string {
		switch name {
		case "GATEHOUSE_ISSUER":
			return issuer
		case "GATEHOUSE_AUDIENCE": // of a deployment; its file may say another
			return ""
		}
		return lookup(name)
	}
	name, text, err := readOr(path, "gatehouse.yml", "--config")
	if err != nil {
		return nil, err
	}
	c, err := config.Parse(name, text, getenv)
	if err != nil {
		return nil, counted(name, err)
	}
	return c, nil
}

// counted says above mistakes how many there are. Other errors stay as they are.
func counted(name string, err error) error {
	mistakes, ok := errors.AsType[config.Mistakes](err)
	switch {
	case !ok:
		return err
	case len(mistakes) == 1:
		return fmt.Errorf("%s has 1 mistake:\n%w", name, mistakes)
	}
	return fmt.Errorf("%s has %d mistakes:\n%w", name, len(mistakes), mistakes)
}

// grace is how long requests under way may take when the server stops.
const grace = 2 * time.Second

// Close stops serving, lets requests under way end, and deletes what was for
// this run alone.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for _, srv := range s.servers {
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
	}
	if s.stopWatching != nil {
		s.stopWatching()
		s.watching.Wait()
	}
	for _, a := range s.addresses {
		a.close() // those that no server took over
	}
	if s.store == nil {
		return nil
	}
	return s.store.close()
}
