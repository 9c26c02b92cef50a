package loginsvc_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestTabs lets fifty tabs of one browser renew the token that they share, for
// six rounds. Every third response is lost, and the tab repeats when its timeout
// of 20 s is over, twice at most; so a tab can be one round late. No tab is signed
// out, and no token has two successors.
func TestTabs(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, w *world, _ *watched) {
		const tabs, rounds, timeout = 50, 6, 20 * time.Second
		random := rand.New(rand.NewPCG(1, 2))
		stored := fmt.Sprint(w.offlineTokens(w.browser())["refresh_token"])
		successors := map[string]map[string]bool{}
		overtaken := 0

		// present lets every tab present its token at the same moment, and returns
		// those whose response was lost.
		present := func(holding map[int]string) map[int]string {
			var (
				wg   sync.WaitGroup
				mu   sync.Mutex
				lost = map[int]string{}
			)
			for tab, token := range holding {
				loses := random.IntN(3) == 0
				wg.Go(func() {
					a := w.program().post("/token", renewal(token))
					mu.Lock()
					defer mu.Unlock()
					if a.StatusCode == http.StatusServiceUnavailable { // the engine was too slow: as good as lost
						lost[tab] = token
						return
					}
					if a.StatusCode != http.StatusOK {
						if token == stored || a.StatusCode != http.StatusBadRequest {
							t.Errorf("tab %d is signed out: %d %s", tab, a.StatusCode, a.body)
						}
						overtaken++
						return // it takes the token that other tabs stored
					}
					next := fmt.Sprint(a.json(t)["refresh_token"])
					if successors[token] == nil {
						successors[token] = map[string]bool{}
					}
					successors[token][next] = true
					if loses {
						lost[tab] = token
						return
					}
					if token == stored {
						stored = next
					}
				})
			}
			wg.Wait()
			return lost
		}

		late := map[int]string{} // tabs that still hold the token of the round before
		for range rounds {
			holding := map[int]string{}
			token := stored
			for tab := range tabs {
				if _, ok := late[tab]; !ok {
					holding[tab] = token
				}
			}
			lost := present(holding)
			w.clock.Pass(timeout)
			lost = present(lost)
			for tab, token := range late { // their second timeout is over, in the middle of this round
				if rest := present(map[int]string{tab: token}); len(rest) > 0 {
					delete(late, tab)
				}
			}
			late = map[int]string{}
			for tab, token := range lost {
				if len(late) < tabs/10 {
					late[tab] = token
				}
			}
			w.clock.Pass(timeout - time.Second)
		}
		for token, next := range successors {
			if len(next) > 1 {
				t.Errorf("a token has %d successors: %.20s…", len(next), token)
			}
		}
		if overtaken == 0 {
			t.Error("no tab was overtaken: the test does not try the grandparent")
		}
		if len(successors) < rounds {
			t.Errorf("%d tokens were renewed in %d rounds", len(successors), rounds)
		}
		w.renew(stored)
	})
}
