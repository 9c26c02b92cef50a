package httpx

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

// HandlerFunc answers a request, or returns an error before it has written
// anything.
type HandlerFunc func(http.ResponseWriter, *http.Request) error

// Handle makes an http.Handler of h: an error that h returns is noted for the
// log line of the request and written by write: [Problem], [OAuth] or a page.
func Handle(h HandlerFunc, write func(http.ResponseWriter, *http.Request, *Error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			e := As(err)
			Note(r.Context(), e.Code, e.Err)
			write(w, r, e)
		}
	})
}

// Note adds a reason, and a cause that may be nil, to the log line of the request
// whose context ctx is.
func Note(ctx context.Context, reason string, cause error) {
	if line, ok := ctx.Value(lineKey{}).(*line); ok {
		line.code, line.err = reason, cause
	}
}

// JSON writes v with status 200 and, unless the handler has chosen otherwise,
// no-store.
func JSON(w http.ResponseWriter, v any) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	e := json.NewEncoder(w) // which writes all of v or nothing
	e.SetEscapeHTML(false)  // so that people can copy a URL out of the answer
	return e.Encode(v)
}

// Log writes one line for each request that next answers: method, path, status,
// time taken, for an error its code and cause, and what was counted meanwhile. It
// never writes a query, a header or a body, because tokens and codes travel there.
func Log(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		l := &line{}
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		ctx := metric.NewContext(context.WithValue(r.Context(), lineKey{}, l), &l.counted)
		next.ServeHTTP(sw, r.WithContext(ctx))
		level := slog.LevelInfo
		attrs := []slog.Attr{
			slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", sw.status), slog.Duration("took", time.Since(started)),
		}
		if l.code != "" {
			attrs = append(attrs, slog.String("reason", l.code))
		}
		if l.err != nil {
			attrs = append(attrs, slog.Any("err", l.err))
		}
		if sw.status >= 500 {
			level = slog.LevelError
		}
		log.LogAttrs(ctx, level, "request", append(attrs, l.counted.Attrs()...)...)
	})
}

// WithRequestID returns a context that carries the gateway's id of the request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the gateway's id of the request, or "" outside a gateway.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

type (
	lineKey      struct{}
	requestIDKey struct{}
)

// line is what a handler adds to the log line of its request.
type line struct {
	code    string
	err     error
	counted metric.Recorder
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer beneath.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
