package loginsvc

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
)

// trouble is a failure with the page that tells a person of it, or with the
// address that tells the app.
type trouble struct {
	page     pages.Failure
	location string // "" shows the page
	cause    error  // for the log; may be nil
}

func (t *trouble) Error() string {
	if t.cause != nil {
		return t.cause.Error()
	}
	return "refused"
}

func (t *trouble) Unwrap() error { return t.cause }

// fail is the error of a page endpoint.
func fail(page pages.Failure, cause error) error {
	return &httpx.Error{Status: page.Kind.Status(), Code: string(page.Kind), Err: &trouble{page: page, cause: cause}}
}

// tell is the error of a request whose app is to hear of it (RFC 6749, Section
// 4.1.2.1): an authorization response that carries refusal.
func (s *Service) tell(req *authRequest, refusal *authError, cause error) error {
	return &httpx.Error{Status: http.StatusSeeOther, Code: refusal.Code, Err: &trouble{location: s.refusal(req, refusal), cause: cause}}
}

// refusal is where the app hears of one.
func (s *Service) refusal(req *authRequest, refusal *authError) string {
	return s.response(req, url.Values{"error": {refusal.Code}, "error_description": {refusal.Description}})
}

// handle answers with h. Its errors become answers here and nowhere else: those
// of a part that is out of reach are a 503, whoever found out.
func handle(h httpx.HandlerFunc, write func(http.ResponseWriter, *http.Request, *httpx.Error)) http.Handler {
	return httpx.Handle(func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		countFailure(r.Context(), err)
		if _, known := errors.AsType[*httpx.Error](err); !known && unavailable(err) {
			return httpx.Unavailable(err)
		}
		return err
	}, write)
}

// unavailable tells whether the same call may succeed later.
func unavailable(err error) bool {
	return errors.Is(err, table.ErrUnavailable) || errors.Is(err, keys.ErrUnavailable)
}

// writeFailure answers with the page for e, or for a program with JSON.
func (s *Service) writeFailure(w http.ResponseWriter, r *http.Request, e *httpx.Error) {
	t, known := errors.AsType[*trouble](e.Err)
	if known && t.location != "" {
		redirect(w, t.location)
		return
	}
	if wantsJSON(r) {
		httpx.Problem(w, r, e)
		return
	}
	page := pages.Failure{Kind: pages.Internal}
	if known {
		page = t.page
	} else if e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests {
		page.Kind = pages.Unavailable
	} else if e.Status < http.StatusInternalServerError {
		page.Kind = pages.BadRequest
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
	}
	s.Pages.Render(w, r, e.Status, page)
}

// wantsJSON tells whether the client asked for JSON and not for a page.
func wantsJSON(r *http.Request) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
