package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

// address is where something is served, on this machine only.
type address struct {
	host      string // as it stands in URLs
	port      int
	listeners []net.Listener
}

func (a *address) url() string {
	return "http://" + net.JoinHostPort(a.host, strconv.Itoa(a.port))
}

func (a *address) close() {
	for _, l := range a.listeners {
		l.Close()
	}
}

// listen opens addr, "host:port", for the flag of that name. localhost is both
// loopback addresses: a browser may try either one first, and neither may be
// somebody else's.
func listen(addr, flag string) (*address, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("%s %s: want a host and a port, such as localhost:8787", flag, addr)
	}
	if host == "" {
		host = "localhost"
	}
	host = strings.ToLower(host) // issuers are compared byte by byte
	if !loopback.Host(host) {
		return nil, fmt.Errorf("%s %s: anyone can sign in as anyone here, so it listens only on %s", flag, addr, loopback.Rule)
	}
	hosts := []string{host}
	if host == "localhost" {
		hosts = []string{"127.0.0.1", "::1"}
	}
	a := &address{host: host}
	for i, h := range hosts {
		l, err := net.Listen("tcp", net.JoinHostPort(h, port))
		if i > 0 && err != nil && !errors.Is(err, syscall.EADDRINUSE) {
			continue // a machine without IPv6
		}
		if err != nil {
			a.close()
			return nil, listenError(err, addr, flag)
		}
		a.listeners = append(a.listeners, l)
		a.port = l.Addr().(*net.TCPAddr).Port
		port = strconv.Itoa(a.port) // of port 0, the second gets what the first got
	}
	return a, nil
}

func listenError(err error, addr, flag string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use: stop what listens there, or choose another port with %s localhost:PORT", addr, flag)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s needs more rights than you have: choose a port above 1023 with %s localhost:PORT", addr, flag)
	}
	return fmt.Errorf("%s %s: %w", flag, addr, err)
}

// serve answers requests at a until srv is shut down.
func (a *address) serve(srv *http.Server) {
	for _, l := range a.listeners {
		go srv.Serve(l)
	}
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
}
