// Package e2e looks at Gatehouse from outside: a real browser in front of a real
// gatehouse dev or, with -stack, of the packaged template. It is a module of its own, so that what drives the browser is
// no dependency of the product.
//
// Debian's chromium is found on PATH; without it the tests are skipped, but not
// in CI. The screenshots they take lie in shots/.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/stacktest"
)

var (
	gatehouse string // the path of the built command
	programs  string // the folder of the built functions, with -stack
)

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	gatehouse = filepath.Join(dir, "gatehouse")
	build := exec.Command("go", "build", "-C", "..", "-o", gatehouse, "./cmd/gatehouse")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building gatehouse:", err)
		os.Exit(1)
	}
	if programs = dir; *onStack {
		if err := stacktest.Build(context.Background(), dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// service is a gatehouse dev that runs, or a stack.
type service struct {
	Issuer string `json:"issuer"`
	Demo   string `json:"demo_provider"`
	API    string `json:"demo_api"` // what any token opens

	log     fmt.Stringer
	client  *http.Client
	padding string   // at the end of every client's secret
	env     []string // for programs of others: whom to trust
}

// environ is the environment of a program that is to trust h.
func (h *service) environ(more ...string) []string {
	return slices.Concat(os.Environ(), h.env, more)
}

// startService runs gatehouse dev on ports of its own, with more flags if there
// are any, until the test ends.
func startService(t *testing.T, flags ...string) *service {
	t.Helper()
	if *onStack {
		return startStack(t, flags)
	}
	log := &safeBuffer{}
	h := &service{log: log, client: &http.Client{}}
	cmd := exec.Command(gatehouse, append([]string{"dev", "--addr", "localhost:0", "--demo-addr", "127.0.0.1:0", "-o", "json"}, flags...)...)
	cmd.Dir, cmd.Stderr = "..", log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		stopped := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		defer stopped.Stop()
		if err := cmd.Wait(); err != nil && !t.Failed() {
			t.Errorf("gatehouse dev did not stop by itself: %v", err)
		}
		if t.Failed() {
			t.Logf("log of gatehouse dev:\n%s", h.log.String())
		}
	})
	lines := bufio.NewReader(stdout)
	banner, err := lines.ReadBytes('\n')
	if err != nil {
		t.Fatalf("gatehouse dev did not start: %v\n%s", err, h.log.String())
	}
	if err := json.Unmarshal(banner, h); err != nil || h.Issuer == "" {
		t.Fatalf("gatehouse dev said %s", banner)
	}
	go func() { // its log lines, if it writes them there
		for {
			line, err := lines.ReadString('\n')
			log.Write([]byte(line))
			if err != nil {
				return
			}
		}
	}()
	return h
}

// logged waits until the log of h has a line with all of words.
func (h *service) logged(t *testing.T, words ...string) {
	t.Helper()
	for range 40 {
		for line := range strings.Lines(h.log.String()) {
			all := true
			for _, w := range words {
				all = all && strings.Contains(line, w)
			}
			if all {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("no line of the log says %q", words)
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
