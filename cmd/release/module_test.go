package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const tag = "v0.99.0"

var install = flag.Bool("install", false, "also install the command from the module proxy, which compiles all of it again")

// serve makes a module proxy of files that has this repository as it is committed, under
// tag, and returns its URL.
func serve(t *testing.T) string {
	t.Helper()
	proxy := t.TempDir()
	at := filepath.Join(proxy, filepath.FromSlash(modulePath), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	goMod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"list": tag + "\n", tag + ".info": `{"Version":"` + tag + `"}`, tag + ".mod": string(goMod)} {
		if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(filepath.Join(at, tag+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	committed := t.TempDir() // zip's own way by Git takes no worktree
	archive := exec.CommandContext(t.Context(), "sh", "-c", "git -C ../.. archive HEAD | tar -x -C "+committed)
	if out, err := archive.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := zip.CreateFromDir(f, module.Version{Path: modulePath, Version: tag}, committed); err != nil {
		t.Fatal(err)
	}
	return "file://" + proxy
}

// A team gets a tag of this repository from a module proxy, and needs nothing else.
func TestModuleProxy(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a program of its own")
	}
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	downloads := "file://" + strings.TrimSpace(string(cache)) + "/cache/download" // every other module is here: nothing is fetched
	proxies, dir := serve(t)+","+downloads, t.TempDir()
	modules := filepath.Join(dir, "modules")
	run := func(in string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = in
		cmd.Env = append(os.Environ(), "GOPROXY="+proxies, "GOSUMDB=off", "GONOSUMDB=*", "GOFLAGS=-mod=mod -modcacherw", "GOMODCACHE="+modules, "GOBIN="+dir, "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	t.Run("go get, and functions with their tests", func(t *testing.T) {
		team := filepath.Join(dir, "team")
		for name, text := range map[string]string{
			"go.mod": "module team\n\ngo 1.26\n",
			"hello.go": `package team

import "` + modulePath + `/identity"

func Greet(who identity.Identity) string { return "hello " + who.Subject }
`,
			"hello_test.go": `package team

import (
	"testing"

	"` + modulePath + `/identity"
	"` + modulePath + `/identity/testkit"
)

func TestGreet(t *testing.T) {
	if testkit.As("ada").Subject == "" || Greet(identity.Identity{Subject: "u_ada"}) != "hello u_ada" {
		t.Error("another caller")
	}
}
`,
		} {
			if err := os.MkdirAll(team, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(team, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		run(team, "get", modulePath+"@"+tag)
		run(team, "mod", "tidy")
		run(team, "test", "./...")
	})
	if !*install {
		return
	}
	t.Run("go install of the command", func(t *testing.T) {
		run(dir, "install", modulePath+"/cmd/gatehouse@"+tag)
		out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "gatehouse"), "version").Output()
		if err != nil || !strings.HasPrefix(string(out), "gatehouse "+tag+" ") {
			t.Errorf("%s %v", out, err)
		}
	})
}
