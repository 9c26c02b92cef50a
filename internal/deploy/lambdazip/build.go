// Package lambdazip builds Go programs into the zips that AWS Lambda runs as
// provided.al2023. The same sources and the same Go give the same bytes, so that
// a function that did not change is not deployed again.
package lambdazip

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Config says what to build.
type Config struct {
	Root string // the folder of the module
	Out  string // the folder for the zips, made if need be: NAME.zip for each function
	Arch string // GOARCH; "" is arm64

	// Files returns what else goes into a function's zip, by the function's
	// name; nil is nothing.
	Files func(function string) ([]File, error)

	flags string // GOFLAGS
}

// Artifact is a zip that was built.
type Artifact struct {
	Function string `json:"function"`
	Path     string `json:"path"`
	Size     int64  `json:"size"` // bytes
}

// Build finds every function and writes its zip. It needs the go command.
func Build(ctx context.Context, cfg Config) ([]Artifact, error) {
	if cfg.Arch == "" {
		cfg.Arch = "arm64"
	}
	functions, err := find(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if len(functions) == 0 {
		return nil, errors.New("no Lambda function under cmd, examples or functions")
	}
	binaries, err := os.MkdirTemp("", "lambdazip")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(binaries)
	if err := compile(ctx, cfg, functions, binaries); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Out, 0o755); err != nil {
		return nil, err
	}
	var artifacts []Artifact
	for _, f := range functions {
		a, err := pack(cfg, f.name(), filepath.Join(binaries, f.name()))
		if err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.name(), err)
		}
		artifacts = append(artifacts, a)
	}
	return artifacts, nil
}

// pack writes the zip of one function.
func pack(cfg Config, name, binary string) (Artifact, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return Artifact{}, err
	}
	files := []File{{Name: "bootstrap", Data: program, Executable: true}}
	if cfg.Files != nil {
		more, err := cfg.Files(name)
		if err != nil {
			return Artifact{}, err
		}
		files = append(files, more...)
	}
	packed, err := Zip(files)
	if err != nil {
		return Artifact{}, err
	}
	a := Artifact{Function: name, Path: filepath.Join(cfg.Out, name+".zip"), Size: int64(len(packed))}
	return a, os.WriteFile(a.Path, packed, 0o644)
}
