package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/lambdazip"
)

type packageCommand struct {
	Root   string `default:"." type:"existingdir" placeholder:"DIR" help:"The folder of the module, with gatehouse.yml (${default})."`
	Out    string `default:"dist" placeholder:"DIR" help:"Where the zips go: NAME.zip for each Lambda main under cmd and examples (${default})."`
	Arch   string `default:"arm64" enum:"arm64,amd64" help:"What they run on: ${enum} (${default})."`
	Output string `short:"o" default:"text" enum:"text,json" help:"Print the zips as text or as json."`
}

// Run builds the zips.
func (c *packageCommand) Run(w *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	artifacts, err := lambdazip.Package(ctx, c.Root, c.Out, c.Arch)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return json.NewEncoder(w.stdout).Encode(artifacts)
	}
	for _, a := range artifacts {
		fmt.Fprintf(w.stdout, "%-24s %.1f MB\n", a.Path, float64(a.Size)/1e6)
	}
	return nil
}
