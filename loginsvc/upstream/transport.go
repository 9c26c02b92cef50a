package upstream

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"net/http"
)

// maxBody is the most that any answer of a provider may hold.
const maxBody = 1 << 20

var errTooLong = errors.New("answer is longer than 1 MiB")

// boundedClient returns a client over base's transport that reads no more than
// maxBody of an answer and follows no redirect: a token endpoint that redirects
// would send code and secret on to wherever it says. Time is bounded by contexts.
func boundedClient(base *http.Client) *http.Client {
	var transport http.RoundTripper
	if base != nil {
		transport = base.Transport
	}
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &http.Client{
		Transport:     boundedTransport{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type boundedTransport struct{ next http.RoundTripper }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Accept") == "" { // GitHub answers with a form otherwise
		r = r.Clone(r.Context())
		r.Header.Set("Accept", "application/json")
	}
	res, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := &boundedBody{ReadCloser: res.Body, left: maxBody}
	res.Body = body
	if mediaType, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); mediaType == "text/plain" {
		// Some send JSON as text, which x/oauth2 would read as a form.
		ahead := bufio.NewReader(body)
		if first, err := ahead.Peek(1); err == nil && first[0] == '{' {
			res.Header.Set("Content-Type", "application/json")
		}
		res.Body = struct {
			io.Reader
			io.Closer
		}{ahead, body}
	}
	return res, nil
}

// boundedBody fails, rather than ends, once more than left bytes were read: half
// an answer must not pass for one.
type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if n > b.left {
		return 0, errTooLong
	}
	b.left -= n
	return n, err
}
