package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Exchange is a request that was answered, for the log. It holds no query,
// header or body, because tokens and codes travel there.
type Exchange struct {
	Time      time.Time // when it began
	Took      time.Duration
	RequestID string
	Method    string
	Path      string // escaped, so that it is one printable line
	Route     string // its key; "" if none matched
	Status    int
	// By is who settled the answer: "gateway", "authorizer" or the name of the
	// function; "page" is a plain handler.
	By     string
	Reason string // why it was refused or failed, for people; often ""
	Cached bool   // the authorizer's answer came from the cache
	Err    error  // what a function returned instead of an answer, or nil

	reasonHeader string            // of the Config
	refusal      func(http.Header) // sets headers of a refusal; may be nil
}

// String returns the exchange as a line for people:
//
//	14:02:50 GET /demo/hello 403 authorizer: deny reason=expired
func (x Exchange) String() string {
	var b strings.Builder
	b.WriteString(x.Time.Format(time.TimeOnly))
	b.WriteString(" " + x.Method + " " + x.Path + " " + strconv.Itoa(x.Status))
	if x.By != "page" {
		b.WriteString(" " + x.By)
	}
	if x.Reason != "" {
		b.WriteString(": " + x.Reason)
	}
	if x.Cached {
		b.WriteString(" (cached)")
	}
	if x.Err != nil {
		b.WriteString(": " + x.Err.Error())
	}
	return b.String()
}

// LogValue returns the exchange as a group, for machines.
func (x Exchange) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("method", x.Method), slog.String("path", x.Path), slog.String("route", x.Route),
		slog.Int("status", x.Status), slog.Duration("took", x.Took), slog.String("request_id", x.RequestID),
		slog.String("by", x.By),
	}
	if x.Reason != "" {
		attrs = append(attrs, slog.String("reason", x.Reason))
	}
	if x.Cached {
		attrs = append(attrs, slog.Bool("cached", true))
	}
	if x.Err != nil {
		attrs = append(attrs, slog.Any("err", x.Err))
	}
	return slog.GroupValue(attrs...)
}

// Annotate tells the gateway why the function that runs under ctx refuses. It is
// for a log handler that sees an authorizer's own words, which no answer carries.
// Outside the gateway it does nothing.
func Annotate(ctx context.Context, reason string) {
	if note, ok := ctx.Value(noteKey{}).(*atomic.Value); ok {
		note.Store(reason)
	}
}

type noteKey struct{}

// withNote returns a context for [Annotate], and what reads the note.
func withNote(ctx context.Context) (context.Context, func() string) {
	var note atomic.Value
	return context.WithValue(ctx, noteKey{}, &note), func() string {
		reason, _ := note.Load().(string)
		return reason
	}
}
