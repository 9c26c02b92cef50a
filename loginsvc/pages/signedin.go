package pages

import "net/http"

// SignedIn is where a sign-in ends that no app asked for.
type SignedIn struct {
	Who        string // the person's name
	Email      string // "": not shown
	Provider   string // the name of the provider that was used; "": not shown
	AccountURL string // "": not offered
	SignOutURL string // "": /logout
}

func (SignedIn) name() string          { return "signed_in" }
func (SignedIn) status() int           { return http.StatusOK }
func (SignedIn) formOrigins() []string { return nil }

func (s SignedIn) heading(t catalogue) string { return t.must("signed_in.heading") }

// Account is the link that may be shown.
func (s SignedIn) Account() string { return webURL(s.AccountURL) }

// SignOut is where signing out starts.
func (s SignedIn) SignOut() string {
	if s.SignOutURL == "" {
		return "/logout"
	}
	return webURL(s.SignOutURL)
}
