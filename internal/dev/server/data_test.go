package server_test

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

func TestDataStays(t *testing.T) {
	t.Parallel()
	o := server.Options{Data: filepath.Join(t.TempDir(), "state")}
	first, err := server.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Addr, o.DemoAddr = strings.TrimPrefix(first.Issuer, "http://"), strings.TrimPrefix(first.DemoURL, "http://")
	rawToken := tokens(t, first, "lin").AccessToken
	before := ask(t, "GET", first.Issuer+"/me", rawToken).json(t)

	t.Run("a second process is told so", func(t *testing.T) {
		_, err := server.Start(t.Context(), server.Options{Data: o.Data})
		want := o.Data + " is in use by another gatehouse dev: stop that one, or choose another folder with --data"
		if err == nil || err.Error() != want {
			t.Errorf("%v", err)
		}
	})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	o.Observe = func(x gateway.Exchange) {
		if x.Status >= 500 {
			t.Logf("%+v", x)
		}
	}
	second := running(t, o)
	t.Run("a token of the first run is good in the second", func(t *testing.T) {
		if after := ask(t, "GET", second.Issuer+"/me", rawToken).json(t); after["id"] != before["id"] || after["id"] == nil {
			t.Errorf("%v, before %v", after, before)
		}
	})
	t.Run("the person is the same user", func(t *testing.T) {
		again := ask(t, "GET", second.Issuer+"/me", tokens(t, second, "lin").AccessToken).json(t)
		if again["id"] != before["id"] {
			t.Errorf("%v, before %v", again, before)
		}
	})
	t.Run("the key is for its owner alone", func(t *testing.T) {
		info, err := os.Stat(filepath.Join(o.Data, "key.pem"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
	})
}

// A run without a folder leaves nothing behind, and where files can be deleted
// while they are open, not even if it is killed.
func TestNoTrace(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s, err := server.Start(t.Context(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 && runtime.GOOS != "windows" {
		t.Errorf("a kill would leave behind: %v", left)
	}
	for range 3 {
		if status := ask(t, "GET", s.Issuer+"/me", tokens(t, s, "lin").AccessToken).status; status != 200 {
			t.Error("the table does not work:", status)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWhyNotStarted(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	google := file("google.yml", "providers: [{id: google, client_id_env: ID, client_secret_env: SECRET}]\n")

	for _, row := range []struct {
		name string
		o    server.Options
		want string
	}{
		{"a port in use", server.Options{Addr: taken.Addr().String()},
			taken.Addr().String() + " is in use: stop what listens there, or choose another port with --addr localhost:PORT"},
		{"the provider's port in use", server.Options{DemoAddr: taken.Addr().String()},
			taken.Addr().String() + " is in use: stop what listens there, or choose another port with --demo-addr localhost:PORT"},
		{"for all the world", server.Options{Addr: "0.0.0.0:0"},
			"--addr 0.0.0.0:0: anyone can sign in as anyone here, so it listens only on localhost, an address of 127.0.0.0/8, or ::1"},
		{"no port", server.Options{Addr: "localhost"}, "--addr localhost: want a host and a port, such as localhost:8787"},
		{"a configuration that is not there", server.Options{Config: filepath.Join(dir, "absent.yml")},
			"--config: open " + filepath.Join(dir, "absent.yml") + ": no such file or directory"},
		{"a configuration with mistakes", server.Options{Config: file("bad.yml", "isuer: x\nadmins: [ada]\n")},
			filepath.Join(dir, "bad.yml") + " has 2 mistakes:\n" +
				filepath.Join(dir, "bad.yml") + ":1: isuer: unknown key; did you mean \"issuer\"?\n" +
				filepath.Join(dir, "bad.yml") + `:2: admins[1]: want an e-mail address such as ada@example.com, not "ada"`},
		{"an unknown provider", server.Options{Config: file("provider.yml", "providers: [{id: gogle, client_id: x}]\n")},
			filepath.Join(dir, "provider.yml") + " has 1 mistake:\n" +
				filepath.Join(dir, "provider.yml") + `:1: providers[1]: unknown provider "gogle"; did you mean "google"? (or say where it is, with issuer: https://…)`},
		{"a provider without its variables", server.Options{Config: google, EnvFile: ".env"},
			".env: ID, SECRET is not set, and Google needs it to sign people in"},
		{"a client of our name", server.Options{Config: file("client.yml", "clients: [{id: demo-spa, redirect_uris: [https://a.example/]}]\n")},
			`client "demo-spa": gatehouse dev has one of that id: choose another`},
		{"a template that is not there", server.Options{Template: filepath.Join(dir, "absent.yml")},
			"--template: open " + filepath.Join(dir, "absent.yml") + ": no such file or directory"},
		{"an upstream without a scheme", server.Options{Upstream: "localhost:3000"},
			"--upstream localhost:3000: want the address of your API, such as http://localhost:3000"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, err := server.Start(t.Context(), row.o)
			if err == nil {
				s.Close()
			}
			if err == nil || err.Error() != row.want {
				t.Errorf("told:\n%v\nwant:\n%s", err, row.want)
			}
		})
	}
}

// A provider whose variables are not set is left out, unless a file of them was
// named: then somebody meant to use it.
func TestProviders(t *testing.T) {
	t.Parallel()
	if s := running(t, server.Options{}); len(s.Providers) != 0 {
		t.Errorf("%v", s.Providers)
	}
	set := func(name string) string {
		return map[string]string{"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret"}[name]
	}
	s := running(t, server.Options{Getenv: set, EnvFile: ".env"})
	if len(s.Providers) != 1 || s.Providers[0] != "Google" {
		t.Errorf("%v", s.Providers)
	}
	if rawToken := tokens(t, s, "lin").AccessToken; rawToken == "" { // chooses the demo provider
		t.Error("no token")
	}
}

// TestWeakSecretIsTold wants a warning at the start, which names the variable and
// not the secret.
func TestWeakSecretIsTold(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "gatehouse.yml")
	text := "clients: [{id: web, secret_env: WEB_SECRET, redirect_uris: [https://a.example/]}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	s, err := server.Start(t.Context(), server.Options{
		Config: path, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Getenv: func(name string) string { return map[string]string{"WEB_SECRET": "hunter22"}[name] },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if said := log.String(); !strings.Contains(said, "WEB_SECRET has 8 characters") || strings.Contains(said, "hunter22") {
		t.Errorf("got %q", said)
	}
}
