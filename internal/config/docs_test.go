package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// docs/CONFIG.md and docs/THREATS.md name every exception that a client can have.
func TestExceptionsAreDescribed(t *testing.T) {
	for _, file := range []string{"../../docs/CONFIG.md", "../../docs/THREATS.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range client.All() {
			if !strings.Contains(string(text), "`"+e.Key) {
				t.Errorf("%s says nothing about %s", file, e.Key)
			}
		}
	}
}

// docs/CONFIG.md names every key that is read.
func TestKeysAreDescribed(t *testing.T) {
	source, err := os.ReadFile("read.go")
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("../../docs/CONFIG.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`\bm\.(?:string|strings|names|bool|span|under|each)\("(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(keys) < 40 {
		t.Fatalf("only %d keys are read", len(keys))
	}
	for _, key := range keys {
		if !strings.Contains(string(document), "`"+key[1]+"`") {
			t.Errorf("docs/CONFIG.md does not say what %s is", key[1])
		}
	}
}
