package authorizer_test

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/internal/metric/metrictest"
)

// newCounted is a world with a feed whose log is a function's.
func newCounted(t testing.TB) (*world, *feedServer) {
	var log *slog.Logger
	s := serveFeed(t)
	rules := []policy.Rule{{Route: "POST /pay", Fresh: true}, {Route: "GET /admin", Roles: []string{"admin"}}}
	w := &world{}
	*w = *newWorld(t, rules, func(c *authorizer.Config) {
		log = slog.New(metric.Embed(slog.NewJSONHandler(&w.log, nil), "gatehouse-test"))
		feed, err := authorizer.NewFeed(authorizer.FeedConfig{URL: s.URL, Now: c.Now, Log: log, Timeout: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		c.Revocations, c.Log = feed, log
	})
	return w, s
}

// counted asserts what was counted since the last time, whatever the labels but
// the reason, which stands behind a space.
func (w *world) counted(t *testing.T, want map[string]float64) {
	t.Helper()
	got := map[string]float64{}
	for _, d := range metrictest.Log(t, w.logged()) {
		got[strings.TrimSpace(d.Name+" "+d.Dimensions["reason"])] += d.Sum()
	}
	if !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestCountDecisions(t *testing.T) {
	w, s := newCounted(t)
	lin := "Bearer " + w.rawToken(t, "u_lin", "user")
	ask := func(route, authorization string) {
		t.Helper()
		e := httpAPI(authorization)
		e["routeKey"] = route
		w.ask(t, e)
	}
	ask("GET /", lin)
	w.counted(t, map[string]float64{"Allowed": 1})
	for range 4 {
		w.clock.Pass(249 * time.Millisecond)
		ask("GET /", lin)
	}
	w.counted(t, map[string]float64{}) // nothing is told within a second
	w.clock.Pass(4 * time.Millisecond)
	ask("GET /", lin)
	w.counted(t, map[string]float64{"Allowed": 5, "FeedAge": 1000})
	ask("GET /", lin)
	ask("GET /admin", lin)
	w.counted(t, map[string]float64{"Refused role": 1, "Allowed": 1, "FeedAge": 1000})
	ask("GET /", "Bearer nonsense")
	ask("GET /", "")
	w.counted(t, map[string]float64{"Refused malformed": 1, "Refused token_missing": 1})

	s.change(func(s *feedServer) {
		s.trouble = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	})
	w.clock.Pass(30 * time.Second)
	ask("GET /", lin)
	w.counted(t, map[string]float64{"Allowed": 1, "FeedAge": 31000, "FeedFailures": 1})
	ask("POST /pay", lin)
	w.counted(t, map[string]float64{"Undecided": 1, "FeedFailures": 1})
	w.clock.Pass(30 * time.Second)
	ask("GET /", lin)
	w.counted(t, map[string]float64{"Undecided": 1, "FeedFailures": 2}) // the fetch, and the decision
}

func TestCountEveryKind(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			var log strings.Builder
			w := newWorld(t, nil, func(c *authorizer.Config) {
				c.IAM, c.Log = kind.iam, slog.New(metric.Embed(slog.NewJSONHandler(&log, nil), "gatehouse-test"))
			})
			w.ask(t, kind.event("Bearer "+w.rawToken(t, "u_lin", "")))
			w.ask(t, kind.event("Bearer nonsense"))
			found := metrictest.Log(t, log.String())
			if metrictest.Sum(found, metric.Allowed) != 1 || metrictest.Sum(found, metric.Refused, "reason", "malformed") != 1 {
				t.Errorf("%+v", found)
			}
		})
	}
}

func TestCountWithoutReaders(t *testing.T) {
	w := newWorld(t, nil)
	w.ask(t, httpAPI("Bearer "+w.rawToken(t, "u_lin", "")))
	if log := w.logged(); log != "" {
		t.Errorf("a line that nobody reads: %s", log)
	}
}

// TestReasonsAreLabels wants each reason to be a word that the metric may have.
func TestReasonsAreLabels(t *testing.T) {
	var reasons []string
	for _, reason := range authorizer.Reasons() {
		reasons = append(reasons, string(reason))
	}
	if labels := slices.Sorted(slices.Values(metric.Reason.Values)); !slices.Equal(labels, reasons) {
		t.Errorf("reasons %v, labels %v", reasons, labels)
	}
}

// BenchmarkCounted is what counting adds to a decision that is allowed.
func BenchmarkCounted(b *testing.B) {
	for _, stack := range []string{"", "gatehouse-test"} {
		b.Run("stack="+stack, func(b *testing.B) {
			s := serveFeed(b)
			w := newWorld(b, benchRules, func(c *authorizer.Config) {
				c.Now = nil
				c.Log = slog.New(metric.Embed(slog.NewJSONHandler(discard{}, nil), stack))
				feed, err := authorizer.NewFeed(authorizer.FeedConfig{URL: s.URL, Interval: time.Hour, MaxStale: time.Hour})
				if err != nil {
					b.Fatal(err)
				}
				c.Revocations = feed
			})
			event := marshal(b, httpAPI("Bearer "+liveToken(b)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Handle(context.Background(), event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
