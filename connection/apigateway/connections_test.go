package apigateway_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/apigateway"
)

// management is a management API that answers as it is told, and notes what it is
// asked.
type management struct {
	*httptest.Server
	status   []int // for each request in turn; 204 when there are no more
	requests []string
	headers  http.Header
}

func manage(t *testing.T, status ...int) (*management, *apigateway.Connections) {
	t.Helper()
	m := &management{status: status}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m.requests = append(m.requests, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
		m.headers = r.Header
		status := http.StatusNoContent
		if len(m.status) > 0 {
			status, m.status = m.status[0], m.status[1:]
		}
		w.Header().Set("X-Amzn-ErrorType", map[int]string{403: "ForbiddenException", 410: "GoneException", 429: "LimitExceededException"}[status])
		w.WriteHeader(status)
	}))
	t.Cleanup(m.Close)
	c, err := apigateway.New(aws.Config{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "session"),
	}, m.URL+"/prod")
	if err != nil {
		t.Fatal(err)
	}
	return m, c
}

func TestClose(t *testing.T) {
	m, c := manage(t)
	if err := c.Close(t.Context(), "R1kmxc2VNjMCFIA="); err != nil {
		t.Fatal(err)
	}
	if len(m.requests) != 1 || m.requests[0] != "DELETE /prod/@connections/R1kmxc2VNjMCFIA%3D" {
		t.Errorf("asked %q", m.requests)
	}
	signed := m.headers.Get("Authorization")
	if !strings.HasPrefix(signed, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(signed, "/eu-central-1/execute-api/aws4_request") ||
		m.headers.Get("X-Amz-Security-Token") != "session" {
		t.Errorf("signed %q", signed)
	}
}

func TestSend(t *testing.T) {
	m, c := manage(t)
	if err := c.Send(t.Context(), "a=", []byte(`{"text":"hello"}`)); err != nil {
		t.Fatal(err)
	}
	if len(m.requests) != 1 || m.requests[0] != `POST /prod/@connections/a%3D {"text":"hello"}` {
		t.Errorf("asked %q", m.requests)
	}
	_, c = manage(t, http.StatusGone)
	if err := c.Send(t.Context(), "a=", []byte("x")); !errors.Is(err, connection.ErrGone) {
		t.Errorf("a connection that is gone: %v", err)
	}
}

func TestCloseFails(t *testing.T) {
	for name, tc := range map[string]struct {
		status []int
		asked  int
		want   error // nil is any error, but ErrGone
	}{
		"gone":                     {[]int{410}, 1, connection.ErrGone},
		"forbidden":                {[]int{403}, 1, nil},
		"no such stage":            {[]int{404}, 1, nil},
		"in trouble for long":      {[]int{500, 500, 500}, 3, nil},
		"in trouble, and then not": {[]int{503}, 2, errNone},
		"too much at once":         {[]int{429, 429, 429}, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, c := manage(t, tc.status...)
			err := c.Close(t.Context(), "a=")
			switch {
			case tc.want == errNone && err != nil, tc.want != errNone && err == nil,
				tc.want == nil && errors.Is(err, connection.ErrGone), tc.want == connection.ErrGone && err != tc.want:
				t.Errorf("error %v", err)
			}
			if len(m.requests) != tc.asked {
				t.Errorf("asked %d times, want %d", len(m.requests), tc.asked)
			}
		})
	}
	t.Run("nobody answers", func(t *testing.T) {
		m, c := manage(t)
		m.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := c.Close(ctx, "a="); err == nil || errors.Is(err, connection.ErrGone) {
			t.Errorf("error %v", err)
		}
	})
}

// errNone says that no error is wanted.
var errNone = errors.New("none")

func TestNewRefuses(t *testing.T) {
	for _, endpoint := range []string{"", "x", "abc.execute-api.eu-central-1.amazonaws.com/prod", "wss://abc.execute-api.eu-central-1.amazonaws.com/prod",
		"http://abc.execute-api.eu-central-1.amazonaws.com/prod", "http://localhost.example.com/prod", "https:///prod", "https://a:b@abc.example.com/prod",
		"https://abc.example.com/prod?x", "https://abc.example.com/prod/@connections", "https://%zz/"} {
		if _, err := apigateway.New(aws.Config{}, endpoint); err == nil {
			t.Errorf("%q is taken", endpoint)
		}
	}
	for _, endpoint := range []string{"https://abc.execute-api.cn-north-1.amazonaws.com.cn/prod", "https://abc.example.com/prod/", "https://ws.example.com", "http://127.0.0.1:8790/prod", "http://localhost:8790/prod"} {
		if _, err := apigateway.New(aws.Config{}, endpoint); err != nil {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}
