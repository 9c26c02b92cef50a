package lambdahttp

import (
	"bytes"
	"encoding/base64"
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

// response is an answer in both formats: 1.0 and REST read MultiHeaders, 2.0
// reads Headers and Cookies.
type response struct {
	StatusCode      int                 `json:"statusCode"`
	Headers         map[string]string   `json:"headers,omitempty"`
	MultiHeaders    map[string][]string `json:"multiValueHeaders,omitempty"`
	Cookies         []string            `json:"cookies,omitempty"`
	Body            string              `json:"body"`
	IsBase64Encoded bool                `json:"isBase64Encoded"`
}

// response returns what was written, in payload format 2.0 or the older one.
// Every Set-Cookie stays a header of its own: commas cannot join them (RFC 6265,
// Section 3).
func (w *recorder) response(v2 bool) response {
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
	if !v2 {
		out.MultiHeaders = h
		return out
	}
	out.Cookies = h.Values("Set-Cookie")
	h.Del("Set-Cookie")
	out.Headers = make(map[string]string, len(h))
	for name, values := range h {
		out.Headers[name] = strings.Join(values, ", ")
	}
	return out
}

// encodeBody returns a body that JSON can carry. REST APIs undo base64 only for
// media types they were told of, so that text goes as it is.
func encodeBody(body []byte) (text string, isBase64 bool) {
	if utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}
