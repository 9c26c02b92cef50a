package httpx_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

// lineOf returns the log line of one request that h answers, and the answer.
func lineOf(t *testing.T, h http.Handler, r *http.Request) (map[string]any, *http.Response) {
	t.Helper()
	var log bytes.Buffer
	rec := httptest.NewRecorder()
	httpx.Log(slog.New(slog.NewJSONHandler(&log, nil)), h).ServeHTTP(rec, r)
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Fatalf("%d lines: %s", n, &log)
	}
	for _, secret := range []string{"c0de", "t0ken", "b0dy"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has what was sent: %s", &log)
		}
	}
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	return line, rec.Result()
}

func request() *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/callback/demo?code=c0de", strings.NewReader("b0dy"))
	r.Header.Set("Authorization", "Bearer t0ken")
	return r
}

func returning(err error) http.Handler {
	return httpx.Handle(func(w http.ResponseWriter, _ *http.Request) error { return err }, httpx.OAuth)
}

func TestLog(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler http.Handler
		want    map[string]any // nil: absent
	}{
		{"an answer", returning(nil), map[string]any{"level": "INFO", "status": 200.0, "reason": nil, "err": nil}},
		{"a status of its own", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(303) }),
			map[string]any{"level": "INFO", "status": 303.0}},
		{"a refusal has its code, and its cause for us", returning(&httpx.Error{Status: 400, Code: "invalid_grant", Detail: "no", Err: errCause}),
			map[string]any{"level": "INFO", "status": 400.0, "reason": "invalid_grant", "err": errCause.Error()}},
		{"a refusal without a cause", returning(&httpx.Error{Status: 400, Code: "invalid_scope"}),
			map[string]any{"level": "INFO", "status": 400.0, "reason": "invalid_scope", "err": nil}},
		{"our own trouble is an error", returning(errCause),
			map[string]any{"level": "ERROR", "status": 500.0, "reason": "server_error", "err": errCause.Error()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			line, a := lineOf(t, c.handler, request())
			for name, want := range c.want {
				if line[name] != want {
					t.Errorf("%s: %v, want %v", name, line[name], want)
				}
			}
			if line["method"] != "POST" || line["path"] != "/callback/demo" || line["took"] == nil || a.StatusCode != int(c.want["status"].(float64)) {
				t.Errorf("%d %v", a.StatusCode, line)
			}
		})
	}
	t.Run("http.ResponseController reaches the writer beneath", func(t *testing.T) {
		_, a := lineOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		}), request())
		if a.StatusCode != http.StatusOK {
			t.Error(a.StatusCode)
		}
	})
}

func TestJSON(t *testing.T) {
	t.Run("nobody keeps it, unless the handler says so", func(t *testing.T) {
		for caching, want := range map[string]string{"": "no-store", "no-cache": "no-cache"} {
			rec := httptest.NewRecorder()
			if caching != "" {
				rec.Header().Set("Cache-Control", caching)
			}
			if err := httpx.JSON(rec, map[string]string{"url": "https://a.test/?x=1&y=<2>"}); err != nil {
				t.Fatal(err)
			}
			if got := rec.Header().Get("Cache-Control"); got != want {
				t.Errorf("%q became %q", caching, got)
			}
			if rec.Header().Get("Content-Type") != "application/json" || rec.Body.String() != `{"url":"https://a.test/?x=1&y=<2>"}`+"\n" {
				t.Errorf("%v %s", rec.Header(), rec.Body)
			}
		}
	})
	t.Run("what cannot be written is an error, and nothing of it is sent", func(t *testing.T) {
		line, a := lineOf(t, httpx.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			return httpx.JSON(w, map[string]any{"a": "b0dy", "f": func() {}})
		}, httpx.OAuth), request())
		if a.StatusCode != 500 || line["reason"] != "server_error" || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%d %v", a.StatusCode, line)
		}
	})
}

func TestRequestID(t *testing.T) {
	ctx := t.Context()
	if got := httpx.RequestID(ctx); got != "" {
		t.Error(got)
	}
	if got := httpx.RequestID(httpx.WithRequestID(ctx, "abc")); got != "abc" {
		t.Error(got)
	}
}
