// Package userstest gives the tests of users, and of their API, users on a table
// of their own and a clock that the test moves.
//
// Internal to Gatehouse: it may change with any release.
package userstest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// Harness is users on an empty table.
type Harness struct {
	*usersvc.Users
	Table *Counted // what Users.Table is, unless the test has replaced it
	Clock *fake.Clock

	Secrets []string // of the sessions that MustSignIn started
}

// Engine opens a harness.
type Engine func(*testing.T) *Harness

// OnEngines runs a test on bolt and on the DynamoDB emulator, in parallel. getenv is
// os.Getenv.
func OnEngines(t *testing.T, getenv func(string) string, test func(*testing.T, Engine)) {
	t.Parallel()
	t.Run("bolt", func(t *testing.T) {
		t.Parallel()
		test(t, OpenBolt)
	})
	t.Run("dynamodb", func(t *testing.T) {
		t.Parallel()
		client := dynamotest.Client(dynamotest.Endpoint(t, getenv), nil)
		test(t, func(t *testing.T) *Harness {
			t.Helper()
			name := rand.Text()
			if err := dynamotable.Create(t.Context(), client, dynamotest.Definition(name)); err != nil {
				t.Fatal(err)
			}
			return New(dynamotable.New(client, name))
		})
	})
}

// OpenBolt opens a harness on a bolt file that goes with the test.
func OpenBolt(t *testing.T) *Harness {
	t.Helper()
	bolt, err := bolttable.Open(filepath.Join(t.TempDir(), "table.db"), bolttable.Options{UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bolt.Close(); err != nil {
			t.Error(err)
		}
	})
	return New(bolt)
}

// New returns a harness on a table. Ada is an admin; demo and other are trusted
// providers.
func New(t table.Table) *Harness {
	h := &Harness{Table: &Counted{Table: t}, Clock: new(fake.Clock)}
	h.Users = &usersvc.Users{
		Table: h.Table, Admins: []string{"Ada@Example.com"}, TrustedProviders: []string{"demo", "other"}, Now: h.Clock.Now,
	}
	return h
}

// With returns the same users in another table.
func (h *Harness) With(t table.Table) *usersvc.Users {
	users := *h.Users
	users.Table = t
	return &users
}

// Profile returns what the provider demo says about a person.
func Profile(name string) usersvc.Profile {
	return usersvc.Profile{
		Issuer: "https://demo.example", Subject: "sub-" + name, Provider: "demo",
		Email: name + "@example.com", EmailVerified: true, Name: name,
	}
}

// At returns the profile of the same person at another provider.
func At(p usersvc.Profile, provider string) usersvc.Profile {
	p.Provider, p.Issuer, p.Subject = provider, "https://"+provider+".example", p.Subject+"-there"
	return p
}

// SignedIn is the result of a sign-in.
type SignedIn struct {
	User    usersvc.User
	Session usersvc.Session
	Cookie  string
}

// By returns the user as the actor of a change.
func By(who SignedIn) usersvc.By {
	return usersvc.By{UserID: who.User.ID, SourceIP: "192.0.2.7", UserAgent: "tool"}
}

// Operator is the actor of a command.
var Operator = usersvc.By{Operator: "test"}

// MustSignIn signs in.
func (h *Harness) MustSignIn(t *testing.T, p usersvc.Profile) SignedIn {
	t.Helper()
	user, s, cookie, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{UserAgent: "firefox", SourceIP: "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	h.Secrets = append(h.Secrets, cookie[strings.LastIndex(cookie, ".")+1:])
	return SignedIn{user, s, cookie}
}

// All returns every user, newest first.
func (h *Harness) All(t *testing.T) []usersvc.User {
	t.Helper()
	page, err := h.List(t.Context(), usersvc.Filter{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

// Trail returns the actions done to a user, oldest first.
func (h *Harness) Trail(t *testing.T, userID string) []usersvc.Action {
	t.Helper()
	page, err := h.Audit(t.Context(), usersvc.AuditFilter{UserID: userID, Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	var actions []usersvc.Action
	for _, e := range slices.Backward(page.Items) {
		actions = append(actions, e.Action)
	}
	return actions
}

// Rows returns everything in a partition, as text.
func (h *Harness) Rows(t *testing.T, pk string) string {
	t.Helper()
	page, err := h.Table.Query(t.Context(), table.Query{PK: pk, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v", page.Items)
}

// WantSession fails unless a cookie leads to a session, or to the error.
func (h *Harness) WantSession(t *testing.T, cookie string, want error) {
	t.Helper()
	s, user, err := h.Session(t.Context(), cookie)
	if !errors.Is(err, want) || err != nil && (s.ID != "" || user.ID != "") {
		t.Errorf("session: %v %v %v, want %v", s.ID, user, err, want)
	}
}

// WantRevoked fails unless a token that the user would be issued now is, or is
// not, in the revocation feed.
func (h *Harness) WantRevoked(t *testing.T, user usersvc.User, want bool) {
	t.Helper()
	if h.Feed(t).Revoked(revocation.Token{Subject: user.ID, IssuedAt: h.Clock.Now()}) != want {
		t.Errorf("revoked: want %v", want)
	}
}

// FeedRows returns how many rows the revocation feed has, without markers.
func (h *Harness) FeedRows(t testing.TB) int {
	t.Helper()
	n := 0
	for p := range schema.RevocationPartitions {
		page, err := h.Table.Query(t.Context(), table.Query{PK: schema.RevocationPartition(p), Limit: table.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Items {
			if !strings.HasSuffix(row.Key().SK, "#"+schema.RevocationMarkerID) {
				n++
			}
		}
	}
	return n
}

// Feed reads the revocation feed as an instance does that has just started.
func (h *Harness) Feed(t testing.TB) *revocation.List {
	t.Helper()
	document, err := (&usersvc.Feed{Users: h.Users}).Document(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var l revocation.List
	if err := l.UnmarshalJSON(document); err != nil {
		t.Fatal(err)
	}
	return &l
}

// Exported compares the exported fields of users and sessions.
var Exported = cmpopts.IgnoreUnexported(usersvc.User{}, usersvc.Session{})

// WantUnchanged fails if do changes what is stored about the user.
func (h *Harness) WantUnchanged(t *testing.T, userID string, do func()) {
	t.Helper()
	before, err := h.Get(t.Context(), userID)
	if err != nil {
		t.Fatal(err)
	}
	trail := h.Trail(t, userID)
	do()
	after, err := h.Get(t.Context(), userID)
	if diff := cmp.Diff(before, after, Exported); diff != "" || err != nil {
		t.Error("changed:", diff, err)
	}
	if diff := cmp.Diff(trail, h.Trail(t, userID)); diff != "" {
		t.Error("audited:", diff)
	}
}
