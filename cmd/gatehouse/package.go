package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/lambdazip"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
)

type packageCommand struct {
	Root   string `default:"." type:"existingdir" placeholder:"DIR" help:"The folder of the module, with gatehouse.yml (${default})."`
	Out    string `default:"dist" placeholder:"DIR" help:"Where the zips go: NAME.zip for each Lambda main under cmd and examples (${default})."`
	Arch   string `default:"arm64" enum:"arm64,amd64" help:"What they run on: ${enum} (${default})."`
	Output string `short:"o" default:"text" enum:"text,json" help:"Print the zips as text or as json."`
}

// Run builds the zips.
func (c *packageCommand) Run(w *world) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	files, err := c.files()
	if err != nil {
		return err
	}
	artifacts, err := lambdazip.Build(ctx, lambdazip.Config{
		Root: c.Root, Out: c.Out, Arch: c.Arch,
		Files: func(function string) ([]lambdazip.File, error) { return files[function], nil },
	})
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

// files returns what goes into the zips beside the programs. The authorizer is
// given the compiled route rules, because it runs on every request and parses no
// YAML; both who verifies and who publishes, the keys that `gatehouse keys
// export > jwks.json` has written, if that was done.
func (c *packageCommand) files() (map[string][]lambdazip.File, error) {
	path := filepath.Join(c.Root, "gatehouse.yml")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse(path, text, deployed)
	if err != nil {
		return nil, err
	}
	rules, err := policy.Compile(cfg.Routes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	compiled, err := json.Marshal(rules)
	if err != nil {
		return nil, fmt.Errorf("compiling the route rules: %w", err)
	}
	published, err := c.published()
	if err != nil {
		return nil, err
	}
	configuration := []lambdazip.File{{Name: "gatehouse.yml", Data: text}}
	return map[string][]lambdazip.File{
		"authorizer": append([]lambdazip.File{{Name: "policy.json", Data: compiled}}, published...),
		"loginsvc":   slices.Concat(configuration, published),
		"usersvc":    configuration,
	}, nil
}

// published returns the exported keys, if there are any. They are public.
func (c *packageCommand) published() ([]lambdazip.File, error) {
	path := filepath.Join(c.Root, "jwks.json")
	document, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		_, err = jwks.Parse(document)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: delete it, or make it anew with: gatehouse keys export > jwks.json", path, err)
	}
	return []lambdazip.File{{Name: "jwks.json", Data: document}}, nil
}

// deployed stands for the variables of a stack that is still to be: its issuer
// is some https address, and its secrets are not known here.
func deployed(name string) string {
	if name == "GATEHOUSE_ISSUER" {
		return "https://issuer.invalid"
	}
	return ""
}
