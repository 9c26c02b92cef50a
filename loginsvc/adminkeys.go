package loginsvc

import (
	"errors"
	"net/http"
	"slices"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
)

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
