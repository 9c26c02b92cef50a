package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// storm is users with sessions, many of which are revoked.
type storm struct {
	table *ordered
	users *usersvc.Users
	feed  *usersvc.Feed
	now   time.Time

	sessions    []session
	revocations int
	within      time.Duration

	revoked  []revocation.Token // what must be refused
	accepted int                // of them
	failed   int                // reads of the feed
	renewals int
	renewed  int // sessions that renewed, of those that were not revoked
	again    int // of these, those that renewed more than once
	largest  int // bytes of a document
	rebuilds []time.Duration
}

type session struct {
	token    revocation.Token
	dead     bool
	renewals int
}

func newStorm(sessions, revocations int, within time.Duration) *storm {
	s := &storm{table: newOrdered(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), revocations: revocations, within: within}
	s.table.now = func() time.Time { return s.now }
	s.users = &usersvc.Users{Table: s.table, Now: func() time.Time { return s.now }}
	s.feed = &usersvc.Feed{Users: s.users}
	for i := range sessions {
		issued := s.now.Add(-rand.N(9 * time.Minute))
		s.sessions = append(s.sessions, session{token: s.token(i, issued)})
	}
	return s
}

func (s *storm) token(i int, issued time.Time) revocation.Token {
	return revocation.Token{Subject: fmt.Sprint("u_", i), SessionID: fmt.Sprint("s_", i), ClientID: "app", IssuedAt: issued}
}

// run lets the storm happen, second by second, and then time pass until the end.
func (s *storm) run(end time.Duration) error {
	ctx := context.Background()
	seconds := int(s.within / time.Second)
	for second := range int(end / time.Second) {
		for k := range s.revocations / seconds {
			if second >= seconds {
				break
			}
			n := second*(s.revocations/seconds) + k
			s.now = s.now.Truncate(time.Second).Add(time.Duration(k) * time.Second / time.Duration(s.revocations/seconds))
			if err := s.revoke(ctx, n); err != nil {
				return err
			}
		}
		s.now = s.now.Truncate(time.Second).Add(time.Second)
		if err := s.judge(ctx, second); err != nil {
			return err
		}
	}
	return nil
}

// revoke ends a session: one of those that live or, when each of a fifth of them
// was, one of another user.
func (s *storm) revoke(ctx context.Context, n int) error {
	t := s.token(n+10_000_000, s.now)
	if n < len(s.sessions)/5 {
		s.sessions[n*5].dead = true
		t = s.sessions[n*5].token
	}
	if s.revocations <= 20_000 || n%500 == 0 {
		s.revoked = append(s.revoked, t)
	}
	user := schema.User(t.Subject)
	if s.table.items[user] == nil {
		s.table.items[user] = table.Item{table.PK: user.PK, table.SK: user.SK}
	}
	return s.users.Revoke(ctx, usersvc.Tokens{Subject: t.Subject, SessionID: t.SessionID})
}

// judge reads the feed, has it judge all tokens, and renews what is refused. Now
// and then it does so with a copy that has just started, too.
func (s *storm) judge(ctx context.Context, second int) error {
	began := cpu()
	document, err := s.feed.Document(ctx)
	s.rebuilds = append(s.rebuilds, cpu()-began)
	var list revocation.List
	if err == nil {
		err = list.UnmarshalJSON(document)
	}
	if err != nil {
		s.failed++
		return nil
	}
	s.largest = max(s.largest, len(document))
	s.accepted += s.alive(&list)
	for i := range s.sessions {
		at := &s.sessions[i]
		if at.dead || !list.Revoked(at.token) && s.now.Sub(at.token.IssuedAt) < 9*time.Minute {
			continue
		}
		if list.Revoked(at.token) {
			at.renewals++
			s.renewals++
			switch at.renewals {
			case 1:
				s.renewed++
			case 2:
				s.again++
			}
		}
		at.token.IssuedAt = s.now
	}
	if second%60 != 30 {
		return nil
	}
	cold := &usersvc.Feed{Users: s.users}
	if document, err = cold.Document(ctx); err == nil {
		list = revocation.List{}
		err = list.UnmarshalJSON(document)
	}
	if err != nil {
		s.failed++
		return nil
	}
	s.accepted += s.alive(&list)
	return nil
}

// alive counts the revoked tokens that the list accepts, and that have not expired.
func (s *storm) alive(list *revocation.List) int {
	n := 0
	for _, t := range s.revoked {
		if s.now.Sub(t.IssuedAt) < 10*time.Minute && !list.Revoked(t) {
			n++
		}
	}
	return n
}

// cpu is the time that this process had on a CPU.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
