package pages_test

import (
	"html"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
)

func TestOnward(t *testing.T) {
	p := newPages(t, pages.Brand{})
	for address, want := range map[string]bool{
		"https://shop.example.com/cb?code=a&state=b;c,d": true,
		"http://127.0.0.1:4711/cb?code=a":                true,
		"/login?return_to=%2Faccount":                    true,
		"com.example.app:/cb?code=a":                     true,
		"com.example.app://cb?code=a":                    true,
		"cursor://anysphere/cb?code=a":                   true,
		"javascript:alert(1)":                            false,
		"JavaScript:alert(1)":                            false,
		"\tjavascript:alert(1)":                          false,
		"java\nscript:alert(1)":                          false,
		"data:text/html,x":                               false,
		"vbscript:x":                                     false,
		"blob:https://a.test/x":                          false,
		"file:///etc/passwd":                             false,
		"view-source:https://a.test/":                    false,
		"about:blank":                                    false,
		"https:/missing-host":                            false,
		"https://a:b@evil.test/":                         false,
		"//evil.test/":                                   false,
		"com.example.app:/cb\">x":                        false,
		"com.example.app:/cb x":                          false,
		"":                                               false,
	} {
		_, body := render(t, p, 0, pages.Onward{URL: address})
		escaped := html.EscapeString(address)
		refreshes := strings.Contains(body, `<meta http-equiv="refresh" content="0;url=`+escaped+`">`)
		links := strings.Contains(body, `href="`+escaped+`"`)
		if refreshes != want || links != want {
			t.Errorf("%q: refresh %v, link %v; want both %v: %s", address, refreshes, links, want, body[strings.Index(body, "<h1>"):])
		}
		if !want && strings.Contains(body, "http-equiv") {
			t.Errorf("%q: a refresh leads elsewhere", address)
		}
	}
}

func TestOnwardPosts(t *testing.T) {
	p := newPages(t, pages.Brand{})
	for address, want := range map[string]bool{
		"https://shop.example.com/cb?x=1": true,
		"http://127.0.0.1:4711/cb":        true,
		"com.example.app:/cb":             false,
		"javascript:alert(1)":             false,
		"/logout":                         false,
		"https://a:b@evil.test/":          false,
		"https:/missing-host":             false,
		"":                                false,
	} {
		_, body := render(t, p, 0, pages.Onward{URL: address, Fields: map[string]string{"code": `a"b&c`, "state": "s 1"}})
		form := `<form method="post" action="` + html.EscapeString(address) + `"`
		if got := strings.Contains(body, form) && strings.Contains(body, "<script>document.forms[0].submit()</script>"); got != want {
			t.Errorf("%q: posted %v, want %v", address, got, want)
		}
		if want && (!strings.Contains(body, `name="code" value="a&#34;b&amp;c"`) || !strings.Contains(body, `<button class="button primary">`)) {
			t.Errorf("%q: a field or the button is missing: %s", address, body[strings.Index(body, "<h1>"):])
		}
		if strings.Contains(body, "http-equiv") || !want && strings.Contains(body, "<script") {
			t.Errorf("%q: the page leads on in another way", address)
		}
	}
}
