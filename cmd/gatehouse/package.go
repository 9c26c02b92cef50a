package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/lambdazip"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/plain"
)

type packageCommand struct {
	All        packageAllCommand        `cmd:"" default:"withargs" help:"Build the zips of every Lambda main under cmd, examples and functions of this module (the default)."`
	Authorizer packageAuthorizerCommand `cmd:"" help:"Build authorizer.zip for an API of yours: with the rules of gatehouse.yml, for any deployment tool."`
	Login      packageLoginCommand      `cmd:"" help:"Build the zips of the login stack and write its CloudFormation template, for any deployment tool."`
}

// goarch is the architecture as Go names it, by the names of Go and of AWS.
var goarch = map[string]string{"arm64": "arm64", "amd64": "amd64", "x86_64": "amd64"}

type packageAllCommand struct {
	Root string `default:"." type:"existingdir" placeholder:"DIR" help:"The folder of the module, with gatehouse.yml (${default})."`
	Out  string `default:"dist" placeholder:"DIR" help:"Where the zips go: NAME.zip for each Lambda main under cmd, examples and functions (${default})."`
	Arch string `default:"arm64" enum:"arm64,amd64,x86_64" help:"What they run on: ${enum} (${default})."`
	outputFlag
}

// Run builds the zips.
func (c *packageAllCommand) Run(w *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	artifacts, err := lambdazip.Package(ctx, c.Root, c.Out, goarch[c.Arch])
	if err != nil {
		return err
	}
	return printArtifacts(w, c.json(), artifacts)
}

type packageAuthorizerCommand struct {
	Config string `default:"gatehouse.yml" placeholder:"FILE" help:"The configuration, with issuer, audience and routes (${default})."`
	Out    string `default:"dist" placeholder:"DIR" help:"Where authorizer.zip goes (${default})."`
	Arch   string `default:"arm64" enum:"arm64,amd64,x86_64" help:"What the function runs on: ${enum} (${default})."`
	Source string `default:"." type:"existingdir" placeholder:"DIR" help:"A folder whose Go module is Gatehouse or requires it. Elsewhere the module proxy is asked for the version of this program (${default})."`
	stageFlags
	Offline bool `help:"Do not fetch the issuer's keys: the function then does so at its first request."`
	outputFlag
}

// Run builds the zip.
func (c *packageAuthorizerCommand) Run(w *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	getenv, _, err := c.getenv(w)
	if err != nil {
		return err
	}
	in := lambdazip.AuthorizerConfig{
		Source: lambdazip.Source{Root: c.Source, Version: version().Version},
		Config: c.Config, Out: c.Out, Arch: goarch[c.Arch], Getenv: getenv,
	}
	if !c.Offline {
		in.Keys = http.DefaultClient
	}
	a, without, err := lambdazip.Authorizer(ctx, in)
	if err != nil {
		return err
	}
	if without != "" {
		fmt.Fprintf(w.stderr, "note: the issuer's keys are not built in, because %s; the function fetches them at its first request\n", without)
	}
	return printArtifacts(w, c.json(), []lambdazip.Artifact{a})
}

type packageLoginCommand struct {
	Config string `default:"gatehouse.yml" placeholder:"FILE" help:"The configuration (${default})."`
	Out    string `default:"dist" placeholder:"DIR" help:"Where the zips and login.template.json go (${default})."`
	Arch   string `default:"arm64" enum:"arm64,amd64,x86_64" help:"What the functions run on: ${enum} (${default})."`
	Source string `default:"." type:"existingdir" placeholder:"DIR" help:"A folder whose Go module is Gatehouse or requires it. Elsewhere the module proxy is asked for the version of this program (${default})."`
	outputFlag
}

// Run builds the zips and writes the template.
func (c *packageLoginCommand) Run(w *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	arch := goarch[c.Arch]
	text, err := plain.For(arch)
	if err != nil {
		return err
	}
	artifacts, err := lambdazip.Login(ctx, lambdazip.Source{Root: c.Source, Version: version().Version}, c.Config, c.Out, arch)
	if err != nil {
		return err
	}
	retained, err := plain.Retained()
	if err != nil {
		return err
	}
	for _, template := range []struct {
		function, file string
		text           []byte
	}{{"template", "login.template.json", text}, {"retained", "retained.template.json", retained}} {
		path := filepath.Join(c.Out, template.file)
		if err := os.WriteFile(path, template.text, 0o644); err != nil {
			return err
		}
		artifacts = append(artifacts, lambdazip.Artifact{Function: template.function, Path: path, Size: int64(len(template.text))})
	}
	return printArtifacts(w, c.json(), artifacts)
}

func printArtifacts(w *process, json bool, artifacts []lambdazip.Artifact) error {
	if json {
		return w.printJSON(itemsOf(artifacts))
	}
	for _, a := range artifacts {
		fmt.Fprintf(w.stdout, "%-24s %.1f MB\n", a.Path, float64(a.Size)/1e6)
	}
	return nil
}
