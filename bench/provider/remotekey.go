package main

import (
	"bufio"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// remoteKey is a key in another process, as one of KMS is: a signature takes
// its time, and of our CPU only what it takes to ask. All requests share one
// connection; each has a number.
type remoteKey struct {
	public *rsa.PublicKey
	conn   net.Conn

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan []byte
}

var _ keys.Signer = (*remoteKey)(nil)

const askSize = 8 + sha256.Size // a number and a digest

func dialKey(addr string) (*remoteKey, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	var size [2]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	n := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(in, n); err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	k := &remoteKey{public: &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: exponent}, conn: conn, waiting: map[uint64]chan []byte{}}
	go k.receive(in)
	return k, nil
}

func (k *remoteKey) Public() *rsa.PublicKey { return k.public }

func (k *remoteKey) SignDigest(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	answer := make(chan []byte, 1)
	k.mu.Lock()
	k.last++
	number := k.last
	k.waiting[number] = answer
	ask := binary.BigEndian.AppendUint64(make([]byte, 0, askSize), number)
	_, err := k.conn.Write(append(ask, digest[:]...))
	k.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("asking for a signature: %w", err)
	}
	select {
	case signature := <-answer:
		return signature, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (k *remoteKey) receive(in io.Reader) {
	for {
		answer := make([]byte, 8+k.public.Size())
		if _, err := io.ReadFull(in, answer); err != nil {
			return // the signer has ended; those who wait have contexts
		}
		number := binary.BigEndian.Uint64(answer)
		k.mu.Lock()
		waiting := k.waiting[number]
		delete(k.waiting, number)
		k.mu.Unlock()
		waiting <- answer[8:]
	}
}
