package usersvc_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// before is a table in which something happens before the first write.
type before struct {
	table.Table
	happen func()
}

func (b *before) Write(ctx context.Context, writes ...table.Write) error {
	if happen := b.happen; happen != nil {
		b.happen = nil
		happen()
	}
	return b.Table.Write(ctx, writes...)
}

func TestUserLedger(t *testing.T) { onEngines(t, testUserLedger) }

func testUserLedger(t *testing.T, open userstest.Engine) {
	changes := map[string]func(u *usersvc.Users, lin userstest.SignedIn) error{
		"a name of their own": func(u *usersvc.Users, lin userstest.SignedIn) error {
			_, err := u.Rename(t.Context(), userstest.By(lin), lin.User.ID, "Linda", 0)
			return err
		},
		"other roles": func(u *usersvc.Users, lin userstest.SignedIn) error {
			_, err := u.SetRoles(t.Context(), userstest.Operator, lin.User.ID, []string{"user", usersvc.Admin}, 0)
			return err
		},
		"fewer roles": func(u *usersvc.Users, lin userstest.SignedIn) error {
			_, err := u.SetRoles(t.Context(), userstest.Operator, lin.User.ID, nil, 0)
			return err
		},
		"a sign-in with another profile": func(u *usersvc.Users, lin userstest.SignedIn) error {
			p := userstest.Profile("lin")
			p.Name = "Linnéa"
			_, _, _, err := u.SignIn(t.Context(), p, usersvc.SignInInfo{})
			return err
		},
		"a suspension": func(u *usersvc.Users, lin userstest.SignedIn) error {
			_, err := u.Suspend(t.Context(), userstest.Operator, lin.User.ID)
			return err
		},
		"the end of all sessions": func(u *usersvc.Users, lin userstest.SignedIn) error {
			return u.EndSessions(t.Context(), userstest.By(lin), lin.User.ID, "")
		},
		"the loss of the address": func(u *usersvc.Users, lin userstest.SignedIn) error {
			p := userstest.Profile("lin")
			p.Subject, p.Issuer, p.Provider = "another", "https://other.example", "other"
			_, _, _, err := u.SignIn(t.Context(), p, usersvc.SignInInfo{})
			return err
		},
	}
	for name, change := range changes {
		for _, when := range []string{"after", "during"} {
			t.Run("a revocation is kept, "+name+" "+when+" it", func(t *testing.T) {
				h := open(t)
				p := userstest.Profile("lin")
				if name == "the loss of the address" {
					p.Provider, p.Issuer = "untrusted", "https://untrusted.example"
				}
				lin := h.MustSignIn(t, p)
				if name == "fewer roles" {
					h.MustSignIn(t, userstest.Profile("ada")) // an admin, who stays
					if _, err := h.SetRoles(t.Context(), userstest.Operator, lin.User.ID, []string{"user", usersvc.Admin}, 0); err != nil {
						t.Fatal(err)
					}
				}
				at := h.Clock.Now()
				mine := usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: "app"}
				revoke := func() {
					if err := h.Revoke(t.Context(), mine); err != nil {
						t.Error(err)
					}
				}
				tab := &before{Table: h.Table}
				if when == "during" {
					tab.happen = revoke
				} else {
					revoke()
				}
				if err := change(h.With(tab), lin); err != nil {
					t.Fatal(err)
				}
				wantDead(t, h, lin, "app", at, true)
				if n := h.FeedRows(t); n != 1 {
					t.Errorf("%d rows in the feed", n)
				}
				revoke()
				if n := h.FeedRows(t); n != 1 {
					t.Errorf("%d rows in the feed after one more revocation", n)
				}
			})
		}
	}
	t.Run("all that is revoked within one second is dead", func(t *testing.T) {
		h := open(t)
		one, two := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("lin"))
		at := h.Clock.Now()
		if err := h.EndSession(t.Context(), one.User.ID, one.Session.ID); err != nil {
			t.Fatal(err)
		}
		wantDead(t, h, two, "app", at, false)
		if err := h.Revoke(t.Context(), usersvc.Tokens{Subject: one.User.ID}); err != nil {
			t.Fatal(err)
		}
		wantDead(t, h, two, "app", at, true)
		if _, err := h.Suspend(t.Context(), userstest.Operator, one.User.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.Delete(t.Context(), userstest.Operator, one.User.ID); err != nil {
			t.Fatal(err)
		}
		wantDead(t, h, two, "app", at, true)
		row, err := h.Table.Get(t.Context(), schema.User(one.User.ID))
		if err != nil || row["email"] != "" || row[table.GSI1PK] != nil {
			t.Errorf("what stays of a deleted user is %v, %v", row, err)
		}
	})
	t.Run("a ledger that cannot be read is not an empty one", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		mine := usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: "app"}
		for _, bad := range []any{"", "x", "revocations#0 2026-03-01T12:00:01Z", "revocations#0 2026-03-01T12:00:01Z AAAA", int64(1)} {
			if err := h.Table.Write(t.Context(), table.Update(schema.User(lin.User.ID), map[string]any{"revoked": bad})); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Live(t.Context(), mine, h.Clock.Now()); err == nil {
				t.Errorf("%q: the token lives", bad)
			}
			if err := h.Revoke(t.Context(), mine); err == nil {
				t.Errorf("%q: it was replaced", bad)
			}
		}
	})
}

// oldLedgerRow is a ledger as an earlier version wrote it, with one item.
func oldLedgerRow(partition string, entry, cover revocation.Entry, bucket revocation.Bucket, before time.Time) table.Item {
	key := schema.Revoked(partition)
	packed := binary.BigEndian.AppendUint16(slices.Clone(entry[:]), uint16(bucket))
	return table.Item{
		table.PK: key.PK, table.SK: key.SK, table.TTL: before.Add(time.Hour).Unix(), "version": int64(3),
		"row_pk": "revocations#2", "row_sk": before.Format(time.RFC3339) + "#x",
		"entries": binary.BigEndian.AppendUint64(packed, uint64(before.Unix())), "covers": cover[:],
	}
}

func TestOldLedgers(t *testing.T) { onEngines(t, testOldLedgers) }

func testOldLedgers(t *testing.T, open userstest.Engine) {
	t.Run("of a user, for sessions of that version", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		at := h.Clock.Now().UTC().Truncate(time.Second)
		entry := revocation.ClientAtSubject(lin.User.ID, "ext")
		old := oldLedgerRow(schema.UserPartition(lin.User.ID), entry, revocation.Entry{}, revocation.BucketOf(lin.User.ID), at.Add(time.Second))
		session := table.Update(schema.Session(lin.User.ID, lin.Session.ID), nil).Removing("schema")
		if err := h.Table.Write(t.Context(), table.Put(old), session); err != nil {
			t.Fatal(err)
		}
		live := func(clientID string, issuedAt time.Time) error {
			_, err := h.Live(t.Context(), usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: clientID}, issuedAt)
			return err
		}
		if err := live("ext", at); !errors.Is(err, usersvc.ErrNoSession) {
			t.Errorf("a token of before: %v", err)
		}
		if err := errors.Join(live("ext", at.Add(time.Second)), live("app", at)); err != nil {
			t.Errorf("others: %v", err)
		}
		if err := h.Revoke(t.Context(), usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: "app"}); err != nil {
			t.Fatal(err)
		}
		for _, clientID := range []string{"ext", "app"} {
			if err := live(clientID, at); !errors.Is(err, usersvc.ErrNoSession) {
				t.Errorf("after one more revocation, %s: %v", clientID, err)
			}
		}
	})
	t.Run("of a client", func(t *testing.T) {
		h := open(t)
		at := h.Clock.Now().UTC().Truncate(time.Second)
		old := oldLedgerRow(schema.ClientPartition("robot"), revocation.Subject("robot"), revocation.Entry{}, revocation.BucketOf("robot"), at.Add(time.Second))
		feed := table.Put(table.Item{table.PK: "revocations#2", table.SK: old["row_sk"], "entries": old["entries"]})
		if err := h.Table.Write(t.Context(), table.Put(old), feed); err != nil {
			t.Fatal(err)
		}
		robot := usersvc.Tokens{Subject: "robot", ClientID: "robot"}
		if _, err := h.Live(t.Context(), robot, at); !errors.Is(err, usersvc.ErrNoSession) {
			t.Errorf("its own token: %v", err)
		}
		if err := h.Revoke(t.Context(), usersvc.Tokens{ClientID: "robot"}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Live(t.Context(), robot, at); !errors.Is(err, usersvc.ErrNoSession) {
			t.Errorf("its own token, after one more revocation: %v", err)
		}
		if n := h.FeedRows(t); n != 1 {
			t.Errorf("%d rows in the feed", n)
		}
	})
}
