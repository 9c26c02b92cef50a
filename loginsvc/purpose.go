package loginsvc

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
)

// purpose is what a sign-in is for. It is parsed once; [purpose.String] is the
// path and query that begins the same sign-in again.
type purpose struct {
	path     string       // which of the paths below began it
	app      *authRequest // of atAuthorize: what the client asked for
	returnTo string       // of atLogin: the path of ours where the person goes on; ""
	fresh    bool         // of atLogin: the provider asks the person again
	userCode string       // of atDevice: the code of the device to approve; ""
	link     linking      // of atAccount: whose account is added to
}

// The paths that begin a sign-in.
const (
	atAuthorize = "/authorize"
	atLogin     = "/login"
	atSeed      = "/users/login" // the response is a token in the body
	atDevice    = "/device"
	atAccount   = "/account" // a signed-in user adds a way to sign in
)

// String returns the path and query that begins the sign-in.
func (p purpose) String() string { return p.text(p.query()) }

// at is the path and query that begins the sign-in at a provider.
func (p purpose) at(provider string) string {
	query := p.query()
	query.Set("idp_hint", provider)
	return p.text(query)
}

// goOn is the path and query that does with the present session what the sign-in
// is for. For a client that is its request without the wish to choose an account.
func (p purpose) goOn() string {
	query := p.query()
	if p.app == nil {
		query.Set("continue", "yes")
		return p.text(query)
	}
	query.Del("idp_hint")
	prompts := slices.DeleteFunc(splitScopes(query.Get("prompt")), func(prompt string) bool { return prompt == "select_account" })
	if query.Set("prompt", strings.Join(prompts, " ")); len(prompts) == 0 {
		query.Del("prompt")
	}
	return p.text(query)
}

func (p purpose) query() url.Values {
	query := url.Values{}
	switch {
	case p.app != nil:
		query = maps.Clone(p.app.kept)
	case p.path == atLogin:
		if p.returnTo != "" {
			query.Set("return_to", p.returnTo)
		}
		if p.fresh {
			query.Set("fresh", "yes")
		}
	case p.userCode != "":
		query.Set("user_code", p.userCode)
	}
	return query
}

func (p purpose) text(query url.Values) string {
	if len(query) == 0 {
		return p.path
	}
	return p.path + "?" + query.Encode()
}

// withoutHints is the purpose without the parameters that name a person or a
// provider. They have done their work once the browser is at the provider.
func (p purpose) withoutHints() purpose {
	if p.app != nil {
		app := *p.app
		app.kept = maps.Clone(app.kept)
		for _, name := range []string{"login_hint", "id_token_hint", "idp_hint"} {
			delete(app.kept, name)
		}
		p.app = &app
	}
	return p
}

// purposeOf parses the text of a purpose and validates it.
func (s *Service) purposeOf(ctx context.Context, text string) (purpose, error) {
	path, rawQuery, _ := strings.Cut(text, "?")
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return purpose{}, fail(pages.Failure{Kind: pages.BadRequest}, err)
	}
	return s.readPurpose(ctx, path, params(values))
}

// readPurpose reads the purpose of a request to a path. It never reads a link:
// only the account page begins one, by a form.
func (s *Service) readPurpose(ctx context.Context, path string, values params) (purpose, error) {
	switch p := (purpose{path: path}); path {
	case atAuthorize:
		var err error
		p.app, err = s.authRequest(ctx, values)
		if refusal, ok := errors.AsType[*authError](err); ok {
			return purpose{}, s.tell(p.app, refusal, nil)
		}
		return p, err
	case atLogin:
		p.returnTo, p.fresh = values.get("return_to"), values.get("fresh") != ""
		if p.returnTo != "" && !safeReturn(p.returnTo) {
			return purpose{}, fail(pages.Failure{Kind: pages.BadRequest}, errors.New("return_to is not a path of ours"))
		}
		return p, nil
	case atSeed:
		if s.LegacyLogin {
			return p, nil
		}
	case atDevice:
		p.userCode = grant.ParseUserCode(values.get("user_code"))
		return p, nil
	}
	return purpose{}, fail(pages.Failure{Kind: pages.BadRequest}, errors.New("no such purpose"))
}
