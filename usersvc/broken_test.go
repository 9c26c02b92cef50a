package usersvc_test

import (
	"context"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// brokenAfter is a table that is out of reach after some writes.
type brokenAfter struct {
	table.Table
	writes int
}

func (b *brokenAfter) Write(ctx context.Context, writes ...table.Write) error {
	if b.writes == 0 {
		return table.ErrUnavailable
	}
	b.writes--
	return b.Table.Write(ctx, writes...)
}

// meddling is a table where somebody does something before the next write.
type meddling struct {
	table.Table
	before func()
}

func (m *meddling) Write(ctx context.Context, writes ...table.Write) error {
	if before := m.before; before != nil {
		m.before = nil
		before()
	}
	return m.Table.Write(ctx, writes...)
}

func TestUnavailable(t *testing.T) { onEngines(t, testUnavailable) }

func testUnavailable(t *testing.T, open userstest.Engine) {
	h := open(t)
	lin := h.MustSignIn(t, userstest.Profile("lin"))
	h.Users.Table = userstest.Unavailable{}
	if _, _, _, err := h.SignIn(t.Context(), userstest.Profile("lin"), usersvc.SignInInfo{}); err == nil {
		t.Error("signed in")
	}
	if _, _, err := h.Session(t.Context(), lin.Cookie); err == nil || strings.Contains(err.Error(), lin.Cookie) {
		t.Error(err)
	}
	if err := h.EndSession(t.Context(), lin.User.ID, lin.Session.ID); err == nil {
		t.Error("S114 ended a session that lives on")
	}
}
