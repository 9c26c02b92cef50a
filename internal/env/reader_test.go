package env_test

import (
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/env"
)

func reader(settings map[string]string) *env.Reader {
	return &env.Reader{Get: func(name string) string { return settings[name] }}
}

func TestReader(t *testing.T) {
	r := reader(map[string]string{
		"ISSUER": "https://auth.example.com", "AUDIENCE": "api", "TTL": "90s",
	})
	if got := r.URL("ISSUER"); got != "https://auth.example.com" {
		t.Errorf("URL: %q", got)
	}
	if got := r.String("AUDIENCE"); got != "api" {
		t.Errorf("String: %q", got)
	}
	if got := r.Duration("TTL", time.Hour); got != 90*time.Second {
		t.Errorf("Duration: %v", got)
	}
	if got := r.Duration("UNSET", time.Hour); got != time.Hour {
		t.Errorf("Duration of an unset name: %v", got)
	}
	if got := r.Optional("UNSET", "x"); got != "x" {
		t.Errorf("Optional of an unset name: %q", got)
	}
	if err := r.Err(); err != nil {
		t.Errorf("Err: %v", err)
	}
}

func TestAllMistakesTogether(t *testing.T) {
	r := reader(map[string]string{"ISSUER": "http://auth.example.com", "TTL": "soon"})
	r.URL("ISSUER")
	r.String("AUDIENCE")
	r.Duration("TTL", 0)
	want := `ISSUER: want https; plain http is only for this machine: write "https://auth.example.com"
AUDIENCE: not set
TTL: want a span of time such as 10m or 90s, not "soon"`
	if err := r.Err(); err == nil || err.Error() != want {
		t.Errorf("Err:\n%v\nwant:\n%s", err, want)
	}
}

func TestCheckURL(t *testing.T) {
	for _, good := range []string{
		"https://auth.example.com", "https://auth.example.com/gatehouse", "https://auth.example.com:8443",
		"http://localhost:8787", "http://127.0.0.1:8788", "http://[::1]:8787",
	} {
		if err := env.CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "auth.example.com", "https://", "https:auth.example.com", "ftp://auth.example.com",
		"http://auth.example.com", "http://127.0.0.1.evil.example", "http://10.0.0.1", "https://auth.example.com/",
		"https://auth.example.com?x=1", "https://auth.example.com?", "https://auth.example.com#f", "https://auth.example.com#",
		"https://me@auth.example.com", "https://Auth.example.com", "HTTPS://auth.example.com", "https://auth.example.com/a b", "\x00",
	} {
		if env.CheckURL(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
