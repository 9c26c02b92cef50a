package loginsvc

import (
	"errors"
	"mime"
	"net/http"
	"net/url"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

// maxForm bounds the body of a posted form, in bytes.
const maxForm = 64 << 10

// params are the parameters of a request as they came.
type params url.Values

// get returns the value under name. "Parameters sent without a value MUST be
// treated as if they were omitted" (OAuth 2.1, Section 3.1): both are "".
func (p params) get(name string) string { return url.Values(p).Get(name) }

// repeated names a parameter that was given more than once, which no request
// may do (OAuth 2.1, Section 3.1): which of two is meant, nobody can tell. Only
// resource may be (RFC 8707, Section 2).
func (p params) repeated() (name string, ok bool) {
	for name, values := range p {
		if len(values) > 1 && name != "resource" {
			return name, true
		}
	}
	return "", false
}

// twice tells whether name was given more than once.
func (p params) twice(name string) bool { return len(p[name]) > 1 }

// query returns the parameters in the query of r.
func query(r *http.Request) (params, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "the query is malformed", Err: err}
	}
	return params(values), nil
}

// form returns the parameters in the body of r, and never those of its query:
// a URL ends up in logs and histories.
func form(w http.ResponseWriter, r *http.Request) (params, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "send application/x-www-form-urlencoded"}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, &httpx.Error{Status: http.StatusRequestEntityTooLarge, Code: "invalid_request", Detail: "the body is too large", Err: err}
		}
		return nil, &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "the form is malformed", Err: err}
	}
	return params(r.PostForm), nil
}

// singleForm is [form] for an endpoint that reads each parameter once.
func singleForm(w http.ResponseWriter, r *http.Request) (params, error) {
	p, err := form(w, r)
	if err != nil {
		return nil, err
	}
	if _, ok := p.repeated(); ok {
		return nil, &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "a parameter is repeated"}
	}
	return p, nil
}
