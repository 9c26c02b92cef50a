package runtimewire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// wire speaks HTTP/1.1 with one host.
type wire struct {
	host string // and port

	mu   sync.Mutex
	conn net.Conn // nil: none yet, or it ended
	in   *bufio.Reader
	out  bytes.Buffer // the request
	body bytes.Buffer // of the request
}

// errNoAnswer says that the connection broke before the first byte of an answer.
var errNoAnswer = errors.New("the connection broke before the answer")

// RoundTrip sends r and returns the answer, all of which has been read.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.compose(r); err != nil {
		return nil, err
	}
	kept := w.conn != nil
	resp, err := w.exchange(r)
	if kept && r.Method == http.MethodGet && errors.Is(err, errNoAnswer) {
		// "When an inbound connection is closed prematurely, a client MAY open a
		// new connection and automatically retransmit an aborted sequence of
		// requests if all of those requests have idempotent methods" (RFC 9112,
		// Section 9.3.1).
		return w.exchange(r)
	}
	return resp, err
}

// compose writes r into w.out.
func (w *wire) compose(r *http.Request) error {
	w.out.Reset()
	w.body.Reset()
	if r.Body != nil {
		_, err := w.body.ReadFrom(r.Body)
		if err := errors.Join(err, r.Body.Close()); err != nil {
			return err
		}
	}
	for _, values := range r.Trailer {
		if len(values) > 0 {
			// The answer to an event was a stream that failed halfway, which
			// aws-lambda-go tells behind it.
			q := *r
			q.Body = io.NopCloser(&w.body)
			return q.Write(&w.out)
		}
	}
	w.out.WriteString(r.Method + " " + r.URL.RequestURI() + " HTTP/1.1\r\nHost: " + r.URL.Host + "\r\n")
	if r.Body != nil {
		w.out.WriteString("Content-Length: " + strconv.Itoa(w.body.Len()) + "\r\n")
	}
	if err := r.Header.Write(&w.out); err != nil {
		return err
	}
	w.out.WriteString("\r\n")
	_, err := w.body.WriteTo(&w.out)
	return err
}

// exchange sends what is in w.out and reads the answer. After an error there is no
// connection.
func (w *wire) exchange(r *http.Request) (resp *http.Response, err error) {
	if w.conn == nil {
		if w.conn, err = new(net.Dialer).DialContext(r.Context(), "tcp", w.host); err != nil {
			return nil, err
		}
		w.in = bufio.NewReader(w.conn)
	}
	defer func() {
		if err != nil || resp.Close {
			w.conn.Close()
			w.conn = nil
		}
	}()
	if _, err := w.conn.Write(w.out.Bytes()); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if _, err := w.in.Peek(1); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	resp, err = http.ReadResponse(w.in, r)
	if err != nil {
		return nil, err
	}
	body := bytes.NewBuffer(make([]byte, 0, max(resp.ContentLength+bytes.MinRead, 0)))
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	resp.Body = io.NopCloser(body)
	return resp, nil
}
