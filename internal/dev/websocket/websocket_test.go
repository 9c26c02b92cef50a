package websocket_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/websocket"
)

// client is a WebSocket client of a few lines.
type client struct {
	net.Conn
	in   *bufio.Reader
	resp *http.Response
}

func dial(t *testing.T, server *httptest.Server, path string, header ...string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	r, err := http.NewRequest("GET", server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, r)
	if err != nil {
		t.Fatal(err)
	}
	return &client{conn, in, resp}
}

// send writes a masked frame.
func (c *client) send(t *testing.T, first byte, payload string) {
	t.Helper()
	frame := []byte{first, 0x80 | byte(len(payload))}
	if len(payload) > 125 {
		frame = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(len(payload)))
	}
	frame = append(frame, 1, 2, 3, 4)
	for i := range len(payload) {
		frame = append(frame, payload[i]^byte(i%4+1))
	}
	if _, err := c.Write(frame); err != nil {
		t.Fatal(err)
	}
}

// read returns the opcode and the payload of the next frame.
func (c *client) read(t *testing.T) (byte, string) {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(c.in, head); err != nil {
		t.Fatal(err)
	}
	length := int(head[1])
	if length == 126 {
		long := make([]byte, 2)
		io.ReadFull(c.in, long)
		length = int(binary.BigEndian.Uint16(long))
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		t.Fatal(err)
	}
	return head[0] & 0x0F, string(payload)
}

// stand is an API whose functions remember their events.
type stand struct {
	*httptest.Server
	api    *websocket.API
	mu     sync.Mutex
	events []map[string]any
}

func (s *stand) seen(kind string) (found []map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e["requestContext"].(map[string]any)["eventType"] == kind {
			found = append(found, e)
		}
	}
	return found
}

func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{}
	f := func(_ context.Context, payload []byte) ([]byte, error) {
		var e map[string]any
		if err := json.Unmarshal(payload, &e); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.events = append(s.events, e)
		s.mu.Unlock()
		if e["body"] == "fail" {
			return []byte("no JSON"), nil
		}
		return []byte(`{"statusCode":200}`), nil
	}
	judge, err := gateway.NewJudge(gateway.Authorizer{Kind: gateway.WebSocket, Name: "g", Function: "a", IdentitySources: []string{"route.request.header.Sec-WebSocket-Protocol"}},
		func(_ context.Context, payload []byte) ([]byte, error) {
			effect := "Deny"
			if strings.Contains(string(payload), "good") {
				effect = "Allow"
			}
			return []byte(`{"principalId":"u","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":"execute-api:Invoke","Resource":"*"}]},"context":{"sub":"u_lin"}}`), nil
		}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.api = websocket.New(websocket.Config{Stage: "prod", Routes: map[string]gateway.Function{"$connect": f, "$disconnect": f, "$default": f, "say": f}, Selection: "action", Judge: judge, Now: time.Now})
	s.Server = httptest.NewServer(s.api)
	t.Cleanup(func() { s.api.Close(); s.Server.Close() })
	return s
}

func TestConversation(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	c := dial(t, s.Server, "/prod?q=1", "Sec-WebSocket-Protocol", "bearer, good")
	if c.resp.StatusCode != 101 || c.resp.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || c.resp.Header.Get("Sec-WebSocket-Protocol") != "bearer" {
		t.Fatalf("%+v", c.resp)
	}
	connect := s.seen("CONNECT")[0]
	context := connect["requestContext"].(map[string]any)
	if context["authorizer"].(map[string]any)["sub"] != "u_lin" || context["routeKey"] != "$connect" || context["stage"] != "prod" || connect["queryStringParameters"].(map[string]any)["q"] != "1" {
		t.Errorf("%v", connect)
	}
	c.send(t, 0x81, `{"action":"say","text":"hello"}`)
	c.send(t, 0x01, "one ") // a message in two frames, with a ping between
	c.send(t, 0x89, "ping")
	c.send(t, 0x80, "whole")
	c.send(t, 0x82, "\xff")
	if opcode, got := c.read(t); opcode != 0xA || got != "ping" {
		t.Errorf("%x %q", opcode, got)
	}
	c.send(t, 0x81, "fail")
	if _, got := c.read(t); !strings.Contains(got, `"message":"Internal server error"`) {
		t.Errorf("%q", got)
	}
	var got []string
	for _, e := range s.seen("MESSAGE") {
		x := e["requestContext"].(map[string]any)
		if x["connectionId"] != context["connectionId"] || x["authorizer"].(map[string]any)["sub"] != "u_lin" {
			t.Errorf("%v", e)
		}
		got = append(got, x["routeKey"].(string)+" "+e["body"].(string))
	}
	if strings.Join(got, "|") != `say {"action":"say","text":"hello"}|$default one whole|$default /w==|$default fail` {
		t.Errorf("%q", got)
	}

	at := s.URL + "/prod/@connections/" + context["connectionId"].(string)
	resp, err := http.Post(at, "", strings.NewReader(strings.Repeat("a", 300)))
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(err, resp)
	}
	if opcode, got := c.read(t); opcode != 1 || len(got) != 300 {
		t.Errorf("%x %q", opcode, got)
	}
	r, _ := http.NewRequest("DELETE", at, nil)
	if resp, err := http.DefaultClient.Do(r); err != nil || resp.StatusCode != 204 {
		t.Fatal(err, resp)
	}
	if opcode, got := c.read(t); opcode != 8 || got != "\x03\xe8" {
		t.Errorf("%x %q", opcode, got)
	}
	for range 100 {
		if len(s.seen("DISCONNECT")) == 1 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if len(s.seen("DISCONNECT")) != 1 {
		t.Error("$disconnect was not called")
	}
	if resp, err := http.Post(at, "", nil); err != nil || resp.StatusCode != 410 {
		t.Errorf("%v %v", resp, err)
	}
}

func TestHandshakeRefused(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for name, tc := range map[string]struct {
		header []string
		status int
	}{
		"no token": {nil, 401}, "a bad token": {[]string{"Sec-WebSocket-Protocol", "bearer, bad"}, 403},
	} {
		if got := dial(t, s.Server, "/prod", tc.header...).resp.StatusCode; got != tc.status {
			t.Errorf("%s: %d", name, got)
		}
	}
	resp, err := http.Get(s.URL + "/prod")
	if err != nil || resp.StatusCode != 403 {
		t.Errorf("no handshake: %v %v", resp, err)
	}
	if len(s.seen("CONNECT")) != 0 {
		t.Error("a function was called")
	}
}

func TestBrokenFrames(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for name, frame := range map[string]string{
		"not masked": "\x81\x01a", "a reserved bit": "\xc1\x81\x00\x00\x00\x00a", "a continuation of nothing": "\x80\x80\x00\x00\x00\x00",
		"too large": "\x82\xff\x00\x00\x00\x00\x10\x00\x00\x00", "a control frame in parts": "\x09\x80\x00\x00\x00\x00",
	} {
		c := dial(t, s.Server, "/prod", "Sec-WebSocket-Protocol", "bearer, good")
		io.WriteString(c, frame)
		if opcode, got := c.read(t); opcode != 8 || got != "\x03\xea" {
			t.Errorf("%s: %x %q", name, opcode, got)
		}
	}
}
