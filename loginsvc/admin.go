package loginsvc

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// The pages of administrators. The service reads the administrator again for each request, and each
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

// handleAdminKeys lists the signing keys. What is done to them is done by the
// rotator, and on the command line.
func (s *Service) handleAdminKeys(w http.ResponseWriter, r *http.Request, v visitor) error {
	if s.Ring == nil {
		return fail(pages.Failure{Kind: pages.NotFound}, errors.New("there is no ring of keys"))
	}
	ring, err := s.Ring(r.Context())
	if err != nil {
		return err
	}
	page := pages.AdminKeys{Frame: s.adminFrame(v), Keys: keyRows(ring)}
	s.Pages.Render(w, r, http.StatusOK, page)
	return nil
}

// keyRows are the keys of a ring: those in use by what comes next, then those
// that are no more, the newest first.
func keyRows(ring keyring.View) []pages.KeyRow {
	order := []keys.State{keys.Next, keys.Current, keys.Retiring, keys.Compromised, keys.Retired}
	newest := slices.Clone(ring.Keys)
	slices.Reverse(newest)
	slices.SortStableFunc(newest, func(a, b keyring.KeyView) int {
		return slices.Index(order, a.State) - slices.Index(order, b.State)
	})
	var rows []pages.KeyRow
	for _, k := range newest[:min(len(newest), pages.AdminRows)] {
		row := pages.KeyRow{ID: k.ID, State: string(k.State)}
		switch k.State {
		case keys.Next:
			row.Since, row.Until = k.PublishedAt, ring.DueAt
		case keys.Current:
			row.Since, row.Until = k.CurrentAt, ring.DueAt
		case keys.Retiring:
			row.Since, row.Until = k.RetiringAt, k.KeepUntil
		default:
			row.Since = k.EndedAt
		}
		rows = append(rows, row)
	}
	return rows
}
