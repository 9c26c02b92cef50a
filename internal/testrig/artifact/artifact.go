// Package artifact keeps what tests make at great cost, so that the test programs
// of one run, and of later runs, share it.
package artifact

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// unusedFor is how long an artifact stays that no test asks for.
const unusedFor = 7 * 24 * time.Hour

// Folder returns the folder of an artifact of a kind, in the user's cache. The key
// names all that the artifact depends on; it is a file name, such as a hash. The
// first that asks has make fill the folder, and others wait for it. If make fails,
// there is no artifact, and the next that asks tries again. No test may change
// the folder.
func Folder(kind, key string, make func(folder string) error) (string, error) {
	folder, unlock, err := Lock(kind, key)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return folder, err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(folder), "unfinished-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(unfinished)
	if err := make(unfinished); err != nil {
		return "", err
	}
	return folder, os.Rename(unfinished, folder)
}

// Lock returns the path of an artifact, which may not be there yet, and keeps every
// other process from it until unlock is called. It removes artifacts of the kind
// that were not used for a week.
func Lock(kind, key string) (path string, unlock func(), err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", nil, err
	}
	parent := filepath.Join(cache, "gatehouse-test", kind)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", nil, err
	}
	path = filepath.Join(parent, key)
	unlock, err = lockedfile.MutexAt(path + ".lock").Lock()
	if err != nil {
		return "", nil, fmt.Errorf("locking %s: %w", path, err)
	}
	now := time.Now()
	if err := os.Chtimes(path, now, now); errors.Is(err, fs.ErrNotExist) {
		sweep(parent, now.Add(-unusedFor))
	}
	return path, unlock, nil
}

// sweep removes what was not used since then. Lock files stay: a process may wait
// for one.
func sweep(parent string, since time.Time) {
	entries, _ := os.ReadDir(parent)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.ModTime().Before(since) && filepath.Ext(e.Name()) != ".lock" {
			os.RemoveAll(filepath.Join(parent, e.Name())) // what stays is removed next time
		}
	}
}
