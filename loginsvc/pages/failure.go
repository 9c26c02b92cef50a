package pages

import "net/http"

// FailureKind says what went wrong, as far as the page shows it.
type FailureKind string

// The kinds of [Failure].
const (
	Cancelled       FailureKind = "cancelled"        // the person stopped at the provider
	ProviderFailed  FailureKind = "provider_failed"  // the provider answered with an error, or with what cannot be trusted
	LinkExpired     FailureKind = "link_expired"     // the sign-in is unknown, too old or already used
	CookiesBlocked  FailureKind = "cookies_blocked"  // this browser is not the one that started, or keeps no cookies
	EmailUnverified FailureKind = "email_unverified" // the provider does not vouch for the e-mail address
	EmailTaken      FailureKind = "email_taken"      // the address belongs to an account with another provider
	NotLinked       FailureKind = "not_linked"       // another session than the one that asked to add a way to sign in
	NotAllowed      FailureKind = "not_allowed"      // the account is not of the organisation that may sign in
	Suspended       FailureKind = "suspended"
	UnknownClient   FailureKind = "unknown_client"
	BadDocument     FailureKind = "bad_document" // the app's metadata document cannot be used
	BadRedirect     FailureKind = "bad_redirect" // the redirect URI is not one of the app's
	BadRequest      FailureKind = "bad_request"
	CrossOrigin     FailureKind = "cross_origin" // a form was sent from another site
	Forbidden       FailureKind = "forbidden"
	NotFound        FailureKind = "not_found"
	Unavailable     FailureKind = "unavailable" // a part that is needed is out of reach
	Internal        FailureKind = "internal"    // also any kind that does not exist
)

// FailureKinds returns every kind.
func FailureKinds() []FailureKind {
	return []FailureKind{Cancelled, ProviderFailed, LinkExpired, CookiesBlocked, EmailUnverified, EmailTaken, NotLinked, NotAllowed,
		Suspended, UnknownClient, BadDocument, BadRedirect, BadRequest, CrossOrigin, Forbidden, NotFound, Unavailable, Internal}
}

// Failure says in plain words what went wrong and what to do now.
type Failure struct {
	Kind       FailureKind
	AppName    string // the app that asked; "": none, or not known
	Provider   string // the provider's name; "": "the provider"
	Host       string // of the app's metadata document
	Fault      string // what is wrong with that document
	RequestID  string // "": the gateway's id of the request
	RestartURL string // where "start again" leads, keeping the app; "": not offered
	AccountURL string // where "your account" leads; "": not offered
	BackURL    string // where "back to the app" leads; "": not offered

	// BackFields are posted to BackURL by the button "back to the app"; nil: it is
	// a link.
	BackFields map[string]string
}

// failure is what the page needs to know about a kind.
type failure struct {
	status int
	quiet  bool // nothing is broken: no warning sign
}

func (k FailureKind) properties() (failure, bool) {
	switch k {
	case Cancelled:
		return failure{status: http.StatusForbidden, quiet: true}, true
	case ProviderFailed:
		return failure{status: http.StatusBadGateway}, true
	case LinkExpired:
		return failure{status: http.StatusBadRequest, quiet: true}, true
	case CookiesBlocked, UnknownClient, BadDocument, BadRedirect, BadRequest:
		return failure{status: http.StatusBadRequest}, true
	case EmailUnverified, NotLinked, NotAllowed, Suspended, CrossOrigin, Forbidden:
		return failure{status: http.StatusForbidden}, true
	case EmailTaken:
		return failure{status: http.StatusConflict}, true
	case NotFound:
		return failure{status: http.StatusNotFound, quiet: true}, true
	case Unavailable:
		return failure{status: http.StatusServiceUnavailable}, true
	}
	return failure{status: http.StatusInternalServerError}, k == Internal
}

// Status is the HTTP status that fits the kind.
func (k FailureKind) Status() int {
	f, _ := k.properties()
	return f.status
}

func (f Failure) describe() descriptor {
	return descriptor{
		template: "failure", status: f.Kind.Status(), heading: words{"failure." + f.Known() + ".heading"}, posts: f.BackFields != nil,
	}
}

// Known is the kind, or internal if there is no such kind.
func (f Failure) Known() string {
	if _, ok := f.Kind.properties(); !ok {
		return string(Internal)
	}
	return string(f.Kind)
}

// Quiet tells whether nothing is broken.
func (f Failure) Quiet() bool {
	p, _ := f.Kind.properties()
	return p.quiet
}

// Restart and Back are the links that may be shown.
func (f Failure) Restart() string { return webURL(f.RestartURL) }

// Account is the account page, where some failures are solved.
func (f Failure) Account() string { return webURL(f.AccountURL) }

// Back is where the app is.
func (f Failure) Back() string {
	if f.BackFields != nil {
		return postURL(f.BackURL)
	}
	return webURL(f.BackURL)
}
