package usersvc_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestConsent(t *testing.T) {
	onEngines(t, func(t *testing.T, open userstest.Engine) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin")).User
		by, app := usersvc.By{UserID: lin.ID}, usersvc.App{ID: "app", Ref: "app#1"}
		stands := func() bool {
			t.Helper()
			err := h.Table.Write(t.Context(), usersvc.ConsentStands(lin.ID, app, nil, usersvc.Under{}))
			if err != nil && !errors.Is(err, table.ErrConditionFailed) {
				t.Fatal(err)
			}
			return err == nil
		}
		scopes := func() string {
			t.Helper()
			c, err := h.Consent(t.Context(), lin.ID, app)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(c.Scopes)
		}
		if stands() || scopes() != "[]" {
			t.Error("there is a consent that nobody gave")
		}
		for _, asked := range [][]string{{"openid"}, {"notes", "openid"}, {"openid"}, nil} {
			if _, err := h.GiveConsent(t.Context(), by, app, asked); err != nil {
				t.Fatal(err)
			}
		}
		if c, err := h.Consent(t.Context(), lin.ID, app); err != nil || !stands() || scopes() != "[notes openid]" ||
			!c.Covers([]string{"openid"}) || c.Covers([]string{"openid", "more"}) {
			t.Errorf("consent to %s, %v", scopes(), err)
		}
		if all, err := h.Consents(t.Context(), lin.ID); err != nil || len(all) != 1 || all[0].ClientID != "app" {
			t.Errorf("%v, %v", all, err)
		}
		app.Ref = "app#2"
		if stands() || scopes() != "[]" {
			t.Error("it stands for another app of the same id")
		}
		if _, err := h.GiveConsent(t.Context(), by, app, []string{"openid"}); err != nil || !stands() || scopes() != "[openid]" {
			t.Errorf("the other app may have %s, %v", scopes(), err)
		}
		for range 2 {
			if err := h.WithdrawConsent(t.Context(), by, "app"); err != nil {
				t.Fatal(err)
			}
		}
		if stands() || scopes() != "[]" {
			t.Error("it stands after it was withdrawn")
		}
		h.WantRevoked(t, lin, false)
		if _, err := h.Suspend(t.Context(), usersvc.By{Operator: "test"}, lin.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.GiveConsent(t.Context(), by, app, []string{"openid"}); err == nil || stands() {
			t.Error("a suspended user consents")
		}
	})
}

// TestConsentsAtOnce gives one consent in several tabs: what is granted in each is
// granted under the one that stands.
func TestConsentsAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, open userstest.Engine) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin")).User
		by, app := usersvc.By{UserID: lin.ID}, usersvc.App{ID: "app", Ref: "app#1"}
		ids := make([]string, 3)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				c, err := h.GiveConsent(t.Context(), by, app, []string{"openid", fmt.Sprint("scope", i)})
				if err != nil {
					t.Error(err)
				}
				ids[i] = c.ID()
			})
		}
		all.Wait()
		for i, id := range ids {
			scopes := []string{"openid", fmt.Sprint("scope", i)}
			if err := h.Table.Write(t.Context(), usersvc.ConsentStands(lin.ID, app, scopes, usersvc.Under{Consent: id})); err != nil {
				t.Errorf("tab %d: %v", i, err)
			}
		}
	})
}
