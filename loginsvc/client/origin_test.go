package client_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

func TestOrigins(t *testing.T) {
	t.Parallel()
	extension := "chrome-extension://" + strings.Repeat("abcdefghijklmnop", 2)
	for _, origin := range []string{
		"https://app.example.com", "https://app.example.com:8443", "http://localhost:5173", "http://127.0.0.1:1", "http://[::1]:1",
		"https://xn--mnchen-3ya.example", "https://my_app.example.com", "https://192.0.2.7", "capacitor://localhost", "ionic://localhost",
		"tauri://localhost", "http://tauri.localhost", "capacitor://app.example.com", extension,
	} {
		if err := problemOf(origin); err != "" {
			t.Errorf("%s is refused: %s", origin, err)
		}
	}
	for origin, want := range map[string]string{
		"https://app.example.com:443":     `no browser sends "https://app.example.com:443": write "https://app.example.com"`,
		"http://localhost:80":             `no browser sends "http://localhost:80": write "http://localhost"`,
		"https://app.example.com:08443":   `no browser sends "https://app.example.com:08443": write "https://app.example.com:8443"`,
		"https://app.example.com:":        `write "https://app.example.com"`,
		"https://app.example.com:0":       `no browser sends the port "0"`,
		"https://app.example.com:65536":   `no browser sends the port "65536"`,
		"https://app.example.com/":        `write "https://app.example.com"`,
		"https://app.example.com/a?b#c":   `write "https://app.example.com"`,
		"HTTPS://App.example.com":         `write "https://app.example.com"`,
		"https://u:p@app.example.com":     `write "https://app.example.com"`,
		"https://münchen.example":         `in Punycode: write it with xn--`,
		"https://[0:0:0:0:0:0:0:1]:8443":  `write "https://[::1]:8443"`,
		"https://[2001:DB8::1]":           `write "https://[2001:db8::1]"`,
		"http://127.1":                    `no browser sends the address "127.1"`,
		"https://a b.example":             `want an origin such as`,
		"https://*.example.com":           `there are no wildcards: write each origin`,
		"*":                               `there are no wildcards`,
		"null":                            `want an origin such as https://app.example.com, not "null"`,
		"app.example.com":                 `want an origin such as`,
		"//app.example.com":               `want an origin such as`,
		"https://":                        `want an origin such as`,
		"file:///":                        `want an origin such as`,
		"file://host":                     `no browser sends an origin with the scheme "file"`,
		"myapp://localhost":               `no browser sends an origin with the scheme "myapp"`,
		"com.example.app://localhost":     `no browser sends an origin with the scheme "com.example.app"`,
		"capacitor:localhost":             `want an origin such as`,
		"capacitor://localhost/":          `write "capacitor://localhost"`,
		"Tauri://localhost":               `write "tauri://localhost"`,
		"chrome-extension://abc":          `the 32 letters of the extension's id`,
		extension + "/":                   `write "` + extension + `"`,
		"moz-extension://6b1c3c2e":        `has another host at each installation`,
		"safari-web-extension://6b1c3c2e": `has another host at each installation`,
		"http://app.example.com":          `want https; plain http is only for this machine: write "https://app.example.com"`,
		"http://evil-localhost":           `want https`,
		"http://localhost.example.com":    `want https`,
		"http://10.0.0.1":                 `want https`,
	} {
		if got := problemOf(origin); !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", origin, got, want)
		}
	}
}

// problemOf returns the problem with an origin; "" if there is none.
func problemOf(origin string) string {
	c := client.Client{ID: "c", RedirectURIs: []string{"https://c.test/"}, Origins: []string{origin}}
	for _, p := range c.Problems(client.Limits{Scopes: []string{"openid"}}) {
		if strings.HasPrefix(p.Field, "origins") {
			return p.Text
		}
	}
	return ""
}
