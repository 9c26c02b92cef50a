package stacktest_test

import (
	"flag"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/stacktest"
)

var (
	coldStarts = flag.Int("cold", 5, "how many cold starts to time")
	coldLimit  = flag.Duration("cold-limit", 500*time.Millisecond, "the longest that the median may take; the goal is 100ms, on a machine that does nothing else")
)

// TestColdLogin times what somebody waits for who finds no process running: from
// its start to the answer, through Runtime API and gateway, with the table and
// KMS as emulated services.
func TestColdLogin(t *testing.T) {
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/jwks.json", "/login"} {
		w := start(t, stacktest.Config{})
		var took []time.Duration
		for range *coldStarts {
			began := time.Now()
			resp, err := w.client.Get(w.Issuer + path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d, %v\n%s", path, resp.StatusCode, err, w.Log)
			}
			took = append(took, time.Since(began).Round(100*time.Microsecond))
			w.Functions["loginsvc"].Retire()
		}
		slices.Sort(took)
		median := took[len(took)/2]
		t.Logf("cold start of loginsvc to the answer of GET %s: median %v of %v", path, median, took)
		if median > *coldLimit {
			t.Errorf("GET %s: more than %v", path, *coldLimit)
		}
	}
}
