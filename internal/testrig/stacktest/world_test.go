package stacktest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/stacktest"
)

// programs is the folder of the built functions.
var programs string

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "gatehouse-stack-"); err == nil {
		err = stacktest.Build(context.Background(), programs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(programs)
	os.Exit(code)
}

// world is a stack and a client of it.
type world struct {
	*stacktest.Stack
	client *http.Client
}

func start(t *testing.T, c stacktest.Config) *world {
	t.Helper()
	c.Programs, c.Getenv = programs, os.Getenv
	s := stacktest.Start(t, c)
	return &world{s, &http.Client{
		Transport: s.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// tokens signs somebody in at demo-spa, with every scope.
func (w *world) tokens(t *testing.T, who string) *signin.Tokens {
	t.Helper()
	got, err := signin.Do(t.Context(), signin.Request{
		URL: w.Issuer, User: who, ClientID: "demo-spa", Scope: "openid profile email offline_access admin", Transport: w.Transport,
	})
	if err != nil {
		t.Fatalf("%s: %v\n%s", who, err, w.Log)
	}
	return got
}

// ask sends a request and returns status and body. path is under the issuer, or a
// whole address.
func (w *world) ask(t *testing.T, method, path, rawToken, body string) (int, string) {
	t.Helper()
	resp, text := w.do(t, method, path, rawToken, body)
	return resp.StatusCode, text
}

func (w *world) do(t *testing.T, method, path, rawToken, body string) (*http.Response, string) {
	t.Helper()
	if strings.HasPrefix(path, "/") {
		path = w.Issuer + path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if rawToken != "" {
		r.Header.Set("Authorization", "Bearer "+rawToken)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(raw)
}
