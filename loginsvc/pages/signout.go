package pages

// ConfirmSignOut asks before a session is ended. Its form is posted to Action
// with Fields and "sign_out": "here" or "everywhere".
type ConfirmSignOut struct {
	AppName    string            // the app that asks; "": none
	Who        string            // whose session it is
	Fields     map[string]string // hidden fields, as they are
	Action     string            // "": /logout
	Everywhere bool              // offer to end all sessions of the person
	StayURL    string            // where "stay signed in" leads; "": not offered
}

func (c ConfirmSignOut) describe() descriptor {
	d := descriptor{template: "confirm_sign_out", heading: words{"confirm.heading"}}
	if c.AppName != "" {
		d.heading = words{"confirm.heading.app", "app", c.AppName}
	}
	return d
}

// Target is where the form is posted.
func (c ConfirmSignOut) Target() string { return actionOr(c.Action, "/logout") }

// Stay is the link that may be shown.
func (c ConfirmSignOut) Stay() string { return webURL(c.StayURL) }

// SignedOutFrom says what a sign-out ended.
type SignedOutFrom string

// What a sign-out may have ended.
const (
	FromHere       SignedOutFrom = ""           // the session of this browser
	FromEverywhere SignedOutFrom = "everywhere" // all sessions of the person
	FromNothing    SignedOutFrom = "nothing"    // there was no session
)

// SignedOut says that there is no session any more.
type SignedOut struct {
	From      SignedOutFrom
	AppName   string
	BackURL   string // where "back to the app" leads; "": not offered
	SignInURL string // where "sign in again" leads; "": /login
}

func (s SignedOut) describe() descriptor {
	return descriptor{template: "signed_out", heading: words{"signed_out." + s.Key() + ".heading"}}
}

// Key is the part of the catalogue for From.
func (s SignedOut) Key() string {
	if s.From == FromEverywhere || s.From == FromNothing {
		return string(s.From)
	}
	return "here"
}

// Back is the link that may be shown.
func (s SignedOut) Back() string { return webURL(s.BackURL) }

// SignIn is where a new sign-in starts.
func (s SignedOut) SignIn() string {
	if s.SignInURL == "" {
		return "/login"
	}
	return webURL(s.SignInURL)
}
