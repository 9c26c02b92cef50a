package lambdahttp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"
)

// recorder keeps what a handler writes. As with net/http, the headers are those
// of the moment of WriteHeader or of the first Write.
type recorder struct {
	method  string
	header  http.Header
	status  int         // 0 until written
	written http.Header // header when status was written
	body    bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status != 0 || status < 200 { // informational answers cannot be sent
		return
	}
	w.status = status
	w.written = w.header.Clone()
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	return w.body.Write(p)
}

// format is how a response says its headers.
type format int

const (
	format2      format = iota // payload 2.0, function URLs: joined, and cookies apart
	formatMulti                // payload 1.0, REST, load balancers: all values of a name
	formatSingle               // load balancers without multi-value headers: one value
)

// response is a response in every format.
type response struct {
	StatusCode      int                 `json:"statusCode"`
	Headers         map[string]string   `json:"headers,omitzero"`
	MultiHeaders    map[string][]string `json:"multiValueHeaders,omitempty"`
	Cookies         []string            `json:"cookies,omitempty"`
	Body            string              `json:"body"`
	IsBase64Encoded bool                `json:"isBase64Encoded"`
}

var errCookies = errors.New("the load balancer can take one cookie of a response: " +
	"set lambda.multi_value_headers.enabled at the target group")

// response returns what was written, in a format. Every Set-Cookie stays a header of
// its own: commas cannot join them (RFC 6265, Section 3).
func (w *recorder) response(f format) (response, error) {
	w.WriteHeader(http.StatusOK)
	body := w.body.Bytes()
	h := w.written
	if len(body) > 0 && h.Get("Content-Type") == "" {
		h.Set("Content-Type", http.DetectContentType(body))
	}
	for _, name := range []string{"Content-Length", "Connection", "Transfer-Encoding", "Trailer"} {
		h.Del(name) // the gateway's own
	}
	out := response{StatusCode: w.status}
	if w.method != http.MethodHead {
		out.Body, out.IsBase64Encoded = encodeBody(body)
	}
	cookies := h.Values("Set-Cookie")
	switch {
	case f == formatMulti:
		out.MultiHeaders = h
		return out, nil
	case f == format2:
		out.Cookies = cookies
		h.Del("Set-Cookie")
	case len(cookies) > 1:
		return response{}, errCookies
	}
	out.Headers = make(map[string]string, len(h))
	for name, values := range h {
		out.Headers[name] = strings.Join(values, ", ")
	}
	return out, nil
}

// encodeBody returns a body that JSON can carry. REST APIs undo base64 only for
// media types they were told of, so that text goes as it is.
func encodeBody(body []byte) (text string, isBase64 bool) {
	if utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}
