// Release builds what a release consists of: the command for each platform, the zips and
// templates of the login stack, the list of what is linked in (CycloneDX), its licenses,
// and checksums. The same sources, version and Go give the same bytes. It publishes
// nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/lambdazip"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/plain"
)

var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

var semantic = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

func main() {
	version := flag.String("version", "", "the version, such as v0.2.0")
	out := flag.String("out", "dist/release", "the folder, which must be empty or missing")
	only := flag.String("platform", "", "build the command for this platform alone, such as linux/amd64, and no zips")
	flag.Parse()
	if err := build(context.Background(), *version, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func build(ctx context.Context, version, out, only string) error {
	if !semantic.MatchString(version) {
		return fmt.Errorf("-version %q: want one such as v0.2.0", version)
	}
	if entries, err := os.ReadDir(out); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty", out)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	targets := platforms
	if only != "" {
		targets = []string{only}
	}
	var programs []string
	for _, platform := range targets {
		path, err := command(ctx, version, out, platform)
		if err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
		programs = append(programs, path)
	}
	if only == "" {
		for _, arch := range []string{"arm64", "amd64"} {
			zips, err := login(ctx, filepath.Join(out, "login_"+arch), arch)
			if err != nil {
				return err
			}
			programs = append(programs, zips...)
		}
	}
	linked, err := linkedInto(programs)
	if err != nil {
		return err
	}
	return errors.Join(
		write(out, "sbom.cdx.json", bom(version, linked)),
		write(out, "LICENSES.txt", licenses(ctx, linked)),
		checksums(out),
	)
}

// command builds cmd/gatehouse for a platform, and returns its path.
func command(ctx context.Context, version, out, platform string) (string, error) {
	system, arch, ok := strings.Cut(platform, "/")
	if !ok {
		return "", errors.New("want a platform such as linux/amd64")
	}
	path := filepath.Join(out, fmt.Sprintf("gatehouse_%s_%s_%s", version, system, arch))
	if system == "windows" {
		path += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid= -X main.released="+version, "-o", path, "./cmd/gatehouse")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch, "GOFLAGS=-mod=readonly", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOWORK=off")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", err
	}
	return path, os.Chmod(path, 0o755)
}

// login writes the zips of the login stack with the gatehouse.yml of this folder, and its
// template. It returns the paths of the zips.
func login(ctx context.Context, out, arch string) (zips []string, err error) {
	artifacts, err := lambdazip.Login(ctx, lambdazip.Source{Root: "."}, "gatehouse.yml", out, arch)
	if err != nil {
		return nil, err
	}
	for _, a := range artifacts {
		zips = append(zips, a.Path)
	}
	text, err := plain.For(arch)
	return zips, errors.Join(err, write(out, "login.template.json", func() ([]byte, error) { return text, nil }))
}

func write(dir, name string, make func() ([]byte, error)) error {
	text, err := make()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(filepath.Join(dir, name), text, 0o644)
}
