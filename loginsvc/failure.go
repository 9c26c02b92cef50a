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
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
)

// trouble is a failure with the page that tells a person of it.
type trouble struct {
	page  pages.Failure
	cause error // for the log; may be nil
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

// detour takes the browser elsewhere than the request asked for: to the client
// with an error, or to a page of ours with a notice.
type detour struct {
	to     destination
	reason string // for the log
	cause  error  // for the log; may be nil
}

func (d *detour) Error() string { return "redirected: " + d.reason }

// tell returns the detour that tells the client of a refusal (RFC 6749, Section
// 4.1.2.1).
func (s *Service) tell(req *authRequest, refusal *authError, cause error) error {
	return &detour{to: s.refusal(req, refusal), reason: refusal.Code, cause: cause}
}

// refusal is the response that tells the client of a refusal.
func (s *Service) refusal(req *authRequest, refusal *authError) destination {
	return s.response(req, url.Values{"error": {refusal.Code}, "error_description": {refusal.Description}})
}

// handle serves h. Its errors become responses here and nowhere else: a detour
// leads on, and a part that cannot be reached is a 503.
func (s *Service) handle(h httpx.HandlerFunc, write func(http.ResponseWriter, *http.Request, *httpx.Error)) http.Handler {
	return httpx.Handle(func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		if d, ok := errors.AsType[*detour](err); ok {
			httpx.Note(r.Context(), d.reason, d.cause)
			return s.deliver(w, r, d.to)
		}
		countFailure(r.Context(), err)
		if fault, ok := errors.AsType[*client.DocumentError](err); ok {
			return s.refuseDocument(r, fault)
		}
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

// refuseDocument refuses a client whose metadata document cannot be used: with a page
// that names its host and the fault, or for a program as an unknown client. A source
// that causes many is slowed, because each costs a request to another server.
func (s *Service) refuseDocument(r *http.Request, fault *client.DocumentError) error {
	if err := s.count(r.Context(), limitDocuments, source(r)); err != nil {
		return err
	}
	refusal := &httpx.Error{
		Status: pages.BadDocument.Status(), Code: "invalid_client", Detail: "metadata document of " + fault.Host + ": " + fault.Fault,
		Err: &trouble{page: pages.Failure{Kind: pages.BadDocument, Host: fault.Host, Fault: fault.Fault}, cause: fault},
	}
	if fault.Temporary {
		refusal.Status, refusal.Code = http.StatusServiceUnavailable, "temporarily_unavailable"
	}
	return refusal
}

// writeFailure answers with the page for e, or for a program with JSON.
func (s *Service) writeFailure(w http.ResponseWriter, r *http.Request, e *httpx.Error) {
	t, known := errors.AsType[*trouble](e.Err)
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
