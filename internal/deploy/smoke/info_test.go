package smoke_test

import (
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/smoke"
)

// TestIssuerOf reads what osls 4.3.1 writes, of a stack that never was.
func TestIssuerOf(t *testing.T) {
	f, err := os.Open("testdata/osls-info.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := smoke.IssuerOf(f); err != nil || got != "https://auth.example.com/auth" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, text := range map[string]string{
		"nothing":                    "",
		"not verbose":                "service: gatehouse\nstage: prod\n",
		"a function of that name":    "functions:\n  Issuer: https://evil.example\n",
		"an output that begins thus": "Stack Outputs:\n  IssuerOfOthers: https://evil.example\n",
	} {
		if got, err := smoke.IssuerOf(strings.NewReader(text)); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
