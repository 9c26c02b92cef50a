package usersvc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// process returns the users as another process has them: with a memory of its own.
// A busy one has put so many rows into the feed that it spreads the next ones.
func process(t *testing.T, h *userstest.Harness, busy bool) *usersvc.Users {
	t.Helper()
	users := &usersvc.Users{Table: h.Table, TrustedProviders: h.TrustedProviders, Now: h.Clock.Now}
	for i := range 4 {
		if !busy {
			break
		}
		if err := users.Revoke(t.Context(), usersvc.Tokens{ClientID: fmt.Sprint("busy", i)}); err != nil {
			t.Fatal(err)
		}
	}
	return users
}

// elsewhere signs in a user whose rows go into another partition than 0 once they
// are spread.
func elsewhere(t *testing.T, h *userstest.Harness) userstest.SignedIn {
	t.Helper()
	for i := range 100 {
		s := h.MustSignIn(t, userstest.Profile(fmt.Sprint("user", i)))
		if revocation.Subject(s.User.ID)[0]%schema.RevocationPartitions != 0 {
			return s
		}
	}
	t.Fatal("all are in partition 0")
	return userstest.SignedIn{}
}

func rowsOf(t *testing.T, h *userstest.Harness, partition int) int {
	t.Helper()
	page, err := h.Table.Query(t.Context(), table.Query{PK: schema.RevocationPartition(partition), Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Items)
}

// noMarkers is a table that cannot write markers.
type noMarkers struct{ table.Table }

func (n noMarkers) Write(ctx context.Context, writes ...table.Write) error {
	if strings.HasSuffix(writes[0].Key.SK, schema.RevocationMarkerID) {
		return table.ErrUnavailable
	}
	return n.Table.Write(ctx, writes...)
}

func TestSpread(t *testing.T) { onEngines(t, testSpread) }

func testSpread(t *testing.T, open userstest.Engine) {
	t.Run("with few revocations, a reader asks once a second", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		feed := &usersvc.Feed{Users: h.Users}
		document(t, feed)
		h.Clock.Pass(time.Minute)
		document(t, feed)
		for range 4 {
			at := h.Clock.Now()
			if err := process(t, h, false).Revoke(t.Context(), usersvc.Tokens{Subject: lin.User.ID}); err != nil {
				t.Fatal(err)
			}
			h.Clock.Pass(time.Second)
			n := h.Table.During(func() {
				if !document(t, feed).Revoked(tokenOf(lin, at)) {
					t.Error("the token lives")
				}
			})
			if n != 1 {
				t.Errorf("%d requests", n)
			}
		}
	})
	t.Run("with many, it asks all partitions, and once again when they are over", func(t *testing.T) {
		h := open(t)
		lin := elsewhere(t, h)
		feed := &usersvc.Feed{Users: h.Users}
		document(t, feed)
		for range 65 {
			h.Clock.Pass(time.Second)
			document(t, feed)
		}
		at := h.Clock.Now()
		users := process(t, h, true)
		if err := users.Revoke(t.Context(), usersvc.Tokens{Subject: lin.User.ID}); err != nil {
			t.Fatal(err)
		}
		if rowsOf(t, h, 1)+rowsOf(t, h, 2)+rowsOf(t, h, 3) != 1 {
			t.Error("the row is not spread")
		}
		h.Clock.Pass(time.Second)
		n := h.Table.During(func() {
			if !document(t, feed).Revoked(tokenOf(lin, at)) {
				t.Error("the token lives")
			}
		})
		if n != schema.RevocationPartitions {
			t.Errorf("%d requests", n)
		}
		for range 185 {
			h.Clock.Pass(time.Second)
			document(t, feed)
		}
		h.Clock.Pass(time.Second)
		if n := h.Table.During(func() { document(t, feed) }); n != 1 {
			t.Errorf("%d requests when it is over", n)
		}
		if !document(t, &usersvc.Feed{Users: h.Users}).Revoked(tokenOf(lin, at)) {
			t.Error("a copy that begins does not know it")
		}
	})
	t.Run("a process that goes on spreading is followed without a gap", func(t *testing.T) {
		h := open(t)
		lin := elsewhere(t, h)
		feed := &usersvc.Feed{Users: h.Users}
		users := process(t, h, false)
		document(t, feed)
		for i := range 400 {
			h.Clock.Pass(time.Second)
			document(t, feed)
			at := h.Clock.Now()
			for range 5 {
				if err := users.Revoke(t.Context(), usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: fmt.Sprint("app", i)}); err != nil {
					t.Fatal(err)
				}
			}
			h.Clock.Pass(time.Second)
			if !document(t, feed).Revoked(revocation.Token{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: fmt.Sprint("app", i), IssuedAt: at}) {
				t.Fatalf("after %d s, the token lives", 2*i)
			}
		}
		if n := h.FeedRows(t); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
	for _, busyFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("a row that moves is not overlooked by a copy that begins, spread before: %v", busyFirst), func(t *testing.T) {
			for at := int64(1); ; at++ {
				h := open(t)
				one := elsewhere(t, h)
				first, second := process(t, h, busyFirst), process(t, h, !busyFirst)
				issued := h.Clock.Now()
				if err := first.EndSession(t.Context(), one.User.ID, one.Session.ID); err != nil {
					t.Fatal(err)
				}
				moves := &moving{Table: h.Table, at: at, move: func() {
					if err := second.Revoke(t.Context(), usersvc.Tokens{Subject: one.User.ID, SessionID: "s_other", ClientID: "app"}); err != nil {
						t.Error(err)
					}
				}}
				h.Clock.Pass(10 * time.Second)
				if !document(t, &usersvc.Feed{Users: h.With(moves)}).Revoked(tokenOf(one, issued)) {
					t.Errorf("moved at query %d, the token lives", at)
				}
				if moves.queries.Load() < at {
					break
				}
			}
		})
	}
	t.Run("without a marker, nothing is spread", func(t *testing.T) {
		h := open(t)
		lin := elsewhere(t, h)
		users := process(t, h, true)
		if rows := rowsOf(t, h, 0); rows != 4 {
			t.Fatalf("%d rows in partition 0", rows)
		}
		users.Table = noMarkers{h.Table}
		err := users.Revoke(t.Context(), usersvc.Tokens{Subject: lin.User.ID})
		if n := h.FeedRows(t); !errors.Is(err, table.ErrUnavailable) || n != 4 {
			t.Errorf("%v, %d rows", err, n)
		}
	})
}
