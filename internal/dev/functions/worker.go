package functions

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/project"
	"github.com/gatehouse-auth/gatehouse/internal/dev/runtime"
)

// buildTags leave the runtime of go1.x out, which Lambda has no more.
const buildTags = "lambda.norpc"

//go:embed node.mjs
var nodeRuntime []byte

// worker is one function: its code, its last build and its processes.
type worker struct {
	project.Function
	dir    string // of the code, and where it runs
	file   string // of a Node handler; "" of Go
	binary string // what is built; "" of Node
	env    map[string]string
	lines  *lineWriter
	ctx    context.Context // ends with the set

	slots chan struct{} // one for each build that can run at once

	turn    chan struct{} // holds one token: who has it can build
	built   bool
	current *runtime.Function
	failure error                    // why the last build failed
	files   atomic.Pointer[snapshot] // of the last build
	listing sync.WaitGroup
}

func newWorker(ctx context.Context, cfg Config, f project.Function, lines *lineWriter, slots chan struct{}) (*worker, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	w := &worker{Function: f, lines: lines, ctx: ctx, slots: slots, env: maps.Clone(cfg.Env), turn: make(chan struct{}, 1)}
	if w.env == nil {
		w.env = map[string]string{}
	}
	maps.Copy(w.env, f.Env)
	w.turn <- struct{}{}
	switch {
	case strings.HasPrefix(f.Runtime, "nodejs"):
		if w.dir, w.file, err = nodeFile(f, dir, cfg.Folders[f.Name]); err != nil {
			return nil, err
		}
		if _, err := exec.LookPath("node"); err != nil {
			return nil, fmt.Errorf("function %s: %s needs node on the PATH", f.Name, f.Runtime)
		}
		return w, nil
	case strings.HasPrefix(f.Runtime, "provided") || strings.HasPrefix(f.Runtime, "go"):
		if w.dir, err = mainPackage(f, dir, cfg.Folders[f.Name]); err != nil {
			return nil, err
		}
		if _, err := exec.LookPath("go"); err != nil {
			return nil, fmt.Errorf("function %s: building it needs go on the PATH", f.Name)
		}
		sum := sha256.Sum256([]byte(w.dir))
		w.binary = filepath.Join(cfg.Cache, hex.EncodeToString(sum[:8]), "bootstrap")
		return w, os.MkdirAll(filepath.Dir(w.binary), 0o755)
	}
	return nil, fmt.Errorf("function %s: runtime %q is not run here: run it yourself, with --upstream", f.Name, f.Runtime)
}

// watch rebuilds when a file has changed, until the set ends.
func (w *worker) watch(ctx context.Context) {
	for {
		w.ready(ctx)
		select {
		case <-time.After(watchEvery):
		case <-ctx.Done():
			return
		}
	}
}

// ready returns the function as its files say now, built if need be.
func (w *worker) ready(ctx context.Context) (*runtime.Function, error) {
	select {
	case <-w.turn:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-w.ctx.Done():
		return nil, errors.New("gatehouse dev is stopping")
	}
	defer func() { w.turn <- struct{}{} }()
	if !w.built || w.files.Load().changed() {
		w.build()
	}
	return w.current, w.failure
}

// build makes the program, starts with new processes, and remembers the files.
// It goes on when the caller that wanted it goes away.
func (w *worker) build() {
	started, before := time.Now(), stateOf(w.binary)
	out, err := w.compile()
	if w.ctx.Err() != nil {
		w.failure = errors.New("gatehouse dev is stopping")
		return
	}
	first := !w.built
	w.built = true
	w.listing.Wait()
	w.files.Store(w.glance(started)) // until all files are listed
	w.listing.Go(func() { w.files.Store(w.look(started)) })
	switch {
	case err != nil:
		w.drain()
		w.failure = fmt.Errorf("%s does not build: see the log of gatehouse dev", w.Name)
		w.lines.line(w.Name, "does not build:\n"+out)
		return
	case w.current != nil && w.binary != "" && stateOf(w.binary) == before:
		return // the same program
	}
	w.drain()
	w.failure, w.current = nil, runtime.New(w.config())
	if took := time.Since(started); first && took > time.Second {
		w.lines.line(w.Name, fmt.Sprintf("built in %.1f s", took.Seconds()))
	} else if !first {
		w.lines.line(w.Name, fmt.Sprintf("rebuilt in %.1f s", took.Seconds()))
	}
}

func (w *worker) drain() {
	if w.current != nil {
		w.current.Drain()
		w.current = nil
	}
}

// compile builds a Go program. What the go command says is for people.
func (w *worker) compile() (string, error) {
	if w.binary == "" {
		return "", nil
	}
	w.slots <- struct{}{}
	defer func() { <-w.slots }()
	cmd := exec.CommandContext(w.ctx, "go", "build", "-tags", buildTags, "-ldflags=-s -w", "-o", w.binary, ".")
	cmd.Dir = w.dir
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		out = []byte(err.Error())
	}
	return string(out), err
}

// look lists the files of the build that started at an instant.
func (w *worker) look(started time.Time) *snapshot {
	var paths []string
	var err error
	if w.binary == "" {
		paths, err = scripts(w.dir)
	} else {
		paths, err = sources(w.ctx, w.dir)
	}
	if err != nil {
		return w.glance(started)
	}
	files := take(paths, started)
	return &files
}

// glance is what look finds without asking the go command: the files of the last
// build, and those in the folder of the function.
func (w *worker) glance(started time.Time) *snapshot {
	paths, _ := filepath.Glob(filepath.Join(w.dir, "*.go"))
	paths = append(paths, w.dir, filepath.Join(moduleRoot(w.dir), "go.mod"))
	if w.binary == "" {
		paths = []string{w.file}
	}
	if last := w.files.Load(); last != nil {
		paths = slices.AppendSeq(paths, maps.Keys(*last))
	}
	files := take(paths, started)
	return &files
}

func (w *worker) config() runtime.Config {
	c := runtime.Config{Name: w.Name, Root: w.dir, Env: w.env, Timeout: w.Timeout, Memory: w.Memory, Handler: w.Handler, Log: w.lines.of(w.Name)}
	if w.binary != "" {
		c.Command = []string{w.binary}
		return c
	}
	_, export, _ := cutLast(w.Handler, ".")
	c.Command = []string{"node", "--input-type=module", "--eval", string(nodeRuntime), "--", w.file, export}
	return c
}

// invoke sends the function an event. What goes wrong is also a line in the log.
func (w *worker) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	f, err := w.ready(ctx)
	if err != nil {
		return nil, err
	}
	out, err := f.Invoke(ctx, payload)
	if errors.Is(err, runtime.ErrClosed) { // rebuilt meanwhile
		if f, err = w.ready(ctx); err == nil {
			out, err = f.Invoke(ctx, payload)
		}
	}
	if err != nil && ctx.Err() == nil {
		w.lines.line(w.Name, "failed: "+err.Error())
	}
	return out, err
}

func (w *worker) close() {
	<-w.turn // builds have ended
	w.listing.Wait()
	if w.current != nil {
		w.current.Close()
	}
}
