package stacktest_test

import (
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/stacktest"
)

// TestFreshRoutes suspends an admin at work. The gateway's minute of cached
// answers passes by a clock that the test moves on; the authorizer's seconds pass.
func TestFreshRoutes(t *testing.T) {
	const kept, feed = time.Minute, 5 * time.Second
	var passed atomic.Int64
	w := start(t, stacktest.Config{Now: func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }})
	id := func(token string) string {
		var user struct{ ID string }
		_, me := w.ask(t, "GET", "/me", token, "")
		if err := json.Unmarshal([]byte(me), &user); err != nil || user.ID == "" {
			t.Fatal(err, me)
		}
		return user.ID
	}
	linID, ada := id(w.tokens(t, "lin").AccessToken), w.tokens(t, "ada").AccessToken
	adaID := id(ada) // Lin changes Ada: to change oneself needs the scope account
	if status, body := w.ask(t, "PUT", "/users/"+linID+"/roles", ada, `{"roles":["user","admin"]}`); status != 200 {
		t.Fatalf("making Lin an admin: %d %s", status, body)
	}
	token := w.tokens(t, "lin").AccessToken
	fresh := func() int { status, _ := w.ask(t, "PATCH", "/users/"+adaID, token, `{}`); return status }
	normal := func() int { status, _ := w.ask(t, "GET", "/me", token, ""); return status }
	if fresh() == 403 || normal() != 200 {
		t.Fatalf("before: fresh %d, normal %d", fresh(), normal())
	}

	if status, body := w.ask(t, "POST", "/users/"+linID+"/suspend", ada, ""); status >= 300 {
		t.Fatalf("suspending: %d %s", status, body)
	}
	suspended := time.Now()
	if status := fresh(); status != 403 {
		t.Errorf("I42 the next request on a fresh route: %d\n%s", status, w.Log)
	}
	passed.Store(int64(kept))
	for normal() != 403 {
		if time.Since(suspended) > feed+time.Second {
			t.Fatalf("I42 a normal route still answers after %v\n%s", kept+time.Since(suspended), w.Log)
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("suspended: refused on fresh routes at once, on others after at most %v", (kept + time.Since(suspended)).Round(time.Second))
}
