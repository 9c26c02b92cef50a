package client

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

// appSchemes are the schemes, beside https and http, under which browsers and web
// views load pages that came with an app, and which they name in Origin.
var appSchemes = []string{"capacitor", "ionic", "tauri", "chrome-extension"}

// perInstallation are schemes of extensions whose host is random for each
// installation: there is no origin to register.
var perInstallation = []string{"moz-extension", "safari-web-extension"}

// checkOrigin tells what is wrong with an origin, and how browsers send it (RFC
// 6454, Section 6.2): scheme, host and port, and nothing after them.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	switch {
	case strings.Contains(origin, "*"):
		return fmt.Errorf("%q: there are no wildcards: write each origin", origin)
	case err != nil || u.Scheme == "" || u.Hostname() == "":
		return fmt.Errorf("want an origin such as https://app.example.com, not %q", origin)
	case slices.Contains(perInstallation, u.Scheme):
		return fmt.Errorf("%q has another host at each installation: let the extension sign in by a redirect to its https address", origin)
	case u.Scheme != "https" && u.Scheme != "http" && !slices.Contains(appSchemes, u.Scheme):
		return fmt.Errorf("no browser sends an origin with the scheme %q: use https, or one of %s", u.Scheme, strings.Join(appSchemes, ", "))
	case u.Scheme == "chrome-extension" && !isExtensionID(u.Host):
		return fmt.Errorf("want chrome-extension:// and the 32 letters of the extension's id, not %q", origin)
	}
	host, err := hostAsSent(u.Hostname())
	if err != nil {
		return err
	}
	port, err := portAsSent(u)
	if err != nil {
		return err
	}
	if sent := u.Scheme + "://" + host + port; origin != sent {
		return fmt.Errorf("no browser sends %q: write %q", origin, sent)
	}
	if u.Scheme == "http" && !loopback.URL(u) && !strings.HasSuffix(host, ".localhost") { // RFC 6761, Section 6.3
		return fmt.Errorf("want https; plain http is only for this machine: write %q", "https://"+u.Host)
	}
	return nil
}

// isExtensionID tells whether Chrome can have given the id to an extension.
func isExtensionID(id string) bool {
	return len(id) == 32 && strings.Trim(id, "abcdefghijklmnop") == ""
}

// hostAsSent is host as browsers spell it: in lower case, addresses in their
// shortest form.
func hostAsSent(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() == "" {
		if addr.Is6() {
			return "[" + addr.String() + "]", nil
		}
		return addr.String(), nil
	}
	const plain = "abcdefghijklmnopqrstuvwxyz0123456789-._"
	lower := strings.ToLower(host)
	last := lower[strings.LastIndexByte(lower, '.')+1:]
	switch {
	case strings.ContainsFunc(host, func(r rune) bool { return r > '~' }):
		return "", fmt.Errorf("browsers send the host %q in Punycode: write it with xn--", host)
	case strings.Trim(lower, plain) != "":
		return "", fmt.Errorf("no browser sends the host %q", host)
	case last != "" && strings.Trim(last, "0123456789") == "":
		return "", fmt.Errorf("no browser sends the address %q: write its four numbers", host)
	}
	return lower, nil
}

// portAsSent is the port of u as browsers send it, with a colon; "" for that of
// the scheme.
func portAsSent(u *url.URL) (string, error) {
	port := strings.TrimLeft(u.Port(), "0")
	switch {
	case u.Port() == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80":
		return "", nil
	case !isPort(port):
		return "", fmt.Errorf("no browser sends the port %q: want 1 to 65535", u.Port())
	}
	return ":" + port, nil
}
