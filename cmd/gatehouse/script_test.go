package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// running is a gatehouse dev that a script started. Its log is kept, to be read
// when it has ended.
type running struct {
	cmd   *exec.Cmd
	ready banner
	log   strings.Builder
	done  chan error
	over  sync.Once
}

// devKey is where the environment of a script keeps its processes.
type devKey struct{}

// startDev starts gatehouse dev on free ports:
//
//	dev NAME [FLAG...]
//
// sets $NAME to its issuer and $NAME_DEMO to its demo provider.
func startDev(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: dev NAME [FLAG...]")
	}
	name, flags := args[0], append([]string{"dev", "--addr", "localhost:0", "--demo-addr", "127.0.0.1:0", "-o", "json"}, args[1:]...)
	p := &running{done: make(chan error, 1)}
	p.cmd = exec.Command("gatehouse", flags...)
	p.cmd.Dir, p.cmd.Stderr = ts.Getenv("WORK"), &p.log
	p.cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	out, err := p.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	line, readErr := bufio.NewReader(out).ReadBytes('\n')
	go func() {
		io.Copy(io.Discard, out)
		p.done <- p.cmd.Wait()
	}()
	ts.Defer(func() { p.end(syscall.SIGKILL) })
	if readErr != nil {
		p.end(syscall.SIGKILL)
		ts.Fatalf("dev did not start: %s", &p.log)
	}
	ts.Check(json.Unmarshal(line, &p.ready))
	ts.Setenv(name, p.ready.Issuer)
	ts.Setenv(name+"_DEMO", strings.TrimSuffix(p.ready.Demo, "/"))
	all, _ := ts.Value(devKey{}).(map[string]*running)
	if all == nil {
		ts.Fatalf("no processes: Setup is missing")
	}
	all[name] = p
}

func (p *running) end(signal syscall.Signal) error {
	err := errors.New("ended before")
	p.over.Do(func() {
		p.cmd.Process.Signal(signal)
		select {
		case err = <-p.done:
		case <-time.After(10 * time.Second):
			p.cmd.Process.Kill()
			err = errors.New("did not stop in 10 s")
		}
	})
	return err
}

func named(ts *testscript.TestScript, args []string) *running {
	all, _ := ts.Value(devKey{}).(map[string]*running)
	if len(args) != 1 || all[args[0]] == nil {
		ts.Fatalf("want the NAME of a running dev")
	}
	return all[args[0]]
}

// stopDev ends a dev as Ctrl-C does, wants it to exit with 0, and writes its log
// to the file NAME.log.
func stopDev(ts *testscript.TestScript, _ bool, args []string) {
	p := named(ts, args)
	ts.Check(p.end(syscall.SIGINT))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".log"), []byte(p.log.String()), 0o600))
}

// crashDev ends a dev as a crash does.
func crashDev(ts *testscript.TestScript, _ bool, args []string) { named(ts, args).end(syscall.SIGKILL) }

// exits runs a command and wants it to exit with a code:
//
//	exits CODE COMMAND [ARG...]
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}
