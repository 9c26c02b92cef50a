package loginsvc_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// feed reads the feed as an authorizer does for a route marked fresh.
func (w *world) feed() *revocation.List {
	w.t.Helper()
	a := w.program().get("/revocations", "Cache-Control", "no-cache")
	var l revocation.List
	if err := json.Unmarshal([]byte(a.body), &l); err != nil || a.StatusCode != http.StatusOK {
		w.t.Fatalf("%d %s: %v", a.StatusCode, a.body, err)
	}
	return &l
}

func TestRevocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.program()
	access := w.access(w.tokens(w.browser().code("lin"))["access_token"])
	dead := func() bool { return w.feed().Revoked(access.Subject, access.SessionID, access.IssuedAt) }
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
		etag := empty.Header.Get("ETag")
		if a := p.get("/revocations", "Cache-Control", "no-cache", "If-None-Match", etag); etag == "" || a.StatusCode != http.StatusOK {
			t.Errorf("%q: %d", etag, a.StatusCode)
		}
		a := p.get("/revocations")
		if again := p.get("/revocations", "Cache-Control", "no-cache", "If-None-Match", a.Header.Get("ETag")); again.StatusCode != http.StatusNotModified || again.body != "" {
			t.Errorf("%d %q", again.StatusCode, again.body)
		}
		if got := a.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("Cache-Control %q", got)
		}
	})
	t.Run("one query a second serves everybody", func(t *testing.T) {
		queries := &countedQueries{Table: w.config.Users.Table}
		w.config.Users.Table = queries
		w.rebuild()
		for range 20 {
			p.get("/revocations")
		}
		if queries.n > 2 {
			t.Errorf("%d queries", queries.n)
		}
		before := queries.n
		p.get("/revocations", "Cache-Control", "no-cache")
		if queries.n != before+1 {
			t.Error("no-cache does not ask the table")
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
	n   int
	err error
}

func (c *countedQueries) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.n++
	if c.err != nil {
		return table.Page{}, c.err
	}
	return c.Table.Query(ctx, q)
}
