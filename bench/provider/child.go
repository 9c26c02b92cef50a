package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The cores: one for the service that is measured, one for the programs that ask and sign.
const (
	subjectCore = 0
	loadCore    = 1
)

// child is what a child tells of itself when it is ready, on its file 3.
type child struct {
	URL    string   `json:"url"`
	Tokens []string `json:"tokens,omitempty"` // refresh tokens, one for every connection
	Count  int      `json:"count,omitempty"`

	cmd   *exec.Cmd
	in    io.Writer
	lines *bufio.Scanner
}

func ready(c child) error {
	return json.NewEncoder(os.NewFile(3, "ready")).Encode(c)
}

// spawn starts a program on one core and waits until it is ready. What it
// prints goes nowhere, as far as it is a log.
func spawn(core int, name string, args ...string) (*child, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd := exec.Command("taskset", append([]string{"-c", strconv.Itoa(core), name}, args...)...)
	// For Go, what serverless.yml sets for the login service.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=400", "NODE_ENV=production")
	cmd.ExtraFiles = []*os.File{w}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	c := &child{cmd: cmd, in: in, lines: bufio.NewScanner(r)}
	c.lines.Buffer(nil, 1<<20)
	if err := c.next(); err != nil {
		c.stop()
		return nil, fmt.Errorf("%s %v: %w", name, args, err)
	}
	return c, nil
}

// next reads the next line that the child writes about itself.
func (c *child) next() error {
	if !c.lines.Scan() {
		return errors.Join(errors.New("it ended too early"), c.lines.Err())
	}
	return json.Unmarshal(c.lines.Bytes(), c)
}

func (c *child) stop() {
	c.cmd.Process.Kill() // an error says that it has ended already
	c.cmd.Wait()
}

// stayOn keeps this process on a core.
func stayOn(core int) error {
	var set unix.CPUSet
	set.Set(core)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil {
			return fmt.Errorf("staying on core %d: %w", core, err)
		}
	}
	return nil
}

// cpu is how much time the child has had on its core, with all its threads, for
// itself and in the kernel.
func (c *child) cpu() (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED of a whole process, as clock_getcpuclockid(3) composes it
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^c.cmd.Process.Pid<<3|sched), &t); err != nil {
		return 0, fmt.Errorf("CPU clock: %w", err)
	}
	return time.Duration(t.Nano()), nil
}
