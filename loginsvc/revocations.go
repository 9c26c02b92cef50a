package loginsvc

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// feed is the revocation feed as it was sent last.
type feed struct {
	usersvc.Feed
	mu       sync.Mutex
	document *document
}

// handleRevocations serves the revocation feed, or judges one token.
//
// Anyone can read the feed: it names no one. It comes from a copy in memory that
// is read from the table once a second, whatever a request asks for.
//
// A request with an access token asks about that token. This is how an authorizer
// decides on a route that is fresh: the token is judged by what the table says
// now. A token that does not verify makes no one read the table.
func (s *Service) handleRevocations(w http.ResponseWriter, r *http.Request) error {
	if len(r.Header.Values("Authorization")) > 0 {
		return s.judgeToken(w, r)
	}
	body, err := s.feed.Document(r.Context())
	if err != nil {
		return err
	}
	s.feed.of(body).serve(w, r)
	return nil
}

// of returns the document with the body. The header is made once for a body.
func (f *feed) of(body []byte) *document {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.document == nil || !bytes.Equal(f.document.body, body) {
		f.document = newDocument("application/json", "no-cache", body)
	}
	return f.document
}

// judgeToken answers {"active": true} for a token that is alive now, and
// {"active": false} for any other.
func (s *Service) judgeToken(w http.ResponseWriter, r *http.Request) error {
	rawToken, ok := bearer(r)
	active := false
	if ok {
		_, _, err := s.liveAccess(r.Context(), rawToken)
		_, refused := errors.AsType[*token.Refusal](err)
		if err != nil && !refused && !errors.Is(err, usersvc.ErrNoSession) {
			return err
		}
		active = err == nil
	}
	return httpx.JSON(w, map[string]bool{"active": active})
}

// liveAccess returns what an access token of ours says, and its user, if the token
// is alive by what the table says now; the user is zero if a client acts for
// itself. The error is a [token.Refusal] or [usersvc.ErrNoSession] if it is not.
func (s *Service) liveAccess(ctx context.Context, rawToken string) (token.Access, usersvc.User, error) {
	access, err := s.verifyAccess(ctx, rawToken)
	if err != nil {
		return token.Access{}, usersvc.User{}, err
	}
	user, err := s.Users.Live(ctx, tokensOf(access), access.IssuedAt)
	return access, user, err
}

// tokensOf names the tokens that the feed knows access by.
func tokensOf(access token.Access) usersvc.Tokens {
	return usersvc.Tokens{Subject: access.Subject, SessionID: access.SessionID, ClientID: access.ClientID}
}
