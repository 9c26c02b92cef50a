package usersvc

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	yes  = true
	no   = false
)

func rules() signInRules {
	return signInRules{admins: []string{"Ada@Example.com"}, trustedProviders: []string{"demo", "other"}, defaultRoles: []string{"user"}}
}

// attempt is Lin's sign-in at the provider demo.
func attempt(change ...func(*Profile)) signInAttempt {
	a := signInAttempt{Profile: Profile{
		Issuer: "https://demo.example", Subject: "lin", Provider: "demo", Email: "lin@example.com", EmailVerified: true, Name: "Lin",
	}, status: Active}
	for _, c := range change {
		c(&a.Profile)
	}
	return a
}

// lin is the user that attempt made.
func lin(change ...func(*User)) User {
	u := User{
		ID: "u_lin", Email: "lin@example.com", EmailVerified: true, Name: "Lin", Roles: []string{"user"}, Status: Active,
		CreatedAt: noon, Version: 1, TokensFrom: noon, primary: attempt().key().PK, owns: claim{"lin@example.com", true}, identities: 1,
	}
	for _, c := range change {
		c(&u)
	}
	return u
}

func TestDecide(t *testing.T) {
	unverified := func(p *Profile) { p.EmailVerified = false }
	stranger := func(p *Profile) { p.Provider, p.Issuer = "stranger", "https://stranger.example" }
	other := func(p *Profile) { p.Provider, p.Issuer = "other", "https://other.example" }
	ada := func(p *Profile) { p.Email = "ada@example.com" }
	renamed := func(p *Profile) { p.Name = "Linnéa" }
	moved := func(p *Profile) { p.Email = "lin@new.example" }
	suspended := func(u *User) { u.Status = Suspended }
	owner := func(id string, trusted bool) *emailOwner { return &emailOwner{id, claim{trusted: trusted}} }
	nobodys, lins, weakly := &emailOwner{}, owner("u_lin", true), owner("u_lin", false)
	untrusted := func(u *User) { u.owns.trusted = false }
	adas := func(u *User) { u.Email, u.owns = "ada@example.com", claim{"ada@example.com", true} }
	ref := func(u User) *User { return &u }

	for _, c := range []struct {
		name  string
		facts facts
		by    signInAttempt
		want  string // what summary returns
	}{
		{"first, before its address is looked up", facts{}, attempt(), "needs owner"},
		{"first, with an address of no user", facts{owner: nobodys}, attempt(), "creates v1 links claims lin@example.com: user.created"},
		{"first, with an address that is not verified", facts{}, attempt(unverified), "creates v1 links: user.created"},
		{"first, from an untrusted provider", facts{owner: nobodys}, attempt(stranger), "creates v1 links claims lin@example.com: user.created"},
		{"first, from an untrusted provider, with a user's address", facts{owner: lins}, attempt(stranger), "e-mail known with another provider"},
		{"first, with a user's address", facts{owner: lins}, attempt(other), "needs owner's user"},
		{"first, with an address that its owner does not claim", facts{owner: lins, ownerUser: ref(lin(func(u *User) { u.owns = claim{} }))}, attempt(other), "changed meanwhile"},
		{"first, before the owner's identities are looked up", facts{owner: lins, ownerUser: ref(lin())}, attempt(other), "needs issuer"},
		{"first, with the address of a user who has an identity there", facts{owner: lins, ownerUser: ref(lin()), ownerHasIssuer: &yes}, attempt(other), "creates v1 links lost lin@example.com: user.created"},
		{"first, and joins the owner", facts{owner: lins, ownerUser: ref(lin()), ownerHasIssuer: &no}, attempt(other), "joins u_lin v2 links: identity.linked"},
		{"first, of a suspended owner", facts{owner: lins, ownerUser: ref(lin(suspended)), ownerHasIssuer: &no}, attempt(other), "user suspended"},
		{"first, of an owner with too many identities", facts{owner: lins, ownerUser: ref(lin(func(u *User) { u.identities = maxIdentities })), ownerHasIssuer: &no}, attempt(other), "e-mail known with another provider"},
		{"first, of an admin", facts{owner: nobodys}, attempt(ada), "creates v1 links claims ada@example.com makes admin for ada@example.com: user.created roles.changed"},
		{"first, of an address that was made admin before", facts{owner: nobodys, adminWasGiven: true}, attempt(ada), "creates v1 links claims ada@example.com: user.created"},

		{"returning, as remembered", facts{userID: "u_lin", known: lin()}, attempt(), "keeps u_lin v1:"},
		{"returning, not remembered", facts{userID: "u_lin"}, attempt(), "needs user"},
		{"returning, remembered as suspended", facts{userID: "u_lin", known: lin(suspended)}, attempt(), "needs user"},
		{"returning, remembered wrongly", facts{userID: "u_lin", known: lin(), reread: true}, attempt(), "needs user"},
		{"returning, as the user's row says", facts{userID: "u_lin", known: lin(), reread: true, user: ref(lin(func(u *User) { u.Version = 7 }))}, attempt(), "keeps u_lin v7 remembers:"},
		{"returning, suspended", facts{userID: "u_lin", known: lin(), user: ref(lin(suspended))}, attempt(), "user suspended"},
		{"returning, renamed by the provider", facts{userID: "u_lin", known: lin()}, attempt(renamed), "changes u_lin v2 remembers: profile.changed"},
		{"returning, with a name of their own", facts{userID: "u_lin", known: lin(func(u *User) { u.ownName = true })}, attempt(renamed), "keeps u_lin v1:"},
		{"returning by another identity than the profile's", facts{userID: "u_lin", known: lin(func(u *User) { u.primary = "x" })}, attempt(renamed), "keeps u_lin v1:"},
		{"returning after the profile's identity was unlinked", facts{userID: "u_lin", known: lin(func(u *User) { u.primary = "" })}, attempt(), "changes u_lin v2 remembers:"},
		{"returning with another address, not looked up", facts{userID: "u_lin", known: lin()}, attempt(moved), "needs owner"},
		{"returning with another address", facts{userID: "u_lin", known: lin(), owner: nobodys}, attempt(moved), "changes u_lin v2 remembers drops lin@example.com claims lin@new.example: profile.changed"},
		{"first, and takes the address from an untrusted provider's user, not read", facts{owner: weakly}, attempt(other), "needs owner's user"},
		{"first, and takes the address from an untrusted provider's user", facts{owner: weakly, ownerUser: ref(lin(untrusted))}, attempt(other), "creates v1 links claims lin@example.com from u_lin: user.created"},
		{"first, where the owner's row does not say so", facts{owner: weakly, ownerUser: ref(lin(func(u *User) { u.owns = claim{} }))}, attempt(other), "creates v1 links claims lin@example.com: user.created"},
		{"first, and the first untrusted one keeps the address", facts{owner: weakly}, attempt(stranger), "creates v1 links lost lin@example.com: user.created"},
		{"returning, and no longer trusted", facts{userID: "u_lin", known: lin(func(u *User) { u.primary = attempt(stranger).key().PK })}, attempt(stranger), "changes u_lin v2 remembers claims lin@example.com:"},
		{"returning, and trusted since", facts{userID: "u_lin", known: lin(untrusted)}, attempt(), "changes u_lin v2 remembers claims lin@example.com:"},
		{"returning, without a claim from an older version", facts{userID: "u_lin", known: lin(func(u *User) { u.owns, u.EmailVerified = claim{}, false }), owner: nobodys}, attempt(), "changes u_lin v2 remembers claims lin@example.com: profile.changed"},
		{"returning, and takes an address that was lost to an untrusted claim", facts{userID: "u_lin", known: lin(func(u *User) { u.owns, u.EmailVerified, u.lost = claim{}, false, claim{"lin@example.com", false} }), owner: owner("u_x", false), ownerUser: ref(lin(untrusted, func(u *User) { u.ID = "u_x" }))}, attempt(), "changes u_lin v2 remembers claims lin@example.com from u_x: profile.changed"},
		{"returning, with an address that was lost to a trusted claim", facts{userID: "u_lin", known: lin(func(u *User) { u.owns, u.EmailVerified, u.lost = claim{}, false, claim{"lin@example.com", true} })}, attempt(), "keeps u_lin v1:"},
		{"returning with another user's address", facts{userID: "u_lin", known: lin(), owner: owner("u_x", true)}, attempt(moved), "changes u_lin v2 remembers drops lin@example.com: profile.changed"},
		{"returning with another user's address again", facts{userID: "u_lin", known: lin(func(u *User) {
			u.owns, u.lost, u.Email, u.EmailVerified = claim{}, claim{"lin@new.example", true}, "lin@new.example", false
		})}, attempt(moved), "keeps u_lin v1:"},
		{"returning with an address that is not verified", facts{userID: "u_lin", known: lin()}, attempt(unverified), "changes u_lin v2 remembers drops lin@example.com: profile.changed"},
		{"returning, listed as an admin since", facts{userID: "u_lin", known: lin(adas)}, attempt(ada), "changes u_lin v2 remembers makes admin for ada@example.com: roles.changed"},
		{"returning, an admin no more", facts{userID: "u_lin", known: lin(adas, func(u *User) { u.adminGiven = true })}, attempt(ada), "keeps u_lin v1:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.facts.now, c.facts.newID = noon, "u_new"
			p, needed, err := rules().decide(c.facts, c.by)
			if got := summary(p, needed, err); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
	t.Run("a new user, in full", func(t *testing.T) {
		p, _, err := rules().decide(facts{now: noon, newID: "u_lin", owner: nobodys}, attempt())
		if diff := cmp.Diff(lin(), p.user, cmp.AllowUnexported(User{}, ledger{}, cutoff{}, claim{})); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

// summary says what a decision is.
func summary(p plan, needed need, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case needed != needNothing:
		return "needs " + [...]string{needUser: "user", needOwner: "owner", needOwnerUser: "owner's user", needIssuer: "issuer"}[needed]
	}
	var s string
	switch {
	case p.creates():
		s = "creates"
	case p.links:
		s = "joins " + p.user.ID
	case p.changes():
		s = "changes " + p.user.ID
	default:
		s = "keeps " + p.user.ID
	}
	s += fmt.Sprint(" v", p.user.Version)
	for _, word := range []struct {
		is   bool
		text string
	}{
		{p.links, " links"}, {p.remembers, " remembers"}, {p.dropEmail != "", " drops " + p.dropEmail},
		{p.claims, " claims " + p.user.owns.email}, {p.ownerBefore.ID != "", " from " + p.ownerBefore.ID},
		{p.links && p.user.lost.email != "", " lost " + p.user.lost.email}, {p.makesAdmin, " makes admin"}, {p.adminEmail != "", " for " + p.adminEmail},
	} {
		if word.is {
			s += word.text
		}
	}
	s += ":"
	for _, e := range p.events {
		s += " " + string(e.action)
	}
	return s
}

// TestEqualSeesEachField changes each field of a user.
func TestEqualSeesEachField(t *testing.T) {
	whole := lin(func(u *User) { u.cutoffs = []cutoff{{"a", 1}} })
	for i := range reflect.TypeFor[User]().NumField() {
		changed := whole
		changed.Roles, changed.cutoffs = slices.Clone(whole.Roles), slices.Clone(whole.cutoffs)
		field := reflect.ValueOf(&changed).Elem().Field(i)
		field = reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem() // also of a field that is not exported
		switch v := field.Addr().Interface().(type) {
		case *string:
			*v += "x"
		case *bool:
			*v = !*v
		case *int64:
			*v++
		case *Status:
			*v = Suspended
		case *time.Time:
			*v = v.Add(time.Second)
		case *[]string:
			(*v)[0] = "x"
		case *[]cutoff:
			(*v)[0].version++
		case *claim:
			v.trusted = !v.trusted
		case *ledger: // revocations write it, and a user who is remembered has none
			continue
		default:
			t.Fatalf("field %s: teach this test its type", reflect.TypeFor[User]().Field(i).Name)
		}
		if whole.equal(changed) {
			t.Errorf("equal, although %s differs", reflect.TypeFor[User]().Field(i).Name)
		}
	}
	if !whole.equal(whole) {
		t.Error("a user differs from themselves")
	}
}

// TestOwnershipIsShown tries that an address is verified for its owner alone,
// whatever the decision.
func TestOwnershipIsShown(t *testing.T) {
	for _, trusted := range [][]string{nil, {"demo"}, {"demo", "other"}} {
		for _, verified := range []bool{true, false} {
			for _, row := range []*emailOwner{{}, {"u_x", claim{"lin@example.com", true}}, {"u_x", claim{"lin@example.com", false}}} {
				r := rules()
				r.trustedProviders = trusted
				other := lin(func(u *User) { u.ID, u.owns = "u_x", row.claim })
				f := facts{now: noon, newID: "u_new", owner: row, ownerUser: &other, ownerHasIssuer: &yes}
				p, needed, err := r.decide(f, attempt(func(p *Profile) { p.EmailVerified = verified }))
				if needed != needNothing || err != nil && !errors.Is(err, ErrEmailKnown) {
					t.Fatal(needed, err)
				}
				owns := p.claims && p.user.owns.email == "lin@example.com"
				if p.user.EmailVerified != owns || owns && row.userID != "" && p.ownerBefore.ID == "" {
					t.Errorf("trusted %v, verified %v, row %+v: %+v", trusted, verified, row, p.user)
				}
				back, err := userFrom(p.user.item())
				if err == nil && !back.equal(p.user) {
					t.Errorf("%+v is read as %+v", p.user, back)
				}
			}
		}
	}
}

// TestLiveAgreesWithItsCondition judges sessions in Go and by the condition that
// lists use.
func TestLiveAgreesWithItsCondition(t *testing.T) {
	live := 0
	for _, cutoffs := range [][]cutoff{nil, {{"a", 3}}, {{"a", 3}, {"b", 5}}} {
		user := User{epoch: 2, cutoffs: cutoffs}
		for _, epoch := range []int64{1, 2, 3} {
			for _, identity := range []string{"", "a", "b", "c"} {
				for version := range int64(7) {
					s := Session{ID: "s_1", UserID: "u_1", epoch: epoch, identity: identity, version: version, hash: []byte{1}}
					item := s.item()
					if identity == "" && version == 0 { // as an older version wrote it
						delete(item, "identity")
						delete(item, "user_version")
					}
					read, err := sessionFrom(item)
					if err != nil {
						t.Fatal(err)
					}
					got, want := user.live(read), table.Holds(user.liveSessions(), item)
					if got != want {
						t.Errorf("%+v, %+v: live %v, condition %v", user, s, got, want)
					}
					if got {
						live++
					}
				}
			}
		}
	}
	if live == 0 || live == 3*3*4*7 {
		t.Errorf("%d are live: the table tests nothing", live)
	}
}

// TestWriteNamesWhatFailed checks that a condition's own error reaches the caller.
func TestWriteNamesWhatFailed(t *testing.T) {
	for _, w := range append(Unchanged(User{ID: "u_1", Version: 1}, "s_1", time.Time{}), ConsentStands("u_1", App{ID: "app"}, nil, Under{})) {
		if w.Err == nil || !slices.ContainsFunc([]error{ErrVersion, ErrNoSession, ErrNoConsent}, func(e error) bool { return errors.Is(w.Err, e) }) {
			t.Errorf("a check of %v carries %v", w.Key, w.Err)
		}
	}
}
