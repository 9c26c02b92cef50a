package localkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

// private is one RSA key for every test that needs to know the secret part.
var private = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestLaws(t *testing.T) {
	t.Run("in memory", func(t *testing.T) {
		key, err := localkey.Generate()
		if err != nil {
			t.Fatal(err)
		}
		keystest.Run(t, func(*testing.T) keys.Signer { return key })
	})
	t.Run("in a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "key.pem")
		created, err := localkey.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		keystest.Run(t, func(t *testing.T) keys.Signer {
			key, err := localkey.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if !key.Public().Equal(created.Public()) {
				t.Error("Load returned another key than Create")
			}
			return key
		})
	})
}

func TestFromPEM(t *testing.T) {
	for name, data := range map[string][]byte{
		"PKCS #8": pkcs8(t, private()),
		"PKCS #1": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private())}),
	} {
		key, err := localkey.FromPEM(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !key.Public().Equal(private().Public()) {
			t.Errorf("%s: another key", name)
		}
	}
}

func TestFromPEMRefuses(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := pkcs8(t, private())
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "no PEM block"},
		{"text", []byte("hello"), "no PEM block"},
		{"1024 bits", pkcs8(t, short), "1024 bits: want 2048"},
		{"an elliptic curve", pkcs8(t, curve), "want an RSA key"},
		{"a public key", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}}), `"PUBLIC KEY"`},
		{"an encrypted key", pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}}), "unencrypted"},
		{"damage in PKCS #8", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), "PKCS #8"},
		{"damage in PKCS #1", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{1}}), "PKCS #1"},
		{"two keys", append(good[:len(good):len(good)], good...), "more than one"},
	} {
		if _, err := localkey.FromPEM(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key.pem")
	first, err := localkey.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode().Perm(), err)
	}
	if _, err := localkey.Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("creating again: %v, want fs.ErrExist", err)
	}
	if key, err := localkey.Load(path); err != nil || !key.Public().Equal(first.Public()) {
		t.Errorf("the first key is not there any more: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) != 0 {
		t.Errorf("left behind: %q", names)
	}
	if _, err := localkey.Create(filepath.Join(dir, "no", "key.pem")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v, want fs.ErrNotExist", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := pkcs8(t, private())
	for _, c := range []struct{ name, path, want string }{
		{"readable by all", write("all.pem", good, 0o644), "chmod 600"},
		{"readable by the group", write("group.pem", good, 0o640), "chmod 600"},
		{"no key", write("text.pem", []byte("hello"), 0o600), "text.pem: no PEM block"},
		{"empty", write("empty.pem", nil, 0o600), "empty.pem: no PEM block"},
		{"far too long", write("long.pem", make([]byte, 65<<10), 0o600), "no private key"},
		{"a folder", dir, "not a regular file"},
	} {
		if _, err := localkey.Load(c.path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
	}
	if _, err := localkey.Load(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, want fs.ErrNotExist", err)
	}
}

func TestKeyCannotBePrinted(t *testing.T) {
	key, err := localkey.FromPEM(pkcs8(t, private()))
	if err != nil {
		t.Fatal(err)
	}
	secret := private().D.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%s"} {
		if strings.Contains(fmt.Sprintf(verb, key), secret) || strings.Contains(fmt.Sprintf(verb, *key), secret) {
			t.Errorf("%s prints the private key", verb)
		}
	}
}
