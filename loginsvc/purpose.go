package loginsvc

import (
	"context"
	"errors"
	"net/url"
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
func (p purpose) String() string {
	query := url.Values{}
	switch {
	case p.app != nil:
		query = p.app.kept
	case p.returnTo != "":
		query.Set("return_to", p.returnTo)
	case p.userCode != "":
		query.Set("user_code", p.userCode)
	}
	if len(query) == 0 {
		return p.path
	}
	return p.path + "?" + query.Encode()
}

// withoutHints is the purpose without the parameters that name a person: the
// callback can be opened in another browser than the one that began.
func (p purpose) withoutHints() purpose {
	if p.app != nil {
		app := *p.app
		app.kept = cloneWithout(app.kept, "login_hint", "id_token_hint")
		p.app = &app
	}
	return p
}

func cloneWithout(values url.Values, names ...string) url.Values {
	rest := url.Values{}
	for name, value := range values {
		rest[name] = value
	}
	for _, name := range names {
		rest.Del(name)
	}
	return rest
}

// purposeOf parses the text of a purpose and validates it. The text of a link is
// refused: only the account page begins one, by a form.
func (s *Service) purposeOf(ctx context.Context, text string) (purpose, error) {
	path, rawQuery, _ := strings.Cut(text, "?")
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return purpose{}, fail(pages.Failure{Kind: pages.BadRequest}, err)
	}
	switch p := (purpose{path: path}); path {
	case atAuthorize:
		p.app, err = s.authRequest(ctx, params(values))
		if refusal, ok := errors.AsType[*authError](err); ok {
			return purpose{}, s.tell(p.app, refusal, nil)
		}
		return p, err
	case atLogin:
		p.returnTo = values.Get("return_to")
		if p.returnTo != "" && !safeReturn(p.returnTo) {
			return purpose{}, fail(pages.Failure{Kind: pages.BadRequest}, errors.New("return_to is not a path of ours"))
		}
		return p, nil
	case atSeed:
		return p, nil
	case atDevice:
		p.userCode = grant.ParseUserCode(values.Get("user_code"))
		return p, nil
	}
	return purpose{}, fail(pages.Failure{Kind: pages.BadRequest}, errors.New("no such purpose"))
}
