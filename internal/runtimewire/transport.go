// Package runtimewire carries what aws-lambda-go says to Lambda's Runtime API: on
// one connection, in the goroutine that says it, one packet for a request.
// net/http's own transport has two more goroutines for a connection and sends an
// answer in three packets, which costs a third of what a decision of the
// authorizer costs; the program bench/authorizer says how much.
package runtimewire

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// Transport returns a transport for requests in the clear, one at a time to each
// host: a second one waits for the answer to the first. It waits for as long as
// that takes, whatever the request's context says. It uses no proxy.
//
// It is for http.DefaultTransport in the main function of a Lambda function that
// is given one event at a time: of that, aws-lambda-go makes its own transport by
// Clone. So it has to be an *http.Transport, and one whose exported fields say
// everything: it speaks nothing but HTTP/2 in the clear, and a wire is what
// speaks it. The name under which net/http looks for that is the one that
// golang.org/x/net/http2 uses, too. The tests tell when a release of Go has
// another.
func Transport() *http.Transport {
	t := &http.Transport{Protocols: new(http.Protocols)}
	t.Protocols.SetUnencryptedHTTP2(true)
	var wires sync.Map // by host; net/http may ask for the same one twice
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{
		"unencrypted_http2": func(host string, _ *tls.Conn) http.RoundTripper {
			one, _ := wires.LoadOrStore(host, &wire{host: host})
			return one.(*wire)
		},
		"h2": nil, // its presence keeps net/http's own away
	}
	// The wire makes its connections itself, because it makes new ones.
	t.DialContext = func(context.Context, string, string) (net.Conn, error) {
		unused, _ := net.Pipe()
		return unused, nil
	}
	return t
}
