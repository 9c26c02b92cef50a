package authorizer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

// feedServer is the login service, as far as its revocations go.
type feedServer struct {
	*httptest.Server

	mu       sync.Mutex
	list     revocation.List
	trouble  http.HandlerFunc // instead of the list, if not nil
	asked    int
	answered int // with a list, and not 304
	fresh    int // asked with no-cache
}

func serveFeed(t testing.TB) *feedServer {
	s := &feedServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked++
		if r.Header.Get("Cache-Control") == "no-cache" {
			s.fresh++
		}
		if s.trouble != nil {
			s.trouble(w, r)
			return
		}
		etag := fmt.Sprintf(`"%d"`, s.list.Len())
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		s.answered++
		json.NewEncoder(w).Encode(&s.list)
	}))
	t.Cleanup(s.Close)
	return s
}

// change does something to the server between two requests.
func (s *feedServer) change(f func(s *feedServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *feedServer) counted(t testing.TB, asked, answered, fresh int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked != asked || s.answered != answered || s.fresh != fresh {
		t.Errorf("asked %d times, answered %d times with a list, %d times fresh; want %d, %d, %d", s.asked, s.answered, s.fresh, asked, answered, fresh)
	}
}

// newFeedWorld is a world with a feed and one fresh route, POST /pay.
func newFeedWorld(t testing.TB) (*world, *feedServer) {
	s := serveFeed(t)
	w := newWorld(t, []policy.Rule{{Route: "POST /pay", Fresh: true}, {Route: "GET /admin", Roles: []string{"admin"}}, {Route: "GET /notes/{id}"}}, func(c *authorizer.Config) {
		feed, err := authorizer.NewFeed(authorizer.FeedConfig{URL: s.URL, Now: c.Now, Log: silent, Timeout: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		c.Revocations = feed
	})
	return w, s
}

// call asks for a route of an HTTP API and returns what the client would see, and
// the reason.
func (w *world) call(t testing.TB, route, rawToken string) (outcome, authorizer.Reason) {
	t.Helper()
	e := httpAPI("Bearer " + rawToken)
	e["routeKey"] = route
	answer, err := w.ask(t, e)
	return outcomeOf(t, e, answer, err), reason(w.logged())
}

func (w *world) expect(t testing.TB, route, rawToken string, want outcome, why authorizer.Reason) {
	t.Helper()
	if got, reason := w.call(t, route, rawToken); got != want || reason != why {
		t.Errorf("%s: %d %q, want %d %q", route, got, reason, want, why)
	}
}

func TestRevocation(t *testing.T) {
	t.Run("a revoked session is refused within 4 seconds, and nobody else", func(t *testing.T) {
		w, s := newFeedWorld(t)
		lin, ada := w.rawToken(t, "u_lin", ""), w.rawToken(t, "u_ada", "")
		w.expect(t, "GET /", lin, allowed, "")
		s.change(func(s *feedServer) { s.list.AddSubject("u_lin", w.clock.now().Add(time.Second)) })
		w.clock.pass(3999 * time.Millisecond)
		w.expect(t, "GET /", lin, allowed, "")
		w.clock.pass(time.Millisecond)
		w.expect(t, "GET /", lin, refused, authorizer.ReasonRevoked)
		w.expect(t, "GET /", ada, allowed, "")
		s.change(func(s *feedServer) { s.list.AddSession("s_1") })
		w.clock.pass(4 * time.Second)
		w.expect(t, "GET /", ada, refused, authorizer.ReasonRevoked)
	})
	t.Run("a token from after the change is accepted", func(t *testing.T) {
		w, s := newFeedWorld(t)
		s.change(func(s *feedServer) { s.list.AddSubject("u_lin", w.clock.now()) })
		w.clock.pass(-time.Second)
		before := w.rawToken(t, "u_lin", "admin")
		w.clock.pass(time.Second)
		after := w.rawToken(t, "u_lin", "user")
		w.expect(t, "GET /admin", before, refused, authorizer.ReasonRevoked)
		w.expect(t, "GET /", after, allowed, "")
	})
	t.Run("a fresh route refuses at the very next request", func(t *testing.T) {
		w, s := newFeedWorld(t)
		lin := w.rawToken(t, "u_lin", "")
		w.expect(t, "POST /pay", lin, allowed, "")
		w.expect(t, "GET /", lin, allowed, "")
		s.change(func(s *feedServer) { s.list.AddSession("s_1") })
		w.expect(t, "GET /", lin, allowed, "")
		w.expect(t, "POST /pay", lin, refused, authorizer.ReasonRevoked)
		w.expect(t, "GET /", lin, refused, authorizer.ReasonRevoked) // it knows now
		s.counted(t, 2, 2, 2)
	})
	t.Run("the feed is asked at most every 4 seconds, and sends what is new", func(t *testing.T) {
		w, s := newFeedWorld(t)
		lin := w.rawToken(t, "u_lin", "")
		for range 60 {
			w.expect(t, "GET /", lin, allowed, "")
			w.clock.pass(time.Second)
		}
		s.counted(t, 15, 1, 0)
	})
	t.Run("the kinds of event say it in their ways", func(t *testing.T) {
		for _, kind := range kinds {
			s := serveFeed(t)
			s.list.AddSession("s_1")
			w := newWorld(t, nil, func(c *authorizer.Config) {
				c.IAM = kind.iam
				c.Revocations, _ = authorizer.NewFeed(authorizer.FeedConfig{URL: s.URL, Now: c.Now, Log: silent})
			})
			e := kind.event("Bearer " + w.rawToken(t, "u_lin", ""))
			answer, err := w.ask(t, e)
			if got := outcomeOf(t, e, answer, err); got != kind.bad {
				t.Errorf("%s: %v, %v", kind.name, answer, err)
			}
		}
	})
	t.Run("an IAM answer that may be kept never allows a fresh route", func(t *testing.T) {
		w, s := newFeedWorld(t)
		lin := "Bearer " + w.rawToken(t, "u_lin", "")
		kept, err := w.ask(t, rest(lin))
		if err != nil || !invokes(t, kept, stage+"GET/notes/1") || invokes(t, kept, stage+"POST/pay") || invokes(t, kept, stage+"POST/pay/") {
			t.Errorf("%v, %v", kept, err)
		}
		e := rest(lin)
		e["methodArn"], e["resource"], e["httpMethod"] = stage+"POST/pay", "/pay", "POST"
		answer, err := w.ask(t, e)
		if err != nil || !invokes(t, answer, stage+"POST/pay") {
			t.Errorf("%v, %v", answer, err)
		}
		e = restToken(lin)
		e["methodArn"] = stage + "POST/pay"
		if answer, err = w.ask(t, e); err != nil || !invokes(t, answer, stage+"POST/pay") {
			t.Errorf("%v, %v", answer, err)
		}
		s.counted(t, 3, 1, 2)
	})
}

func TestFeedTroubles(t *testing.T) {
	for name, trouble := range map[string]http.HandlerFunc{
		"503":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"a page": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"another version": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"version":2,"sessions":[],"subjects":{}}`)
		},
		"an empty object": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{}`) },
		"10 MB":           func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat(" ", 10<<20)) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://canary.invalid/", http.StatusFound)
		},
		"304 unasked": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) },
		"hanging":     func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			w, s := newFeedWorld(t)
			lin := w.rawToken(t, "u_lin", "")
			spoil := func(s *feedServer) { s.trouble = trouble }
			if name == "304 unasked" {
				// Without a list of its own, nobody is told that it is current.
				s.change(spoil)
				w.expect(t, "GET /", lin, failed, "")
				return
			}
			w.expect(t, "GET /", lin, allowed, "")
			s.change(spoil)
			started := time.Now()
			w.expect(t, "POST /pay", lin, failed, "") // fails closed
			w.clock.pass(59 * time.Second)
			w.expect(t, "GET /", lin, allowed, "") // the last list serves
			w.clock.pass(time.Second)
			w.expect(t, "GET /", lin, failed, "") // until it is too old
			if took := time.Since(started); took > time.Second {
				t.Errorf("three answers took %v", took)
			}
			s.change(func(s *feedServer) { s.trouble = nil; s.list.AddSession("s_1") })
			w.clock.pass(time.Second)
			w.expect(t, "GET /", lin, refused, authorizer.ReasonRevoked)
		})
	}
	t.Run("without any list nobody is let in, and the log says why", func(t *testing.T) {
		w, s := newFeedWorld(t)
		s.change(func(s *feedServer) { s.trouble = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) } })
		_, err := w.ask(t, httpAPI("Bearer "+w.rawToken(t, "u_lin", "")))
		if err == nil || errors.Is(err, authorizer.ErrUnauthorized) || !strings.Contains(w.logged(), "revocation feed") {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("keys and feed that hang together leave an answer within a second", func(t *testing.T) {
		s := serveFeed(t)
		s.trouble = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		jwks := serve(t)
		jwks.hangs()
		w := newWorld(t, nil, func(c *authorizer.Config) {
			keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: jwks.URL, Embedded: []byte(set(tokentest.Ours())), Now: c.Now, Log: silent})
			if err != nil {
				t.Fatal(err)
			}
			c.Keys = keys.Key
			c.Revocations, _ = authorizer.NewFeed(authorizer.FeedConfig{URL: s.URL, Now: c.Now, Log: silent})
		})
		started := time.Now()
		w.expect(t, "GET /", w.rawToken(t, "u_lin", ""), failed, "")
		if took := time.Since(started); took > time.Second {
			t.Errorf("S126 took %v", took)
		}
	})
	for name, url := range map[string]string{"nothing": "", "http": "http://auth.example.com/revocations"} {
		if _, err := authorizer.NewFeed(authorizer.FeedConfig{URL: url}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
