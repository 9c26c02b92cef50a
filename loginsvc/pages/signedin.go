package pages

// SignedIn is where a sign-in ends that no app asked for.
type SignedIn struct {
	Who        string // the person's name
	Email      string // "": not shown
	Provider   string // the name of the provider that was used; "": not shown
	AccountURL string // "": not offered
	SignOutURL string // "": /logout
}

func (SignedIn) describe() descriptor { return descriptor{template: "signed_in"} }

// Account is the link that may be shown.
func (s SignedIn) Account() string { return webURL(s.AccountURL) }

// SignOut is where signing out starts.
func (s SignedIn) SignOut() string {
	if s.SignOutURL == "" {
		return "/logout"
	}
	return webURL(s.SignOutURL)
}
