package usersvc_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// While a deployment rolls, the next minor version has written rows already: attributes
// that this version does not know are no reason to refuse a user. A row of another schema
// is refused, with both versions named.
func TestRowsOfNewerVersions(t *testing.T) {
	t.Parallel()
	h := userstest.OpenBolt(t)
	lin := h.MustSignIn(t, userstest.Profile("lin"))
	write := func(change map[string]any) {
		t.Helper()
		if err := h.Users.Table.Write(t.Context(), table.Update(schema.User(lin.User.ID), change)); err != nil {
			t.Fatal(err)
		}
	}
	write(map[string]any{"of_the_next_version": "x", "also": int64(1)})
	if got, err := h.Users.Get(t.Context(), lin.User.ID); err != nil || got.Email != "lin@example.com" {
		t.Errorf("one minor version ahead: %v %v", got, err)
	}
	write(map[string]any{"schema": int64(2)})
	if _, err := h.Users.Get(t.Context(), lin.User.ID); err == nil || !strings.Contains(err.Error(), "schema 2, and this version reads 1") {
		t.Errorf("another schema: %v", err)
	}
}
