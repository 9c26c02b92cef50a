package usersvc_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// TestTwice does every operation twice in a row (I40), each within two seconds,
// with one connection to DynamoDB: whoever held it while asking for another would
// wait for ever.
func TestTwice(t *testing.T) {
	t.Run("bolt", func(t *testing.T) { testTwice(t, openBolt(t)) })
	t.Run("dynamodb", func(t *testing.T) {
		client := dynamotest.Client(dynamotest.Endpoint(t, os.Getenv), &http.Transport{MaxConnsPerHost: 1})
		if err := dynamotable.Create(t.Context(), client, dynamotest.Definition("test")); err != nil {
			t.Fatal(err)
		}
		testTwice(t, newHouse(dynamotable.New(client, "test")))
	})
}

func testTwice(t *testing.T, h *house) {
	ada, lin := h.signIn(t, profile("ada")), h.signIn(t, profile("lin"))
	sam := h.signIn(t, profile("sam"))
	h.signIn(t, at(profile("lin"), "other"))
	linked, err := h.Identities(t.Context(), lin.user.ID)
	if err != nil || len(linked) != 2 {
		t.Fatal(linked, err)
	}
	id, sid := lin.user.ID, lin.session.ID
	for _, op := range []struct {
		name  string
		do    func(context.Context) error
		again error // of the second time
	}{
		{"SignIn", func(ctx context.Context) error {
			_, _, _, err := h.SignIn(ctx, profile("kim"), usersvc.SignInInfo{})
			return err
		}, nil},
		{"EnsureUser", func(ctx context.Context) error {
			_, err := h.EnsureUser(ctx, profile("zoe"), usersvc.Suspended)
			return err
		}, nil},
		{"Session", func(ctx context.Context) error { _, _, err := h.Session(ctx, lin.cookie); return err }, nil},
		{"SessionByID", func(ctx context.Context) error { _, _, err := h.SessionByID(ctx, id, sid); return err }, nil},
		{"Sessions", func(ctx context.Context) error { _, err := h.Sessions(ctx, id); return err }, nil},
		{"Get", func(ctx context.Context) error { _, err := h.Get(ctx, id); return err }, nil},
		{"List", func(ctx context.Context) error { _, err := h.List(ctx, usersvc.Filter{Search: "l"}); return err }, nil},
		{"Audit", func(ctx context.Context) error { _, err := h.Audit(ctx, usersvc.AuditFilter{}); return err }, nil},
		{"Export", func(ctx context.Context) error { _, err := h.Export(ctx, id); return err }, nil},
		{"Identities", func(ctx context.Context) error { _, err := h.Identities(ctx, id); return err }, nil},
		{"Link", func(ctx context.Context) error {
			_, err := h.Link(ctx, by(lin), lin.session.ID, at(profile("lin"), "stranger"))
			return err
		}, nil},
		{"Unlink", func(ctx context.Context) error { _, err := h.Unlink(ctx, by(lin), id, linked[0].ID); return err }, usersvc.ErrNoIdentity},
		{"GiveConsent", func(ctx context.Context) error {
			return h.GiveConsent(ctx, by(lin), usersvc.App{ID: "app", Ref: "app"}, []string{"openid"})
		}, nil},
		{"Consents", func(ctx context.Context) error { _, err := h.Consents(ctx, id); return err }, nil},
		{"WithdrawConsent", func(ctx context.Context) error { h.WithdrawConsent(ctx, by(lin), "app"); return nil }, nil},
		{"Rename", func(ctx context.Context) error { _, err := h.Rename(ctx, by(lin), id, "Lin", 0); return err }, nil},
		{"SetRoles", func(ctx context.Context) error {
			_, err := h.SetRoles(ctx, by(ada), id, []string{"admin"}, 0)
			return err
		}, nil},
		{"RevokeTokens", func(ctx context.Context) error { return h.RevokeTokens(ctx, id) }, nil},
		{"Revocations", func(ctx context.Context) error { _, err := h.Revocations(ctx); return err }, nil},
		{"EndSessionBy", func(ctx context.Context) error { return h.EndSessionBy(ctx, by(ada), id, sid) }, usersvc.ErrNoSession},
		{"EndSession", func(ctx context.Context) error { return h.EndSession(ctx, id, sid) }, nil},
		{"EndSessions", func(ctx context.Context) error { return h.EndSessions(ctx, by(lin), id, "") }, nil},
		{"Suspend", func(ctx context.Context) error { _, err := h.Suspend(ctx, by(ada), sam.user.ID); return err }, nil},
		{"Activate", func(ctx context.Context) error { _, err := h.Activate(ctx, by(ada), sam.user.ID); return err }, nil},
		{"Delete", func(ctx context.Context) error { return h.Delete(ctx, by(ada), sam.user.ID) }, usersvc.ErrNotFound},
	} {
		for i, want := range []error{nil, op.again} {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			done := make(chan error, 1)
			go func() { done <- op.do(ctx) }()
			select {
			case err := <-done:
				if !errors.Is(err, want) {
					t.Errorf("%s, time %d: %v, want %v", op.name, i+1, err, want)
				}
			case <-time.After(3 * time.Second): // it does not even look at its context
				t.Fatalf("%s, time %d: hangs", op.name, i+1)
			}
			cancel()
		}
	}
}
