package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/env"
)

type devCommand struct {
	Addr     string `default:"localhost:8787" placeholder:"HOST:PORT" help:"Where Gatehouse is served: localhost, an address of 127.0.0.0/8, or ::1 (${default})."`
	DemoAddr string `default:"127.0.0.1:8788" placeholder:"HOST:PORT" help:"Where the demo provider is served; the same addresses (${default})."`
	Data     string `placeholder:"DIR" help:"Keep users, sessions and the signing key in this folder. Without it they are gone at the end."`
	Upstream string `placeholder:"URL" help:"Your own API: whatever is not Gatehouse's goes there, behind the authorizer, with X-Gatehouse-* headers that say who calls."`
	Env      string `placeholder:"FILE" help:"Read variables from this file: the client id and secret of Google, for example."`
	Config   string `placeholder:"FILE" help:"The configuration (gatehouse.yml here; where there is none, the built-in one)."`
	Template string `placeholder:"FILE" help:"Routes, authorizers and functions: a serverless.yml, or a CloudFormation or SAM template (serverless.yml here; where there is none, the built-in one)."`

	Function map[string]string `placeholder:"NAME=DIR" help:"Where the code of a function of the template is, if it is not found; repeat for others."`
	Stage    string            `help:"The stage of the template's variables and of its REST and WebSocket APIs."`

	CORSOnRefusals       bool `name:"cors-on-refusals" default:"true" negatable:"" group:"Where sources about API Gateway disagree:" help:"Put CORS headers on what the gateway answers itself (401, 403, 404, 5xx)."`
	TrailingSlash        bool `group:"Where sources about API Gateway disagree:" help:"Let /a/ reach the route of /a."`
	RemapWWWAuthenticate bool `name:"remap-www-authenticate" group:"Where sources about API Gateway disagree:" help:"Rename WWW-Authenticate of functions to X-Amzn-Remapped-Www-Authenticate."`

	Log string `default:"text" enum:"text,json" help:"One line for each request, for people (text) or machines (json), on stderr."`
	outputFlag
}

// Run serves until a signal stops it.
func (c *devCommand) Run(w *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	getenv, err := withFile(w.getenv, c.Env)
	if err != nil {
		return err
	}
	log, observe := c.logging(w)
	server, err := server.Start(ctx, server.Options{
		Addr: c.Addr, DemoAddr: c.DemoAddr, Data: c.Data, Upstream: c.Upstream, Config: c.Config, Template: c.Template,
		Getenv: getenv, EnvFile: c.Env, Log: log, Observe: observe, Functions: c.Function, Stage: c.Stage, Output: w.stderr,
		Switches: gateway.Switches{NoCORSOnRefusals: !c.CORSOnRefusals, TrailingSlash: c.TrailingSlash, RemapWWWAuthenticate: c.RemapWWWAuthenticate},
	})
	if err != nil {
		return err
	}
	err = c.tell(w, server, time.Since(w.started))
	if err == nil {
		<-ctx.Done()
	}
	stop() // a second Ctrl-C ends the process at once
	if closeErr := server.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (c *devCommand) tell(w *process, s *server.Server, took time.Duration) error {
	b := newBanner(c, w, s, took)
	if c.json() {
		return b.writeJSON(w.stdout)
	}
	return b.writeText(w.stdout, w.colour)
}

// withFile returns getenv extended by the variables of a file; those of the
// process go first.
func withFile(getenv func(string) string, path string) (func(string) string, error) {
	if path == "" {
		return getenv, nil
	}
	file, err := env.ReadFile(path, getenv)
	if err != nil {
		return nil, fmt.Errorf("--env: %w", err)
	}
	return func(name string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return file[name]
	}, nil
}

// logging returns where the server writes, and what it calls for each request.
func (c *devCommand) logging(w *process) (*slog.Logger, func(gateway.Exchange)) {
	if c.Log == "json" {
		log := slog.New(slog.NewJSONHandler(w.stderr, nil))
		return log, func(x gateway.Exchange) {
			level := slog.LevelInfo
			if x.Status >= 500 {
				level = slog.LevelError
			}
			log.LogAttrs(context.Background(), level, "request", slog.Any("", x))
		}
	}
	log := slog.New(slog.NewTextHandler(w.stderr, nil))
	return log, func(x gateway.Exchange) { fmt.Fprintln(w.stderr, x) }
}
