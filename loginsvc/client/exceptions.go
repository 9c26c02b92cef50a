package client

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Exceptions are what one client is allowed and others are not. The zero value
// allows nothing.
type Exceptions struct {
	// PKCE is [PKCENonce] or [PKCEOff] for a confidential client whose requests
	// may leave out the code challenge; "": each needs one.
	PKCE string
	// Loopback is [LoopbackLocalhost] for a public client with redirect URIs on
	// http://localhost that may have any port.
	Loopback string
	// RedirectSchemes are private-use schemes without a dot that redirect URIs of
	// a public client may have.
	RedirectSchemes []string
	// RefreshGrace is how long a renewal can be repeated; 0: as long as for all
	// clients. See [Client.Grace].
	RefreshGrace time.Duration
}

// The words of exceptions.
const (
	PKCENonce         = "nonce"     // with openid and a nonce, no challenge is needed
	PKCEOff           = "off"       // no challenge is needed
	LoopbackLocalhost = "localhost" // any port of http://localhost
)

// Exception is a key by which gatehouse.yml and `gatehouse clients` make an
// exception for a client.
type Exception struct {
	Key string
	// Risk is what the team accepts with it, for `gatehouse doctor`; "": nothing
	// that needs saying.
	Risk string

	// Get returns the values that the client has; none: no exception.
	Get func(Exceptions) []string
	// Set gives the client the values, or none. Its error is about their form
	// alone: [Client.Problems] judges what they say.
	Set func(*Exceptions, []string) error

	words  []string // that its value can be; nil: check judges it
	public *bool    // the kind of client it is for; nil: both
	kind   string   // why it is for that kind, and the fix
	grant  string   // without it, the client cannot use the exception
	check  func(Client) error
}

// All returns every exception there is.
func All() []Exception { return slices.Clone(exceptions) }

var yes, no = true, false

var exceptions = []Exception{
	{
		Key:    "pkce",
		Risk:   "its requests may come without a code challenge, so that nothing but its secret, and with nonce its own check of the nonce, keeps a stolen code from use",
		Get:    func(e Exceptions) []string { return word(e.PKCE) },
		Set:    func(e *Exceptions, values []string) error { return setWord(&e.PKCE, values) },
		words:  []string{PKCENonce, PKCEOff},
		public: &no, kind: "a public client has nothing but PKCE to prove that a code is its own: give it a secret_env, or take pkce out",
		grant: GrantCode, check: Client.checkPKCE,
	},
	{
		Key:    "loopback",
		Risk:   "its codes go to any port of localhost, a name that a machine can resolve to another one; PKCE keeps them from use there",
		Get:    func(e Exceptions) []string { return word(e.Loopback) },
		Set:    func(e *Exceptions, values []string) error { return setWord(&e.Loopback, values) },
		words:  []string{LoopbackLocalhost},
		public: &yes, kind: "is for programs on people's own machines, which keep no secret: take out loopback, or the secret",
		grant: GrantCode, check: Client.checkLocalhost,
	},
	{
		Key:    "redirect_schemes",
		Risk:   "any app on a device can claim such a scheme and be sent the code; PKCE keeps it from use there",
		Get:    func(e Exceptions) []string { return e.RedirectSchemes },
		Set:    func(e *Exceptions, values []string) error { e.RedirectSchemes = values; return nil },
		public: &yes, kind: "is for apps on people's own devices, which keep no secret: take out redirect_schemes, or the secret",
		grant: GrantCode, check: Client.checkSchemes,
	},
	{
		Key:   "refresh_grace",
		Get:   func(e Exceptions) []string { return span(e.RefreshGrace) },
		Set:   func(e *Exceptions, values []string) error { return setSpan(&e.RefreshGrace, values) },
		grant: GrantRefresh, check: Client.checkGrace,
	},
}

func span(d time.Duration) []string {
	if d == 0 {
		return nil
	}
	return []string{d.String()}
}

func setSpan(into *time.Duration, values []string) error {
	var text string
	if err := setWord(&text, values); err != nil || text == "" {
		*into = 0
		return err
	}
	d, err := time.ParseDuration(text)
	if err != nil || d == 0 {
		return fmt.Errorf("want a span of time such as 30s or 5m, not %q", text)
	}
	*into = d
	return nil
}

func word(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func setWord(into *string, values []string) error {
	if len(values) > 1 {
		return fmt.Errorf("want one value, not %d", len(values))
	}
	*into = strings.Join(values, "")
	return nil
}

// exceptionProblems are those of the client's exceptions: on the wrong kind of
// client, without use for it, or with a value that there is not.
func (c Client) exceptionProblems() []Problem {
	var found []Problem
	for _, e := range exceptions {
		values := e.Get(c.Exceptions)
		if len(values) == 0 {
			continue
		}
		refuse := func(text string) { found = append(found, Problem{Field: e.Key, Text: text}) }
		switch {
		case e.public != nil && *e.public != c.Public():
			refuse(e.kind)
		case !c.MayUse(e.grant):
			refuse(fmt.Sprintf("has no effect without the grant %s: add it to grants, or take %s out", e.grant, e.Key))
		case e.words != nil && !slices.Contains(e.words, values[0]):
			found = append(found, Problem{Field: e.Key, Text: fmt.Sprintf("unknown value %q", values[0]), Word: values[0], Known: e.words})
		default:
			if err := e.check(c); err != nil {
				refuse(err.Error())
			}
		}
	}
	return found
}

// NeedsChallenge tells whether a code of the client needs a PKCE challenge. OpenID
// says that it was asked for with openid and a nonce, which the client compares with
// that of the ID token (OAuth 2.1, Section 7.5.1).
func (c Client) NeedsChallenge(openID bool) bool {
	switch {
	case c.Public():
		return true
	case c.PKCE == PKCEOff:
		return false
	case c.PKCE == PKCENonce:
		return !openID
	}
	return true
}

// The grace in which a renewal can be repeated: the shortest, and the longest for
// each kind of client. A thief of a refresh token is not seen inside it, and a
// confidential client's tokens are useless without its secret.
const (
	MinGrace             = time.Second
	MaxGrace             = 2 * time.Minute
	MaxGraceConfidential = 10 * time.Minute
)

func (c Client) maxGrace() time.Duration {
	if c.Public() {
		return MaxGrace
	}
	return MaxGraceConfidential
}

// Grace is how long a renewal of the client can be repeated, where all is that of
// clients without an exception; 0 or less: not at all.
func (c Client) Grace(all time.Duration) time.Duration {
	if c.RefreshGrace != 0 {
		all = c.RefreshGrace
	}
	return min(all, c.maxGrace())
}

func (c Client) checkGrace() error {
	switch most := c.maxGrace(); {
	case c.RefreshGrace < MinGrace || c.RefreshGrace > most && !c.Public():
		return fmt.Errorf("want %v to %v, not %v", MinGrace, most, c.RefreshGrace)
	case c.RefreshGrace > most:
		return fmt.Errorf("want %v to %v for a public client, whose refresh tokens a thief can use without a secret, not %v", MinGrace, most, c.RefreshGrace)
	}
	return nil
}

func (c Client) checkPKCE() error {
	if c.PKCE == PKCENonce && !slices.Contains(c.AllowedScopes(), "openid") {
		return fmt.Errorf("only ID tokens have a nonce: add openid to scopes, or write off")
	}
	if c.PKCE != PKCEOff {
		return nil
	}
	for _, uri := range c.RedirectURIs {
		if u, err := url.Parse(uri); err == nil && u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("without PKCE, another app could use a code that %s brings it: want redirect URIs on https or on this machine", uri)
		}
	}
	return nil
}

func (c Client) checkLocalhost() error {
	uris := slices.Concat(c.RedirectURIs, c.PostLogoutRedirectURIs)
	if !slices.ContainsFunc(uris, func(uri string) bool { _, _, ok := cutPort(uri, httpLocalhost); return ok }) {
		return fmt.Errorf("has no effect: no redirect URI is on http://localhost: add one, or take loopback out")
	}
	return nil
}

func (c Client) checkSchemes() error {
	uris := slices.Concat(c.RedirectURIs, c.PostLogoutRedirectURIs)
	for _, scheme := range c.RedirectSchemes {
		if err := checkPrivateScheme(scheme); err != nil {
			return err
		}
		if !slices.ContainsFunc(uris, func(uri string) bool { return strings.HasPrefix(uri, scheme+":") }) {
			return fmt.Errorf("has no effect: no redirect URI begins with %s: add one, or take the scheme out", scheme+":")
		}
	}
	return nil
}

// notPrivate are schemes that browsers or systems act on themselves, or that other
// programs have: a code must not go there.
var notPrivate = strings.Fields(`
	about afp blob callto chrome chrome-extension chrome-search cid content data devtools dns edge facetime file filesystem
	finger ftp ftps geo gopher http https imap intent irc jar javascript ldap ldaps livescript magnet mailto market mhtml
	mms moz-extension news nfs nntp opera pop resource rtsp search-ms sftp shell sip sips smb sms ssh steam tel telnet
	urn vbscript view-source wais ws wss wyciwyg x-apple-helpbasic xmpp`)

func checkPrivateScheme(scheme string) error {
	const lower, rest = "abcdefghijklmnopqrstuvwxyz", "0123456789+-"
	switch {
	case strings.Contains(scheme, "."):
		return fmt.Errorf("%q has a dot and needs no exception: take it out", scheme)
	case len(scheme) < 2 || len(scheme) > 40 || strings.Trim(scheme, lower+rest) != "" || !strings.Contains(lower, scheme[:1]):
		return fmt.Errorf("want a scheme in lower case, without \"://\", such as cursor, not %q", scheme)
	case slices.Contains(notPrivate, scheme) || strings.HasPrefix(scheme, "ms-") || strings.HasPrefix(scheme, "android-"):
		return fmt.Errorf("%q is no scheme of an app of yours: browsers and systems act on it", scheme)
	}
	return nil
}

// hasScheme tells whether a redirect URI of the client can have a private-use
// scheme without a dot.
func (c Client) hasScheme(scheme string) bool {
	return c.Public() && slices.Contains(c.RedirectSchemes, scheme) && checkPrivateScheme(scheme) == nil
}
