package pages_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
)

var gallery = flag.String("gallery", "", "write every page in every state to this folder")

// state is a page as somebody may meet it.
type state struct {
	name string
	page pages.Page
}

// states is every page in every state, filled with fill where a name, an
// address or a URL goes. fill "" stands for friendly values.
func states(fill string) []state {
	or := func(friendly string) string {
		if fill != "" {
			return fill
		}
		return friendly
	}
	demo := pages.ProviderLink{ID: or("demo"), Name: or("Demo"), URL: or("/login?idp_hint=demo")}
	google := pages.ProviderLink{ID: or("google"), Name: or("Google"), URL: or("/login?idp_hint=google"), LastUsed: true}
	all := []state{
		{"choose-one", pages.Choose{AppName: or("Shop"), Providers: []pages.ProviderLink{demo}, Next: or("shop.example.com")}},
		{"choose-several", pages.Choose{AppName: or("Shop"), Providers: []pages.ProviderLink{google, demo, {ID: "m", Name: or("Microsoft Entra ID"), URL: or("/login?idp_hint=m")}}}},
		{"choose-continue", pages.Choose{AppName: or("Shop"), Providers: []pages.ProviderLink{google, demo}, ContinueAs: or("Ada Lovelace"), ContinueURL: or("/login?continue=yes"), Next: or("shop.example.com")}},
		{"choose-no-app", pages.Choose{Providers: []pages.ProviderLink{demo, google}}},
		{"choose-none", pages.Choose{AppName: or("Shop")}},
		{"confirm", pages.ConfirmSignOut{Who: or("Ada Lovelace"), Everywhere: true, StayURL: or("/account")}},
		{"confirm-app", pages.ConfirmSignOut{AppName: or("Shop"), Who: or("Ada Lovelace"), Action: or("/logout"), Fields: map[string]string{"state": or("s"), "id_token_hint": or("h")}}},
		{"signed-out", pages.SignedOut{AppName: or("Shop"), BackURL: or("https://shop.example.com/")}},
		{"signed-out-everywhere", pages.SignedOut{From: pages.FromEverywhere, SignInURL: or("/login")}},
		{"signed-out-no-session", pages.SignedOut{From: pages.FromNothing, BackURL: or("https://shop.example.com/")}},
		{"signed-in", pages.SignedIn{Who: or("Ada Lovelace"), Email: or("ada@example.com"), Provider: or("Demo"), AccountURL: or("/account"), SignOutURL: or("/logout")}},
		{"signed-in-bare", pages.SignedIn{Who: or("Ada")}},
		{"onward", pages.Onward{URL: or("https://shop.example.com/callback?code=c1&state=s1"), Name: or("Shop")}},
		{"onward-host", pages.Onward{URL: or("https://accounts.example.com/authorize?state=s1")}},
		{"onward-post", pages.Onward{URL: or("https://shop.example.com/callback"), Fields: map[string]string{"code": or("c1"), "state": or("s1")}}},
		{"failure-post", pages.Failure{Kind: pages.EmailTaken, AppName: or("Shop"), BackURL: or("https://shop.example.com/callback"), BackFields: map[string]string{"error": or("access_denied")}}},
		{"onward-native", pages.Onward{URL: or("com.example.app:/callback?code=c1&state=s1")}},
	}
	all = append(all, signedInStates(or)...)
	for _, k := range append(pages.FailureKinds(), "no-such-kind") {
		all = append(all,
			state{"failure-" + string(k), pages.Failure{Kind: k, AppName: or("Shop"), Provider: or("Google"), RequestID: or("c3b0-4471"), RestartURL: or("/login?app=shop"), BackURL: or("https://shop.example.com/")}},
			state{"failure-bare-" + string(k), pages.Failure{Kind: k}})
	}
	return all
}

// everyState calls check with each page in each state.
func everyState(t *testing.T, fill string, check func(t *testing.T, res *http.Response, body string)) {
	t.Helper()
	p := newPages(t, pages.Brand{Name: fill})
	for _, s := range states(fill) {
		if fill != "" && strings.Contains(s.name, "bare") {
			continue // holds no text that is not in another state
		}
		t.Run(s.name, func(t *testing.T) {
			res, body := render(t, p, 0, s.page)
			check(t, res, body)
		})
	}
}

func newPages(t *testing.T, b pages.Brand) *pages.Pages {
	t.Helper()
	p, err := pages.New(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func render(t *testing.T, p *pages.Pages, status int, page pages.Page) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/login", nil)
	r = r.WithContext(httpx.WithRequestID(r.Context(), "gateway-1"))
	p.Render(w, r, status, page)
	return w.Result(), w.Body.String()
}

func TestEveryPage(t *testing.T) {
	ids := regexp.MustCompile(`<(input|select|textarea)[^>]*>`)
	everyState(t, "", func(t *testing.T, res *http.Response, body string) {
		if *gallery != "" {
			file := filepath.Join(*gallery, path.Base(t.Name())+".html")
			still := regexp.MustCompile(`<meta http-equiv="refresh"[^>]*>`).ReplaceAllString(body, "") // to be looked at, it must stay
			if err := os.WriteFile(file, []byte(still), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		wellFormed(t, body)
		scripts := 0
		if strings.HasSuffix(t.Name(), "/onward-post") {
			scripts = 1
		}
		if len(body) > 30_000 {
			t.Errorf("%d bytes, want at most 30000", len(body))
		}
		for want, n := range map[string]int{`<html lang="en">`: 1, "<h1>": 1, "<title>": 1, `name="viewport"`: 1, "<main": 1, "<script": scripts, " style=": 0, " on": -1, "no value": 0, "ZgotmplZ": 0} {
			if n >= 0 && strings.Count(body, want) != n {
				t.Errorf("%q stands %d times in the page, want %d", want, strings.Count(body, want), n)
			}
		}
		for _, field := range ids.FindAllString(body, -1) {
			if !strings.Contains(field, `type="hidden"`) && !strings.Contains(field, "id=") && !strings.Contains(body, `<label class="check">`+field) {
				t.Errorf("%s has no label", field)
			}
		}
		for _, link := range regexp.MustCompile(`(?:src|srcset|href|url\()=?"?([^" )>]*)`).FindAllStringSubmatch(body, -1) {
			if strings.HasPrefix(link[0], "src") || strings.HasPrefix(link[0], "url") {
				t.Errorf("%s makes a request", link[0])
			}
		}
		if res.StatusCode < 200 || res.StatusCode > 599 {
			t.Errorf("status %d", res.StatusCode)
		}
	})
}

func TestFullListsStaySmall(t *testing.T) {
	p := newPages(t, pages.Brand{})
	for _, s := range fullLists() {
		if _, body := render(t, p, 0, s.page); len(body) > 30_000 {
			t.Errorf("%s: %d bytes, want at most 30000", s.name, len(body))
		}
	}
}

func TestStatus(t *testing.T) {
	p := newPages(t, pages.Brand{})
	for kind, want := range map[pages.FailureKind]int{
		pages.LinkExpired: 400, pages.CookiesBlocked: 400, pages.UnknownClient: 400, pages.BadRedirect: 400,
		pages.Cancelled: 403, pages.Suspended: 403, pages.EmailUnverified: 403, pages.EmailTaken: 409,
		pages.NotFound: 404, pages.Unavailable: 503, pages.ProviderFailed: 502, pages.Internal: 500, "no such kind": 500,
	} {
		if res, _ := render(t, p, 0, pages.Failure{Kind: kind}); res.StatusCode != want {
			t.Errorf("%s: status %d, want %d", kind, res.StatusCode, want)
		}
	}
	if res, _ := render(t, p, 429, pages.Failure{Kind: pages.Unavailable}); res.StatusCode != 429 {
		t.Errorf("status %d, want the caller's 429", res.StatusCode)
	}
}

func TestRequestID(t *testing.T) {
	p := newPages(t, pages.Brand{})
	if _, body := render(t, p, 0, pages.Failure{Kind: pages.Internal}); !strings.Contains(body, "gateway-1") {
		t.Error("the gateway's request id is not shown")
	}
	if _, body := render(t, p, 0, pages.Failure{Kind: pages.Internal, RequestID: "mine-2"}); !strings.Contains(body, "mine-2") || strings.Contains(body, "gateway-1") {
		t.Error("the caller's request id is not the one shown")
	}
}

var (
	booleanAttribute = regexp.MustCompile(` (required|checked|selected)([ >])`)

	voidTag = regexp.MustCompile(`<(meta|link|input|br|hr)\b([^>]*)>`)
	control = regexp.MustCompile(`[\x01-\x08\x0b\x0c\x0e-\x1f]`) // XML has no place for them, HTML has
)

// wellFormed reads body as XML in which HTML's void elements end themselves:
// every other tag is closed, in order, and every attribute is quoted.
func wellFormed(t *testing.T, body string) {
	t.Helper()
	body = strings.TrimPrefix(body, "<!doctype html>")
	body = booleanAttribute.ReplaceAllString(body, ` $1="" $2`)
	body = control.ReplaceAllString(voidTag.ReplaceAllString(body, "<$1$2/>"), "")
	d := xml.NewDecoder(strings.NewReader(strings.ToValidUTF8(body, "")))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
	}
}
