package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/smoke"
	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
	"github.com/gatehouse-auth/gatehouse/internal/env"
)

type smokeCommand struct {
	URL  string `arg:"" optional:"" help:"The issuer of the stack that runs."`
	Info string `placeholder:"FILE" help:"Take the issuer from what osls info --verbose prints; - is standard input."`
	As   string `placeholder:"NAME" help:"Who signs in at the demo provider of gatehouse dev: lin. Elsewhere, GATEHOUSE_TOKEN holds an access token of somebody who is no admin."`
	stageFlags
	Audience string `placeholder:"NAME" help:"The audience of access tokens (the issuer followed by /api)."`
	outputFlag
}

// Run tries the stack. A step that fails is an error.
func (c *smokeCommand) Run(w *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	getenv, _, err := c.getenv(w)
	if err != nil {
		return err
	}
	if c.URL == "" && c.Info == "" && c.Stage+c.Env != "" {
		c.URL = getenv("GATEHOUSE_ISSUER")
	}
	if err := c.find(); err != nil {
		return err
	}
	c.URL = strings.TrimRight(c.URL, "/") // as it is copied out of a browser
	if err := env.CheckURL(c.URL); err != nil {
		return err
	}
	config := smoke.Config{URL: c.URL, Audience: cmp.Or(c.Audience, getenv("GATEHOUSE_AUDIENCE")), Token: getenv("GATEHOUSE_TOKEN")}
	if c.As != "" {
		tokens, err := signin.Do(ctx, signin.Request{URL: c.URL, User: c.As, ClientID: "demo-spa"})
		if err != nil {
			return err
		}
		config.Token = tokens.AccessToken
	}
	steps := smoke.Run(ctx, config)
	failed, skipped := 0, 0
	for _, s := range steps {
		if s.Failure != "" {
			failed++
		}
		if s.Skipped {
			skipped++
		}
		if !c.json() {
			fmt.Fprintln(w.stdout, s)
		}
	}
	if !c.json() && skipped > 0 {
		fmt.Fprintf(w.stdout, "%d steps want an access token of somebody who is no admin: set GATEHOUSE_TOKEN or, for %s dev, say --as lin\n", skipped, w.self)
	}
	if c.json() {
		if err := w.printJSON(itemsOf(steps)); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d steps failed", failed, len(steps))
	}
	return nil
}

// find sets the issuer, if it is to be read.
func (c *smokeCommand) find() error {
	switch {
	case (c.URL == "") == (c.Info == ""):
		return usageError("which stack? Say its issuer, --info, or --stage with GATEHOUSE_ISSUER in its file")
	case c.URL != "":
		return nil
	}
	in := os.Stdin
	if c.Info != "-" {
		f, err := os.Open(c.Info)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	var err error
	c.URL, err = smoke.IssuerOf(in)
	return err
}
