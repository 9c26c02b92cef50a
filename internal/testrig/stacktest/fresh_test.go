package stacktest_test

import (
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/stacktest"
)

// TestFreshRoutes suspends somebody who is at work. The gateway's minute of kept
// answers passes by a clock that the test moves on; the authorizer's seconds pass.
func TestFreshRoutes(t *testing.T) {
	const kept, feed = time.Minute, 5 * time.Second
	var passed atomic.Int64
	w := start(t, stacktest.Config{Now: func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }})
	var lin struct{ ID string }
	_, me := w.ask(t, "GET", "/me", w.tokens(t, "lin").AccessToken, "")
	if err := json.Unmarshal([]byte(me), &lin); err != nil || lin.ID == "" {
		t.Fatal(err, me)
	}
	ada := w.tokens(t, "ada").AccessToken
	if status, body := w.ask(t, "PUT", "/users/"+lin.ID+"/roles", ada, `{"roles":["user","admin"]}`); status != 200 {
		t.Fatalf("making Lin an admin: %d %s", status, body)
	}
	token := w.tokens(t, "lin").AccessToken
	fresh := func() int { status, _ := w.ask(t, "PATCH", "/users/"+lin.ID, token, `{}`); return status }
	normal := func() int { status, _ := w.ask(t, "GET", "/me", token, ""); return status }
	if fresh() == 403 || normal() != 200 {
		t.Fatalf("before: fresh %d, normal %d", fresh(), normal())
	}

	if status, body := w.ask(t, "POST", "/users/"+lin.ID+"/suspend", ada, ""); status >= 300 {
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
