package loginsvc_test

import (
	"flag"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// machine runs a state machine on each engine. Signatures are slow, so that it runs fewer times than others.
func machine(t *testing.T, run func(*rapid.T, *world)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() == checks.DefValue {
		checks.Value.Set("25")
		defer checks.Value.Set(checks.DefValue)
	}
	onEngines(t, func(t *testing.T, w *world, _ *watched) {
		w.config.RefreshTTL, w.config.RefreshIdleTTL = 20*time.Hour, 4*time.Hour
		w.rebuild()
		rapid.Check(t, func(t *rapid.T) {
			run(t, w)
			w.clock.Pass(2 * time.Second) // no token is issued in the second of a revocation
		})
	})
}

// post posts on behalf of a machine.
func post(t *rapid.T, w *world, path string, form url.Values) (status int, got map[string]any) {
	a := w.program().post(path, form)
	if a.StatusCode != http.StatusOK && a.StatusCode != http.StatusBadRequest {
		t.Fatalf("%s: %d %s", path, a.StatusCode, a.body)
	}
	return a.StatusCode, a.json(w.t)
}

func wait(w *world, choices ...time.Duration) func(*rapid.T) {
	return func(t *rapid.T) { w.clock.Pass(rapid.SampledFrom(choices).Draw(t, "wait")) }
}

// TestFamilyMachine lets apps and thieves do anything with the refresh tokens of
// one sign-in, in any order. At any time one is live; the one before gives the
// same successor for a minute; the one before that gets nothing for a minute and ends
// nothing; any other token that is used ends the family.
func TestFamilyMachine(t *testing.T) {
	machine(t, func(t *rapid.T, w *world) {
		first, _ := w.offlineTokens(w.browser())["refresh_token"].(string)
		tokens, ended := []string{first}, false
		created := w.now()
		rotated, before := created, created // when the live token, and the one before, came
		dead := func() bool {
			return ended || w.now().Sub(created) >= 20*time.Hour || w.now().Sub(rotated) >= 4*time.Hour
		}
		use := func(t *rapid.T, i int) {
			last := len(tokens) - 1
			repeats := i == last-1 && w.now().Sub(rotated) <= time.Minute
			overtaken := i == last-2 && w.now().Sub(before) <= time.Minute
			status, got := post(t, w, "/token", renewal(tokens[i]))
			next, _ := got["refresh_token"].(string)
			switch {
			case dead():
				if status == http.StatusOK {
					t.Fatal("a dead family gave a token")
				}
			case i == last:
				if status != http.StatusOK || next == "" || next == tokens[last] {
					t.Fatalf("the live token: %d %v", status, got["error"])
				}
				tokens, rotated, before = append(tokens, next), w.now(), rotated
			case repeats:
				if status != http.StatusOK || next != tokens[last] {
					t.Fatalf("a repeat: %d %v, same successor %v", status, got["error"], next == tokens[last])
				}
			default:
				if status == http.StatusOK {
					t.Fatalf("token %d of %d was renewed", i+1, len(tokens))
				}
				ended = !overtaken
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"renew":  func(t *rapid.T) { use(t, len(tokens)-1) },
			"repeat": func(t *rapid.T) { use(t, max(0, len(tokens)-2)) },
			"overtaken": func(t *rapid.T) {
				if len(tokens) > 2 {
					use(t, len(tokens)-3)
				}
			},
			"reuse": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "rarely") == 0 {
					use(t, rapid.IntRange(0, len(tokens)-1).Draw(t, "which"))
				}
			},
			"steal": func(t *rapid.T) { // with the wrong client, or damaged: nothing happens
				token := rapid.SampledFrom(tokens).Draw(t, "which")
				for _, form := range []url.Values{renewal(token, "client_id", "other"), renewal(token[:len(token)-1]), renewal(flip(token))} {
					if status, _ := post(t, w, "/token", form); status == http.StatusOK {
						t.Fatal("it was renewed")
					}
				}
			},
			"revoke": func(t *rapid.T) {
				if rapid.IntRange(0, 5).Draw(t, "rarely") != 0 {
					return
				}
				if status, got := post(t, w, "/revoke", revoking(rapid.SampledFrom(tokens).Draw(t, "which"))); status != http.StatusOK {
					t.Fatalf("%v", got)
				}
				ended = true
			},
			"wait":        wait(w, time.Second, 20*time.Second, time.Minute, 61*time.Second),
			"wait longer": wait(w, time.Second, time.Second, time.Second, 3*time.Hour, 4*time.Hour),
		})
	})
}

// TestCodeMachine lets anyone do anything with a code.
func TestCodeMachine(t *testing.T) {
	machine(t, func(t *rapid.T, w *world) {
		code := w.browser().code("lin", "scope", "openid")
		created, tries, spent := w.now(), 0, false
		redeem := func(t *rapid.T, form url.Values, want bool) {
			status, got := post(t, w, "/token", form)
			if (status == http.StatusOK) != want {
				t.Fatalf("%d %v, want success %v: spent %v, %d tries, %v old", status, got["error"], want, spent, tries, w.now().Sub(created))
			}
		}
		live := func() bool { return !spent && tries < 5 && w.now().Sub(created) < time.Minute }
		t.Repeat(map[string]func(*rapid.T){
			"redeem": func(t *rapid.T) {
				if rapid.IntRange(0, 2).Draw(t, "rarely") == 0 {
					want := live()
					redeem(t, redemption(code), want)
					spent = spent || want
				}
			},
			"guess": func(t *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(t, "times") {
					redeem(t, redemption(code, "code_verifier", strings.Repeat("w", 43)), false)
					if live() {
						tries++
					}
				}
			},
			"steal": func(t *rapid.T) {
				redeem(t, redemption(code, "client_id", "other"), false)
				redeem(t, redemption(code, "redirect_uri", appURI+"2"), false)
				redeem(t, redemption(flip(code)), false)
			},
			"wait": wait(w, time.Second, 20*time.Second, 59*time.Second, 60*time.Second),
		})
	})
}

// TestDeviceMachine lets a device, its user and others do anything with its codes.
func TestDeviceMachine(t *testing.T) {
	machine(t, func(t *rapid.T, w *world) {
		b := w.browser()
		b.code("lin")
		w.clock.Pass(3 * time.Second) // at most 30 devices a minute
		device, user := w.startDevice("scope", "openid")
		created, polled, interval, status := w.now(), time.Time{}, 5*time.Second, "authorization_pending"
		old := func() bool { return w.now().Sub(created) >= 10*time.Minute }
		form := url.Values{"grant_type": {client.GrantDevice}, "client_id": {"tv"}, "device_code": {device}}
		t.Repeat(map[string]func(*rapid.T){
			"poll": func(t *rapid.T) {
				want := status
				switch {
				case status == "invalid_grant":
				case old():
					want = "expired_token"
				case status == "authorization_pending":
					if w.now().Sub(polled) < interval {
						want, interval = "slow_down", interval+5*time.Second
					}
					polled = w.now()
				}
				code, got := post(t, w, "/token", form)
				if want == "" {
					if code != http.StatusOK || got["access_token"] == nil {
						t.Fatalf("let in, and yet %d %v", code, got["error"])
					}
					status = "invalid_grant"
				} else if got["error"] != want {
					t.Fatalf("%v, want %s", got["error"], want)
				}
			},
			"steal": func(t *rapid.T) {
				for _, change := range [][2]string{{"client_id", "tv2"}, {"device_code", flip(device)}} {
					theirs := url.Values{"grant_type": {client.GrantDevice}, "client_id": {"tv"}, "device_code": {device}}
					theirs.Set(change[0], change[1])
					if a := w.program().post("/token", theirs); a.StatusCode == http.StatusOK {
						t.Fatal("a thief was let in")
					}
				}
			},
			"answer": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "rarely") != 0 {
					return
				}
				answer := rapid.SampledFrom([]string{"allow", "deny"}).Draw(t, "answer")
				page := b.get("/device?user_code=" + user)
				shown := ""
				if page.StatusCode == http.StatusOK {
					shown = hidden(w.t, page.body, "shown_to")
				}
				a := b.post("/device", url.Values{"user_code": {user}, "shown_to": {shown}, "consent": {answer}})
				open := status == "authorization_pending" && !old()
				if (a.StatusCode == http.StatusOK) != open {
					t.Fatalf("%d, and the code is open: %v", a.StatusCode, open)
				}
				if open {
					status = map[string]string{"allow": "", "deny": "access_denied"}[answer]
				} else {
					w.clock.Pass(time.Hour) // ten wrong codes an hour
				}
			},
			"wait":        wait(w, 4*time.Second, 5*time.Second, 9*time.Second, 10*time.Second),
			"wait longer": wait(w, time.Second, time.Second, 5*time.Minute),
		})
	})
}
