package loginsvc

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// visitor is who asks for a page that is theirs alone. Session and user are as
// the table has them now, so that a session that has ended, a suspended user and
// an admin who is none any more are stopped at once.
type visitor struct {
	user    usersvc.User
	session usersvc.Session
	by      usersvc.By // the user, for what they do on the page
}

// visited is a page for people who are signed in. Everybody else signs in first
// and comes back to it; a form that they posted is not acted upon. No form is
// read that another site has sent.
func (s *Service) visited(h func(w http.ResponseWriter, r *http.Request, v visitor) error) httpx.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.crossOrigin.Check(r); err != nil {
			return fail(pages.Failure{Kind: pages.CrossOrigin}, err)
		}
		session, user, err := s.session(r.Context(), r)
		if errors.Is(err, usersvc.ErrNoSession) {
			return redirect(w, s.url(s.loginFor(r.URL.Path)))
		}
		if err != nil {
			return err
		}
		return h(w, r, visitor{user, session, usersvc.By{UserID: user.ID, SourceIP: httpx.SourceIP(r), UserAgent: r.UserAgent()}})
	}
}

// administered is [Service.visited] for admins alone.
func (s *Service) administered(h func(w http.ResponseWriter, r *http.Request, v visitor) error) httpx.HandlerFunc {
	return s.visited(func(w http.ResponseWriter, r *http.Request, v visitor) error {
		if !v.user.HasRole(usersvc.Admin) {
			return fail(pages.Failure{Kind: pages.Forbidden, RestartURL: s.url(s.loginFor("/admin"))}, errors.New("not an admin"))
		}
		return h(w, r, v)
	})
}

// recentSignIn is how long after a sign-in a person can do what would harm them
// most if another person sat at their browser. The JSON API asks for the same.
const recentSignIn = 10 * time.Minute

func (s *Service) recent(session usersvc.Session) bool {
	return s.now().Sub(session.AuthTime) <= recentSignIn
}

// recently is a page for visitors who have signed in recently. Others do so first,
// and come back to it.
func (s *Service) recently(h func(w http.ResponseWriter, r *http.Request, v visitor) error) func(w http.ResponseWriter, r *http.Request, v visitor) error {
	return func(w http.ResponseWriter, r *http.Request, v visitor) error {
		if !s.recent(v.session) {
			return redirect(w, s.url(s.freshLoginFor(r.URL.Path)))
		}
		return h(w, r, v)
	}
}

// freshLoginFor is where people sign in again who then go on to a path of ours.
func (s *Service) freshLoginFor(path string) string {
	return purpose{path: atLogin, returnTo: s.path(path), fresh: true}.String()
}

// loginFor is where people sign in who then go on to a path of ours. What was
// searched for on a page does not travel along: it may name somebody.
func (s *Service) loginFor(path string) string {
	if back := s.path(path); safeReturn(back) {
		return "/login?" + url.Values{"return_to": {back}}.Encode()
	}
	return "/login"
}
