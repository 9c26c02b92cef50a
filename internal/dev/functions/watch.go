package functions

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// snapshot is what the files of a build looked like.
type snapshot map[string]fileState

type fileState struct {
	modified time.Time // zero: not there
	size     int64
}

func stateOf(path string) fileState {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}
	}
	if info.IsDir() {
		return fileState{info.ModTime(), 0}
	}
	return fileState{info.ModTime(), info.Size()}
}

// changed tells whether any of the files is different now.
func (s snapshot) changed() bool {
	for path, was := range s {
		if stateOf(path) != was {
			return true
		}
	}
	return false
}

// sources returns the files and folders that a build of the main package in dir
// reads of the team's modules. Folders are among them, so that a new file counts.
func sources(ctx context.Context, dir string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-e", "-tags", buildTags, "-json=Dir,GoFiles,CgoFiles,EmbedFiles,IgnoredGoFiles,Standard,Module", ".")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	paths := []string{dir, filepath.Join(moduleRoot(dir), "go.mod"), filepath.Join(moduleRoot(dir), "go.sum"), filepath.Join(moduleRoot(dir), "go.work")}
	for in := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Dir                                           string
			GoFiles, CgoFiles, EmbedFiles, IgnoredGoFiles []string
			Standard                                      bool
			Module                                        *struct {
				Main    bool
				Replace *struct{ Version string }
			}
		}
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			return paths, nil
		} else if err != nil {
			return nil, err
		}
		local := p.Module == nil || p.Module.Main || p.Module.Replace != nil && p.Module.Replace.Version == ""
		if p.Standard || !local || p.Dir == "" {
			continue
		}
		paths = append(paths, p.Dir)
		for _, files := range [][]string{p.GoFiles, p.CgoFiles, p.EmbedFiles, p.IgnoredGoFiles} {
			for _, file := range files {
				paths = append(paths, filepath.Join(p.Dir, file))
			}
		}
	}
}

// scripts returns the JavaScript files and folders below dir.
func scripts(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && skipped(d.Name()):
			return fs.SkipDir
		case d.IsDir(), strings.HasSuffix(path, ".js"), strings.HasSuffix(path, ".mjs"), strings.HasSuffix(path, ".cjs"), strings.HasSuffix(path, ".json"):
			paths = append(paths, path)
		}
		return nil
	})
	return paths, err
}

// take returns what the files look like. One that was modified after since has
// changed under the build: it counts as changed at the next look.
func take(paths []string, since time.Time) snapshot {
	s := make(snapshot, len(paths))
	for _, path := range paths {
		s[path] = stateOf(path)
		if s[path].modified.After(since) {
			s[path] = fileState{modified: time.Unix(0, 1)}
		}
	}
	return s
}
