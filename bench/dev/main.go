// Dev measures what gatehouse dev costs a team: how soon it is ready with ten
// built functions, what it adds to a warm call, and how long a saved file takes
// to be in an answer.
//
//	go run ./dev
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/runtime"
	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
)

// program is a Lambda function without any module.
const program = `package main

import (
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(base + "next")
		if err != nil {
			return
		}
		io.Copy(io.Discard, next.Body)
		next.Body.Close()
		done, err := http.Post(base+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "", strings.NewReader("{\"statusCode\":200,\"body\":\"VERSION\"}"))
		if err != nil {
			return
		}
		done.Body.Close()
	}
}
`

const (
	functions = 10
	calls     = 300
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench/dev:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "bench-dev-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := project(dir); err != nil {
		return err
	}
	gatehouse := filepath.Join(dir, "gatehouse")
	if out, err := exec.Command("go", "build", "-C", "..", "-o", gatehouse, "./cmd/gatehouse").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if err := withDev(gatehouse, dir, func(d *dev) error { return d.callAll(ctx) }); err != nil { // builds them
		return err
	}
	return withDev(gatehouse, dir, func(d *dev) error {
		fmt.Printf("ready with %d built functions:  %4d ms   goal 2000\n", functions, d.ReadyMS)
		return d.measure(ctx, dir)
	})
}

// project writes ten functions, each behind the authorizer.
func project(dir string) error {
	template := "provider:\n  runtime: provided.al2023\n  httpApi:\n    authorizers:\n      g: {type: request, functionArn: a, enableSimpleResponses: true, resultTtlInSeconds: 60, identitySource: [$request.header.Authorization, $context.routeKey]}\nfunctions:\n"
	for i := range functions {
		name := fmt.Sprintf("f%d", i)
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name, "main.go"), []byte(program), 0o600); err != nil {
			return err
		}
		template += fmt.Sprintf("  %[1]s: {handler: bootstrap, events: [{httpApi: {method: get, path: /%[1]s, authorizer: g}}]}\n", name)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module bench.example\n\ngo 1.26\n"), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "serverless.yml"), []byte(template), 0o600)
}

// dev is a gatehouse dev that runs.
type dev struct {
	Issuer  string `json:"issuer"`
	ReadyMS int    `json:"ready_ms"`
}

func withDev(gatehouse, dir string, do func(*dev) error) error {
	cmd := exec.Command(gatehouse, "dev", "--addr", "localhost:0", "--demo-addr", "127.0.0.1:0", "-o", "json")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(os.Interrupt)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("gatehouse dev did not start: %w", err)
	}
	var d dev
	if err := json.Unmarshal(line, &d); err != nil {
		return err
	}
	return do(&d)
}

func (d *dev) token(ctx context.Context) (string, error) {
	tokens, err := signin.Do(ctx, signin.Request{URL: d.Issuer, User: "lin", ClientID: "demo-spa"})
	if err != nil {
		return "", err
	}
	return tokens.AccessToken, nil
}

func (d *dev) callAll(ctx context.Context) error {
	rawToken, err := d.token(ctx)
	for i := 0; err == nil && i < functions; i++ {
		_, err = d.call(ctx, fmt.Sprintf("/f%d", i), rawToken)
	}
	return err
}

func (d *dev) call(ctx context.Context, path, rawToken string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.Issuer+path, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+rawToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", path, resp.Status, body)
	}
	return string(body), err
}

func (d *dev) measure(ctx context.Context, dir string) error {
	rawToken, err := d.token(ctx)
	if err != nil {
		return err
	}
	through, err := median(func() error { _, err := d.call(ctx, "/f0", rawToken); return err })
	if err != nil {
		return err
	}
	if out, err := build(dir, "bootstrap"); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	f := runtime.New(runtime.Config{Root: dir})
	defer f.Close()
	alone, err := median(func() error { _, err := f.Invoke(ctx, []byte(`{}`)); return err })
	if err != nil {
		return err
	}
	fmt.Printf("warm call: %.2f ms, function alone %.2f ms: %.2f ms more   goal 3\n", ms(through), ms(alone), ms(through-alone))
	return d.saved(ctx, dir, rawToken)
}

// saved changes a file and compares the time to the first new answer with that of
// go build alone.
func (d *dev) saved(ctx context.Context, dir, rawToken string) error {
	main := filepath.Join(dir, "f0", "main.go")
	write := func(version string) error {
		return os.WriteFile(main, []byte(strings.Replace(program, "VERSION", version, 1)), 0o600)
	}
	started := time.Now()
	if err := write("second"); err != nil {
		return err
	}
	for body := ""; body != "second"; {
		var err error
		if body, err = d.call(ctx, "/f0", rawToken); err != nil {
			return err
		}
	}
	answered := time.Since(started)
	source := filepath.Join(dir, "f1", "main.go")
	if err := os.WriteFile(source, []byte(strings.Replace(program, "VERSION", "third", 1)), 0o600); err != nil {
		return err
	}
	started = time.Now()
	if out, err := build(filepath.Join(dir, "f1"), "alone"); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	alone := time.Since(started)
	fmt.Printf("save to first new answer: %.0f ms, go build alone %.0f ms: %.0f ms more   goal 1000\n", ms(answered), ms(alone), ms(answered-alone))
	return nil
}

func build(dir, out string) ([]byte, error) {
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, ".")
	if out == "bootstrap" {
		cmd.Args[len(cmd.Args)-1] = "./f0"
	}
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// median returns the median time of the calls of do, after some to warm up.
func median(do func() error) (time.Duration, error) {
	took := make([]time.Duration, 0, calls)
	for i := range calls + 20 {
		started := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		if i >= 20 {
			took = append(took, time.Since(started))
		}
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
