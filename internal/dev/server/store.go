package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

// store is what a run keeps: the table and the signing keys.
type store struct {
	table *bolttable.Table
	keys  *localkey.Store
	first string // the reference of the first key
	drop  string // the folder to delete at the end; "" if there is nothing to delete

	inUse sync.WaitGroup // who works on it without having been asked to
}

// openStore opens the table and the keys in dir, and creates what is not there.
// With dir "" both are made for this run alone.
func openStore(ctx context.Context, dir string) (*store, error) {
	s := &store{keys: &localkey.Store{}}
	keep := dir != ""
	if !keep {
		var err error
		if dir, err = os.MkdirTemp("", "gatehouse-dev-"); err != nil {
			return nil, fmt.Errorf("making a throw-away folder: %w", err)
		}
		s.drop = dir
	}
	made := make(chan error, 1)
	if !keep { // finding primes takes longest: begin at once
		go func() {
			var err error
			s.first, _, err = s.keys.Create(ctx)
			made <- err
		}()
	}
	t, err := bolttable.Open(filepath.Join(dir, "gatehouse.db"), bolttable.Options{UnsafeNoSync: !keep})
	s.table = t
	if err == nil && keep {
		s.keys.Dir, s.first = dir, "key"
		err = checkKey(filepath.Join(dir, "key.pem")) // the table is ours alone, so is the key
	}
	if !keep {
		err = errors.Join(err, <-made)
		// An open file needs no name, but on Windows: so nothing is left behind by
		// a process that is killed.
		if err == nil && os.RemoveAll(dir) == nil {
			s.drop = ""
		}
	}
	switch {
	case errors.Is(err, bolttable.ErrInUse):
		return nil, fmt.Errorf("%s is in use by another gatehouse dev: stop that one, or choose another folder with --data", dir)
	case err != nil:
		s.close()
		return nil, fmt.Errorf("opening the data folder %s: %w", dir, err)
	}
	return s, nil
}

// checkKey makes the key in the file, if it is not there.
func checkKey(path string) error {
	_, err := localkey.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = localkey.Create(path)
	}
	return err
}

func (s *store) close() error {
	s.inUse.Wait()
	var err error
	if s.table != nil {
		err = s.table.Close()
	}
	if s.drop != "" {
		err = errors.Join(err, os.RemoveAll(s.drop))
	}
	return err
}
