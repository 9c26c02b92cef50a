package usersvc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// document reads a copy of the feed.
func document(t *testing.T, f *usersvc.Feed) *revocation.List {
	t.Helper()
	text, err := f.Document(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var l revocation.List
	if err := l.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return &l
}

func tokenOf(s userstest.SignedIn, issuedAt time.Time) revocation.Token {
	return revocation.Token{Subject: s.User.ID, SessionID: s.Session.ID, ClientID: "app", IssuedAt: issuedAt}
}

func TestRevoke(t *testing.T) { onEngines(t, testRevoke) }

func testRevoke(t *testing.T, open userstest.Engine) {
	row := table.Item{table.PK: "test", table.SK: "row"}
	errTaken := errors.New("the row is there")
	t.Run("each kind of tokens, and no others", func(t *testing.T) {
		h := open(t)
		lin, ada := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("ada"))
		other := h.MustSignIn(t, userstest.Profile("lin"))
		at := h.Clock.Now()
		tokens := map[string]revocation.Token{
			"lin at app": tokenOf(lin, at), "lin at shop": {Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: "shop", IssuedAt: at},
			"lin elsewhere": tokenOf(other, at), "ada at app": tokenOf(ada, at),
			"robot": {Subject: "robot", ClientID: "robot", IssuedAt: at}, "ada at robot": {Subject: ada.User.ID, SessionID: ada.Session.ID, ClientID: "robot", IssuedAt: at},
		}
		dead := map[string]bool{}
		for _, step := range []struct {
			tokens usersvc.Tokens
			dead   []string
		}{
			{usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: "app"}, []string{"lin at app"}},
			{usersvc.Tokens{Subject: "robot"}, []string{"robot"}},
			{usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID}, []string{"lin at shop"}},
			{usersvc.Tokens{ClientID: "robot"}, []string{"ada at robot"}},
			{usersvc.Tokens{Subject: lin.User.ID}, []string{"lin elsewhere"}},
			{usersvc.Tokens{ClientID: "app"}, []string{"ada at app"}},
		} {
			for range 2 { // twice is once
				if err := h.Revoke(t.Context(), step.tokens); err != nil {
					t.Fatalf("%+v: %v", step.tokens, err)
				}
			}
			for _, name := range step.dead {
				dead[name] = true
			}
			list := h.Feed(t)
			for name, token := range tokens {
				if list.Revoked(token) != dead[name] {
					t.Errorf("after %+v, %s: dead is %v", step.tokens, name, !dead[name])
				}
				token.IssuedAt = at.Add(2 * time.Second)
				if list.Revoked(token) {
					t.Errorf("after %+v, %s: a token of later is dead", step.tokens, name)
				}
			}
		}
	})
	t.Run("Live says the same from two rows", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		at := h.Clock.Now()
		live := func(name string, tokens usersvc.Tokens, want error) {
			t.Helper()
			var err error
			if n := h.Table.During(func() { _, err = h.Live(t.Context(), tokens, at) }); n > 2 || !errors.Is(err, want) {
				t.Errorf("%s: %v after %d calls, want %v after 2", name, err, n, want)
			}
		}
		revoke := func(tokens usersvc.Tokens) {
			t.Helper()
			if err := h.Revoke(t.Context(), tokens); err != nil {
				t.Fatal(err)
			}
		}
		mine := usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: "app"}
		shop := usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: "shop"}
		robot := usersvc.Tokens{Subject: "robot", ClientID: "robot"}
		live("at first", mine, nil)
		live("a client", robot, nil)
		revoke(shop)
		live("another client was revoked", mine, nil)
		live("the client was revoked", shop, usersvc.ErrNoSession)
		revoke(usersvc.Tokens{Subject: "robot"})
		live("the client's own tokens were revoked", robot, usersvc.ErrNoSession)
		revoke(usersvc.Tokens{Subject: lin.User.ID})
		live("the user's were revoked", mine, usersvc.ErrNoSession)
		at = h.Clock.Now().Add(2 * time.Second)
		live("a token of later", mine, nil)
		live("a token of later, of the client", shop, nil)
		live("a token of later, of the machine", robot, nil)
		if err := h.EndSession(t.Context(), lin.User.ID, lin.Session.ID); err != nil {
			t.Fatal(err)
		}
		live("the session has ended", mine, usersvc.ErrNoSession)
	})
	t.Run("with writes, both happen or neither", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		for _, tokens := range []usersvc.Tokens{
			{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: "app"}, {Subject: lin.User.ID, SessionID: lin.Session.ID}, {Subject: lin.User.ID}, {ClientID: "app"}, {Subject: "robot"},
		} {
			put := table.Put(row).If(table.NotExists{}).Else(errTaken)
			if err := h.Table.Write(t.Context(), table.Put(row)); err != nil {
				t.Fatal(err)
			}
			before := h.Feed(t).Len()
			if err := h.Revoke(t.Context(), tokens, put); !errors.Is(err, errTaken) {
				t.Errorf("%+v: %v, want %v", tokens, err, errTaken)
			}
			if n := h.Feed(t).Len(); n != before {
				t.Errorf("%+v: revoked, without the write", tokens)
			}
			if err := h.Table.Write(t.Context(), table.Delete(row.Key())); err != nil {
				t.Fatal(err)
			}
			if err := h.Revoke(t.Context(), tokens, put); err != nil {
				t.Errorf("%+v: %v", tokens, err)
			}
			if _, err := h.Table.Get(t.Context(), row.Key()); err != nil {
				t.Errorf("%+v: not written: %v", tokens, err)
			}
			h.Clock.Pass(2 * time.Second)
		}
	})
	t.Run("of a session that has ended, and of a suspended user", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		if err := h.EndSession(t.Context(), lin.User.ID, lin.Session.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Suspend(t.Context(), userstest.Operator, lin.User.ID); err != nil {
			t.Fatal(err)
		}
		for _, tokens := range []usersvc.Tokens{
			{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: "app"}, {Subject: lin.User.ID, SessionID: lin.Session.ID}, {Subject: lin.User.ID},
		} {
			if err := h.Revoke(t.Context(), tokens, table.Put(row)); err != nil {
				t.Errorf("%+v: %v", tokens, err)
			}
		}
		if _, err := h.Table.Get(t.Context(), schemaSession(lin)); !errors.Is(err, table.ErrNotFound) {
			t.Error("the session's row is back:", err)
		}
	})
	t.Run("tokens without a name are refused", func(t *testing.T) {
		h := open(t)
		for _, tokens := range []usersvc.Tokens{{}, {SessionID: "s_1"}, {SessionID: "s_1", ClientID: "app"}, {Subject: "robot", SessionID: "s_1"}, {Subject: "u_1#x", SessionID: "s_1"}} {
			if err := h.Revoke(t.Context(), tokens); !errors.Is(err, usersvc.ErrNoTokens) {
				t.Errorf("%+v: %v", tokens, err)
			}
		}
	})
	t.Run("many at once lose none", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		at := h.Clock.Now()
		var done atomic.Int64
		errs := make(chan error, 6)
		for i := range 6 {
			go func() {
				tokens := usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: fmt.Sprint("app", i)}
				var err error
				for range 20 {
					if err = h.Revoke(t.Context(), tokens); !errors.Is(err, table.ErrUnavailable) {
						break
					}
				}
				done.Add(1)
				errs <- err
			}()
		}
		for range 6 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		list := h.Feed(t)
		for i := range 6 {
			if !list.Revoked(revocation.Token{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: fmt.Sprint("app", i), IssuedAt: at}) {
				t.Errorf("app%d's tokens live", i)
			}
		}
		if n := h.FeedRows(t); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func schemaSession(s userstest.SignedIn) table.Key { return schema.Session(s.User.ID, s.Session.ID) }

// slow is a table whose writes of the feed take time.
type slow struct {
	table.Table
	during func() // before such a write takes effect; nil: nothing
}

func (s *slow) Write(ctx context.Context, writes ...table.Write) error {
	if during := s.during; during != nil && slices.ContainsFunc(writes, func(w table.Write) bool { return strings.HasPrefix(w.Key.PK, "revocations") }) {
		s.during = nil
		during()
	}
	return s.Table.Write(ctx, writes...)
}

func TestLateRevocations(t *testing.T) {
	for name, revoke := range map[string]func(h *userstest.Harness, lin userstest.SignedIn) error{
		"a suspension": func(h *userstest.Harness, lin userstest.SignedIn) error {
			_, err := h.Suspend(t.Context(), userstest.Operator, lin.User.ID)
			return err
		},
		"a session that ends": func(h *userstest.Harness, lin userstest.SignedIn) error {
			return h.EndSession(t.Context(), lin.User.ID, lin.Session.ID)
		},
		"a client in a session": func(h *userstest.Harness, lin userstest.SignedIn) error {
			return h.Revoke(t.Context(), usersvc.Tokens{Subject: lin.User.ID, SessionID: lin.Session.ID, ClientID: "app"})
		},
	} {
		t.Run("a copy that has read on sees "+name+" that took long", func(t *testing.T) {
			h := userstest.OpenBolt(t)
			lin, ada := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("ada"))
			issued := h.Clock.Now()
			feed := &usersvc.Feed{Users: h.Users}
			document(t, feed)
			slowly := &slow{Table: h.Users.Table}
			h.Users.Table = slowly
			slowly.during = func() {
				for range 12 {
					h.Clock.Pass(time.Second)
					document(t, feed)
				}
				if err := h.EndSession(t.Context(), ada.User.ID, ada.Session.ID); err != nil {
					t.Error(err)
				}
				h.Clock.Pass(time.Second)
				document(t, feed)
			}
			if err := revoke(h, lin); err != nil {
				t.Fatal(err)
			}
			h.Clock.Pass(time.Second)
			list := document(t, feed)
			if !list.Revoked(tokenOf(lin, issued)) || !list.Revoked(tokenOf(ada, issued)) {
				t.Error("a token lives")
			}
		})
	}
	t.Run("a row that is replaced during the first read is not overlooked", func(t *testing.T) {
		h := userstest.OpenBolt(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		issued := h.Clock.Now()
		if _, err := h.Suspend(t.Context(), userstest.Operator, lin.User.ID); err != nil {
			t.Fatal(err)
		}
		h.Clock.Pass(10 * time.Second)
		before := h.Users.Table
		h.Users.Table = &moving{Table: before, at: 5, move: func() {
			users := *h.Users
			users.Table = before
			if _, err := users.Activate(t.Context(), userstest.Operator, lin.User.ID); err != nil {
				t.Error(err)
			}
			if _, err := users.Suspend(t.Context(), userstest.Operator, lin.User.ID); err != nil {
				t.Error(err)
			}
		}}
		if !document(t, &usersvc.Feed{Users: h.Users}).Revoked(tokenOf(lin, issued)) {
			t.Error("the token lives")
		}
	})
}

// moving is a table in which a row moves while the feed is read: during the query
// with the number, which finds what it finds after the move, and nothing that it
// would have found before.
type moving struct {
	table.Table
	queries atomic.Int64
	at      int64
	move    func()
}

func (m *moving) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if m.queries.Add(1) == m.at {
		m.move()
	}
	return m.Table.Query(ctx, q)
}

// storm is a table with many rows in the feed, and none else.
type storm struct {
	table.Table
	rows    map[string][]table.Item // by partition, in the order of keys
	queries atomic.Int64
}

func (s *storm) Query(_ context.Context, q table.Query) (table.Page, error) {
	s.queries.Add(1)
	rows := s.rows[q.PK]
	start, resumes, err := q.Start()
	if err != nil {
		return table.Page{}, err
	}
	at, _ := slices.BinarySearchFunc(rows, start.Key.SK, func(i table.Item, sk string) int { return strings.Compare(i.Key().SK, sk) })
	var page table.Page
	if q.Descending {
		if !resumes {
			at = len(rows)
		}
		for i := at - 1; i >= 0 && len(page.Items) < q.Limit; i-- {
			page.Items = append(page.Items, rows[i])
		}
		if at > q.Limit {
			page.Cursor = q.CursorAfter(page.Items[len(page.Items)-1])
		}
		return page, nil
	}
	for at < len(rows) && len(page.Items) < q.Limit {
		if !resumes || rows[at].Key().SK > start.Key.SK {
			page.Items = append(page.Items, rows[at])
		}
		at++
	}
	if at < len(rows) {
		page.Cursor = q.CursorAfter(page.Items[len(page.Items)-1])
	}
	return page, nil
}

// TestStorm has a copy begin after more revocations than it may read: tokens of
// those that it did not read are dead, and so are all others of that time.
func TestStorm(t *testing.T) {
	h := userstest.OpenBolt(t)
	const n = 100_000
	tab := &storm{rows: map[string][]table.Item{}}
	began := h.Clock.Now().UTC()
	users := *h.Users
	for i := range n {
		at := began.Add(time.Duration(i) * 500 * time.Second / n)
		id := fmt.Sprintf("u_%06d", i)
		item := usersvc.FeedRow(id, at)
		tab.rows[item.Key().PK] = append(tab.rows[item.Key().PK], item)
	}
	for _, rows := range tab.rows {
		slices.SortFunc(rows, func(a, b table.Item) int { return strings.Compare(a.Key().SK, b.Key().SK) })
	}
	h.Clock.Pass(501 * time.Second)
	users.Table = tab
	feed := &usersvc.Feed{Users: &users}
	list := document(t, feed)
	if q := tab.queries.Load(); q > schema.RevocationPartitions*(1+8+1)+1 {
		t.Errorf("%d queries", q)
	}
	for i := range n {
		token := revocation.Token{Subject: fmt.Sprintf("u_%06d", i), IssuedAt: began.Add(time.Duration(i) * 500 * time.Second / n).Truncate(time.Second)}
		if !list.Revoked(token) {
			t.Fatalf("the token of user %d lives", i)
		}
	}
	if list.Revoked(revocation.Token{Subject: "u_other", IssuedAt: h.Clock.Now().Add(2 * time.Second)}) {
		t.Error("a new token is dead")
	}
	if !list.Revoked(revocation.Token{Subject: "u_other", IssuedAt: began}) {
		t.Error("what was not read is not covered")
	}
	tab.queries.Store(0)
	h.Clock.Pass(time.Second)
	document(t, feed)
	if q := tab.queries.Load(); q != schema.RevocationPartitions+1 { // and the rows of version 1, for a minute
		t.Errorf("%d queries for what is new", q)
	}
}
