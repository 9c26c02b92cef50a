package localkey

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Store keeps the keys of a ring under references. Its methods are safe for
// concurrent use.
type Store struct {
	// Dir is the folder of the PEM files, which is made if it is absent.
	// "": keys are in memory only, and gone with the Store.
	Dir string

	mu     sync.Mutex
	memory map[string]*Key
}

// Create makes a key and returns the reference to it.
func (s *Store) Create(context.Context) (reference string, _ keys.Signer, err error) {
	reference = rand.Text()
	var key *Key
	if s.Dir == "" {
		key, err = Generate()
	} else if err = os.MkdirAll(s.Dir, 0o700); err == nil {
		key, err = Create(s.path(reference))
	}
	if err != nil {
		return "", nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memory == nil {
		s.memory = make(map[string]*Key)
	}
	s.memory[reference] = key
	return reference, key, nil
}

// Open returns the key behind a reference.
func (s *Store) Open(_ context.Context, reference string) (keys.Signer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key, ok := s.memory[reference]; ok {
		return key, nil
	}
	if s.Dir == "" || reference != filepath.Base(reference) {
		return nil, fmt.Errorf("no key %q: %w", reference, fs.ErrNotExist)
	}
	return Load(s.path(reference))
}

// Discard deletes a key. One that is gone already is no error.
func (s *Store) Discard(_ context.Context, reference string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.memory, reference)
	if s.Dir == "" || reference != filepath.Base(reference) {
		return nil
	}
	if err := os.Remove(s.path(reference)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting key file: %w", err)
	}
	return nil
}

func (s *Store) path(reference string) string { return filepath.Join(s.Dir, reference+".pem") }
