package loginsvc

import (
	"errors"
	"mime"
	"net/http"
	"net/url"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
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

// credentials are how a client says who it is (OAuth 2.1, Section 2.4.1).
type credentials struct {
	id, secret string
	basic      bool   // they came in the Authorization header
	undecoded  string // the secret as it stood there; many clients do not encode it
}

// prove tells whether they are those of the client.
func (sent credentials) prove(c client.Client) bool {
	decoded := c.HasSecret(sent.secret)
	return sent.basic && c.HasSecret(sent.undecoded) || decoded
}

// clientForm reads what a client posts to us, and proves the client.
func (s *Service) clientForm(w http.ResponseWriter, r *http.Request) (params, client.Client, error) {
	p, err := singleForm(w, r)
	if err != nil {
		return nil, client.Client{}, err
	}
	c, err := s.authenticate(w, r, p)
	return p, c, err
}

// authenticate returns the client that posts to us. A public client names itself
// and proves nothing; a confidential one never gets through without its secret.
func (s *Service) authenticate(w http.ResponseWriter, r *http.Request, p params) (client.Client, error) {
	sent, err := readCredentials(r, p)
	if err != nil {
		return client.Client{}, err
	}
	c, err := s.Clients(r.Context(), sent.id)
	switch {
	case errors.Is(err, client.ErrUnknown):
		// Spend the time that a known client takes.
		client.Client{Secret: "none"}.HasSecret(sent.secret)
		return client.Client{}, s.wrongClient(w, r, sent, err)
	case err != nil:
		return client.Client{}, err
	case c.Public() && sent.secret != "":
		return client.Client{}, invalidClient(w, sent.basic, errors.New("a public client sent a secret"))
	case !c.Public() && !sent.prove(c):
		return client.Client{}, s.wrongClient(w, r, sent, errors.New("wrong client secret"))
	}
	return c, nil
}

// wrongClient is the answer to wrong credentials: the same again and again is
// answered with 429. Right ones are never refused for that, so that nobody can
// shut a client out; those that Gatehouse makes cannot be guessed.
func (s *Service) wrongClient(w http.ResponseWriter, r *http.Request, sent credentials, cause error) error {
	if errors.Is(cause, client.ErrUnknown) {
		sent.id = "" // names that nobody has are not worth a row each
	}
	err := s.count(r.Context(), limitFailures, sent.id, source(r))
	if e, ok := errors.AsType[*httpx.Error](err); ok {
		return e
	}
	return invalidClient(w, sent.basic, cause) // also if it could not be counted
}

func readCredentials(r *http.Request, p params) (credentials, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return credentials{id: p.get("client_id"), secret: p.get("client_secret")}, nil
	}
	id, secret, ok := r.BasicAuth()
	if len(headers) > 1 || !ok {
		return credentials{}, invalidRequest("the Authorization header is not one of Basic")
	}
	// "The client identifier is encoded using the application/x-www-form-urlencoded
	// encoding algorithm" (RFC 6749, Section 2.3.1), and so is the secret.
	id, idErr := url.QueryUnescape(id)
	decoded, secretErr := url.QueryUnescape(secret)
	switch {
	case idErr != nil || secretErr != nil:
		return credentials{}, invalidRequest("the Authorization header is malformed")
	case p.get("client_secret") != "":
		return credentials{}, invalidRequest("the client authenticates in two ways")
	case p.get("client_id") != "" && p.get("client_id") != id:
		return credentials{}, invalidRequest("client_id is not that of the Authorization header")
	}
	return credentials{id: id, secret: decoded, undecoded: secret, basic: true}, nil
}

// invalidClient is the answer to a client that is not who it says (RFC 6749,
// Section 5.2). It does not tell whether there is such a client.
func invalidClient(w http.ResponseWriter, basic bool, cause error) error {
	if basic {
		w.Header().Set("WWW-Authenticate", `Basic realm="gatehouse", charset="UTF-8"`)
	}
	return &httpx.Error{Status: http.StatusUnauthorized, Code: "invalid_client", Detail: "client authentication failed", Err: cause}
}

func invalidRequest(detail string) error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: detail}
}

func invalidGrant(cause error) error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_grant", Detail: "the code or token cannot be used", Err: cause}
}
