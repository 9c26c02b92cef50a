package runtime

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// environment is one process and its Runtime API.
type environment struct {
	cfg     Config
	api     *runtimeAPI
	server  *http.Server
	address string // of the Runtime API
	cmd     *exec.Cmd
	started time.Time
	exited  chan struct{} // closed when the process has ended
	frozen  atomic.Bool
}

func newEnvironment(cfg Config) (*environment, error) {
	root, err := filepath.Abs(cfg.Root)
	if err != nil {
		return nil, err
	}
	e := &environment{cfg: cfg, api: newRuntimeAPI(cfg.Name), exited: make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e.address, e.server = listener.Addr().String(), &http.Server{Handler: e.api}
	go e.server.Serve(listener)
	command := cfg.Command
	if len(command) == 0 {
		command = []string{filepath.Join(root, "bootstrap")}
	}
	e.cmd = exec.Command(command[0], command[1:]...)
	e.cmd.Dir, e.cmd.Stdout, e.cmd.Stderr = root, cfg.Log, cfg.Log
	e.cmd.Env = e.variables(root)
	e.started = time.Now()
	if err := e.cmd.Start(); err != nil {
		e.server.Close()
		return nil, err
	}
	go func() {
		e.cmd.Wait()
		close(e.exited)
	}()
	return e, nil
}

// variables are those that Lambda sets for an OS-only runtime, and the
// function's own, which win. Credentials open nothing.
func (e *environment) variables(root string) []string {
	all := map[string]string{
		"AWS_LAMBDA_RUNTIME_API": e.address, "AWS_LAMBDA_FUNCTION_NAME": e.cfg.Name,
		"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(e.cfg.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_FORMAT": "JSON",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + e.cfg.Name, "AWS_LAMBDA_LOG_STREAM_NAME": rand.Text(),
		"AWS_REGION": region, "AWS_DEFAULT_REGION": region,
		"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local",
		"LAMBDA_TASK_ROOT": root, "LAMBDA_RUNTIME_DIR": "/var/runtime", "_HANDLER": e.cfg.Handler,
		"LANG": "en_US.UTF-8", "TZ": ":UTC", "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
	}
	for name, value := range e.cfg.Env {
		all[name] = value
	}
	out := make([]string, 0, len(all))
	for name, value := range all {
		out = append(out, name+"="+value)
	}
	return out
}

// ready waits for the first poll, and returns how long it took.
func (e *environment) ready(ctx context.Context) (time.Duration, error) {
	timeout := time.NewTimer(initTimeout)
	defer timeout.Stop()
	select {
	case at := <-e.api.polled:
		return at.Sub(e.started), nil
	case err := <-e.api.initFailed:
		return 0, err
	case <-e.exited:
		return 0, e.exit()
	case <-timeout.C:
		return 0, &Error{Type: "Sandbox.Timedout", Message: fmt.Sprintf("%s did not poll within %v", e.cfg.Name, initTimeout)}
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// exit is the error of a process that has ended.
func (e *environment) exit() error {
	return &Error{Type: "Runtime.ExitError", Message: fmt.Sprintf("%s exited: %v", e.cfg.Name, e.cmd.ProcessState)}
}

// invoke has the process answer one event. It is polling.
func (e *environment) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	i := &invocation{id: rand.Text(), payload: payload, deadline: time.Now().Add(e.cfg.Timeout), done: make(chan result, 1)}
	timeout := time.NewTimer(e.cfg.Timeout)
	defer timeout.Stop()
	select {
	case e.api.next <- i:
	case <-e.exited:
		return nil, e.exit()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case r := <-i.done:
		return r.payload, r.err
	case <-e.exited:
		return nil, e.exit()
	case <-timeout.C:
		e.kill()
		return nil, &Error{Type: "Sandbox.Timedout", Message: fmt.Sprintf("%s timed out after %v", e.cfg.Name, e.cfg.Timeout)}
	case <-ctx.Done():
		e.kill() // its response has no reader
		return nil, ctx.Err()
	}
}

// rest waits until the process polls again, and freezes it if asked to. False
// says that it is of no more use.
func (e *environment) rest(freeze bool) bool {
	timeout := time.NewTimer(e.cfg.Timeout)
	defer timeout.Stop()
	select {
	case <-e.api.polled:
	case <-e.exited:
		return false
	case <-timeout.C:
		return false
	}
	if freeze {
		e.freeze()
	}
	return true
}

func (e *environment) freeze() {
	if !e.frozen.Swap(true) {
		e.cmd.Process.Signal(syscall.SIGSTOP)
	}
}

// thaw lets the process go on; false says that it has ended.
func (e *environment) thaw() bool {
	if e.frozen.Swap(false) {
		e.cmd.Process.Signal(syscall.SIGCONT)
	}
	select {
	case <-e.exited:
		return false
	default:
		return true
	}
}

// kill ends the process and its API. It may be called again.
func (e *environment) kill() {
	e.cmd.Process.Signal(os.Kill)
	<-e.exited
	e.server.Close()
}
