// Package functions builds and runs a team's own Lambda functions for `gatehouse
// dev`: Go programs and Node handlers, each under a Runtime API, rebuilt when a
// file of theirs changes.
package functions

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/project"
)

// Config says what to run.
type Config struct {
	Dir       string             // of the template
	Functions []project.Function // those to run
	Folders   map[string]string  // by function: where its code is; the rest is looked for
	Env       map[string]string  // what every function has beside its own, which wins
	Cache     string             // a folder for built programs, made if need be
	// Log takes lines for people: what functions print, and what becomes of
	// builds. It must not be nil.
	Log io.Writer
}

// Set is the functions of a project while they run. It is safe for concurrent use.
type Set struct {
	workers map[string]*worker
	cancel  context.CancelFunc
	watched sync.WaitGroup
}

// watchEvery is how often files are looked at.
const watchEvery = 250 * time.Millisecond

// buildsAtOnce bounds memory: a link takes some hundred MB.
const buildsAtOnce = 2

// New starts to build the functions and returns at once. What cannot be run is
// in notes, for people; calls of it find no function.
func New(cfg Config) (set *Set, notes []string, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Set{workers: map[string]*worker{}, cancel: cancel}
	out, slots := &lineWriter{out: cfg.Log}, make(chan struct{}, buildsAtOnce)
	for name := range cfg.Folders {
		if !slices.ContainsFunc(cfg.Functions, func(f project.Function) bool { return f.Name == name }) {
			cancel()
			return nil, nil, fmt.Errorf("--function %s: the template has no function of this name that dev runs", name)
		}
	}
	for _, f := range cfg.Functions {
		w, err := newWorker(ctx, cfg, f, out, slots)
		if err != nil {
			notes = append(notes, err.Error())
			continue
		}
		s.workers[f.Name] = w
	}
	for _, name := range slices.Sorted(maps.Keys(s.workers)) {
		s.watched.Go(func() { s.workers[name].watch(ctx) })
	}
	return s, notes, nil
}

// Has tells whether a function is run.
func (s *Set) Has(name string) bool { return s.workers[name] != nil }

// Names returns the functions that are run, sorted.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.workers)) }

// Ready waits until a function is built from what its files say now. Its error is
// for people: the function does not build.
func (s *Set) Ready(ctx context.Context, name string) error {
	if w := s.workers[name]; w != nil {
		_, err := w.ready(ctx)
		return err
	}
	return nil
}

// Invoke sends a function an event.
func (s *Set) Invoke(name string) func(ctx context.Context, payload []byte) ([]byte, error) {
	w := s.workers[name]
	return func(ctx context.Context, payload []byte) ([]byte, error) { return w.invoke(ctx, payload) }
}

// Close ends all builds and processes.
func (s *Set) Close() {
	s.cancel()
	s.watched.Wait()
	for _, w := range s.workers {
		w.close()
	}
}

// lineWriter writes whole lines, each with the name of its function in front.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lineWriter) line(name, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(text) {
		fmt.Fprintf(l.out, "%s | %s\n", name, strings.TrimRight(line, "\r\n"))
	}
}

// of returns a writer for the output of one function's processes.
func (l *lineWriter) of(name string) io.Writer { return &functionWriter{lines: l, name: name} }

type functionWriter struct {
	lines *lineWriter
	name  string

	mu   sync.Mutex
	rest string // a line that has not ended
}

func (w *functionWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.rest + string(p)
	end := strings.LastIndexByte(text, '\n') + 1
	if w.rest = text[end:]; len(w.rest) > 64<<10 {
		end, w.rest = len(text), ""
	}
	if end > 0 {
		w.lines.line(w.name, text[:end])
	}
	return len(p), nil
}
