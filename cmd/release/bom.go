package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// linked are the modules in programs, by path: their versions.
type linked map[string]string

// linkedInto reads from the programs which modules are in at least one of them.
func linkedInto(programs []string) (linked, error) {
	all := linked{}
	for _, path := range programs {
		info, err := infoOf(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, module := range info.Deps {
			if module.Replace != nil {
				return nil, fmt.Errorf("%s is replaced: a release has published modules alone", module.Path)
			}
			all[module.Path] = module.Version
		}
	}
	return all, nil
}

// infoOf reads a program, or the one in a zip for Lambda.
func infoOf(path string) (*buildinfo.BuildInfo, error) {
	if filepath.Ext(path) != ".zip" {
		return buildinfo.ReadFile(path)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	f, err := z.Open("bootstrap")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	program, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return buildinfo.Read(bytes.NewReader(program))
}

const modulePath = "github.com/gatehouse-auth/gatehouse"

type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Purl    string `json:"purl"`
}

func componentOf(kind, path, version string) component {
	purl := "pkg:golang/" + path + "@" + version
	return component{kind, purl, path, version, purl}
}

// bom returns the bill of materials (CycloneDX 1.6). It has no date and no serial number,
// so that it is the same for the same build.
func bom(version string, modules linked) func() ([]byte, error) {
	components := []component{componentOf("library", "std", strings.TrimPrefix(runtime.Version(), "go"))}
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		components = append(components, componentOf("library", path, modules[path]))
	}
	return func() ([]byte, error) {
		text, err := json.MarshalIndent(map[string]any{
			"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
			"metadata":   map[string]any{"component": componentOf("application", modulePath, version)},
			"components": components,
		}, "", "  ")
		return append(text, '\n'), err
	}
}

// licenses returns the texts of all licenses and notices of the modules, of Go and of
// Gatehouse. A module without one is an error.
func licenses(ctx context.Context, modules linked) func() ([]byte, error) {
	return func() ([]byte, error) {
		dirs, err := foldersOf(ctx)
		if err != nil {
			return nil, err
		}
		dirs["std"], dirs[modulePath] = goRoot(ctx), "."
		var out bytes.Buffer
		for _, path := range append([]string{modulePath, "std"}, slices.Sorted(maps.Keys(modules))...) {
			texts, err := licensesIn(dirs[path])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			for _, text := range texts {
				fmt.Fprintf(&out, "==== %s %s\n\n%s\n", path, modules[path], bytes.TrimSpace(text))
			}
		}
		return out.Bytes(), nil
	}
}

// foldersOf returns where the source of each module is.
func foldersOf(ctx context.Context) (map[string]string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}}\t{{.Dir}}", "all").Output()
	if err != nil {
		return nil, fmt.Errorf("listing modules: %w", err)
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		dirs[path] = dir
	}
	return dirs, nil
}

func goRoot(ctx context.Context) string {
	out, _ := exec.CommandContext(ctx, "go", "env", "GOROOT").Output() // "" has no license, which is an error
	return strings.TrimSpace(string(out))
}

func licensesIn(dir string) ([][]byte, error) {
	if dir == "" {
		return nil, fmt.Errorf("its source is not here: go mod download")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var texts [][]byte
	licensed := false
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		license := strings.HasPrefix(name, "LICENSE") || strings.HasPrefix(name, "LICENCE") || strings.HasPrefix(name, "COPYING")
		if !e.Type().IsRegular() || !license && !strings.HasPrefix(name, "NOTICE") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		texts, licensed = append(texts, text), licensed || license
	}
	if !licensed {
		return nil, fmt.Errorf("no license in %s", dir)
	}
	return texts, nil
}

// checksums writes the SHA-256 of every file below dir into SHA256SUMS, as sha256sum
// reads it.
func checksums(dir string) error {
	var out strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		sum := sha256.Sum256(text)
		fmt.Fprintf(&out, "%s  %s\n", hex.EncodeToString(sum[:]), filepath.ToSlash(name))
		return err
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(out.String()), 0o644)
}
