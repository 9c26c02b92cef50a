package localkey

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gatehouse-auth/gatehouse/keys"
)

const pemType = "PRIVATE KEY" // PKCS #8 (RFC 7468, Section 10)

// FromPEM reads a key from the one PEM block of data: PKCS #8, or PKCS #1 as
// OpenSSL used to write it. Keys under 2048 bits are refused.
func FromPEM(data []byte) (*Key, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, errors.New("no PEM block found")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, errors.New("more than one PEM block: want one private key alone")
	}
	private, err := parse(block)
	if err != nil {
		return nil, err
	}
	return fromPrivate(private)
}

func parse(block *pem.Block) (*rsa.PrivateKey, error) {
	switch block.Type {
	case pemType:
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parsing PKCS #8: %w", err)
		}
		private, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("want an RSA key, not %T", parsed)
		}
		return private, nil
	case "RSA PRIVATE KEY":
		private, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parsing PKCS #1: %w", err)
		}
		return private, nil
	default:
		return nil, fmt.Errorf("PEM block %q: want %q, unencrypted", block.Type, pemType)
	}
}

// Load reads the key in the PEM file at path. It refuses a file that other
// users of this machine can read or write. If there is no file, the error wraps
// [fs.ErrNotExist].
func Load(path string) (*Key, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening key file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s: not a regular file", path)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("key file %s: mode %#o lets other users at it: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	if info.Size() > 64<<10 {
		return nil, fmt.Errorf("key file %s: %d bytes are no private key", path, info.Size())
	}
	data := make([]byte, info.Size())
	if _, err := file.ReadAt(data, 0); err != nil {
		return nil, fmt.Errorf("reading key file: %w", err)
	}
	key, err := FromPEM(data)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return key, nil
}

// Create generates a key of 2048 bits and writes it to path, for its owner
// alone (mode 0600). The file appears whole or not at all. A file that is there
// already is left as it is, and the error wraps [fs.ErrExist].
func Create(path string) (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, keys.MinBits)
	if err != nil {
		return nil, fmt.Errorf("generating RSA key: %w", err)
	}
	if err := write(path, private); err != nil {
		return nil, fmt.Errorf("writing key file: %w", err)
	}
	return fromPrivate(private)
}

func write(path string, private *rsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	// CreateTemp opens with mode 0600.
	draft, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}))
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	// A rename would replace a key that another process has just made; a link
	// does not.
	if err := os.Link(draft.Name(), path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	} else if err != nil {
		return err
	}
	return nil
}
