package websocket

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// The opcodes of RFC 6455, Section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

const (
	maxMessage = 128 << 10 // bytes; the limit of API Gateway
	// guid is what RFC 6455, Section 1.3, appends to the client's key.
	guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

var errProtocol = errors.New("the client breaks RFC 6455")

// isHandshake tells whether r wants to open a WebSocket (RFC 6455, Section 4.2.1).
func isHandshake(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		strings.Contains(strings.ToLower(r.Header.Get("Connection")), "upgrade") &&
		r.Header.Get("Sec-Websocket-Version") == "13" && r.Header.Get("Sec-Websocket-Key") != ""
}

// socket is an open WebSocket, seen from the server. Writes are safe for
// concurrent use.
type socket struct {
	conn net.Conn
	in   *bufio.Reader
	mu   sync.Mutex // of writes
}

// accept answers the handshake with these headers more, and takes the connection.
func accept(w http.ResponseWriter, r *http.Request, more http.Header) (*socket, error) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-Websocket-Key") + guid))
	h := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": {base64.StdEncoding.EncodeToString(sum[:])}}
	for name, values := range more {
		h[name] = values
	}
	var out strings.Builder
	out.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	h.Write(&out)
	out.WriteString("\r\n")
	if _, err := io.WriteString(conn, out.String()); err != nil {
		conn.Close()
		return nil, err
	}
	return &socket{conn: conn, in: buffered.Reader}, nil
}

// read returns the next message. It answers pings. io.EOF is a close.
func (s *socket) read() (text bool, message []byte, err error) {
	for begun := false; ; {
		final, opcode, payload, err := s.frame()
		if err != nil {
			return false, nil, err
		}
		switch {
		case opcode == opPing:
			if err := s.write(opPong, payload); err != nil {
				return false, nil, err
			}
			continue
		case opcode == opPong:
			continue
		case opcode == opClose:
			s.write(opClose, payload[:min(2, len(payload))]) // the client may be gone
			return false, nil, io.EOF
		case opcode == opContinuation != begun, opcode > opBinary, len(message)+len(payload) > maxMessage:
			return false, nil, errProtocol
		}
		if opcode != opContinuation {
			text, begun = opcode == opText, true
		}
		if message = append(message, payload...); final {
			return text, message, nil
		}
	}
}

// frame reads one frame, which a client masks (RFC 6455, Section 5.1).
func (s *socket) frame() (final bool, opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return false, 0, nil, err
	}
	final, opcode = head[0]&0x80 != 0, head[0]&0x0F
	length, masked := uint64(head[1]&0x7F), head[1]&0x80 != 0
	control := opcode >= opClose
	if !masked || head[0]&0x70 != 0 || control && (!final || length > 125) {
		return false, 0, nil, errProtocol
	}
	switch length {
	case 126:
		var long [2]byte
		_, err = io.ReadFull(s.in, long[:])
		length = uint64(binary.BigEndian.Uint16(long[:]))
	case 127:
		var long [8]byte
		_, err = io.ReadFull(s.in, long[:])
		length = binary.BigEndian.Uint64(long[:])
	}
	if err != nil {
		return false, 0, nil, err
	}
	if length > maxMessage {
		return false, 0, nil, errProtocol
	}
	var mask [4]byte
	if _, err := io.ReadFull(s.in, mask[:]); err != nil {
		return false, 0, nil, err
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(s.in, payload); err != nil {
		return false, 0, nil, err
	}
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return final, opcode, payload, nil
}

// write sends one whole message, or a control frame.
func (s *socket) write(opcode byte, payload []byte) error {
	head := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		head = append(head, byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 127), uint64(n))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.conn.Write(append(head, payload...))
	return err
}

// close says why and ends the connection (RFC 6455, Section 7.4.1).
func (s *socket) close(code uint16) {
	s.write(opClose, binary.BigEndian.AppendUint16(nil, code))
	s.conn.Close()
}
