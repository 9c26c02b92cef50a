package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	gatehouse "github.com/gatehouse-auth/gatehouse"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/lambdatest"
)

// function is one whose start is measured.
type function struct {
	name string
	cfg  lambdatest.Config
	init []time.Duration // from the start of the process to its first poll
	cpu  []time.Duration // the process's until then
}

// measureInit starts both functions as often, in turn.
func measureInit(ctx context.Context, starts int) (bool, error) {
	folder, err := os.MkdirTemp("", "bench-loginsvc")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(folder)
	// What it would ask SSM for is here; nothing else of AWS is asked before
	// there is an event.
	login, err := build(ctx, folder, "loginsvc", "github.com/gatehouse-auth/gatehouse/cmd/loginsvc", map[string]string{
		"GATEHOUSE_ISSUER": "https://auth.example.com", "GATEHOUSE_AUDIENCE": "https://auth.example.com/api",
		"GATEHOUSE_TABLE": "gatehouse", "GATEHOUSE_KMS_KEY": "key", "GATEHOUSE_PARAMETERS": "/gatehouse/prod",
		"GATEHOUSE_NAME": "gatehouse-prod", "GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret",
		"GOMAXPROCS": "1", "GOGC": "400",
	})
	if err != nil {
		return false, err
	}
	empty, err := build(ctx, folder, "empty", "./authorizer/empty", map[string]string{"GOMAXPROCS": "1"})
	if err != nil {
		return false, err
	}
	both := []*function{login, empty}
	for range starts {
		for _, f := range both {
			if err := f.start(ctx); err != nil {
				return false, fmt.Errorf("starting %s: %w", f.name, err)
			}
		}
		slices.Reverse(both)
	}
	fmt.Printf("%-45s %8s %10s\n", "start, medians", "init", "CPU of it")
	for _, f := range []*function{login, empty} {
		fmt.Printf("%-45s %8s %10s\n", f.name, show(median(f.init)), show(median(f.cpu)))
	}
	return goal("init, in that of an empty function", float64(median(login.init))/float64(median(empty.init)), 1.6), nil
}

// build compiles a program with the flags of package lambdazip, and unpacks it
// as Lambda does.
func build(ctx context.Context, folder, name, importPath string, variables map[string]string) (*function, error) {
	root := filepath.Join(folder, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc",
		"-ldflags", "-s -w -buildid=", "-o", filepath.Join(root, "bootstrap"), importPath)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %s: %w\n%s", importPath, err, out)
	}
	config, err := gatehouse.Files.ReadFile("gatehouse.yml")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(root, "gatehouse.yml"), config, 0o600); err != nil {
		return nil, err
	}
	return &function{name: name, cfg: lambdatest.Config{Name: name, Root: root, Log: os.Stderr, Env: variables}}, nil
}

// start starts a process, and ends it when it waits for its first event.
func (f *function) start(ctx context.Context) error {
	running := lambdatest.New(f.cfg)
	defer running.Close()
	if err := running.Provision(ctx); err != nil {
		return err
	}
	cpu, err := cpuOf(running.Processes()[0])
	f.init, f.cpu = append(f.init, running.Inits()[0]), append(f.cpu, cpu)
	return err
}

// cpuOf is how much time a process has had on a CPU, with all its threads, for
// itself and in the kernel.
func cpuOf(pid int) (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED of a whole process, as clock_getcpuclockid(3) composes it
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|sched), &t); err != nil {
		return 0, fmt.Errorf("CPU clock of %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}
