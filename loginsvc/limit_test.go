package loginsvc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
)

// onTheHour moves the clock to the beginning of an hour, where every while that
// is counted begins.
func (w *world) onTheHour(t *testing.T) {
	t.Helper()
	w.jump(t, time.Hour-w.now().Sub(w.now().Truncate(time.Hour)))
}

func TestLimits(t *testing.T) {
	t.Parallel()
	limited := func(t *testing.T, a answer) {
		t.Helper()
		if a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", a.StatusCode, a.Header)
		}
	}
	t.Run("S59 wrong secrets are slowed, the right one is not", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.onTheHour(t)
		p := w.program()
		code := w.browser().webCode("lin")
		wrong := webRedemption(code, "client_id", "web", "client_secret", "wrong")
		for range 20 {
			p.post("/token", wrong).oauthError(t, 401, "invalid_client")
		}
		limited(t, p.post("/token", wrong))
		limited(t, p.post("/introspect", revoking("x", "client_id", "web", "client_secret", "wrong")))
		p.post("/token", webRedemption("x", "client_id", "odd id:+", "client_secret", "wrong")).oauthError(t, 401, "invalid_client")
		p.post("/token", wrong, "X-Test-Source", "198.51.100.1").oauthError(t, 401, "invalid_client")
		if a := p.post("/token", webRedemption(code, "client_id", "web", "client_secret", webSecret)); a.StatusCode != http.StatusOK {
			t.Errorf("the right client is shut out: %d %s", a.StatusCode, a.body)
		}
		w.jump(t, time.Minute)
		p.post("/token", wrong).oauthError(t, 401, "invalid_client")
	})
	t.Run("names that nobody has", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.onTheHour(t)
		rows := map[string]bool{}
		w.table.failWrite = func(writes []table.Write) error {
			rows[writes[0].Key.PK] = true
			return nil
		}
		for i := range 20 {
			w.program().post("/token", redemption("x", "client_id", string(rune('a'+i)))).oauthError(t, 401, "invalid_client")
		}
		limited(t, w.program().post("/token", redemption("x", "client_id", "z")))
		if len(rows) != 1 {
			t.Errorf("%d rows", len(rows))
		}
	})
	t.Run("a failure that cannot be counted is one all the same", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.onTheHour(t)
		w.table.failWrite = func([]table.Write) error { return errDown }
		w.program().post("/token", redemption("x", "client_id", "nobody")).oauthError(t, 401, "invalid_client")
	})
	t.Run("behind a proxy each client counts for itself, and no other can name an address", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) {
			c.Proxy = httpx.Proxy{AddressHeader: "X-Viewer", SecretHeader: "X-Proxy-Secret", Secret: "the secret of the proxy"}
		})
		w.onTheHour(t)
		start := func(header ...string) int {
			return w.program().post("/device_authorization", url.Values{"client_id": {"tv"}}, header...).StatusCode
		}
		for i := range 40 {
			if got := start("X-Viewer", fmt.Sprintf("198.51.100.%d", i), "X-Proxy-Secret", "the secret of the proxy"); got != http.StatusOK {
				t.Fatalf("client %d: %d", i, got)
			}
		}
		last := 0
		for i := range 31 {
			last = start("X-Viewer", fmt.Sprintf("198.51.100.%d", i), "X-Proxy-Secret", "a guess")
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("a client that lies about its address: %d", last)
		}
	})
	t.Run("device codes", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.onTheHour(t)
		for range 30 {
			w.startDevice()
		}
		limited(t, w.program().post("/device_authorization", url.Values{"client_id": {"tv"}}))
	})
	t.Run("a row goes away by itself", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.onTheHour(t)
		w.table.failWrite = func(writes []table.Write) error {
			if ttl, ok := writes[0].Set[table.TTL].(int64); !ok || ttl < w.now().Unix() || ttl > w.now().Unix()+3600 {
				t.Errorf("%v", writes[0].Set)
			}
			return nil
		}
		w.program().post("/token", redemption("x", "client_id", "nobody"))
	})
}
