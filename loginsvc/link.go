package loginsvc

import (
	"context"
	"errors"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// linking is the session of a user who adds a way to sign in. A flow that has one
// signs nobody in, and a flow that has none links nothing: which of the two it
// is stands in its row and in no URL. Such a flow ends only in the browser that
// began it, and only while that same session is live there: whoever gets another
// person to open the end of it has linked nothing to them.
type linking struct{ UserID, SessionID string }

// startLink sends the visitor to a provider, to prove which account there is
// theirs. They are asked which one, because the provider may know them as
// somebody else already.
func (s *Service) startLink(w http.ResponseWriter, r *http.Request, v visitor, providerID string) error {
	provider, ok := s.provider(providerID)
	if !ok {
		return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("no such provider"))
	}
	what := purpose{path: atAccount, link: linking{v.user.ID, v.session.ID}}
	f, err := s.startFlow(r.Context(), w, r, flow{Provider: providerID, Purpose: what})
	if err != nil {
		return err
	}
	location, err := provider.AuthURL(r.Context(), upstream.Request{
		State: f.state, Nonce: f.nonce(), Verifier: f.verifier(), Prompt: "select_account",
	})
	if err != nil {
		return s.providerTrouble(provider, what, err)
	}
	return redirect(w, location)
}

// link is a flow of somebody who adds a way to sign in, whose browser has come
// back. It ends on the account page and changes nothing about who is signed in.
type link struct {
	s        *Service
	provider *upstream.Provider
	flow     flow
	secrets  started
}

// finish links the account that the person has chosen at the provider.
func (l link) finish(w http.ResponseWriter, r *http.Request, p params) error {
	s, ctx := l.s, r.Context()
	if err := s.useFlow(ctx, w, l.secrets.state); err != nil {
		return s.flowFailure(l.flow, err)
	}
	session, user, err := s.session(ctx, r)
	if err != nil && !errors.Is(err, usersvc.ErrNoSession) {
		return err
	}
	if err != nil || session.ID != l.flow.Purpose.link.SessionID || user.ID != l.flow.Purpose.link.UserID {
		return l.strange(err)
	}
	switch {
	case p.get("error") == "access_denied":
		return l.back(pages.LinkCancelled, errors.New("the provider answered with access_denied"))
	case p.get("error") != "" || p.get("code") == "":
		return l.back(pages.LinkFailed, errors.New("the provider answered with an error"))
	}
	who, err := l.provider.Exchange(ctx, upstream.Response{Code: p.get("code"), Issuer: p.get("iss")}, l.secrets.nonce(), l.secrets.verifier())
	if err != nil {
		return l.back(pages.LinkFailed, err)
	}
	notice, err := l.add(ctx, user, usersvc.By{UserID: user.ID, SourceIP: httpx.SourceIP(r), UserAgent: r.UserAgent()}, who)
	if err != nil {
		return err
	}
	return redirect(w, s.accountURL(notice))
}

// add links who to the user, who was as before tells. That the session is still live is judged in the
// same transaction: the person has been away, and the provider takes its time.
func (l link) add(ctx context.Context, before usersvc.User, by usersvc.By, who upstream.Identity) (pages.AccountNotice, error) {
	after, err := l.s.Users.Link(ctx, by, l.flow.Purpose.link.SessionID, profileOf(who))
	switch {
	case errors.Is(err, usersvc.ErrNoSession), errors.Is(err, usersvc.ErrForbidden), errors.Is(err, usersvc.ErrNotFound):
		return "", l.strange(err)
	case errors.Is(err, usersvc.ErrLinkedElsewhere):
		return pages.LinkedElsewhere, nil
	case errors.Is(err, usersvc.ErrTooManyIdentities):
		return pages.TooManyIdentities, nil
	case errors.Is(err, usersvc.ErrBadProfile):
		return "", l.back(pages.LinkFailed, err)
	case err == nil && after.Version == before.Version:
		return pages.AlreadyLinked, nil
	}
	return pages.IdentityLinked, err
}

// strange is the page for a browser that is not signed in any more as the flow's
// user, in the flow's session.
func (l link) strange(cause error) error {
	if cause == nil {
		cause = errors.New("another session than the one that began")
	}
	return fail(pages.Failure{Kind: pages.NotLinked, Provider: l.provider.Name(), RestartURL: l.s.url(l.flow.Purpose.String())}, cause)
}

// back leads to the account page with a notice, and tells the log why.
func (l link) back(notice pages.AccountNotice, cause error) error {
	return &detour{location: l.s.accountURL(notice), reason: string(notice), cause: cause}
}
