package loginsvc

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// The pages of administrators. Who asks is read anew for each request, and each
// change judges once more, in its own transaction, that they are an active admin.
// GET changes nothing.
//
// E-mail addresses stand in no URL, where a browser's history keeps them: forms
// that take one are posted, and what cannot name a person is then redirected to
// a URL that can be kept.

func (s *Service) adminRoutes(page func(pattern string, h httpx.HandlerFunc)) {
	page("GET /admin", s.administered(func(w http.ResponseWriter, _ *http.Request, _ visitor) error {
		return redirect(w, s.url("/admin/users"))
	}))
	page("GET /admin/users", s.administered(s.handleAdminUsers))
	page("POST /admin/users", s.administered(s.handleAdminUsersSearch))
	page("GET /admin/users/{id}", s.administered(s.handleAdminUser))
	page("POST /admin/users/{id}", s.administered(s.handleAdminUserChange))
	page("GET /admin/audit", s.administered(s.handleAdminAudit))
	page("POST /admin/audit", s.administered(s.handleAdminAuditSearch))
	page("GET /admin/keys", s.administered(s.handleAdminKeys))
}

// adminFrame is what stands around the pages of administrators.
func (s *Service) adminFrame(v visitor) pages.Frame {
	return pages.Frame{Base: s.basePath, Who: displayName(v.user), Admin: true}
}

// maxFilter bounds what is searched for, in bytes: no address is longer.
const maxFilter = 320

// filters returns p if it has no other fields than these, each once and with a
// value that can be searched for. A filter that is misspelt must not list
// everything.
func (p params) filters(names ...string) (params, error) {
	for name, values := range p {
		if !slices.Contains(names, name) || len(values) != 1 {
			return nil, badFilter("a field is unknown or repeated")
		}
		if value := strings.TrimSpace(values[0]); name != "cursor" {
			if len(value) > maxFilter || strings.ContainsFunc(value, unsearchable) {
				return nil, badFilter("a value cannot be searched for")
			}
			values[0] = value
		}
	}
	return p, nil
}

// unsearchable tells whether r is in no name, address or id. That includes what
// bytes become that are no UTF-8.
func unsearchable(r rune) bool { return r < ' ' || r == '\x7f' || r == '\uFFFD' }

// given returns the fields that have a value.
func (p params) given() params {
	some := params{}
	for name, values := range p {
		if values[0] != "" {
			some[name] = values
		}
	}
	return some
}

func badFilter(why string) error { return fail(pages.Failure{Kind: pages.BadRequest}, errors.New(why)) }

// adminTrouble is the page for what usersvc does not do.
func adminTrouble(err error) error {
	switch {
	case errors.Is(err, usersvc.ErrNotFound):
		return fail(pages.Failure{Kind: pages.NotFound}, err)
	case errors.Is(err, usersvc.ErrForbidden): // no admin any more, since the request came
		return fail(pages.Failure{Kind: pages.Forbidden}, err)
	case errors.Is(err, usersvc.ErrUnknownRole), errors.Is(err, table.ErrBadCursor):
		return fail(pages.Failure{Kind: pages.BadRequest}, err)
	}
	return err
}
