package upstream

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/oauth2"
)

// Why a sign-in at a provider failed. Errors of this package wrap one of these;
// the rest of their text is for the log alone.
var (
	// ErrRefused says that the provider refused the code, or that its answer
	// is not to be trusted. Trying again with the same code is of no use.
	ErrRefused = errors.New("provider's answer refused")
	// ErrNotAllowed says that the person is who they say, but not of the
	// organisation that may sign in.
	ErrNotAllowed = errors.New("account is not of the hosted domain")
	// ErrUnavailable says that the provider did not answer in time, or not
	// with what the protocol asks for.
	ErrUnavailable = errors.New("provider unavailable")
)

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, brief(fmt.Sprintf(format, args...)))
}

func unavailable(activity string, err error) error {
	return fmt.Errorf("%w: %s: %s", ErrUnavailable, activity, brief(err.Error()))
}

// exchangeError says why the token endpoint gave no token. Its body may echo the
// code or the secret that was sent, so no more is kept than the status and a
// code of RFC 6749, Section 5.2.
func exchangeError(err error) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || answer.Response == nil {
		return unavailable("exchanging code", err)
	}
	status := answer.Response.StatusCode
	if status >= 500 {
		return unavailable("exchanging code", fmt.Errorf("token endpoint: %d", status))
	}
	switch answer.ErrorCode {
	case "invalid_grant", "invalid_client", "invalid_request", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
		return refused("token endpoint: %d %s", status, answer.ErrorCode)
	}
	return unavailable("exchanging code", fmt.Errorf("token endpoint: %d", status))
}

// brief makes a line of at most 200 bytes of printable ASCII of s: what a
// provider wrote must not shape the log.
func brief(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, s)
	if len(s) > 200 {
		s = s[:200] + "..."
	}
	return s
}
