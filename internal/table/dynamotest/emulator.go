package dynamotest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Endpoint starts an emulator of DynamoDB, empty and in memory, that ends with
// the test, and returns its URL. Where npm has not installed the emulator, it
// skips the test, unless this is CI: then it fails it.
func Endpoint(t testing.TB, getenv func(string) string) string {
	t.Helper()
	binary, err := findEmulator()
	if err != nil {
		if getenv(ciEnv) == "true" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED, DynamoDB is not tested here: %v", err)
	}
	for range 5 { // another process may take the port in between
		var endpoint string
		if endpoint, err = startEmulator(t, binary); err == nil {
			return endpoint
		}
	}
	t.Fatal(err)
	return ""
}

// findEmulator looks where npm puts what package.json names: in this folder or
// one above it.
func findEmulator() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		found, err := filepath.Glob(filepath.Join(dir, "node_modules", "@dynoxide", "*", "dynoxide*"))
		if err == nil && len(found) > 0 {
			return found[0], nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no emulator under node_modules/@dynoxide: run npm ci in the folder of package.json")
		}
		dir = parent
	}
}

func startEmulator(t testing.TB, binary string) (endpoint string, err error) {
	t.Helper()
	addr, err := freeAddr()
	if err != nil {
		return "", err
	}
	host, port, _ := net.SplitHostPort(addr)
	var output bytes.Buffer
	cmd := exec.Command(binary, "--host", host, "--port", port)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for isUp := false; ; {
		select {
		case err := <-ended:
			return "", fmt.Errorf("the emulator ended: %v\n%s", err, &output)
		case <-time.After(3 * time.Millisecond):
		}
		if isUp { // and still runs, so that it is the one who answers
			t.Cleanup(func() { cmd.Process.Kill(); <-ended })
			return "http://" + addr, nil
		}
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			isUp = true
		}
	}
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
