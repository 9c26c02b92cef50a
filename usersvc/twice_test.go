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
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// TestTwice does every operation twice in a row (I40), each within two seconds,
// with one connection to DynamoDB: whoever held it while asking for another would
// wait for ever.
func TestTwice(t *testing.T) {
	t.Parallel()
	t.Run("bolt", func(t *testing.T) { t.Parallel(); testTwice(t, userstest.OpenBolt(t)) })
	t.Run("dynamodb", func(t *testing.T) {
		t.Parallel()
		client := dynamotest.Client(dynamotest.Endpoint(t, os.Getenv), &http.Transport{MaxConnsPerHost: 1})
		if err := dynamotable.Create(t.Context(), client, dynamotest.Definition("test")); err != nil {
			t.Fatal(err)
		}
		testTwice(t, userstest.New(dynamotable.New(client, "test")))
	})
}

func testTwice(t *testing.T, h *userstest.Harness) {
	ada, lin := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin"))
	sam := h.MustSignIn(t, userstest.Profile("sam"))
	h.MustSignIn(t, userstest.At(userstest.Profile("lin"), "other"))
	linked, err := h.Identities(t.Context(), lin.User.ID)
	if err != nil || len(linked) != 2 {
		t.Fatal(linked, err)
	}
	id, sid := lin.User.ID, lin.Session.ID
	for _, op := range []struct {
		name  string
		do    func(context.Context) error
		again error // of the second time
	}{
		{"SignIn", func(ctx context.Context) error {
			_, _, _, err := h.SignIn(ctx, userstest.Profile("kim"), usersvc.SignInInfo{})
			return err
		}, nil},
		{"EnsureUser", func(ctx context.Context) error {
			_, err := h.EnsureUser(ctx, userstest.Profile("zoe"), usersvc.Suspended)
			return err
		}, nil},
		{"Session", func(ctx context.Context) error { _, _, err := h.Session(ctx, lin.Cookie); return err }, nil},
		{"SessionByID", func(ctx context.Context) error { _, _, err := h.SessionByID(ctx, id, sid); return err }, nil},
		{"Sessions", func(ctx context.Context) error { _, err := h.Sessions(ctx, id); return err }, nil},
		{"Get", func(ctx context.Context) error { _, err := h.Get(ctx, id); return err }, nil},
		{"List", func(ctx context.Context) error { _, err := h.List(ctx, usersvc.Filter{Search: "l"}); return err }, nil},
		{"Audit", func(ctx context.Context) error { _, err := h.Audit(ctx, usersvc.AuditFilter{}); return err }, nil},
		{"Export", func(ctx context.Context) error { _, err := h.Export(ctx, id); return err }, nil},
		{"Identities", func(ctx context.Context) error { _, err := h.Identities(ctx, id); return err }, nil},
		{"Link", func(ctx context.Context) error {
			_, err := h.Link(ctx, userstest.By(lin), lin.Session.ID, userstest.At(userstest.Profile("lin"), "stranger"))
			return err
		}, nil},
		{"Unlink", func(ctx context.Context) error {
			_, err := h.Unlink(ctx, userstest.By(lin), id, linked[0].ID)
			return err
		}, usersvc.ErrNoIdentity},
		{"GiveConsent", func(ctx context.Context) error {
			_, err := h.GiveConsent(ctx, userstest.By(lin), usersvc.App{ID: "app", Ref: "app"}, []string{"openid"})
			return err
		}, nil},
		{"Consents", func(ctx context.Context) error { _, err := h.Consents(ctx, id); return err }, nil},
		{"WithdrawConsent", func(ctx context.Context) error { h.WithdrawConsent(ctx, userstest.By(lin), "app"); return nil }, nil},
		{"Rename", func(ctx context.Context) error { _, err := h.Rename(ctx, userstest.By(lin), id, "Lin", 0); return err }, nil},
		{"SetRoles", func(ctx context.Context) error {
			_, err := h.SetRoles(ctx, userstest.By(ada), id, []string{"admin"}, 0)
			return err
		}, nil},
		{"Revoke", func(ctx context.Context) error { return h.Revoke(ctx, usersvc.Tokens{Subject: id}) }, nil},
		{"Revocations", func(ctx context.Context) error { _, err := (&usersvc.Feed{Users: h.Users}).Document(ctx); return err }, nil},
		{"EndSessionBy", func(ctx context.Context) error { return h.EndSessionBy(ctx, userstest.By(ada), id, sid) }, usersvc.ErrNoSession},
		{"EndSession", func(ctx context.Context) error { return h.EndSession(ctx, id, sid) }, nil},
		{"EndSessions", func(ctx context.Context) error { return h.EndSessions(ctx, userstest.By(lin), id, "") }, nil},
		{"Suspend", func(ctx context.Context) error { _, err := h.Suspend(ctx, userstest.By(ada), sam.User.ID); return err }, nil},
		{"Activate", func(ctx context.Context) error { _, err := h.Activate(ctx, userstest.By(ada), sam.User.ID); return err }, nil},
		{"Delete", func(ctx context.Context) error { return h.Delete(ctx, userstest.By(ada), sam.User.ID) }, usersvc.ErrNotFound},
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
