// Package runtime runs built Lambda functions as Lambda does: the `bootstrap` of
// a zip, as a process with Lambda's environment and nothing else, that polls a
// Runtime API for its events. An environment serves one event at a time and is
// reused for the next; one that exits, or overruns its time, is replaced. Between
// events it can be frozen.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// Config says how a function is run.
type Config struct {
	Name string // "": function
	// Root is the folder with what is in the zip: `bootstrap`, and what it reads.
	Root string
	// Command is what is run instead of Root's bootstrap, in Root.
	Command []string
	Handler string // as told to the function; "": bootstrap
	// Env are the function's own variables. It has these, those of Lambda, and
	// none of this process.
	Env map[string]string

	Timeout time.Duration // of one event; 0: 15 seconds
	Memory  int           // MB, as told to the function; 0: 128
	Freeze  bool          // stop each process between events, as Lambda does

	Log io.Writer // what the processes write; nil: nobody reads it. Written to by several goroutines
}

// Function runs. Its methods are safe for concurrent use.
type Function struct {
	cfg Config

	mu     sync.Mutex
	idle   []*environment
	all    map[*environment]bool
	starts []time.Duration // how long each init took
	closed bool
}

// ErrClosed says that a function takes no more events.
var ErrClosed = errors.New("closed")

// initTimeout is how long Lambda waits for the first poll.
const initTimeout = 10 * time.Second

// New returns a function. No process is started before the first event. Close
// must be called.
func New(cfg Config) *Function {
	if cfg.Name == "" {
		cfg.Name = "function"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 15 * time.Second
	}
	if cfg.Memory == 0 {
		cfg.Memory = 128
	}
	if cfg.Handler == "" {
		cfg.Handler = "bootstrap"
	}
	if cfg.Log == nil {
		cfg.Log = io.Discard
	}
	return &Function{cfg: cfg, all: make(map[*environment]bool)}
}

// Invoke sends an event to a process that has nothing to do, or to a new one, and
// returns what it answers. An answer that is an error is an [*Error].
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := f.take(ctx)
	if err != nil {
		return nil, err
	}
	out, err := e.invoke(ctx, payload)
	f.give(e)
	return out, err
}

// Provision starts one more process and waits for its first poll, so that an
// event finds it ready.
func (f *Function) Provision(ctx context.Context) error {
	e, err := f.start(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, e)
	return nil
}

// Processes returns the ids of all processes that run, in no order.
func (f *Function) Processes() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []int
	for e := range f.all {
		out = append(out, e.cmd.Process.Pid)
	}
	return out
}

// take returns an idle environment, started and thawed.
func (f *Function) take(ctx context.Context) (*environment, error) {
	for {
		f.mu.Lock()
		n := len(f.idle)
		if n == 0 || f.closed {
			f.mu.Unlock()
			return f.start(ctx)
		}
		e := f.idle[n-1]
		f.idle = f.idle[:n-1]
		f.mu.Unlock()
		if e.thaw() {
			return e, nil
		}
		f.discard(e)
	}
}

func (f *Function) start(ctx context.Context) (*environment, error) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil, fmt.Errorf("%s: %w", f.cfg.Name, ErrClosed)
	}
	e, err := newEnvironment(f.cfg)
	if err == nil {
		f.all[e] = true
	}
	f.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", f.cfg.Name, err)
	}
	took, err := e.ready(ctx)
	if err != nil {
		f.discard(e)
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.starts = append(f.starts, took)
	return e, nil
}

// give takes an environment back after an event.
func (f *Function) give(e *environment) {
	if !e.rest(f.cfg.Freeze) {
		f.discard(e)
		return
	}
	f.mu.Lock()
	closed := f.closed
	if !closed {
		f.idle = append(f.idle, e)
	}
	f.mu.Unlock()
	if closed {
		f.discard(e)
	}
}

func (f *Function) discard(e *environment) {
	e.kill()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, e)
}

// Freeze stops every idle process until its next event, whatever Config.Freeze.
func (f *Function) Freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.idle {
		e.freeze()
	}
}

// Retire ends every idle process, so that the next event finds none.
func (f *Function) Retire() {
	f.mu.Lock()
	idle := f.idle
	f.idle = nil
	f.mu.Unlock()
	for _, e := range idle {
		f.discard(e)
	}
}

// Inits returns how long each environment took from the start of its process to
// its first poll, in the order in which they began.
func (f *Function) Inits() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.starts)
}

// Drain takes no more events. Idle processes end now, the others when they have
// answered.
func (f *Function) Drain() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.Retire()
}

// Close ends all processes.
func (f *Function) Close() {
	f.mu.Lock()
	f.closed = true
	all := slices.Collect(maps.Keys(f.all))
	f.mu.Unlock()
	for _, e := range all {
		e.kill()
	}
}
