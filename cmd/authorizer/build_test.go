package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func variables(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestBuild(t *testing.T) {
	good := []string{"GATEHOUSE_ISSUER", "https://auth.example.com", "GATEHOUSE_AUDIENCE", "https://api.example.com"}
	for _, test := range []struct {
		name  string
		env   []string
		files map[string]string
		want  []string // parts of the error; none: it is built
	}{
		{"issuer and audience are enough", good, nil, nil},
		{"a policy", good, map[string]string{"policy.json": `{"rules":[{"route":"GET /a","roles":["admin"]}]}`}, nil},
		{"a fresh route", good, map[string]string{"policy.json": `{"rules":[{"route":"GET /a","fresh":true}]}`}, nil},
		{"I11 nothing", nil, nil, []string{"GATEHOUSE_ISSUER: not set", "GATEHOUSE_AUDIENCE: not set"}},
		{"an issuer in the clear", []string{"GATEHOUSE_ISSUER", "http://auth.example.com"}, nil, []string{"GATEHOUSE_ISSUER: want https", "GATEHOUSE_AUDIENCE"}},
		{"an unknown kind of answer", append([]string{"GATEHOUSE_ANSWER", "xml"}, good...), nil, []string{"GATEHOUSE_ANSWER"}},
		{"a cookie", append([]string{"GATEHOUSE_COOKIE", "__Host-t", "GATEHOUSE_ORIGINS", "https://a.example.com https://b.example.com"}, good...), nil, nil},
		{"a cookie for every page", append([]string{"GATEHOUSE_COOKIE", "__Host-t"}, good...), nil, []string{"Cookie without Origins"}},
		{"an unknown refusal", append([]string{"GATEHOUSE_REFUSAL", "418"}, good...), nil, []string{"GATEHOUSE_REFUSAL: want forbidden or unauthorized"}},
		{"neither on nor off", append([]string{"GATEHOUSE_REVOCATIONS", "1"}, good...), nil, []string{"GATEHOUSE_REVOCATIONS: want on or off"}},
		{"a fresh route, where the feed is off", append([]string{"GATEHOUSE_REVOCATIONS", "off"}, good...),
			map[string]string{"policy.json": `{"rules":[{"route":"GET /a","fresh":true}]}`}, nil},
		{"a broken policy", good, map[string]string{"policy.json": `{"rules":[{"route":"/a"}]}`}, []string{"policy.json", `route "/a"`}},
		{"other issuers", good, map[string]string{"issuers.json": `[{"issuer":"https://acme.auth0.com/","profile":"auth0","audiences":["api"],"max_age":"30m"}]`}, nil},
		{"an issuer of an unknown profile", good, map[string]string{"issuers.json": `[{"issuer":"https://acme.auth0.com/","profile":"oauth","audiences":["api"]}]`}, []string{"https://acme.auth0.com/", `profile "oauth"`}},
		{"issuers that cannot be read", good, map[string]string{"issuers.json": `[{"issuer":"https://acme.auth0.com/","audience":"api"}]`}, []string{"issuers.json", "audience"}},
		{"broken keys", good, map[string]string{"jwks.json": "<html>"}, []string{"embedded key set"}},
		{"a policy that IAM cannot say", append([]string{"GATEHOUSE_ANSWER", "iam"}, good...),
			map[string]string{"policy.json": `{"rules":[{"route":"ANY /a/{proxy+}"},{"route":"GET /a/b","roles":["admin"]}]}`}, []string{"IAM policy"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			for name, content := range test.files {
				if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := build(variables(append([]string{"LAMBDA_TASK_ROOT", folder}, test.env...)...), slog.New(slog.DiscardHandler))
			if (err == nil) != (len(test.want) == 0) {
				t.Fatalf("err = %v", err)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v\nwant: %s", err, part)
				}
			}
		})
	}
	t.Run("a missing policy is said aloud", func(t *testing.T) {
		var log bytes.Buffer
		if _, err := build(variables(append([]string{"LAMBDA_TASK_ROOT", t.TempDir()}, good...)...), slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), "no policy.json") {
			t.Errorf("logged %q", log.String())
		}
	})
}

// TestSettings wants settings.json to stand for the variables that the function
// does not set, and a variable to take its place.
func TestSettings(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, "settings.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := func(variables map[string]string) error {
		_, err := build(func(name string) string {
			if name == "LAMBDA_TASK_ROOT" {
				return folder
			}
			return variables[name]
		}, slog.New(slog.DiscardHandler))
		return err
	}
	if err := start(nil); err == nil || !strings.Contains(err.Error(), "GATEHOUSE_ISSUER") {
		t.Errorf("without settings: %v", err)
	}
	write(`{"GATEHOUSE_ISSUER":"https://auth.example.com","GATEHOUSE_AUDIENCE":"https://api.example.com"}`)
	if err := start(nil); err != nil {
		t.Error(err)
	}
	if err := start(map[string]string{"GATEHOUSE_ISSUER": "not a URL"}); err == nil {
		t.Error("a variable of the function is passed over")
	}
	for _, text := range []string{"", "[]", "{", `{"GATEHOUSE_ISSUER":1}`} {
		write(text)
		if err := start(nil); err == nil || !strings.Contains(err.Error(), "settings.json") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
