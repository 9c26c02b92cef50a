package metric

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Recorder collects what is counted while a request is answered, for the line
// that is written about it. Its zero value is empty; a nil one forgets. It is safe
// for concurrent use.
type Recorder struct {
	mu     sync.Mutex
	values []value
	labels []slog.Attr
}

// value is what is known of one metric.
type value struct {
	metric Metric
	count  int
	times  []float64
}

// maxTimes is how many values a metric may have in one line.
const maxTimes = 100

// Count adds one of m. Labels are the same for the whole line: the first that is
// given stays.
func (r *Recorder) Count(m Metric, labels ...slog.Attr) {
	r.note(m, func(v *value) { v.count++ }, labels)
}

// Time adds a duration to m. Beyond a hundred in one line, they are dropped.
func (r *Recorder) Time(m Metric, d time.Duration) {
	r.note(m, func(v *value) {
		if len(v.times) < maxTimes {
			v.times = append(v.times, milliseconds(d))
		}
	}, nil)
}

func (r *Recorder) note(m Metric, change func(*value), labels []slog.Attr) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.values, func(v value) bool { return v.metric.Name == m.Name })
	if i < 0 {
		i = len(r.values)
		r.values = append(r.values, value{metric: m})
	}
	change(&r.values[i])
	for _, l := range labels {
		if !slices.ContainsFunc(r.labels, func(a slog.Attr) bool { return a.Key == l.Key }) {
			r.labels = append(r.labels, l)
		}
	}
}

// Attrs returns what was collected, for the line.
func (r *Recorder) Attrs() []slog.Attr {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	attrs := make([]slog.Attr, 0, len(r.labels)+len(r.values))
	attrs = append(attrs, r.labels...)
	for _, v := range r.values {
		switch len(v.times) {
		case 0:
			attrs = append(attrs, v.metric.Of(v.count))
		case 1:
			attrs = append(attrs, slog.Float64(v.metric.Name, v.times[0]))
		default:
			attrs = append(attrs, slog.Any(v.metric.Name, slices.Clone(v.times)))
		}
	}
	return attrs
}

type recorderKey struct{}

// NewContext returns a context in which what is counted goes to r.
func NewContext(ctx context.Context, r *Recorder) context.Context {
	return context.WithValue(ctx, recorderKey{}, r)
}

// FromContext returns the recorder of ctx, or nil.
func FromContext(ctx context.Context) *Recorder {
	r, _ := ctx.Value(recorderKey{}).(*Recorder)
	return r
}
