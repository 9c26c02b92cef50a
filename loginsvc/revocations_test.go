package loginsvc_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// feedList is the feed with what the tests ask of it.
type feedList struct{ revocation.List }

func (l *feedList) Revoked(a token.Access) bool {
	return l.List.Revoked(revocation.Token{Subject: a.Subject, SessionID: a.SessionID, ClientID: a.ClientID, IssuedAt: a.IssuedAt})
}

// feed reads the feed as an instance serves it that has just started.
func (w *world) feed() *feedList {
	w.t.Helper()
	document, err := (&usersvc.Feed{Users: w.config.Users}).Document(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var l feedList
	if err := l.UnmarshalJSON(document); err != nil {
		w.t.Fatal(err)
	}
	return &l
}

func TestRevocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.program()
	access := w.access(w.tokens(w.browser().code("lin"))["access_token"])
	dead := func() bool { return w.feed().Revoked(access) }
	if w.feed().Len() != 0 || dead() {
		t.Error("the feed is not empty at first")
	}
	empty := p.get("/revocations")
	if err := w.config.Users.EndSession(t.Context(), access.Subject, access.SessionID); err != nil {
		t.Fatal(err)
	}
	t.Run("a session that ended is listed, until its tokens have expired", func(t *testing.T) {
		if !dead() {
			t.Error("it is not")
		}
		w.at(12 * time.Minute)
		defer w.at(0)
		if w.feed().Len() != 0 {
			t.Error("it is listed for ever")
		}
	})
	t.Run("it is sent only when it has changed", func(t *testing.T) {
		w.rebuild() // an instance that has not read it
		etag := empty.Header.Get("ETag")
		a := p.get("/revocations", "If-None-Match", etag)
		if etag == "" || a.StatusCode != http.StatusOK {
			t.Errorf("%q: %d", etag, a.StatusCode)
		}
		if again := p.get("/revocations", "If-None-Match", a.Header.Get("ETag")); again.StatusCode != http.StatusNotModified || again.body != "" {
			t.Errorf("%d %q", again.StatusCode, again.body)
		}
		if got := a.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("Cache-Control %q", got)
		}
	})
	t.Run("one read a second serves all readers, whatever they ask for", func(t *testing.T) {
		queries := &countedQueries{Table: w.config.Users.Table}
		w.config.Users.Table = queries
		w.rebuild()
		p.get("/revocations")
		before := queries.n.Load()
		for range 20 {
			p.get("/revocations", "Cache-Control", "no-cache", "Pragma", "no-cache")
			p.get("/revocations", "Cache-Control", "max-age=0")
		}
		if n := queries.n.Load() - before; n > 4 { // four, if a second has passed
			t.Errorf("%d queries", n)
		}
	})
	t.Run("a token that is presented is judged as the table stands", func(t *testing.T) {
		got := w.offlineTokens(w.browser())
		raw := got["access_token"].(string)
		active := func(authorization string) any {
			return w.program().get("/revocations", "Authorization", authorization).json(t)["active"]
		}
		access := w.access(raw)
		for name, other := range map[string]string{
			"an ID token": "Bearer " + got["id_token"].(string), "another scheme": "Basic " + raw, "half a token": "Bearer " + raw[:len(raw)/2], "no token": "Bearer ",
		} {
			if active(other) != false {
				t.Error(name, "is active")
			}
		}
		if active("Bearer "+raw) != true {
			t.Error("a live token is not active")
		}
		users := w.config.Users
		other := usersvc.Tokens{Subject: access.Subject, SessionID: access.SessionID, ClientID: "other"}
		if err := users.Revoke(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		if active("Bearer "+raw) != true || w.feed().Revoked(access) {
			t.Error("a revocation of another client ends it")
		}
		if err := users.Revoke(t.Context(), tokensOf(access)); err != nil {
			t.Fatal(err)
		}
		if active("Bearer "+raw) != false {
			t.Error("a token of a revoked client is active")
		}
		if !w.feed().Revoked(access) {
			t.Error("the feed does not list it")
		}
		if a := w.program().get("/userinfo", "Authorization", "Bearer "+raw); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("userinfo: %d", a.StatusCode)
		}
	})
	t.Run("a table that is down is not an empty feed", func(t *testing.T) {
		w.config.Users.Table = &countedQueries{Table: w.table, err: errDown}
		w.rebuild()
		if a := p.get("/revocations"); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
}

type countedQueries struct {
	table.Table
	n   atomic.Int64
	err error
}

func (c *countedQueries) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.n.Add(1)
	if c.err != nil {
		return table.Page{}, c.err
	}
	return c.Table.Query(ctx, q)
}

func tokensOf(a token.Access) usersvc.Tokens {
	return usersvc.Tokens{Subject: a.Subject, SessionID: a.SessionID, ClientID: a.ClientID}
}
