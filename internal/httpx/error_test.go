package httpx_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

var errCause = errors.New("dial tcp 10.0.0.7: refused")

// answer is what a client gets for an error that a handler returns.
func answer(t *testing.T, err error, write func(http.ResponseWriter, *http.Request, *httpx.Error)) (*http.Response, map[string]any) {
	t.Helper()
	h := httpx.Handle(func(http.ResponseWriter, *http.Request) error { return err }, write)
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r.WithContext(httpx.WithRequestID(r.Context(), "id-1")))
	if strings.Contains(rec.Body.String(), errCause.Error()) {
		t.Errorf("the cause is told: %s", rec.Body)
	}
	var members map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &members); err != nil {
		t.Fatalf("%v: %s", err, rec.Body)
	}
	return rec.Result(), members
}

func TestErrors(t *testing.T) {
	refusal := &httpx.Error{Status: 400, Code: "invalid_grant", Detail: "the code cannot be used", Err: errCause}
	mute := map[string]any{"error": "server_error", "error_description": "internal error"}
	for _, c := range []struct {
		name        string
		err         error
		write       func(http.ResponseWriter, *http.Request, *httpx.Error)
		status      int
		contentType string
		want        map[string]any
	}{
		{"an OAuth error", refusal, httpx.OAuth, 400, "application/json",
			map[string]any{"error": "invalid_grant", "error_description": "the code cannot be used"}},
		{"one that was wrapped", fmt.Errorf("redeeming: %w", refusal), httpx.OAuth, 400, "application/json",
			map[string]any{"error": "invalid_grant", "error_description": "the code cannot be used"}},
		{"one without a word", &httpx.Error{Status: 400, Code: "invalid_scope"}, httpx.OAuth, 400, "application/json",
			map[string]any{"error": "invalid_scope"}},
		{"a problem", refusal, httpx.Problem, 400, "application/problem+json", map[string]any{
			"type": "about:blank", "title": "Bad Request", "status": 400.0, "code": "invalid_grant", "detail": "the code cannot be used", "request_id": "id-1"}},
		{"any other error is mute", errCause, httpx.OAuth, 500, "application/json", mute},
		{"also if it names somebody", fmt.Errorf("user lin@example.com: %w", errCause), httpx.OAuth, 500, "application/json", mute},
		{"a part that is out of reach", httpx.Unavailable(errCause), httpx.OAuth, 503, "application/json",
			map[string]any{"error": "temporarily_unavailable", "error_description": "try again in a moment"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, got := answer(t, c.err, c.write)
			if diff := cmp.Diff(c.want, got); diff != "" || a.StatusCode != c.status {
				t.Errorf("%d %s", a.StatusCode, diff)
			}
			if a.Header.Get("Content-Type") != c.contentType || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", a.Header)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for after, want := range map[time.Duration]string{
		0: "", -time.Second: "", 1: "1", time.Second: "1", time.Second + 1: "2", time.Minute: "60",
	} {
		a, _ := answer(t, &httpx.Error{Status: 429, Code: "temporarily_unavailable", RetryAfter: after}, httpx.OAuth)
		if got := a.Header.Get("Retry-After"); got != want {
			t.Errorf("%v: %q, want %q", after, got, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	with := &httpx.Error{Status: 503, Code: "temporarily_unavailable", Detail: "try again", Err: errCause}
	if got := with.Error(); got != "503 temporarily_unavailable: "+errCause.Error() || !errors.Is(with, errCause) {
		t.Error(got)
	}
	if got := (&httpx.Error{Status: 400, Code: "invalid_request", Detail: "state is missing"}).Error(); got != "400 invalid_request: state is missing" {
		t.Error(got)
	}
}
