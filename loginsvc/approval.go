package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// approval is that a user let an app in: what a code stands for.
type approval struct {
	UserID    string
	SessionID string
	AuthTime  time.Time
	Scopes    []string
	Audiences []string // the APIs that tokens may be for; nil: the house's
	Nonce     string
}

// redeem answers with the tokens of an approval, for one of its APIs. Spend is the write that makes
// what stood for it worthless; its condition lets one of any number through.
func (s *Service) redeem(w http.ResponseWriter, r *http.Request, c client.Client, a approval, audience string, spend func(family string) table.Write, now time.Time) error {
	for range attempts {
		answer, err := s.redeemOnce(r.Context(), c, a, audience, spend, now)
		if err == nil {
			return httpx.JSON(w, answer)
		}
		if !errors.Is(err, errChanged) {
			return err
		}
	}
	return httpx.Unavailable(errChanged)
}

// redeemOnce signs the tokens before the approval is spent, so that a key out of
// reach costs nobody their sign-in. They leave only if spending it succeeds.
func (s *Service) redeemOnce(ctx context.Context, c client.Client, a approval, audience string, spend func(family string) table.Write, now time.Time) (tokenResponse, error) {
	session, user, err := s.Users.SessionByID(ctx, a.UserID, a.SessionID)
	if err != nil {
		return tokenResponse{}, invalidGrantIf(err, usersvc.ErrNoSession)
	}
	answer, err := s.issue(ctx, grant{
		client: c, audience: audience, user: user, session: session.ID, authTime: a.AuthTime, scopes: a.Scopes, nonce: a.Nonce, withID: true,
	}, now)
	if err != nil {
		return tokenResponse{}, err
	}
	writes := []table.Write{spend("")}
	if slices.Contains(a.Scopes, scopeOffline) {
		f, first := s.newFamily(c, a, user, session, now)
		answer.RefreshToken = first.text()
		writes = append([]table.Write{spend(f.ID), table.Put(f.item()).If(table.NotExists{})},
			stillGranted(c, user.ID, session.ID, user.Version)...)
	}
	err = s.Table.Write(ctx, writes...)
	failed, conflict := errors.AsType[*table.ConditionError](err)
	switch {
	case conflict && slices.Contains(failed.Failed, 4):
		return tokenResponse{}, invalidGrant(errConsent)
	case conflict && !slices.Contains(failed.Failed, 0):
		return tokenResponse{}, errChanged // user or session, and not what is spent
	}
	return answer, invalidGrantIf(err, table.ErrConditionFailed)
}
