package artifact_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/artifact"
)

func inOwnCache(t *testing.T) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", "")
}

func TestFolder(t *testing.T) {
	inOwnCache(t)
	var made atomic.Int32
	get := func(key string) string {
		folder, err := artifact.Folder("test", key, func(folder string) error {
			made.Add(1)
			return os.WriteFile(filepath.Join(folder, "file"), []byte(key), 0o600)
		})
		if err != nil {
			t.Error(err)
			return ""
		}
		text, err := os.ReadFile(filepath.Join(folder, "file"))
		if err != nil || string(text) != key {
			t.Errorf("artifact %s: %q, %v", key, text, err)
		}
		return folder
	}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { get("one") })
	}
	group.Wait()
	if n := made.Load(); n != 1 {
		t.Errorf("twenty that ask at once have it made %d times", n)
	}
	if get("one") == get("two") {
		t.Error("two keys share a folder")
	}
}

func TestFolderThatFails(t *testing.T) {
	inOwnCache(t)
	broken := errors.New("broken")
	_, err := artifact.Folder("test", "key", func(folder string) error {
		if err := os.WriteFile(filepath.Join(folder, "half"), nil, 0o600); err != nil {
			t.Error(err)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	folder, err := artifact.Folder("test", "key", func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "half")); err == nil {
		t.Error("what a failure left is in the next artifact")
	}
}

func TestUnusedArtifactsGo(t *testing.T) {
	inOwnCache(t)
	get := func(key string) string {
		folder, err := artifact.Folder("test", key, func(string) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		return folder
	}
	used, unused := get("used"), get("unused")
	old := time.Now().Add(-8 * 24 * time.Hour)
	for _, folder := range []string{used, unused} {
		if err := os.Chtimes(folder, old, old); err != nil {
			t.Fatal(err)
		}
	}
	get("used")
	get("another")
	if _, err := os.Stat(used); err != nil {
		t.Errorf("one that is used: %v", err)
	}
	if _, err := os.Stat(unused); err == nil {
		t.Error("one that no test used for eight days is still there")
	}
}
