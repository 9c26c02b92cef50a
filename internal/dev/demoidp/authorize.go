package demoidp

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	codeTTL  = time.Minute
	tokenTTL = 10 * time.Minute
	// maxGrants bounds what somebody who never redeems a code can make the
	// provider remember.
	maxGrants = 10_000
)

// grant is a sign-in that somebody agreed to.
type grant struct {
	person      Person
	redirectURI string
	challenge   string
	nonce       string
	scopes      []string
	authTime    time.Time
	expiresAt   time.Time
	slow        bool
}

// request is an authorization request (OpenID Connect Core, Section 3.1.2.1).
type request struct {
	redirectURI, state, nonce, challenge, prompt string

	scopes []string
}

// errNoRedirect marks what must not be told by a redirect (RFC 6749, Section
// 4.1.2.1), because it could lead anywhere.
var errNoRedirect = errors.New("not redirected")

// refusal is an error code of RFC 6749, Section 4.1.2.1, with its description.
type refusal struct{ code, description string }

func (r refusal) Error() string { return r.code + ": " + r.description }

func (p *Provider) parse(q url.Values) (request, error) {
	for name, values := range q {
		if len(values) > 1 {
			return request{}, errors.Join(errNoRedirect, errors.New("parameter "+name+" is there twice"))
		}
	}
	r := request{
		redirectURI: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"),
		challenge: q.Get("code_challenge"), prompt: q.Get("prompt"), scopes: strings.Fields(q.Get("scope")),
	}
	if q.Get("client_id") != p.config.ClientID {
		return r, errors.Join(errNoRedirect, errors.New("client_id is not registered here"))
	}
	if !slices.Contains(p.config.RedirectURIs, r.redirectURI) {
		return r, errors.Join(errNoRedirect, errors.New("redirect_uri is not registered here"))
	}
	switch {
	case q.Get("response_type") != "code":
		return r, refusal{"unsupported_response_type", "response_type must be code"}
	case !slices.Contains(r.scopes, "openid"):
		return r, refusal{"invalid_scope", "scope must contain openid"}
	case q.Get("code_challenge_method") != "S256" || len(r.challenge) != 43:
		return r, refusal{"invalid_request", "PKCE with S256 is required"}
	case r.nonce == "" || r.state == "":
		return r, refusal{"invalid_request", "state and nonce are required"}
	case r.prompt == "none": // nobody has a session here
		return r, refusal{"login_required", "prompt=none, and nobody is signed in"}
	}
	return r, nil
}

func (p *Provider) handleAuthorize(w http.ResponseWriter, r *http.Request) {
	req, err := p.parse(r.URL.Query())
	if err != nil {
		p.refuse(w, r, req, err)
		return
	}
	to, _ := url.Parse(req.redirectURI)
	p.page.render(w, http.StatusOK, view{People: People(), Action: r.URL.RequestURI(), Client: to.Host})
}

// handleChoice ends what handleAuthorize began. A client without a browser posts
// user=lin to the same address.
func (p *Provider) handleChoice(w http.ResponseWriter, r *http.Request) {
	req, err := p.parse(r.URL.Query())
	if err != nil {
		p.refuse(w, r, req, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "reading form: "+err.Error(), http.StatusBadRequest)
		return
	}
	fault := r.PostForm.Get("fault")
	switch fault {
	case "cancel":
		p.refuse(w, r, req, refusal{"access_denied", "the user cancelled"})
		return
	case "error":
		p.refuse(w, r, req, refusal{"server_error", "<script>alert('what a provider says is not to be shown')</script>"})
		return
	}
	form := r.PostForm
	if fault != "" && form.Get("user") == "" {
		form.Set("user", "lin")
	}
	person, err := chosen(form)
	if err != nil {
		to, _ := url.Parse(req.redirectURI)
		p.page.render(w, http.StatusBadRequest, view{People: People(), Action: r.URL.RequestURI(), Client: to.Host, Mistake: err.Error()})
		return
	}
	g := grant{
		person: person, redirectURI: req.redirectURI, challenge: req.challenge, nonce: req.nonce, scopes: req.scopes,
		authTime: p.config.Now(), expiresAt: p.config.Now().Add(codeTTL),
	}
	switch fault {
	case "nonce":
		g.nonce = rand.Text()
	case "unverified":
		g.person.EmailVerified = false
	case "slow":
		g.slow = true
	}
	code := rand.Text()
	p.remember(p.grants, code, g)
	p.redirect(w, r, req, url.Values{"code": {code}})
}

// refuse tells the client by a redirect what is wrong, or the person by a page
// if the redirect cannot be trusted.
func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, req request, err error) {
	if why, ok := errors.AsType[refusal](err); ok {
		p.redirect(w, r, req, url.Values{"error": {why.code}, "error_description": {why.description}})
		return
	}
	p.page.render(w, http.StatusBadRequest, view{Mistake: strings.TrimPrefix(err.Error(), errNoRedirect.Error()+"\n")})
}

func (p *Provider) redirect(w http.ResponseWriter, r *http.Request, req request, answer url.Values) {
	if req.state != "" {
		answer.Set("state", req.state)
	}
	switch issuer := p.behave().Issuer; {
	case issuer == nil:
		answer.Set("iss", p.config.Issuer) // RFC 9207, Section 2
	case *issuer != "":
		answer.Set("iss", *issuer)
	}
	to, err := url.Parse(req.redirectURI)
	if err != nil {
		http.Error(w, "redirect_uri cannot be read", http.StatusBadRequest)
		return
	}
	query := to.Query()
	for name, values := range answer {
		query[name] = values
	}
	to.RawQuery = query.Encode()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

// remember keeps g until it expires, and forgets what has expired.
func (p *Provider) remember(in map[string]grant, key string, g grant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.config.Now()
	for k, old := range in {
		if now.After(old.expiresAt) || len(in) >= maxGrants {
			delete(in, k)
		}
	}
	in[key] = g
}
