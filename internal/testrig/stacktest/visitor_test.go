package stacktest_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// visitor is a browser without a screen: it keeps cookies, and follows redirects
// when it is told to.
type visitor struct {
	w      *world
	client *http.Client
}

// page is what a visitor has before them.
type page struct {
	*http.Response
	text string
}

func (w *world) visitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{w, &http.Client{Jar: jar, Transport: w.Transport, CheckRedirect: w.client.CheckRedirect}}
}

// open gets an address, or posts form there.
func (v *visitor) open(t *testing.T, address string, form url.Values) page {
	t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := v.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{resp, string(text)}
}

// next follows the redirect of a page.
func (v *visitor) next(t *testing.T, from page) page {
	t.Helper()
	to, err := from.Location()
	if err != nil {
		t.Fatalf("%s answers %d, no redirect: %s\n%s", from.Request.URL.Path, from.StatusCode, from.text, v.w.Log)
	}
	return v.open(t, to.String(), nil)
}

// signIn signs somebody in at the demo provider, and returns the answers on the
// way that were ours.
func (v *visitor) signIn(t *testing.T, who string) []page {
	t.Helper()
	choice := v.open(t, v.w.Issuer+"/login", nil)
	started := v.open(t, v.w.Issuer+"/login?idp_hint=demo", nil)
	cards := v.next(t, started)
	chosen := v.open(t, cards.Request.URL.String(), url.Values{"user": {who}})
	return []page{choice, started, v.next(t, chosen)}
}

var leads = regexp.MustCompile(` (href|action)="([^"]*)"`)

// links are where a page leads, by "href" and "action".
func (p page) links(kind string) (out []string) {
	for _, m := range leads.FindAllStringSubmatch(p.text, -1) {
		if m[1] == kind && !strings.HasPrefix(m[2], "data:") && !strings.HasPrefix(m[2], "#") {
			out = append(out, html.UnescapeString(m[2]))
		}
	}
	return out
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// hidden returns the fields of the page's forms that people do not see.
func (p page) hidden() url.Values {
	out := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(p.text, -1) {
		out.Set(m[1], html.UnescapeString(m[2]))
	}
	return out
}
