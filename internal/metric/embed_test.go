package metric_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/internal/metric/metrictest"
)

// written returns what a function of the stack "gatehouse-test" would log.
func written(write func(*slog.Logger)) string {
	var out bytes.Buffer
	write(slog.New(metric.Embed(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr}), "gatehouse-test")))
	return out.String()
}

func TestLines(t *testing.T) {
	began := time.Now().UnixMilli()
	for _, tc := range []struct {
		name  string
		write func(*slog.Logger)
		want  map[string]float64 // name and labels to sum
	}{
		{"nothing to count", func(l *slog.Logger) { l.Info("request", "status", 200) }, map[string]float64{}},
		{"a label", func(l *slog.Logger) {
			l.LogAttrs(t.Context(), slog.LevelInfo, "refused", metric.Reason.Is("expired"), slog.String("route", "GET /me"), metric.Refused.Of(1))
		}, map[string]float64{"Refused gatehouse-test expired": 1}},
		{"several, some with labels", func(l *slog.Logger) {
			l.LogAttrs(t.Context(), slog.LevelInfo, "request", metric.Refresh.Is("reused"), metric.Allowed.Of(7), metric.Refreshes.Of(1),
				metric.FeedAge.Lasting(1500*time.Microsecond), slog.Any("GetItemTime", []float64{1, 2.5}))
		}, map[string]float64{"Allowed gatehouse-test": 7, "Refreshes gatehouse-test reused": 1, "FeedAge gatehouse-test": 1.5, "GetItemTime gatehouse-test": 3.5}},
		{"a word that a label cannot be", func(l *slog.Logger) {
			l.LogAttrs(t.Context(), slog.LevelInfo, "refused", metric.Reason.Is("lin@example.com"), metric.Refused.Of(1))
		}, nil}, // "other" is not in the catalogue: see below
		{"a label that is missing", func(l *slog.Logger) { l.Info("refused", "Refused", 1) }, map[string]float64{}},
		{"a label that is no text", func(l *slog.Logger) { l.Info("refused", "Refused", 1, "reason", 1) }, map[string]float64{}},
		{"a value that is no number", func(l *slog.Logger) { l.Info("allowed", "Allowed", "many") }, map[string]float64{}},
		{"in a group", func(l *slog.Logger) { l.WithGroup("g").Info("allowed", "Allowed", 1) }, map[string]float64{}},
		{"with attributes before", func(l *slog.Logger) { l.With("a", 1).Info("allowed", "Allowed", 1) }, map[string]float64{"Allowed gatehouse-test": 1}},
		{"twice", func(l *slog.Logger) { l.Info("allowed", "Allowed", 1, "Allowed", 1) }, map[string]float64{"Allowed gatehouse-test": 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			line := written(tc.write)
			if tc.want == nil {
				if strings.Contains(line, "example.com") || !strings.Contains(line, `"reason":"other"`) {
					t.Error(line)
				}
				return
			}
			got := map[string]float64{}
			for _, d := range metrictest.Log(t, line) {
				key := d.Name + " " + d.Dimensions["stack"]
				for _, name := range slices.Sorted(maps.Keys(d.Dimensions)) {
					if name != "stack" {
						key += " " + d.Dimensions[name]
					}
				}
				got[key] = d.Sum()
				if d.Timestamp < began || d.Timestamp > time.Now().UnixMilli() {
					t.Errorf("timestamp %d", d.Timestamp)
				}
			}
			if !maps.Equal(got, tc.want) || len(tc.want) == 0 && strings.Contains(line, "_aws") {
				t.Errorf("got %v\n%s", got, line)
			}
		})
	}
}

// TestEveryMetric writes one line with everything that there is.
func TestEveryMetric(t *testing.T) {
	line := written(func(l *slog.Logger) {
		var attrs []slog.Attr
		given := map[string]bool{}
		for _, m := range metric.Catalogue() {
			attrs = append(attrs, m.Of(1))
			for _, label := range m.Labels {
				if !given[label.Name] {
					attrs = append(attrs, label.Is(append(label.Values, "google")[0]))
				}
				given[label.Name] = true
			}
		}
		l.LogAttrs(t.Context(), slog.LevelInfo, "all", attrs...)
	})
	if found := metrictest.Log(t, line); len(found) != len(metric.Catalogue()) {
		t.Errorf("%d of %d metrics: %s", len(found), len(metric.Catalogue()), line)
	}
}

// TestCatalogue wants names and labels that cannot be confused with one another
// or with what else is in a line.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, taken := range []string{"timestamp", "time", "level", "message", "msg", "requestId", "method", "path", "status", "took", "err", "route", "sub", metric.Stack} {
		seen[taken] = true
	}
	labels := map[string]bool{}
	for _, m := range metric.Catalogue() {
		if seen[m.Name] {
			t.Errorf("%s is taken", m.Name)
		}
		seen[m.Name] = true
		for _, l := range m.Labels {
			if seen[l.Name] || labels[l.Name] {
				t.Errorf("%s: the label %s is taken", m.Name, l.Name)
			}
			labels[l.Name] = true
		}
	}
}

func TestWithoutStack(t *testing.T) {
	h := slog.NewTextHandler(&bytes.Buffer{}, nil)
	if got := metric.Embed(h, ""); got != slog.Handler(h) || metric.Embedded(got) {
		t.Error("metrics for nobody")
	}
	if !metric.Embedded(metric.Embed(h, "x")) {
		t.Error("Embedded does not know")
	}
}

func TestRecorder(t *testing.T) {
	r := &metric.Recorder{}
	ctx := metric.NewContext(t.Context(), r)
	var all sync.WaitGroup
	for i := range 120 {
		all.Go(func() {
			metric.FromContext(ctx).Time(metric.SignTime, time.Duration(i)*time.Millisecond)
			metric.FromContext(ctx).Count(metric.KMSFailures)
		})
	}
	all.Wait()
	r.Time(metric.OperationTime("GetItem"), 1500*time.Microsecond)
	r.Count(metric.SignIns, metric.Provider.Is("google"), metric.SignIn.Is(metric.SignInSuccess))
	r.Count(metric.SignIns, metric.Provider.Is("acme"), metric.SignIn.Is(metric.SignInFailed))
	found := metrictest.Log(t, written(func(l *slog.Logger) { l.LogAttrs(ctx, slog.LevelInfo, "request", r.Attrs()...) }))
	for _, d := range found {
		switch {
		case d.Name == "SignTime" && len(d.Values) == 100:
		case d.Name == "KMSFailures" && d.Sum() == 120:
		case d.Name == "GetItemTime" && d.Sum() == 1.5:
		case d.Name == "SignIns" && d.Sum() == 2 && d.Dimensions["provider"] == "google" && d.Dimensions["sign_in"] == "success":
		default:
			t.Errorf("%+v", d)
		}
	}
	if len(found) != 4 {
		t.Errorf("%d metrics", len(found))
	}
	metric.FromContext(context.Background()).Count(metric.Allowed) // nobody counts
}

// TestRead is the reader's own: what CloudWatch refuses.
func TestRead(t *testing.T) {
	const sound = `{"Allowed":1,"stack":"s","_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"Gatehouse","Dimensions":[["stack"]],"Metrics":[{"Name":"Allowed","Unit":"Count"}]}]}}`
	if found, err := metrictest.Read([]byte(sound)); err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	for _, tc := range [][2]string{
		{`"Allowed":1,`, ``}, {`"Allowed":1`, `"Allowed":"1"`}, {`"Allowed":1`, `"Allowed":[]`}, {`"stack":"s"`, `"stack":1`}, {`"stack":"s"`, `"stack":""`},
		{`"Timestamp":1700000000000,`, ``}, {`1700000000000`, `1700000000`}, {`"Gatehouse"`, `"Other"`}, {`[["stack"]]`, `[]`}, {`[["stack"]]`, `[["stack","stack"]]`},
		{`"Name":"Allowed"`, `"Name":"Passed"`}, {`"Unit":"Count"`, `"Unit":"Seconds"`}, {`"Unit":"Count"`, `"Unit":"Count","Scale":1`}, {`"Metrics":[{"Name":"Allowed","Unit":"Count"}]`, `"Metrics":[]`},
	} {
		if line := strings.Replace(sound, tc[0], tc[1], 1); !json.Valid([]byte(line)) {
			t.Errorf("%s is no JSON", line)
		} else if _, err := metrictest.Read([]byte(line)); err == nil {
			t.Errorf("%s is accepted", line)
		}
	}
}

func BenchmarkRefused(b *testing.B) {
	for _, stack := range []string{"", "gatehouse-prod"} {
		b.Run("stack="+stack, func(b *testing.B) {
			l := slog.New(metric.Embed(slog.NewJSONHandler(discard{}, nil), stack))
			b.ReportAllocs()
			for b.Loop() {
				l.LogAttrs(b.Context(), slog.LevelInfo, "refused", metric.Reason.Is("expired"), slog.String("route", "GET /me"), metric.Refused.Of(1))
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
