package authorizer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

// maxKeySet bounds what is read of a key set. API Gateway's own verifier reads no
// larger one either.
const maxKeySet = 150_000

// fetcher gets a small document of the issuer from one address.
type fetcher struct {
	url     string
	client  *http.Client
	timeout time.Duration // for the whole of it
	limit   int64         // bytes of a response; a larger one is an error
}

// patient returns f with twice the time: for the first copy, without which
// nothing can be decided, and which can meet an issuer that is just starting.
func (f fetcher) patient() fetcher {
	f.timeout *= 2
	return f
}

// wanted says what the caller has and wants.
type wanted struct {
	etag string // of its copy; "" if it has none
	// rawToken is a token to be judged by the issuer, as it stands now. "" asks
	// for the document. It has been verified: it is the issuer's own.
	rawToken string
}

// fetched is an answer.
type fetched struct {
	body    []byte
	etag    string
	current bool // the caller's copy is the current one; there is no body
}

// get asks for the document. Others may wait for the answer, so it does not end
// when ctx is cancelled; it ends at ctx's deadline, if that is before the timeout.
func (f fetcher) get(ctx context.Context, want wanted) (fetched, error) {
	timeout := f.timeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return fetched{}, err
	}
	req.Header.Set("Accept", "application/json")
	if want.etag != "" {
		req.Header.Set("If-None-Match", want.etag)
	}
	if want.rawToken != "" {
		req.Header.Set("Authorization", "Bearer "+want.rawToken)
		req.Header.Set("Cache-Control", "no-cache") // no cache on the way may answer
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return fetched{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified && want.etag != "" {
		return fetched{etag: want.etag, current: true}, nil
	}
	if resp.StatusCode != http.StatusOK {
		return fetched{}, fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, f.limit+1))
	if err != nil {
		return fetched{}, err
	}
	if int64(len(body)) > f.limit {
		return fetched{}, errors.New("the answer is too large")
	}
	return fetched{body: body, etag: resp.Header.Get("ETag")}, nil
}

// onlyThere returns c, or transport if c is nil, as a client that follows no
// redirect: it asks the configured address and no other.
func onlyThere(c *http.Client, transport *http.Transport) *http.Client {
	own := http.Client{Transport: transport}
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// checkURL returns an error unless address is one that may be fetched from
// without someone in between exchanging what it says.
func checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return fmt.Errorf("URL %q: want an absolute https address", address)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback.URL(u)) {
		return fmt.Errorf("URL %q: want https", address)
	}
	return nil
}
