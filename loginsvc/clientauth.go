package loginsvc

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// credentials are how a client says who it is (OAuth 2.1, Section 2.4.1).
type credentials struct {
	id, secret string
	basic      bool // they came in the Authorization header
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
	case !c.Public() && !c.HasSecret(sent.secret):
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
	err := s.count(r.Context(), limitFailures, sent.id, httpx.SourceIP(r))
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
	secret, secretErr := url.QueryUnescape(secret)
	switch {
	case idErr != nil || secretErr != nil:
		return credentials{}, invalidRequest("the Authorization header is malformed")
	case p.get("client_secret") != "":
		return credentials{}, invalidRequest("the client authenticates in two ways")
	case p.get("client_id") != "" && p.get("client_id") != id:
		return credentials{}, invalidRequest("client_id is not that of the Authorization header")
	}
	return credentials{id: id, secret: secret, basic: true}, nil
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
