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

// linking is the session of a user who adds a way to sign in. An attempt that has
// one signs no person in, and an attempt without one links nothing. It ends only in
// the browser that began it, and only while the same session is live there: a
// person who is lured to its end in another browser gets nothing linked.
type linking struct{ UserID, SessionID string }

// startLink sends the visitor to a provider, to prove which account there is
// theirs. They are asked which one, because the provider can know them as another
// person already.
func (s *Service) startLink(w http.ResponseWriter, r *http.Request, v visitor, providerID string) error {
	provider, ok := s.provider(providerID)
	if !ok {
		return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("no such provider"))
	}
	what := purpose{path: atAccount, link: linking{v.user.ID, v.session.ID}}
	location, err := s.start(w, r, provider, what, upstream.Request{Prompt: "select_account"})
	if err != nil {
		return err
	}
	return s.sendTo(w, r, location)
}

// link is an attempt to add a way to sign in, whose browser has come back. It ends
// on the account page and changes nothing about who is signed in.
type link struct {
	s        *Service
	provider *upstream.Provider
	attempt  attempt
}

// finish links the account that the person has chosen at the provider.
func (l link) finish(w http.ResponseWriter, r *http.Request, p params) error {
	s, ctx, want := l.s, r.Context(), l.attempt.purpose.link
	session, user, err := s.session(ctx, r)
	if err != nil && !errors.Is(err, usersvc.ErrNoSession) {
		return err
	}
	if err != nil || session.ID != want.SessionID || user.ID != want.UserID {
		return l.strange(err)
	}
	switch {
	case p.get("error") == "access_denied":
		return l.back(pages.LinkCancelled, errors.New("the provider answered with access_denied"))
	case p.get("error") != "" || p.get("code") == "":
		return l.back(pages.LinkFailed, errors.New("the provider answered with an error"))
	}
	who, err := l.provider.Exchange(ctx, responseOf(p), l.attempt.keys.Nonce, l.attempt.keys.Verifier)
	if err != nil {
		if used, usedErr := s.wasUsed(ctx, l.attempt); used || usedErr != nil {
			return s.flowFailure(l.attempt, errors.Join(usedErr, errFlowUsed))
		}
		return l.back(pages.LinkFailed, err)
	}
	notice, err := l.add(ctx, user, usersvc.By{UserID: user.ID, SourceIP: httpx.SourceIP(r), UserAgent: r.UserAgent()}, who)
	if err != nil {
		return err
	}
	return redirect(w, s.accountURL(notice))
}

// add links who to the user, who was before the link as before says. The same
// transaction judges that the session is still live and the attempt unused: the
// person has been away, and the provider takes its time.
func (l link) add(ctx context.Context, before usersvc.User, by usersvc.By, who upstream.Identity) (pages.AccountNotice, error) {
	after, err := l.s.Users.Link(ctx, by, l.attempt.purpose.link.SessionID, profileOf(who), l.s.once(l.attempt))
	switch {
	case errors.Is(err, errFlowUsed):
		return "", l.s.flowFailure(l.attempt, err)
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
	return fail(pages.Failure{Kind: pages.NotLinked, Provider: l.provider.Name(), RestartURL: l.s.url(l.attempt.purpose.String())}, cause)
}

// back leads to the account page with a notice, and tells the log why.
func (l link) back(notice pages.AccountNotice, cause error) error {
	return &detour{to: destination{url: l.s.accountURL(notice)}, reason: string(notice), cause: cause}
}
