package runtimewire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/gatehouse-auth/gatehouse/internal/runtimewire"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/lambdatest"
)

// TestMain is also the `bootstrap` of these tests: with RUNTIMEWIRE set, this
// program is a Lambda function.
func TestMain(m *testing.M) {
	switch os.Getenv("RUNTIMEWIRE") {
	case "":
		os.Exit(m.Run())
	case "lean":
		http.DefaultTransport = runtimewire.Transport()
	}
	lambda.Start(answer)
}

// answer does what its event says.
func answer(ctx context.Context, event string) (any, error) {
	deadline, _ := ctx.Deadline()
	lc, _ := lambdacontext.FromContext(ctx)
	switch event {
	case "time":
		return time.Until(deadline).Round(time.Second).String(), nil
	case "id":
		return len(lc.AwsRequestID), nil
	case "fail":
		return nil, errors.New("it did\nnot work")
	case "panic":
		panic("help")
	case "large":
		return strings.Repeat("x", 6<<20-2), nil
	case "too large":
		return strings.Repeat("x", 6<<20), nil
	case "stream":
		return io.MultiReader(strings.NewReader("one "), strings.NewReader("two")), nil
	}
	return len(event), nil
}

// start runs this program as a function; lean says with which transport.
func start(t *testing.T, lean string, freeze bool) *lambdatest.Function {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := lambdatest.Config{Root: t.TempDir(), Freeze: freeze, Env: map[string]string{"RUNTIMEWIRE": lean, "HTTP_PROXY": "http://127.0.0.1:9"}}
	if err := os.Symlink(self, filepath.Join(cfg.Root, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	return lambdatest.Start(t, cfg)
}

// TestLambda has aws-lambda-go answer the same events over its own transport and
// over this one.
func TestLambda(t *testing.T) {
	own, lean := start(t, "not", false), start(t, "lean", true)
	for _, event := range []string{
		"", "time", "id", "fail", "stream", "large", "id", strings.Repeat("y", 5<<20), "id", "panic", "id", "too large", "id",
	} {
		name := event
		if len(event) > 99 {
			name = "an event of 5 MB"
		}
		t.Run(name, func(t *testing.T) {
			payload := fmt.Appendf(nil, "%q", event)
			want, wantErr := own.Invoke(t.Context(), payload)
			got, gotErr := lean.Invoke(t.Context(), payload)
			if !bytes.Equal(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
				t.Errorf("%.99s, %v instead of %.99s, %v", got, gotErr, want, wantErr)
			}
		})
	}
	if a, b := len(own.Inits()), len(lean.Inits()); a != b {
		t.Errorf("%d processes instead of %d", b, a)
	}
}

// server answers on a listener, and counts the connections.
func server(t *testing.T, answer http.HandlerFunc) (url string, connections *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = new(atomic.Int32)
	s := &http.Server{Handler: answer, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String() + "/", connections
}

// client is what aws-lambda-go makes of the transport.
func client() *http.Client { return &http.Client{Transport: runtimewire.Transport().Clone()} }

func ask(t *testing.T, c *http.Client, method, url, body string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return fmt.Sprint(resp.StatusCode, " ", string(got)), err
}

// breaking answers each request with its number, or ends the connection if it is
// one of these.
func breaking(broken ...int) http.HandlerFunc {
	var served atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		n := int(served.Add(1))
		if slices.Contains(broken, n) {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, n)
	}
}

func TestConnections(t *testing.T) {
	type request struct{ method, want string } // "": an error
	for _, tc := range []struct {
		name        string
		broken      []int
		requests    []request
		connections int32
	}{
		{"one is kept", nil, []request{{"GET", "200 1"}, {"POST", "200 2"}, {"GET", "200 3"}}, 1},
		{"a kept one that ends is made again for who only asks", []int{2}, []request{{"GET", "200 1"}, {"GET", "200 3"}, {"POST", "200 4"}}, 2},
		{"once", []int{2, 3}, []request{{"GET", "200 1"}, {"GET", ""}, {"GET", "200 4"}}, 3},
		{"not for who says something", []int{2}, []request{{"GET", "200 1"}, {"POST", ""}, {"POST", "200 3"}}, 2},
		{"not if it is new", []int{1}, []request{{"GET", ""}, {"GET", "200 2"}}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			url, connections := server(t, breaking(tc.broken...))
			c := client()
			for i, r := range tc.requests {
				got, err := ask(t, c, r.method, url, "")
				if got != r.want || (err == nil) != (r.want != "") {
					t.Errorf("request %d: %q, %v", i+1, got, err)
				}
			}
			if n := connections.Load(); n != tc.connections {
				t.Errorf("%d connections", n)
			}
		})
	}
	t.Run("one is not kept that the server means to end", func(t *testing.T) {
		url, connections := server(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Connection", "close") })
		c := client()
		for range 3 {
			if got, err := ask(t, c, "POST", url, "x"); got != "200 " {
				t.Errorf("%q, %v", got, err)
			}
		}
		if n := connections.Load(); n != 3 {
			t.Errorf("%d connections", n)
		}
	})
	t.Run("an answer that ends early is an error, and not asked for again", func(t *testing.T) {
		var served atomic.Int32
		url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
			if served.Add(1) == 2 {
				w.Header().Set("Content-Length", "9")
			}
			w.Write([]byte("four"))
		})
		c := client()
		for i, want := range []string{"200 four", "", "200 four"} {
			if got, err := ask(t, c, "GET", url, ""); got != want || (err == nil) != (want != "") {
				t.Errorf("%d: %q, %v", i, got, err)
			}
		}
		if n := served.Load(); n != 3 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		if got, err := ask(t, client(), "GET", "http://127.0.0.1:1/", ""); err == nil {
			t.Errorf("got %q", got)
		}
	})
}

// TestUnread leaves an answer unread, and then asks again.
func TestUnread(t *testing.T) {
	url, connections := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	})
	c := client()
	for _, body := range []string{strings.Repeat("first", 1<<16), "second"} {
		resp, err := c.Post(url, "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "second" {
			continue // neither read nor closed
		}
		got, err := io.ReadAll(resp.Body)
		if string(got) != body || err != nil {
			t.Errorf("%.99q, %v", got, err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestRequest(t *testing.T) {
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s a=%q b=%q %s", r.Host, r.RequestURI, r.Header["A"], r.Header["B"], body)
	})
	host := strings.Trim(url, "htp:/")
	r, err := http.NewRequestWithContext(t.Context(), "POST", url+"a%2Fb?c", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("A", "1\r\nB: 2") // http.Client would not let this pass
	resp, err := runtimewire.Transport().TLSNextProto["unencrypted_http2"](host, nil).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if want := host + ` /a%2Fb?c a=["1  B: 2"] b=[] body`; string(got) != want || err != nil {
		t.Errorf("the server got %s, %v\nwant %s", got, err, want)
	}
}

// TestTrailer sends what aws-lambda-go does when a stream fails halfway.
func TestTrailer(t *testing.T) {
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v %v", body, err, r.Trailer)
	})
	trailer := http.Header{"Reason": nil}
	half := io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) {
		trailer.Set("Reason", "why")
		return 0, io.EOF
	}))
	r, err := http.NewRequestWithContext(t.Context(), "POST", url, half)
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = trailer
	resp, err := client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(resp.Body); string(got) != "half <nil> map[Reason:[why]]" || err != nil {
		t.Errorf("the server got %s, %v", got, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestOneWire is about net/http, which may ask twice for the same host while its
// first requests overtake each other.
func TestOneWire(t *testing.T) {
	wire := runtimewire.Transport().Clone().TLSNextProto["unencrypted_http2"]
	if wire("a:1", nil) != wire("a:1", nil) || wire("a:1", nil) == wire("b:1", nil) {
		t.Error("want one wire for each host")
	}
}
