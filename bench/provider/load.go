package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// connection is one connection that has one request under way at a time. It speaks
// just enough HTTP to cost little beside what it measures.
type connection struct {
	conn  net.Conn
	in    *bufio.Reader
	host  string
	token string // the refresh token to use next
	body  []byte
}

func newConnection(address, token string) *connection {
	return &connection{in: bufio.NewReaderSize(nil, 1<<14), host: strings.TrimPrefix(address, "http://"), token: token}
}

// dial connects. Servers close what was idle while others had their turn.
func (c *connection) dial() error {
	conn, err := net.Dial("tcp", c.host)
	if err != nil {
		return err
	}
	c.conn = conn
	c.in.Reset(conn)
	return nil
}

// get asks for a document.
func (c *connection) get(path string) error {
	return c.ask("GET " + path + " HTTP/1.1\r\nHost: " + c.host + "\r\nAccept: application/json\r\n\r\n")
}

// refresh renews the tokens, and keeps the new refresh token.
func (c *connection) refresh() error {
	form := "grant_type=refresh_token&client_id=spa&refresh_token=" + url.QueryEscape(c.token)
	err := c.ask("POST /token HTTP/1.1\r\nHost: " + c.host + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
		strconv.Itoa(len(form)) + "\r\n\r\n" + form)
	if err != nil {
		return err
	}
	var answer struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.Unmarshal(c.body, &answer); err != nil {
		return err
	}
	if answer.AccessToken == "" || answer.RefreshToken == "" || answer.RefreshToken == c.token {
		return fmt.Errorf("no new tokens: %s", c.body)
	}
	c.token = answer.RefreshToken
	return nil
}

// ask sends a request and reads its answer, which has to be 200.
func (c *connection) ask(request string) error {
	c.conn.SetDeadline(time.Now().Add(10 * time.Second)) // an error shows in what follows
	if _, err := io.WriteString(c.conn, request); err != nil {
		return err
	}
	status, err := c.line()
	if err != nil {
		return err
	}
	ok, length, chunked := bytes.HasPrefix(status, []byte("HTTP/1.1 200")), 0, false
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	c.body = c.body[:0]
	if err := c.readBody(length, chunked); err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("not 200: %s", c.body)
	}
	return nil
}

// readBody reads a body of known length, or one in chunks (RFC 9112, Section
// 7.1).
func (c *connection) readBody(length int, chunked bool) error {
	if !chunked {
		return c.read(length)
	}
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return err
		}
		if err := c.read(int(size)); err != nil {
			return err
		}
		if _, err := c.line(); err != nil || size == 0 {
			return err
		}
	}
}

func (c *connection) read(n int) error {
	was := len(c.body)
	c.body = append(c.body, make([]byte, n)...)
	_, err := io.ReadFull(c.in, c.body[was:])
	return err
}

// line reads a line without its end.
func (c *connection) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}
