package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"net"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys/keystest"
)

// signingTime is what a signature takes, from question to answer.
const signingTime = 5 * time.Millisecond

// serveSignatures is the process with the key. It has a weak key, so that it
// leaves the core that it shares with the load to the load.
func serveSignatures() error {
	key := newFastKey(keystest.WeakKey())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := ready(child{URL: listener.Addr().String()}); err != nil {
		return err
	}
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	n := key.modulus.Bytes()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(n))), n...)); err != nil {
		return err
	}
	answers := make(chan []byte, 1024)
	go send(conn, answers)
	in := bufio.NewReader(conn)
	for {
		ask := make([]byte, askSize)
		if _, err := io.ReadFull(in, ask); err != nil {
			return nil // the program that asked has ended
		}
		due := time.Now().Add(signingTime)
		answer := append(ask[:8:8], key.sign([sha256.Size]byte(ask[8:]))...)
		time.AfterFunc(time.Until(due), func() { answers <- answer })
	}
}

// send writes answers, as many at once as there are.
func send(conn net.Conn, answers <-chan []byte) {
	out := bufio.NewWriterSize(conn, 1<<16)
	for answer := range answers {
		out.Write(answer) // Flush tells of errors
		if len(answers) == 0 && out.Flush() != nil {
			return
		}
	}
}
