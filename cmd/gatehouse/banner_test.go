package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

const screen = `gatehouse dev · local mode: throw-away table and RS256 key, nothing leaves this machine

  Start here        http://localhost:8787/               guided tour, 3 clicks
  Sign in           http://localhost:8787/login
  Demo API          http://localhost:8787/demo/hello     behind the authorizer
  Your account      http://localhost:8787/account
  Admin             http://localhost:8787/admin          sign in as Ada
  Discovery, keys   http://localhost:8787/.well-known/openid-configuration   /.well-known/jwks.json
  Demo provider     http://127.0.0.1:8788/               Ada (admin) · Lin (user) · Sam (suspended)

  Without a browser:
    curl -i http://localhost:8787/demo/hello
    TOKEN=$(go run ./cmd/gatehouse token --as lin)
    curl -s http://localhost:8787/demo/hello -H "Authorization: Bearer $TOKEN"

  Your own API behind it:  gatehouse dev --upstream http://localhost:3000
  Real Google sign-in:     gatehouse dev --env .env        (docs/GOOGLE.md)
  ready in 0.30 s · Ctrl-C stops · --data DIR keeps the state
`

func text(t *testing.T, c *devCommand, s *server.Server, colour bool) string {
	t.Helper()
	var out strings.Builder
	b := newBanner(c, &process{self: "go run ./cmd/gatehouse"}, s, 300*time.Millisecond)
	if err := b.writeText(&out, colour); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestBanner(t *testing.T) {
	s := &server.Server{Issuer: "http://localhost:8787", DemoURL: "http://127.0.0.1:8788"}
	if diff := cmp.Diff(screen, text(t, &devCommand{}, s, false)); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(text(t, &devCommand{}, s, false), "\x1b") || !strings.Contains(text(t, &devCommand{}, s, true), "\x1b") {
		t.Error("colour, or none, against what was asked")
	}
}

// Whatever is added to the block, it stays on one screen.
func TestBannerIsShort(t *testing.T) {
	s := &server.Server{Issuer: "http://localhost:9999", DemoURL: "http://127.0.0.1:8788", Providers: []string{"Google"}}
	got := text(t, &devCommand{Data: "./state", Upstream: "http://localhost:3000"}, s, false)
	if lines := strings.Count(got, "\n"); lines > 24 {
		t.Errorf("%d lines", lines)
	}
	for _, want := range []string{
		"local mode: table and RS256 key in ./state, sign-in at Google too\n",
		"token --as lin --url http://localhost:9999)", "from http://localhost:3000\n", "the state stays in ./state\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%s", want, got)
		}
	}
	if strings.Contains(got, "nothing leaves this machine") {
		t.Error("people's browsers go to Google")
	}
}
