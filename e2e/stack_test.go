package e2e

import (
	"flag"
	"net/http"
	"os"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/stacktest"
)

// onStack has every test face the packaged template instead of gatehouse dev:
// over https, at a custom domain under a path, which is the hardest to get right.
var onStack = flag.Bool("stack", false, "test the packaged template as a stack, not gatehouse dev")

// devOnly skips a test that a stack has no part in.
func devOnly(t *testing.T) {
	t.Helper()
	if *onStack {
		t.Skip("it is about no stack")
	}
}

// startStack is startService for the packaged template. The only flag that a stack
// knows is --config.
func startStack(t *testing.T, flags []string) *service {
	t.Helper()
	c := stacktest.Config{Programs: programs, Getenv: os.Getenv, TLS: true, Mapping: "auth"}
	for i := 0; i < len(flags); i += 2 {
		if flags[i] != "--config" {
			devOnly(t)
		}
		text, err := os.ReadFile(flags[i+1])
		if err != nil {
			t.Fatal(err)
		}
		c.Configuration = string(text)
	}
	s := stacktest.Start(t, c)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the stack:\n%s", s.Log)
		}
	})
	return &service{
		Issuer: s.Issuer, Demo: s.Demo, API: s.Issuer + "/notes", log: s.Log, client: &http.Client{Transport: s.Transport}, padding: stacktest.Padding,
		env: []string{"SSL_CERT_FILE=" + s.Certificate, "NODE_EXTRA_CA_CERTS=" + s.Certificate, "GATEHOUSE_PADDING=" + stacktest.Padding},
	}
}
