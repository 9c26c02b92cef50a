package lambdazip

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// module is where our programs are.
const module = "github.com/gatehouse-auth/gatehouse"

// Source says where the source of Gatehouse is.
type Source struct {
	Root    string // a folder whose module is Gatehouse, or requires it
	Version string // else this version, such as "v0.2.0"; "" or "(devel)": none
}

// Program builds one of our programs, by its name under cmd, with more files, and
// writes NAME.zip into out. The module of Source.Root is asked first, because its
// go.mod names the version that the team has; otherwise the module proxy is.
func Program(ctx context.Context, source Source, name, out, arch string, files []File) (Artifact, error) {
	pkg := module + "/cmd/" + name
	binaries, err := os.MkdirTemp("", "lambdazip")
	if err != nil {
		return Artifact{}, err
	}
	defer os.RemoveAll(binaries)
	cfg := Config{Root: source.Root, Out: out, Arch: arch, Files: func(string) ([]File, error) { return files, nil }}
	if _, err := run(ctx, cfg, "list", "-deps", "-tags", tags, pkg); err != nil {
		if !strings.HasPrefix(source.Version, "v") {
			return Artifact{}, errors.New("the source of Gatehouse is not here: name the folder of a checkout with --source DIR, or use a released gatehouse")
		}
		if cfg.Root, err = requiring(source.Version); err != nil {
			return Artifact{}, err
		}
		defer os.RemoveAll(cfg.Root)
		cfg.flags = "-mod=mod"
	}
	if err := compile(ctx, cfg, []function{{ImportPath: pkg}}, binaries); err != nil {
		return Artifact{}, fmt.Errorf("building %s: %w", name, err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return Artifact{}, err
	}
	return pack(cfg, name, filepath.Join(binaries, path.Base(pkg)))
}

// requiring returns a new folder with a module that requires a version of Gatehouse.
func requiring(version string) (string, error) {
	dir, err := os.MkdirTemp("", "gatehouse")
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("module build\n\ngo 1.26\n\nrequire %s %s\n", module, version)
	return dir, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644)
}
