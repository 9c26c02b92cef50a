package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/gatehouse-auth/gatehouse/internal/dev/runtime"
)

// TestMain is also the `bootstrap` of these tests: with RUNTIMETEST set, this
// program is a Lambda function.
func TestMain(m *testing.M) {
	switch os.Getenv("RUNTIMETEST") {
	case "":
		os.Exit(m.Run())
	case "exit at start":
		os.Exit(3)
	case "init error":
		body := strings.NewReader(`{"errorType":"Init.Broken","errorMessage":"no configuration"}`)
		http.Post("http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01/runtime/init/error", "application/json", body)
		os.Exit(1)
	default:
		lambda.Start(&child{})
	}
}

// child does what its event says.
type child struct{ events int }

func (c *child) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	c.events++
	deadline, _ := ctx.Deadline()
	lc, _ := lambdacontext.FromContext(ctx)
	switch string(event) {
	case `"count"`:
		return []byte{'0' + byte(c.events)}, nil
	case `"time"`:
		return []byte(time.Until(deadline).Round(time.Second).String()), nil
	case `"arn"`:
		return []byte(lc.InvokedFunctionArn), nil
	case `"env"`:
		return []byte(strings.Join(os.Environ(), "\n")), nil
	case `"fail"`:
		return nil, errors.New("it did not work")
	case `"panic"`:
		panic("help")
	case `"exit"`:
		os.Exit(4)
	case `"sleep"`:
		time.Sleep(time.Minute)
	case `"nap"`:
		time.Sleep(100 * time.Millisecond)
	case `"large"`:
		return bytes.Repeat([]byte("x"), 6<<20+1), nil
	case `"print"`:
		os.Stdout.WriteString("a line\n")
	}
	return event, nil
}

// start runs this program as a function.
func start(t *testing.T, mode string, more func(*runtime.Config)) *runtime.Function {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := runtime.Config{Name: "child", Root: t.TempDir(), Env: map[string]string{"RUNTIMETEST": mode, "OWN": "1"}}
	if err := os.Symlink(self, filepath.Join(cfg.Root, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	if more != nil {
		more(&cfg)
	}
	f := runtime.New(cfg)
	t.Cleanup(f.Close)
	return f
}

func TestProvision(t *testing.T) {
	f := start(t, "run", nil)
	if err := f.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := f.Processes()
	if out, err := f.Invoke(t.Context(), []byte(`"count"`)); err != nil || string(out) != "1" {
		t.Errorf("got %s, %v", out, err)
	}
	if len(f.Inits()) != 1 || len(before) != 1 || f.Processes()[0] != before[0] {
		t.Errorf("inits %v, processes %v and then %v", f.Inits(), before, f.Processes())
	}
}

func TestInvoke(t *testing.T) {
	f := start(t, "run", func(c *runtime.Config) { c.Timeout = 7 * time.Second })
	for event, want := range map[string]string{
		`{"a":1}`: `{"a":1}`, `"time"`: "7s", `"arn"`: "arn:aws:lambda:local-1:000000000000:function:child",
	} {
		if got, err := f.Invoke(t.Context(), []byte(event)); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", event, got, err)
		}
	}
	if got, _ := f.Invoke(t.Context(), []byte(`"count"`)); string(got) != "4" {
		t.Errorf("the process was not kept: %s", got)
	}
	if inits := f.Inits(); len(inits) != 1 || inits[0] <= 0 {
		t.Errorf("inits %v", inits)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("SECRET_OF_THE_TEST", "1")
	got, err := start(t, "run", nil).Invoke(t.Context(), []byte(`"env"`))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"OWN=1", "AWS_LAMBDA_FUNCTION_NAME=child", "AWS_REGION=", "LAMBDA_TASK_ROOT=/", "_HANDLER=bootstrap"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(string(got), "SECRET_OF_THE_TEST") {
		t.Error("the environment of the test came along")
	}
}

func TestFailures(t *testing.T) {
	for _, tc := range []struct {
		mode, event, kind, message string
	}{
		{"run", `"fail"`, "errorString", "it did not work"},
		{"run", `"panic"`, "string", "help"},
		{"run", `"exit"`, "Runtime.ExitError", "exit status 4"},
		{"run", `"sleep"`, "Sandbox.Timedout", "timed out after 300ms"},
		{"run", `"large"`, "Function.ResponseSizeTooLarge", "6291456 bytes"},
		{"exit at start", `1`, "Runtime.ExitError", "exit status 3"},
		{"init error", `1`, "Init.Broken", "no configuration"},
	} {
		t.Run(tc.mode+" "+tc.event, func(t *testing.T) {
			f := start(t, tc.mode, func(c *runtime.Config) {
				if tc.event == `"sleep"` { // only this one is to be cut short
					c.Timeout = 300 * time.Millisecond
				}
			})
			_, err := f.Invoke(t.Context(), []byte(tc.event))
			if e, ok := errors.AsType[*runtime.Error](err); !ok || e.Type != tc.kind || !strings.Contains(e.Message, tc.message) {
				t.Fatalf("got %v", err)
			}
			if tc.mode != "run" {
				return
			}
			if got, err := f.Invoke(t.Context(), []byte(`2`)); err != nil || string(got) != "2" {
				t.Errorf("the next event: %s, %v", got, err)
			}
		})
	}
}

func TestNoBootstrap(t *testing.T) {
	f := runtime.New(runtime.Config{Root: t.TempDir()})
	defer f.Close()
	if _, err := f.Invoke(t.Context(), nil); err == nil {
		t.Error("nothing to run")
	}
}

func TestConcurrentEventsHaveTheirOwnProcess(t *testing.T) {
	f := start(t, "run", nil)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := f.Invoke(t.Context(), []byte(`"nap"`)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(f.Inits()); n != 3 {
		t.Errorf("%d processes", n)
	}
	if _, err := f.Invoke(t.Context(), []byte(`1`)); err != nil || len(f.Inits()) != 3 {
		t.Errorf("an idle process was not taken: %v", err)
	}
}

func TestFreeze(t *testing.T) {
	f := start(t, "run", func(c *runtime.Config) { c.Freeze = true })
	for range 3 {
		if got, err := f.Invoke(t.Context(), []byte(`{}`)); err != nil || string(got) != "{}" {
			t.Fatalf("%s, %v", got, err)
		}
		f.Freeze() // already; does no harm
	}
	if n := len(f.Inits()); n != 1 {
		t.Errorf("%d processes", n)
	}
}

func TestCancelled(t *testing.T) {
	f := start(t, "run", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := f.Invoke(ctx, []byte(`"sleep"`)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestDrain(t *testing.T) {
	f := start(t, "run", nil)
	done := make(chan error)
	go func() {
		_, err := f.Invoke(t.Context(), []byte(`"nap"`))
		done <- err
	}()
	for len(f.Inits()) == 0 {
		time.Sleep(time.Millisecond)
	}
	f.Drain()
	if err := <-done; err != nil {
		t.Errorf("the event under way: %v", err)
	}
	if _, err := f.Invoke(t.Context(), []byte(`1`)); err == nil || len(f.Processes()) != 0 {
		t.Errorf("drained: %v, processes %v", err, f.Processes())
	}
}

func TestCommand(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, "run", func(c *runtime.Config) {
		c.Root, c.Command, c.Handler = t.TempDir(), []string{self, "-unused"}, "index.handler"
	})
	got, err := f.Invoke(t.Context(), []byte(`"env"`))
	if err != nil || !strings.Contains(string(got), "_HANDLER=index.handler") {
		t.Errorf("%v %s", err, got)
	}
}

func TestLogAndClose(t *testing.T) {
	var log bytes.Buffer
	f := start(t, "run", func(c *runtime.Config) { c.Log = &log })
	if _, err := f.Invoke(t.Context(), []byte(`"print"`)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if !strings.Contains(log.String(), "a line") {
		t.Errorf("log: %s", &log)
	}
	if _, err := f.Invoke(t.Context(), []byte(`1`)); err == nil {
		t.Error("closed, and it answers")
	}
}
