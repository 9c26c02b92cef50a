package localkey_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

func TestStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	for name, open := range map[string]func() *localkey.Store{
		"in memory": func() func() *localkey.Store {
			s := new(localkey.Store)
			return func() *localkey.Store { return s }
		}(),
		"in a folder, each time another process": func() *localkey.Store { return &localkey.Store{Dir: dir} },
	} {
		t.Run(name, func(t *testing.T) {
			reference, made, err := open().Create(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			key, err := open().Open(t.Context(), reference)
			if err != nil || !key.Public().Equal(made.Public()) {
				t.Fatalf("Open: %v, or another key", err)
			}
			for i := range 2 {
				if err := open().Discard(t.Context(), reference); err != nil {
					t.Errorf("Discard, time %d: %v", i, err)
				}
			}
			if _, err := open().Open(t.Context(), reference); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("after Discard: %v, want fs.ErrNotExist", err)
			}
		})
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info, err)
	}
}

func TestStoreStaysInItsFolder(t *testing.T) {
	dir := t.TempDir()
	if _, err := localkey.Create(filepath.Join(dir, "outside.pem")); err != nil {
		t.Fatal(err)
	}
	s := &localkey.Store{Dir: filepath.Join(dir, "keys")}
	if _, err := s.Open(t.Context(), "../outside"); err == nil {
		t.Error("opened a key outside")
	}
	s.Discard(t.Context(), "../outside")
	if _, err := os.Stat(filepath.Join(dir, "outside.pem")); err != nil {
		t.Errorf("a key outside is gone: %v", err)
	}
}
