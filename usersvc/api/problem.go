package api

import (
	"errors"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// problems is what clients hear of an error. Of any other they hear nothing but
// that there was one.
var problems = []struct {
	err          error
	status       int
	code, detail string
}{
	{table.ErrBadCursor, http.StatusBadRequest, "bad_cursor", "begin the list again without a cursor"},
	{usersvc.ErrUnknownRole, http.StatusBadRequest, "unknown_role", "a role is not declared in gatehouse.yml"},
	{usersvc.ErrForbidden, http.StatusForbidden, "insufficient_role", "only an active admin may do this"},
	{usersvc.ErrNotFound, http.StatusNotFound, "not_found", "there is no such user"},
	{usersvc.ErrNoSession, http.StatusNotFound, "not_found", "there is no such session"},
	{usersvc.ErrNoIdentity, http.StatusNotFound, "not_found", "there is no such identity"},
	{usersvc.ErrOneself, http.StatusConflict, "oneself", "let another admin do this"},
	{usersvc.ErrLastAdmin, http.StatusConflict, "last_admin", "make another user an admin first"},
	{usersvc.ErrLastIdentity, http.StatusConflict, "last_identity", "link another identity first"},
	{usersvc.ErrVersion, http.StatusPreconditionFailed, "version_changed", "the user has changed meanwhile: read it again"},
}

// public turns an error into what the client may hear of it.
func (r route) public(err error) error {
	if err == nil {
		return nil
	}
	if r.needs.role == "" && errors.Is(err, usersvc.ErrNotFound) { // the caller: deleted while the token lives
		return errSignInFirst
	}
	if errors.Is(err, table.ErrUnavailable) {
		return httpx.Unavailable(err)
	}
	for _, p := range problems {
		if errors.Is(err, p.err) {
			return &httpx.Error{Status: p.status, Code: p.code, Detail: p.detail, Err: err}
		}
	}
	return err
}

var errSignInFirst = &httpx.Error{Status: http.StatusUnauthorized, Code: "invalid_token", Detail: "sign in first"}

func invalid(detail string) error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: detail}
}
