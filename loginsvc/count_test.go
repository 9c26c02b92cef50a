package loginsvc_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/internal/metric/metrictest"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// newCounted is a world whose log is a function's.
func newCounted(t *testing.T) (*world, *strings.Builder) {
	log := &strings.Builder{}
	return newWorld(t, func(c *loginsvc.Config) {
		c.Log = slog.New(metric.Embed(slog.NewJSONHandler(log, nil), "gatehouse-test"))
	}), log
}

// counts asserts what was counted since the last time, and that nobody is in it.
func counts(t *testing.T, log *strings.Builder, want float64, m metric.Metric, labels ...string) {
	t.Helper()
	if got := metrictest.Sum(metrictest.Log(t, log.String()), m, labels...); got != want {
		t.Errorf("%s %v: %v, want %v\n%s", m.Name, labels, got, want, log)
	}
	for _, private := range []string{"@example.com", "192.0.2.7", "code=", "state="} {
		if strings.Contains(log.String(), private) {
			t.Errorf("S124 the log has %s: %s", private, log)
		}
	}
	log.Reset()
}

func TestCountSignIns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		outcome string
		act     func(*world, *browser)
	}{
		{"success", func(_ *world, b *browser) { b.code("lin") }},
		{"cancelled", func(_ *world, b *browser) {
			at := b.get("/authorize?" + authorize().Encode()).location().String()
			b.get(b.post(at, url.Values{"fault": {"cancel"}}).location().String()).refused(t, "access_denied")
		}},
		{"suspended", func(w *world, b *browser) {
			b.code("lin")
			w.suspend("demo-lin")
			w.browser().authorizeAs("lin", authorize()).refused(t, "access_denied")
		}},
		{"email_taken", func(w *world, b *browser) {
			w.config.Users.TrustedProviders = []string{"x"}
			elsewhere := usersvc.Profile{Issuer: "https://elsewhere.test", Subject: "1", Provider: "x", Email: "lin@example.com", EmailVerified: true}
			if _, _, _, err := w.config.Users.SignIn(t.Context(), elsewhere, usersvc.SignInInfo{AuthTime: w.now()}); err != nil {
				t.Fatal(err)
			}
			b.authorizeAs("lin", authorize()).page(t, http.StatusConflict, "You already have an account")
		}},
		{"provider_failed", func(w *world, b *browser) {
			w.demo.Behave(demoidp.Behaviour{Header: func(h map[string]any) { h["alg"] = "HS256" }})
			b.authorizeAs("lin", authorize()).refused(t, "access_denied")
		}},
		{"failed", func(w *world, b *browser) {
			w.table.failWrite = func(writes []table.Write) error {
				if len(writes) > 1 {
					return errDown
				}
				return nil
			}
			b.authorizeAs("lin", authorize())
		}},
	} {
		t.Run(tc.outcome, func(t *testing.T) {
			t.Parallel()
			w, log := newCounted(t)
			tc.act(w, w.browser())
			counts(t, log, 1, metric.SignIns, "provider", "demo", "sign_in", tc.outcome)
		})
	}
}

func TestCountRefreshes(t *testing.T) {
	t.Parallel()
	w, log := newCounted(t)
	first := w.offlineTokens(w.browser())["refresh_token"]
	log.Reset()
	second := w.renew(first)["refresh_token"]
	counts(t, log, 1, metric.Refreshes, "refresh", "renewed")
	w.renew(first)
	counts(t, log, 1, metric.Refreshes, "refresh", "repeated")
	counts(t, log, 0, metric.Refreshes, "refresh", "renewed")
	w.refuses("nonsense")
	w.program().post("/token", renewal(first, "client_id", "other"))
	counts(t, log, 1, metric.Refreshes, "refresh", "refused")
	w.table.failRead = errDown
	w.program().post("/token", renewal(second))
	w.table.failRead = nil
	counts(t, log, 1, metric.Refreshes, "refresh", "failed")
	w.key.fail = keys.ErrUnavailable
	if a := w.program().post("/token", renewal(second)); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %d", a.StatusCode)
	}
	w.key.fail = nil
	counts(t, log, 1, metric.KeyFailures)

	t.Run("S71 an old refresh token ends its family, and rings", func(t *testing.T) {
		w.jump(t, time.Minute+time.Second)
		w.refuses(first)
		counts(t, log, 1, metric.Refreshes, "refresh", "reused")
		w.refuses(second)
		counts(t, log, 0, metric.Refreshes, "refresh", "reused")
	})
}
