package stacktest_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/stacktest"
)

// processes is how many instances of the login service race on one table.
const processes = 4

// fullRaces makes the races as long as their laws are stated.
var fullRaces = flag.Bool("races", false, "race at full size, which takes minutes")

// of is how often something races: a few times on the way, all times if asked.
func of(all, few int) int {
	if *fullRaces {
		return all
	}
	return few
}

// TestRaces races the deployed binary with itself: four frozen and thawed
// processes of the login service, as Lambda would run them, on one table.
func TestRaces(t *testing.T) {
	s := start(t, stacktest.Config{})

	t.Run("S56 of a thousand redemptions of one code one succeeds", func(t *testing.T) {
		g := s.code(t)
		form := url.Values{
			"grant_type": {"authorization_code"}, "client_id": {"demo-spa"},
			"code": {g.Code}, "code_verifier": {g.Verifier}, "redirect_uri": {g.RedirectURI},
		}
		answers := s.race(t, of(1000, 80), form)
		if n := count(answers, http.StatusOK); n != 1 || count(answers, http.StatusBadRequest) != len(answers)-1 {
			t.Errorf("%d of %d succeeded", n, len(answers))
		}
		// It was seen by many, so what the first got has ended.
		first := answers[slices.IndexFunc(answers, func(a answer) bool { return a.status == http.StatusOK })]
		if a := s.token(t, renewal(first.RefreshToken)); a.status != http.StatusBadRequest {
			t.Errorf("the first one's refresh token: %d", a.status)
		}
	})

	t.Run("S73 a thousand renewals of one token have one successor", func(t *testing.T) {
		answers := s.race(t, of(1000, 80), renewal(s.signIn(t, "lin")))
		successor := ""
		for _, a := range answers {
			switch {
			case a.status == http.StatusOK && successor == "":
				successor = a.RefreshToken
			case a.status == http.StatusOK && a.RefreshToken != successor:
				t.Fatal("two successors")
			case a.status != http.StatusOK && a.status != http.StatusBadRequest: // after the grace window it is reuse
				t.Fatalf("status %d", a.status)
			}
		}
		if successor == "" {
			t.Error("nobody renewed")
		}
	})

	t.Run("S39 twenty tabs that renew together log nobody out, though answers get lost", func(t *testing.T) {
		shared := s.signIn(t, "lin") // in the storage of all tabs
		var lost atomic.Int64
		for range of(50, 3) {
			answers := s.raceBy(20, func() answer {
				a := s.token(t, renewal(shared))
				for rand.IntN(20) == 0 { // the tab has not heard it, and asks again
					lost.Add(1)
					a = s.token(t, renewal(shared))
				}
				return a
			})
			for _, a := range answers {
				if a.status != http.StatusOK || a.RefreshToken != answers[0].RefreshToken {
					t.Fatalf("a tab was answered %d, and the same successor: %v", a.status, a.RefreshToken == answers[0].RefreshToken)
				}
			}
			if rand.IntN(20) > 0 { // else nobody heard anything, and the round begins anew
				shared = answers[0].RefreshToken
			}
		}
		t.Logf("%d answers were lost", lost.Load())
	})

	t.Run("S89 what is revoked while it is renewed leaves nothing alive", func(t *testing.T) {
		// A user whose tokens were revoked has new ones in the next second: pairs of
		// several sessions at once wait for it together.
		for i, user := range []string{"lin", "ada", "lin", "ada"} {
			t.Run(fmt.Sprintf("%s %d", user, i), func(t *testing.T) {
				t.Parallel()
				for range of(125, 2) {
					s.revokeWhileRenewed(t, user)
				}
			})
		}
	})
	if n := len(s.Functions["loginsvc"].Processes()); n < 2 {
		t.Errorf("%d processes took part", n)
	}
}

func (s *world) revokeWhileRenewed(t *testing.T, user string) {
	t.Helper()
	before := s.signIn(t, user)
	var renewed answer
	var revoked int
	var both sync.WaitGroup
	both.Go(func() { renewed = s.token(t, renewal(before)) })
	both.Go(func() {
		revoked = s.post(t, "/revoke", url.Values{"client_id": {"demo-spa"}, "token": {before}}).status
	})
	both.Wait()
	if revoked != http.StatusOK {
		t.Fatalf("revocation: %d", revoked)
	}
	for _, left := range []string{before, renewed.RefreshToken} {
		if a := s.token(t, renewal(left)); left != "" && a.status == http.StatusOK {
			t.Fatal("a token of the revoked family lives")
		}
	}
}

// answer is what the token endpoint says.
type answer struct {
	status       int
	RefreshToken string `json:"refresh_token"`
}

func renewal(refreshToken string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {"demo-spa"}, "refresh_token": {refreshToken}}
}

func count(answers []answer, status int) (n int) {
	for _, a := range answers {
		if a.status == status {
			n++
		}
	}
	return n
}

// race posts form to the token endpoint n times, to as many processes at once as
// there are.
func (s *world) race(t *testing.T, n int, form url.Values) []answer {
	return s.raceBy(n, func() answer { return s.token(t, form) })
}

// raceBy does something n times, as often at once as there are processes.
func (s *world) raceBy(n int, do func() answer) []answer {
	answers := make([]answer, n)
	var all sync.WaitGroup
	for p := range processes {
		all.Go(func() {
			for i := p; i < n; i += processes {
				answers[i] = do()
			}
		})
	}
	all.Wait()
	return answers
}

func (s *world) token(t *testing.T, form url.Values) answer { return s.post(t, "/token", form) }

func (s *world) post(t *testing.T, path string, form url.Values) (a answer) {
	resp, err := s.client.PostForm(s.Issuer+path, form)
	if err != nil {
		t.Error(err)
		return a
	}
	defer resp.Body.Close()
	a.status = resp.StatusCode
	if resp.StatusCode == http.StatusOK && path == "/token" {
		if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
			t.Error(err)
		}
	}
	return a
}

func (s *world) code(t *testing.T) *signin.Grant {
	t.Helper()
	g, err := signin.Code(t.Context(), signin.Request{URL: s.Issuer, User: "lin", ClientID: "demo-spa", Scope: "openid offline_access"})
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Log)
	}
	return g
}

// signIn returns a refresh token of the user.
func (s *world) signIn(t *testing.T, user string) string {
	t.Helper()
	got, err := signin.Do(t.Context(), signin.Request{URL: s.Issuer, User: user, ClientID: "demo-spa", Scope: "offline_access"})
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Log)
	}
	return got.RefreshToken
}
