package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/lambdatest"
)

// subject is a function that is measured.
type subject struct {
	cfg lambdatest.Config

	// From its starts, one of each for every process.
	init, first       []time.Duration // what a clock on the wall says
	initCPU, firstCPU []time.Duration

	// From one warm process, one of each for every round.
	function  *lambdatest.Function
	pid       int
	new, seen []time.Duration // CPU time for an event
	peak      int             // kB of memory
}

// subjects are measured in turn.
type subjects struct {
	authorizer *subject // with GATEHOUSE_REVOCATIONS=off: does what the one in Node does
	deployed   *subject // as it is deployed: asks for revocations and counts, too
	empty      *subject
	node       *subject
}

func newSubjects(folder, issuer string) *subjects {
	as := func(name, program string, more map[string]string) *subject {
		env := map[string]string{"GATEHOUSE_ISSUER": issuer, "GATEHOUSE_AUDIENCE": audience, "GOMAXPROCS": "1"}
		maps.Copy(env, more)
		return &subject{cfg: lambdatest.Config{Name: name, Root: filepath.Join(folder, program), Env: env, Log: os.Stderr}}
	}
	all := &subjects{
		authorizer: as("authorizer", "authorizer", map[string]string{"GATEHOUSE_REVOCATIONS": "off"}),
		deployed:   as("deployed", "authorizer", map[string]string{"GATEHOUSE_NAME": "bench"}), // and so it counts
		empty:      as("empty", "empty", nil),
		// env, which starts node, looks on this PATH.
		node: as("node", "node", map[string]string{"PATH": os.Getenv("PATH")}),
	}
	all.deployed.cfg.Log = nil // a line each second
	return all
}

// turn returns all subjects: each time beginning with another, and every other
// time in reverse.
func (s *subjects) turn(n int) []*subject {
	all := []*subject{s.authorizer, s.empty, s.node, s.deployed}
	if n/len(all)%2 == 1 {
		slices.Reverse(all)
	}
	n %= len(all)
	return append(all[n:len(all):len(all)], all[:n]...)
}

func (s *subjects) close() {
	for _, one := range s.turn(0) {
		if one.function != nil {
			one.function.Close()
		}
	}
}

// start starts the function's one process.
func (s *subject) start(ctx context.Context) error {
	s.function = lambdatest.New(s.cfg)
	if err := s.function.Provision(ctx); err != nil {
		return fmt.Errorf("%s: %w", s.cfg.Name, err)
	}
	s.pid = s.function.Processes()[0]
	return nil
}

// ask sends an event and wants it allowed; an empty function allows nothing.
func (s *subject) ask(ctx context.Context, event []byte) error {
	out, err := s.function.Invoke(ctx, event)
	if err == nil && s.cfg.Name != "empty" && !bytes.Contains(out, []byte(`"isAuthorized":true`)) {
		err = fmt.Errorf("answered %s", out)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.cfg.Name, err)
	}
	return nil
}

// cpu is how much time the process has had on a CPU, with all its threads, for
// itself and in the kernel.
func (s *subject) cpu() (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED of a whole process, as clock_getcpuclockid(3) composes it
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^s.pid<<3|sched), &t); err != nil {
		return 0, fmt.Errorf("CPU clock of %s: %w", s.cfg.Name, err)
	}
	return time.Duration(t.Nano()), nil
}

// peakMemory is the most that the process ever had in memory, in kB.
func (s *subject) peakMemory() (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	line, _, _ := strings.Cut(rest, " kB")
	return strconv.Atoi(strings.TrimSpace(line))
}

// agree makes sure that the authorizer and the one in Node answer the same to a
// genuine token, to one that may not come here, and to forged ones.
func agree(ctx context.Context, h *issuer, all *subjects) error {
	genuine, err := h.sign(ctx, "notes:read", "openid")
	if err != nil {
		return err
	}
	other, err := h.sign(ctx, "openid")
	if err != nil {
		return err
	}
	half := len(genuine) - 20
	for _, tc := range []struct {
		name, rawToken string
		allowed        bool
	}{
		{"a genuine token", genuine, true},
		{"a token without the scope", other, false},
		{"another signature", genuine[:half] + "AAAA" + genuine[half+4:], false},
		{"no signature", genuine[:strings.LastIndexByte(genuine, '.')+1], false},
	} {
		var answers []any
		for _, s := range []*subject{all.authorizer, all.deployed, all.node} {
			cfg := s.cfg
			cfg.Log = nil // it tells of the refusals
			f := lambdatest.New(cfg)
			out, err := f.Invoke(ctx, event(tc.rawToken))
			f.Close()
			var answer map[string]any
			if err == nil {
				err = json.Unmarshal(out, &answer)
			}
			if err != nil || answer["isAuthorized"] != tc.allowed {
				return fmt.Errorf("%s: %s answered %s %w", tc.name, s.cfg.Name, out, err)
			}
			answers = append(answers, answer)
		}
		if !reflect.DeepEqual(answers[0], answers[1]) || !reflect.DeepEqual(answers[0], answers[2]) {
			return fmt.Errorf("%s: different answers: %v", tc.name, answers)
		}
	}
	return nil
}
