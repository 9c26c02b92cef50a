package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// connection is one connection that has one request under way at a time. It
// speaks just enough HTTP, and of the system it asks just enough, to cost
// little beside what it measures.
type connection struct {
	fd    int
	addr  netip.AddrPort
	token string // the refresh token to use next
	in    []byte // what has come of an answer
	asked time.Time
}

func newConnection(address, token string) (*connection, error) {
	addr, err := netip.ParseAddrPort(strings.TrimPrefix(address, "http://"))
	return &connection{fd: -1, addr: addr, token: token}, err
}

// dial connects. Servers close what was idle while others had their turn.
func (c *connection) dial() (err error) {
	if c.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	if err := unix.Connect(c.fd, &unix.SockaddrInet4{Port: int(c.addr.Port()), Addr: c.addr.Addr().As4()}); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	c.in = c.in[:0]
	return unix.SetNonblock(c.fd, true)
}

func (c *connection) close() {
	unix.Close(c.fd) // nothing was written that could be lost
	c.fd = -1
}

// ask sends a request, which is small enough for any socket.
func (c *connection) ask(request string) error {
	c.asked = time.Now()
	n, err := unix.Write(c.fd, []byte(request))
	if err == nil && n < len(request) {
		err = errors.New("the socket is full")
	}
	return err
}

// receive reads what has come and returns the body of the answer if it is whole.
func (c *connection) receive() (body []byte, whole bool, err error) {
	if cap(c.in)-len(c.in) < 1<<12 {
		c.in = append(make([]byte, 0, 2*cap(c.in)+1<<13), c.in...)
	}
	n, err := unix.Read(c.fd, c.in[len(c.in):cap(c.in)])
	switch {
	case errors.Is(err, unix.EAGAIN):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case n == 0:
		return nil, false, errors.New("the connection was closed")
	}
	c.in = c.in[:len(c.in)+n]
	body, whole, err = parseAnswer(c.in)
	if whole {
		c.in = c.in[:0]
	}
	return body, whole, err
}

// parseAnswer returns the body of an answer if all of it is there. An answer
// that is not 200 is an error.
func parseAnswer(answer []byte) (body []byte, whole bool, err error) {
	head, body, whole := bytes.Cut(answer, []byte("\r\n\r\n"))
	if !whole {
		return nil, false, nil
	}
	length := field(head, "content-length")
	switch {
	case length != "":
		n, err := strconv.Atoi(length)
		if err != nil || len(body) < n {
			return nil, false, err
		}
		body = body[:n]
	case field(head, "transfer-encoding") == "chunked":
		if body, whole, err = joinChunks(body); !whole || err != nil {
			return nil, false, err
		}
	default:
		return nil, false, fmt.Errorf("no length: %s", head)
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200")) {
		return nil, false, fmt.Errorf("not 200: %s", body)
	}
	return body, true, nil
}

// field is the value of a header, or "".
func field(head []byte, name string) string {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if len(line) > len(name) && line[len(name)] == ':' && strings.EqualFold(string(line[:len(name)]), name) {
			return string(bytes.TrimSpace(line[len(name)+1:]))
		}
	}
	return ""
}

// joinChunks returns a body that came in chunks (RFC 9112, Section 7.1), if all
// of them are there.
func joinChunks(in []byte) (body []byte, whole bool, err error) {
	for {
		line, rest, ok := bytes.Cut(in, []byte("\r\n"))
		if !ok {
			return nil, false, nil
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return nil, false, err
		}
		if uint64(len(rest)) < size+2 {
			return nil, false, nil
		}
		if size == 0 {
			return body, true, nil
		}
		body, in = append(body, rest[:size]...), rest[size+2:]
	}
}

// renewal is the request that renews the tokens.
func (c *connection) renewal() string {
	form := "grant_type=refresh_token&client_id=spa&refresh_token=" + url.QueryEscape(c.token)
	return "POST /token HTTP/1.1\r\nHost: " + c.addr.String() + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
		strconv.Itoa(len(form)) + "\r\n\r\n" + form
}

// renewed keeps the new refresh token.
func (c *connection) renewed(body []byte) error {
	token, ok := member(body, "refresh_token")
	if _, access := member(body, "access_token"); !ok || !access || token == c.token {
		return fmt.Errorf("no new tokens: %s", body)
	}
	c.token = token
	return nil
}

// member is the text of a member of a JSON object that needs no escapes, as none
// of a token's characters do.
func member(object []byte, name string) (string, bool) {
	_, rest, ok := bytes.Cut(object, []byte(`"`+name+`":`))
	rest = bytes.TrimPrefix(bytes.TrimLeft(rest, " "), []byte(`"`))
	value, _, ended := bytes.Cut(rest, []byte(`"`))
	return string(value), ok && ended && len(value) > 0
}

// document is the request for a document.
func (c *connection) document(path string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + c.addr.String() + "\r\nAccept: application/json\r\n\r\n"
}
