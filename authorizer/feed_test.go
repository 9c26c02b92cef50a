package authorizer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
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
	list     revocation.Copy
	dead     bool             // what the token is that a request presents
	trouble  http.HandlerFunc // instead of the list, if not nil
	asked    int
	answered int // with a list, and not 304
	fresh    int // asked about a token
}

func (s *feedServer) revokeSession(id string) {
	s.list.Add(revocation.Session(id), revocation.BucketOf("u_lin"), time.Now().Add(24*time.Hour))
}

func (s *feedServer) revokeSubject(id string, before time.Time) {
	s.list.Add(revocation.Subject(id), revocation.BucketOf(id), before)
}

func serveFeed(t testing.TB) *feedServer {
	s := &feedServer{list: revocation.Copy{Remembers: 11 * time.Minute}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked++
		judged := r.Header.Get("Authorization") != ""
		if judged {
			s.fresh++
		}
		if s.trouble != nil {
			s.trouble(w, r)
			return
		}
		if judged {
			fmt.Fprintf(w, `{"active":%t}`, !s.dead)
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
		s.change(func(s *feedServer) { s.revokeSubject("u_lin", w.clock.Now().Add(time.Second)) })
		w.clock.Pass(3999 * time.Millisecond)
		w.expect(t, "GET /", lin, allowed, "")
		w.clock.Pass(time.Millisecond)
		w.expect(t, "GET /", lin, refused, authorizer.ReasonRevoked)
		w.expect(t, "GET /", ada, allowed, "")
		s.change(func(s *feedServer) { s.revokeSession("s_1") })
		w.clock.Pass(4 * time.Second)
		w.expect(t, "GET /", ada, refused, authorizer.ReasonRevoked)
	})
	t.Run("a token from after the change is accepted", func(t *testing.T) {
		w, s := newFeedWorld(t)
		s.change(func(s *feedServer) { s.revokeSubject("u_lin", w.clock.Now()) })
		w.clock.Pass(-time.Second)
		before := w.rawToken(t, "u_lin", "admin")
		w.clock.Pass(time.Second)
		after := w.rawToken(t, "u_lin", "user")
		w.expect(t, "GET /admin", before, refused, authorizer.ReasonRevoked)
		w.expect(t, "GET /", after, allowed, "")
	})
	t.Run("a fresh route refuses at the very next request", func(t *testing.T) {
		w, s := newFeedWorld(t)
		lin := w.rawToken(t, "u_lin", "")
		w.expect(t, "POST /pay", lin, allowed, "")
		w.expect(t, "GET /", lin, allowed, "")
		s.change(func(s *feedServer) { s.dead = true })
		w.expect(t, "GET /", lin, allowed, "")
		w.expect(t, "POST /pay", lin, refused, authorizer.ReasonRevoked)
		s.counted(t, 3, 1, 2)
	})
	t.Run("the feed is asked at most every 4 seconds, and sends what is new", func(t *testing.T) {
		w, s := newFeedWorld(t)
		lin := w.rawToken(t, "u_lin", "")
		for range 60 {
			w.expect(t, "GET /", lin, allowed, "")
			w.clock.Pass(time.Second)
		}
		s.counted(t, 15, 1, 0)
	})
	t.Run("the kinds of event say it in their ways", func(t *testing.T) {
		for _, kind := range kinds {
			s := serveFeed(t)
			s.revokeSession("s_1")
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

// slowOnce delays the first request that is counted.
func slowOnce(h http.Handler, asked *atomic.Int64, by time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			time.Sleep(by)
		}
		h.ServeHTTP(w, r)
	})
}

func TestTokensOlderThanTheFeedRemembers(t *testing.T) {
	w, s := newFeedWorld(t)
	lin := w.rawToken(t, "u_lin", "") // it lives for ten minutes
	w.clock.Pass(4 * time.Minute)
	w.expect(t, "GET /", lin, allowed, "")
	s.change(func(s *feedServer) { s.list.Remembers = 5 * time.Minute; s.revokeSubject("u_ada", w.clock.Now()) })
	w.clock.Pass(59 * time.Second)
	w.expect(t, "GET /", lin, allowed, "")
	w.clock.Pass(time.Second)
	w.expect(t, "GET /", lin, refused, authorizer.ReasonForgotten)
	w.expect(t, "GET /", w.rawToken(t, "u_lin", ""), allowed, "") // the client renews
	w.expect(t, "POST /pay", lin, allowed, "")                    // the issuer's table forgets nothing
}

func TestRevokedClients(t *testing.T) {
	w, s := newFeedWorld(t)
	lin := w.rawToken(t, "u_lin", "")
	at := w.clock.Now().Add(time.Second)
	for name, e := range map[string]revocation.Entry{
		"another client in the session": revocation.ClientInSession("s_1", "other"),
		"the client in another session": revocation.ClientInSession("s_2", "demo-spa"),
		"another client":                revocation.Client("other"),
		"a client of a session's name":  revocation.Client("s_1"),
		"a session of a client's name":  revocation.Session("demo-spa"),
		"a subject of a session's name": revocation.Subject("s_1"),
	} {
		s.change(func(s *feedServer) { s.list.Add(e, revocation.BucketOf("u_other"), at) })
		w.clock.Pass(4 * time.Second)
		if got, _ := w.call(t, "GET /", lin); got != allowed {
			t.Errorf("%s: %v", name, got)
		}
	}
	s.change(func(s *feedServer) {
		s.list.Add(revocation.ClientInSession("s_1", "demo-spa"), revocation.BucketOf("u_lin"), at)
	})
	w.clock.Pass(4 * time.Second)
	w.expect(t, "GET /", lin, refused, authorizer.ReasonRevoked)
}

func TestFeedTroubles(t *testing.T) {
	for name, trouble := range map[string]http.HandlerFunc{
		"503":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"a page": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"another version": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"version":3,"remembers":660,"base":0,"floor":0,"entries":"","buckets":""}`)
		},
		"an empty list":    func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `[]`) },
		"150 kB of spaces": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat(" ", 150_000)) },
		"a member twice": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"version":2,"version":2,"remembers":660,"base":0,"floor":0,"entries":"","buckets":""}`)
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
			w.clock.Pass(59 * time.Second)
			w.expect(t, "GET /", lin, allowed, "") // the last list serves
			w.clock.Pass(time.Second)
			w.expect(t, "GET /", lin, failed, "")                  // until it is too old
			if took := time.Since(started); took > 2*time.Second { // the third has nothing to serve, and tries again
				t.Errorf("three answers took %v", took)
			}
			s.change(func(s *feedServer) { s.trouble = nil; s.revokeSession("s_1") })
			w.clock.Pass(time.Second)
			w.expect(t, "GET /", lin, refused, authorizer.ReasonRevoked)
		})
	}
	t.Run("a feed that is slow once fails nothing", func(t *testing.T) {
		s := serveFeed(t)
		var asked atomic.Int64
		s.Config.Handler = slowOnce(s.Config.Handler, &asked, 600*time.Millisecond)
		var said strings.Builder
		w := newWorld(t, nil, func(c *authorizer.Config) {
			log := slog.New(slog.NewTextHandler(&said, nil))
			c.Revocations, _ = authorizer.NewFeed(authorizer.FeedConfig{URL: s.URL, Now: c.Now, Log: log})
		})
		lin := w.rawToken(t, "u_lin", "")
		w.expect(t, "GET /", lin, allowed, "")
		w.clock.Pass(5 * time.Second)
		asked.Store(0) // slow again, now with a list
		w.expect(t, "GET /", lin, allowed, "")
		w.expect(t, "GET /", lin, allowed, "")
		if n := strings.Count(said.String(), "level=ERROR"); n != 1 { // the second time; the first was a slow start
			t.Errorf("%d failures in the log: %s", n, &said)
		}
	})
	t.Run("an issuer that is slow once fails no fresh route", func(t *testing.T) {
		s := serveFeed(t)
		var asked atomic.Int64
		s.Config.Handler = slowOnce(s.Config.Handler, &asked, 600*time.Millisecond)
		w := newWorld(t, []policy.Rule{{Route: "POST /pay", Fresh: true}}, func(c *authorizer.Config) {
			c.Revocations, _ = authorizer.NewFeed(authorizer.FeedConfig{URL: s.URL, Now: c.Now, Log: silent})
		})
		lin := w.rawToken(t, "u_lin", "")
		w.expect(t, "POST /pay", lin, allowed, "")
		s.change(func(s *feedServer) { s.dead = true })
		asked.Store(0)
		w.expect(t, "POST /pay", lin, refused, authorizer.ReasonRevoked)
	})
	t.Run("without a list, each call asks again", func(t *testing.T) {
		w, s := newFeedWorld(t)
		s.change(func(s *feedServer) { s.trouble = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) } })
		lin := w.rawToken(t, "u_lin", "")
		w.expect(t, "GET /", lin, failed, "")
		s.counted(t, 3, 0, 0)
		s.change(func(s *feedServer) { s.trouble = nil })
		w.expect(t, "GET /", lin, allowed, "") // at once
	})
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
