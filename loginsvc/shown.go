package loginsvc

import "net/http"

// shownTo is what a form carries that asks the person at the browser something
// of consequence. It is derived from their session's cookie and from all that
// they are asked: an answer without it comes from another browser or another
// session than was asked, is about something else, or was never asked for.
func (s *Service) shownTo(r *http.Request, question string) string {
	return derive(s.cookie(r, sessionCookie), "shown\n"+question)
}
