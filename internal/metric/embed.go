package metric

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
)

// Embed returns a handler that hands every line on to h and, if there are
// metrics in it, adds what makes CloudWatch find them. h must write JSON. stack is
// the value of the dimension [Stack]; without one, h is returned.
func Embed(h slog.Handler, stack string) slog.Handler {
	if stack == "" {
		return h
	}
	e := &embedder{Handler: h, stack: slog.String(Stack, stack), known: make(map[string]*directive)}
	for _, m := range Catalogue() {
		e.known[m.Name] = newDirective(m)
	}
	return e
}

// Embedded tells whether h is a handler of [Embed]: whether anybody reads metrics.
func Embedded(h slog.Handler) bool {
	_, yes := h.(*embedder)
	return yes
}

type embedder struct {
	slog.Handler
	stack slog.Attr
	known map[string]*directive
}

// Handle adds the member _aws, which must be at the root of the line as must be
// all that it refers to.
func (e *embedder) Handle(ctx context.Context, r slog.Record) error {
	var space [8]*directive
	found := space[:0]
	r.Attrs(func(a slog.Attr) bool {
		if d := e.known[a.Key]; d != nil && isNumeric(a.Value) && !slices.Contains(found, d) && d.isLabelled(r) {
			found = append(found, d)
		}
		return true
	})
	if len(found) > 0 && !r.Time.IsZero() {
		r = r.Clone()
		r.AddAttrs(e.stack, slog.Any("_aws", metadata(r.Time.UnixMilli(), found)))
	}
	return e.Handler.Handle(ctx, r)
}

// WithAttrs keeps embedding; a metric has to be an attribute of the line itself.
func (e *embedder) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &embedder{e.Handler.WithAttrs(attrs), e.stack, e.known}
}

// WithGroup ends it: what is in a group is not at the root.
func (e *embedder) WithGroup(name string) slog.Handler { return e.Handler.WithGroup(name) }

// isNumeric tells whether a value is one that a metric may have.
func isNumeric(v slog.Value) bool {
	switch v.Kind() {
	case slog.KindInt64, slog.KindFloat64:
		return true
	case slog.KindAny:
		_, several := v.Any().([]float64)
		return several
	}
	return false
}

// directive is what is said about a metric in each line that has it.
type directive struct {
	labels     []Label
	dimensions []byte // the names, in JSON
	definition []byte // name and unit, in JSON
}

func newDirective(m Metric) *directive {
	names := []string{Stack}
	for _, l := range m.Labels {
		names = append(names, l.Name)
	}
	d := &directive{labels: m.Labels}
	d.dimensions, _ = json.Marshal(names) // strings
	d.definition, _ = json.Marshal(struct{ Name, Unit string }{m.Name, string(m.Unit)})
	return d
}

// isLabelled tells whether the line has all labels of the metric, as text. A
// dimension that is not there would lose every metric of the line.
func (d *directive) isLabelled(r slog.Record) bool {
	missing := len(d.labels)
	for _, l := range d.labels {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == l.Name && a.Value.Kind() == slog.KindString {
				missing--
				return false
			}
			return true
		})
	}
	return missing == 0
}

// metadata is the value of _aws. Metrics without labels share a directive.
func metadata(timestamp int64, found []*directive) json.RawMessage {
	out := append(make([]byte, 0, 512), `{"Timestamp":`...)
	out = strconv.AppendInt(out, timestamp, 10)
	out = append(out, `,"CloudWatchMetrics":[`...)
	open := false // a directive without labels, to which another metric can be added
	for _, labelled := range []bool{false, true} {
		for _, d := range found {
			if labelled != (len(d.labels) > 0) {
				continue
			}
			if open && !labelled {
				out = append(append(out, ','), d.definition...)
				continue
			}
			if open {
				out = append(out, `]},`...)
			}
			out = append(append(out, `{"Namespace":"`+Namespace+`","Dimensions":[`...), d.dimensions...)
			out = append(append(out, `],"Metrics":[`...), d.definition...)
			open = true
		}
	}
	return append(out, `]}]}`...)
}
