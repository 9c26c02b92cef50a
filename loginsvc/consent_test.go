package loginsvc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// extAuthorize are the parameters of a good request by somebody else's app.
func extAuthorize(change ...string) url.Values {
	return authorize(append([]string{"client_id", "ext", "redirect_uri", "https://ext.test/cb", "scope", "openid offline_access"}, change...)...)
}

// answerConsent answers a page that asks for consent.
func (b *browser) answerConsent(page answer, consent string, header ...string) answer {
	b.w.t.Helper()
	return b.post("/consent", url.Values{"request": {hidden(b.w.t, page.body, "request")}, "consent": {consent}}, header...)
}

func TestConsent(t *testing.T) {
	t.Parallel()
	t.Run("somebody else's app asks, once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		page := b.authorizeAs("lin", extAuthorize())
		page.page(t, http.StatusOK, "Elsewhere")
		to := b.answerConsent(page, "allow").location()
		if to == nil || to.Host != "ext.test" || to.Query().Get("code") == "" || to.Query().Get("state") != "s-1" {
			t.Fatalf("sent to %v", to)
		}
		if to := b.authorizeAs("lin", extAuthorize()).location(); to.Query().Get("code") == "" {
			t.Errorf("the second time: %v", to)
		}
		b.authorizeAs("lin", extAuthorize("scope", "openid email")).page(t, http.StatusOK, "Elsewhere") // more than before
		b.authorizeAs("lin", extAuthorize("prompt", "consent")).page(t, http.StatusOK, "Elsewhere")
	})
	t.Run("also if it asks for nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) {
			c.Clients = client.List{{ID: "ext", Name: "Elsewhere", ThirdParty: true, RedirectURIs: []string{"https://ext.test/cb"}, Scopes: []string{"openid"}}}.Lookup
		})
		w.browser().authorizeAs("lin", extAuthorize("scope", "")).page(t, http.StatusOK, "Elsewhere")
	})
	t.Run("the user says no", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		for _, no := range []string{"deny", "", "ALLOW"} {
			a := b.answerConsent(b.authorizeAs("lin", extAuthorize()), no)
			a.refused(t, "access_denied")
			if a.location().Host != "ext.test" || a.location().Query().Get("state") != "s-1" {
				t.Errorf("sent to %v", a.location())
			}
		}
	})
	t.Run("S15 prompt=none asks nobody", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		b.get("/authorize?"+extAuthorize("prompt", "none").Encode()).refused(t, "consent_required")
	})
	t.Run("one of the team's own asks only if it wants to", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		page := b.authorizeAs("lin", authorize("prompt", "consent"))
		page.page(t, http.StatusOK, "Shop")
		if to := b.answerConsent(page, "allow").location(); to == nil || to.Query().Get("code") == "" {
			t.Errorf("sent to %v", to)
		}
		if user := w.onlyUser(); len(w.consents(user.ID)) != 0 {
			t.Error("that is remembered")
		}
	})
	t.Run("an answer from another site, another person or nobody", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		page := b.authorizeAs("lin", extAuthorize())
		b.answerConsent(page, "allow", "Sec-Fetch-Site", "cross-site").page(t, http.StatusForbidden, "another site")
		w.browser().answerConsent(page, "allow").page(t, http.StatusOK, "Continue with Demo")
		ada := w.browser()
		ada.code("ada")
		ada.answerConsent(page, "allow").page(t, http.StatusOK, "Ada")
		again := w.browser()
		again.code("lin")
		again.answerConsent(page, "allow").page(t, http.StatusOK, "Lin") // asked again: who answers sits elsewhere
		b.post("/consent", url.Values{"request": {"/login"}, "consent": {"allow"}}).page(t, http.StatusBadRequest, "")
		b.post("/consent", url.Values{"request": {"/authorize?" + extAuthorize("redirect_uri", "https://evil.test").Encode()}, "consent": {"allow"}}).page(t, http.StatusBadRequest, "")
		w.table.failRead = errDown
		b.answerConsent(page, "allow").page(t, http.StatusServiceUnavailable, "")
		w.table.failRead = nil
		for _, user := range []string{"lin", "ada"} {
			w.browser().authorizeAs(user, extAuthorize()).page(t, http.StatusOK, "Elsewhere")
		}
	})
	t.Run("an admin's roles are not for the apps of others", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		code := b.answerConsent(b.authorizeAs("ada", extAuthorize()), "allow").location().Query().Get("code")
		got := w.tokens(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb")
		for range 2 {
			if a := w.access(got["access_token"]); len(a.Roles) != 0 || a.ClientID != "ext" {
				t.Errorf("%s has the roles %v", a.ClientID, a.Roles)
			}
			got = w.renew(got["refresh_token"], "client_id", "ext")
		}
		if a := w.access(w.tokens(b.code("ada"))["access_token"]); !slices.Contains(a.Roles, usersvc.Admin) {
			t.Errorf("Ada has the roles %v in one of ours", a.Roles)
		}
	})
	t.Run("S79 what is withdrawn ends", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		code := b.answerConsent(b.authorizeAs("lin", extAuthorize()), "allow").location().Query().Get("code")
		got := w.tokens(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb")
		got = w.renew(got["refresh_token"], "client_id", "ext")
		raw, _ := got["access_token"].(string)
		access := w.access(raw)
		if err := w.config.Users.WithdrawConsent(t.Context(), usersvc.By{UserID: access.Subject}, "ext"); err != nil {
			t.Fatal(err)
		}
		w.refuses(got["refresh_token"], "client_id", "ext")
		if !w.feed().Revoked(access) {
			t.Error("its access token lives on")
		}
		if a := w.program().get("/userinfo", "Authorization", "Bearer "+raw); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("userinfo: %d", a.StatusCode)
		}
		b.authorizeAs("lin", extAuthorize()).page(t, http.StatusOK, "Elsewhere")
	})
	t.Run("S79 also while it is redeemed or renewed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		code := b.answerConsent(b.authorizeAs("lin", extAuthorize()), "allow").location().Query().Get("code")
		withdraw := func([]table.Write) error {
			w.table.failWrite = nil
			return w.table.Write(t.Context(), table.Delete(table.Key{PK: "user#" + w.onlyUser().ID, SK: "consent#ext"}))
		}
		w.table.failWrite = withdraw
		if a := w.program().post("/token", redemption(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb")); a.StatusCode != 400 {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		code = b.answerConsent(b.authorizeAs("lin", extAuthorize()), "allow").location().Query().Get("code")
		got := w.tokens(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb")
		w.table.failWrite = withdraw
		w.refuses(got["refresh_token"], "client_id", "ext")
	})
	t.Run("S27 a link to us is no link to them", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		for _, change := range [][]string{{"scope", "nosuch"}, {"response_type", "token"}, {"code_challenge", "x"}} {
			b.get("/authorize?"+extAuthorize(change...).Encode()).page(t, http.StatusBadRequest, "")
		}
		b.code("lin")
		b.get("/authorize?"+extAuthorize("scope", "nosuch").Encode()).refused(t, "invalid_scope")
	})
}

// onlyUser is who has signed in.
func (w *world) onlyUser() usersvc.User {
	w.t.Helper()
	page, err := w.config.Users.List(w.t.Context(), usersvc.Filter{})
	if err != nil || len(page.Items) != 1 {
		w.t.Fatalf("%d users, %v", len(page.Items), err)
	}
	return page.Items[0]
}

func (w *world) consents(userID string) []usersvc.Consent {
	w.t.Helper()
	all, err := w.config.Users.Consents(w.t.Context(), userID)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// TestConsentGivenAgain wants what was granted under a consent to end with it, also
// if the user consents again at once.
func TestConsentGivenAgain(t *testing.T) {
	t.Parallel()
	ext := client.Client{ID: "ext", Name: "Telly", ThirdParty: true, RedirectURIs: []string{"https://ext.test/cb"},
		Scopes: []string{"openid", "profile", "email", "offline_access"}, Grants: []string{client.GrantCode, client.GrantRefresh, client.GrantDevice}}
	// consent lets the app have scopes, and returns a code for them.
	consent := func(b *browser, scopes string) string {
		b.w.t.Helper()
		page := b.authorizeAs("lin", extAuthorize("scope", scopes, "prompt", "consent"))
		to := b.answerConsent(page, "allow").location()
		if to == nil || to.Query().Get("code") == "" {
			b.w.t.Fatalf("sent to %v", to)
		}
		return to.Query().Get("code")
	}
	const scopes = "openid offline_access"
	// What an app can hold. Each returns what redeems it.
	held := map[string]func(b *browser) func() answer{
		"a code": func(b *browser) func() answer {
			code := consent(b, scopes)
			return func() answer {
				return b.w.program().post("/token", redemption(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb"))
			}
		},
		"a code without a question": func(b *browser) func() answer {
			consent(b, scopes)
			code := b.authorizeAs("lin", extAuthorize("scope", scopes)).location().Query().Get("code")
			return func() answer {
				return b.w.program().post("/token", redemption(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb"))
			}
		},
		"a device code": func(b *browser) func() answer {
			device, user := b.w.startDevice("client_id", "ext", "scope", scopes)
			b.authorizeAs("lin", extAuthorize("scope", scopes)) // signs in, and asks
			b.answerDevice(user, "allow")
			return func() answer { return b.w.poll(device, "client_id", "ext") }
		},
		"a refresh token": func(b *browser) func() answer {
			got := b.w.tokens(consent(b, scopes), "client_id", "ext", "redirect_uri", "https://ext.test/cb")
			return func() answer {
				return b.w.program().post("/token", url.Values{
					"grant_type": {"refresh_token"}, "client_id": {"ext"}, "refresh_token": {got["refresh_token"].(string)},
				})
			}
		},
	}
	for name, hold := range held {
		for _, old := range []bool{false, true} {
			if old {
				name += ", the consent being older than ids"
			}
			start := func(t *testing.T) (*world, *browser, func() answer) {
				t.Parallel()
				w := newWorld(t, func(c *loginsvc.Config) { c.Clients = client.List{ext}.Lookup })
				b := w.browser()
				if old {
					consent(b, "openid offline_access")
					key := table.Key{PK: "user#" + w.onlyUser().ID, SK: "consent#ext"}
					row, err := w.table.Get(t.Context(), key)
					if err != nil {
						t.Fatal(err)
					}
					delete(row, "id")
					if err := w.table.Write(t.Context(), table.Put(row)); err != nil {
						t.Fatal(err)
					}
				}
				return w, b, hold(b)
			}
			for _, later := range []time.Duration{0, time.Second, time.Minute} {
				t.Run(fmt.Sprintf("%s, withdrawn and given again %v later", name, later), func(t *testing.T) {
					w, b, redeem := start(t)
					if err := w.config.Users.WithdrawConsent(t.Context(), usersvc.By{UserID: w.onlyUser().ID}, "ext"); err != nil {
						t.Fatal(err)
					}
					w.jump(t, later)
					code := consent(b, scopes)
					redeem().oauthError(t, http.StatusBadRequest, "invalid_grant")
					got := w.tokens(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb") // the new grant works
					w.lives(got["access_token"], true)
				})
			}
			t.Run(name+", with further scopes", func(t *testing.T) {
				w, b, redeem := start(t)
				w.jump(t, time.Second)
				consent(b, "openid email")
				if a := redeem(); a.StatusCode != http.StatusOK {
					t.Errorf("%d %s", a.StatusCode, a.body)
				}
				if given := w.consents(w.onlyUser().ID); len(given) != 1 || !given[0].Covers([]string{"openid", "offline_access", "email"}) {
					t.Errorf("%v", given)
				}
			})
		}
	}
}
