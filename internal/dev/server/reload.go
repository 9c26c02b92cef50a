package server

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"sync/atomic"
	"time"
)

// reloadEvery is how often gatehouse.yml and the template are looked at.
const reloadEvery = 300 * time.Millisecond

// current is the handler of the last assembly that was right.
type current struct{ handler atomic.Pointer[http.Handler] }

func (c *current) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*c.handler.Load()).ServeHTTP(w, r)
}

// files are what an assembly was read from. They need not be there.
func (a *assembly) files() []string {
	config, template := a.Config, a.Template
	if config == "" {
		config = "gatehouse.yml"
	}
	if template == "" {
		template = "serverless.yml"
	}
	return append([]string{config, template}, a.team.Files...)
}

// watch assembles again when one of the files has changed. It prints mistakes,
// and the last right assembly goes on. When ctx ends, so do the team's functions.
func (b *builder) watch(ctx context.Context, last *assembly, serve *current) {
	defer func() { last.end(nil) }()
	ticker := time.NewTicker(reloadEvery)
	defer ticker.Stop()
	seen := states(last.files())
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		now := states(last.files())
		if reflect.DeepEqual(now, seen) {
			continue
		}
		seen = now
		next, handler, err := b.assemble(ctx, last)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			fmt.Fprintf(b.Output, "%v\nnothing has changed: what was right before goes on\n", err)
			continue
		}
		serve.handler.Store(&handler)
		last.end(next)
		last, seen = next, states(next.files())
		fmt.Fprintln(b.Output, "read again: gatehouse.yml and the template")
		for _, finding := range next.findings() {
			fmt.Fprintln(b.Output, "  "+finding)
		}
	}
}

// states returns when each file was modified, and its size.
func states(files []string) map[string]string {
	out := map[string]string{}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			out[file] = fmt.Sprint(info.ModTime().UnixNano(), info.Size())
		}
	}
	return out
}
