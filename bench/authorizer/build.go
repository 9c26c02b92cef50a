package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/lambdazip"
)

// build makes a folder for each function, as Lambda unpacks its zip, and returns
// the size of the authorizer's zip for arm64. The files go beside the programs.
func build(ctx context.Context, folder string, files []lambdazip.File) (int, error) {
	for _, name := range []string{"authorizer", "empty", "node"} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o755); err != nil {
			return 0, err
		}
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(folder, name, f.Name), f.Data, 0o600); err != nil {
				return 0, err
			}
		}
	}
	const authorizer = "github.com/gatehouse-auth/gatehouse/cmd/authorizer"
	if err := goBuild(ctx, "amd64", authorizer, filepath.Join(folder, "authorizer", "bootstrap")); err != nil {
		return 0, err
	}
	if err := goBuild(ctx, "amd64", "./authorizer/empty", filepath.Join(folder, "empty", "bootstrap")); err != nil {
		return 0, err
	}
	if err := bundle(ctx, filepath.Join(folder, "node", "bootstrap")); err != nil {
		return 0, err
	}
	forARM := filepath.Join(folder, "arm64")
	if err := goBuild(ctx, "arm64", authorizer, forARM); err != nil {
		return 0, err
	}
	program, err := os.ReadFile(forARM)
	if err != nil {
		return 0, err
	}
	zip, err := lambdazip.Zip(append(files, lambdazip.File{Name: "bootstrap", Data: program, Executable: true}))
	return len(zip), err
}

// goBuild compiles a program with the flags of package lambdazip.
func goBuild(ctx context.Context, arch, importPath, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc",
		"-ldflags", "-s -w -buildid=", "-o", out, importPath)
	cmd.Env = append(cmd.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
	return tell(cmd)
}

// bundle makes one file of the program in Node, and lets it be run.
func bundle(ctx context.Context, out string) error {
	const sources = "authorizer/node"
	cmd := exec.CommandContext(ctx, filepath.Join(sources, "node_modules/.bin/esbuild"), filepath.Join(sources, "bootstrap.js"),
		"--bundle", "--platform=node", "--target=node20", "--minify", "--log-level=warning",
		"--banner:js=#!/usr/bin/env node", "--outfile="+out)
	if err := tell(cmd); err != nil {
		return fmt.Errorf("run npm ci in bench/%s: %w", sources, err)
	}
	return os.Chmod(out, 0o755)
}

// tell runs cmd. Its error is what it says.
func tell(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, out)
	}
	return nil
}
