// Package loopback is the rule for what stays on this machine. Every check of
// "plain http is allowed here" and "this listens here only" asks it.
package loopback

import (
	"net/netip"
	"net/url"
	"strings"
)

// Rule names the rule in messages.
const Rule = "localhost, an address of 127.0.0.0/8, or ::1"

// Host tells whether host, without a port and without brackets, can only mean
// this machine: the name localhost, an address of 127.0.0.0/8, or ::1. Other
// names are refused, because they can resolve to any address.
func Host(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() && ip.Zone() == "" && !ip.Is4In6()
}

// URL tells whether u leads to this machine. Its scheme and path do not matter.
func URL(u *url.URL) bool { return Host(u.Hostname()) }
