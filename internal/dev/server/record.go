package server

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

// record is a slog.Handler that turns what the parts say about a request into a
// note on the gateway's one line for it. What is not about a request goes on to
// the log.
type record struct {
	slog.Handler
}

// Enabled is true for everything: also where nobody reads the log, somebody may
// read the notes.
func (record) Enabled(context.Context, slog.Level) bool { return true }

func (r record) Handle(ctx context.Context, rec slog.Record) error {
	said := map[string]slog.Value{}
	rec.Attrs(func(a slog.Attr) bool {
		said[a.Key] = a.Value.Resolve()
		return true
	})
	if _, refused := said["reason"]; !refused && rec.Message != "request" {
		if !r.Handler.Enabled(ctx, rec.Level) {
			return nil
		}
		return r.Handler.Handle(ctx, uncounted(rec))
	}
	if note := words(said); note != "" {
		gateway.Annotate(ctx, note)
	}
	return nil
}

// uncounted is a line without what is counted in it, which here nobody reads.
func uncounted(rec slog.Record) slog.Record {
	out := slog.NewRecord(rec.Time, rec.Level, rec.Message, rec.PC)
	rec.Attrs(func(a slog.Attr) bool {
		if _, counted := metric.Lookup(a.Key); !counted {
			out.AddAttrs(a)
		}
		return true
	})
	return out
}

// words is what people read of the attributes of a refusal.
func words(said map[string]slog.Value) string {
	note := ""
	if reason, ok := said["reason"]; ok {
		note = reason.String()
	}
	if claim, ok := said["claim"]; ok {
		note += " " + claim.String()
	}
	if by, ok := said["by"]; ok && by.Kind() == slog.KindDuration {
		when := "ago"
		if note == "not_yet_valid" {
			when = "too early"
		}
		note += fmt.Sprintf(" (%d s %s)", by.Duration()/time.Second, when)
	}
	if err, ok := said["err"]; ok {
		note = strings.TrimPrefix(note+": "+err.String(), ": ")
	}
	return note
}

// WithAttrs and WithGroup keep the notes coming from loggers derived of this one.
func (r record) WithAttrs(attrs []slog.Attr) slog.Handler { return record{r.Handler.WithAttrs(attrs)} }
func (r record) WithGroup(name string) slog.Handler       { return record{r.Handler.WithGroup(name)} }
