package loginsvc_test

import (
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// What was used up stays in histories and logs. Whoever finds it there ends once
// what came of it; they do not keep its user out from then on.
func TestReplays(t *testing.T) {
	t.Parallel()
	t.Run("S55 a spent code ends what came of it, once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		code := b.code("lin", "scope", offline)
		first := w.tokens(code)
		again := func() { w.program().post("/token", redemption(code)).oauthError(t, 400, "invalid_grant") }
		again()
		w.refuses(first["refresh_token"])
		w.lives(first["access_token"], false)

		w.jump(t, 2*time.Second)
		next := w.offlineTokens(b)
		again()
		w.lives(next["access_token"], true)
		w.renew(next["refresh_token"])
	})
	t.Run("a spent code ends what came of it, also without a refresh token, once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		code := b.code("lin")
		first := w.tokens(code)["access_token"]
		w.lives(first, true)
		w.program().post("/token", redemption(code)).oauthError(t, 400, "invalid_grant")
		w.lives(first, false)

		w.clock.Pass(2 * time.Second)
		next := w.tokens(b.code("lin"))
		w.program().post("/token", redemption(code)).oauthError(t, 400, "invalid_grant")
		w.lives(next["access_token"], true)
	})
	t.Run("a code that two redeem at once, too", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		code := w.browser().code("lin")
		var first any
		w.table.failWrite = func([]table.Write) error {
			w.table.failWrite = nil
			first = w.tokens(code)["access_token"]
			return nil
		}
		w.program().post("/token", redemption(code)).oauthError(t, 400, "invalid_grant")
		w.lives(first, false)
	})
	t.Run("a code that comes again when nothing of it can be alive ends nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		code := b.code("lin")
		w.tokens(code)
		w.clock.Pass(12 * time.Minute)
		next := w.tokens(b.code("lin"))
		w.program().post("/token", redemption(code)).oauthError(t, 400, "invalid_grant")
		w.lives(next["access_token"], true)
	})
	t.Run("a device code that comes again, also without a refresh token, once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.authorizeAs("lin", authorize())
		deviceCode, userCode := w.startDevice("scope", "openid")
		b.answerDevice(userCode, "allow")
		first := w.poll(deviceCode).json(t)["access_token"]
		w.lives(first, true)
		w.poll(deviceCode).oauthError(t, 400, "invalid_grant")
		w.lives(first, false)
	})
	t.Run("a spent device code, too", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.authorizeAs("lin", authorize())
		deviceCode, userCode := w.startDevice()
		b.answerDevice(userCode, "allow")
		first := w.poll(deviceCode).json(t)
		w.poll(deviceCode).oauthError(t, 400, "invalid_grant")
		w.refuses(first["refresh_token"], "client_id", "tv")
		w.lives(first["access_token"], false)

		w.jump(t, 2*time.Second)
		next := w.tokens(b.code("lin"))
		w.poll(deviceCode).oauthError(t, 400, "invalid_grant")
		w.lives(next["access_token"], true)
	})
	t.Run("S87 an access token that is dead takes no others along", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		first := w.tokens(b.code("lin"))
		w.revoke(first["access_token"])
		w.lives(first["access_token"], false)

		w.jump(t, 2*time.Second)
		next := w.tokens(b.code("lin"))
		w.revoke(first["access_token"])
		w.lives(next["access_token"], true)
		w.revoke(next["access_token"])
		w.lives(next["access_token"], false)
	})
}

// lives asserts what the revocation feed says of an access token.
func (w *world) lives(rawToken any, want bool) {
	w.t.Helper()
	a := w.access(rawToken)
	if got := !w.feed().Revoked(a); got != want {
		w.t.Errorf("the token lives: %v, want %v", got, want)
	}
}
