package env_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/env"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadFile(t *testing.T) {
	got, err := env.ReadFile(write(t, "# Google\nGOOGLE_CLIENT_ID=123-abc.apps\r\nexport A = b # why\n\nQUOTED=\"a # b\" # c\nSINGLE='$x'\nEMPTY=\nURL=https://x.example/#f\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"GOOGLE_CLIENT_ID": "123-abc.apps", "A": "b", "QUOTED": "a # b", "SINGLE": "$x", "EMPTY": "", "URL": "https://x.example/#f"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadFileMistakes(t *testing.T) {
	path := write(t, "hunter2\nA=\"open\nB=1\n2=x\n")
	_, err := env.ReadFile(path)
	want := ":1: want NAME=value\n:2: A: the quotes do not end with the value\n:4: want NAME=value"
	if err == nil || strings.ReplaceAll(err.Error(), path, "") != want {
		t.Errorf("%v", err)
	}
	if err != nil && strings.Contains(err.Error(), "hunter2") {
		t.Error("the error shows what may be a secret")
	}
}
