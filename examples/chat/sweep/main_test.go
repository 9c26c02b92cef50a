package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/connection"
)

// feed is a revocation feed with these entries.
func feed(t *testing.T, document string) *authorizer.Feed {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, document) }))
	t.Cleanup(server.Close)
	f, err := authorizer.NewFeed(authorizer.FeedConfig{URL: server.URL, Log: slog.New(slog.DiscardHandler), Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRevoked(t *testing.T) {
	// The first twelve bytes of SHA-256 of "session:s_lin" and "subject:u_lin".
	const session, lin = "wcRNpQIJwYPSqcSc", "b-mjMPSODggZ1jgQ"
	opened := time.Unix(1_800_000_000, 0)
	c := connection.Connection{ID: "a=", Subject: "u_lin", SessionID: "s_lin", OpenedAt: opened, ExpiresAt: opened.Add(10 * time.Minute)}
	for name, tc := range map[string]struct {
		document string
		want     bool
	}{
		"S127 nobody":                            {`{"version":1,"sessions":[],"subjects":{}}`, false},
		"S127 the session was ended":             {`{"version":1,"sessions":["` + session + `"],"subjects":{}}`, true},
		"S127 the user was suspended since":      {`{"version":1,"sessions":[],"subjects":{"` + lin + `":1800000060}}`, true},
		"S127 just before the connection opened": {`{"version":1,"sessions":[],"subjects":{"` + lin + `":1799999995}}`, true},
		"S127 long before the connection opened": {`{"version":1,"sessions":[],"subjects":{"` + lin + `":1799999000}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := revoked(feed(t, tc.document))(t.Context(), c)
			if got != tc.want || err != nil {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestBuild(t *testing.T) {
	cfg := aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
	log := slog.New(slog.DiscardHandler)
	env := map[string]string{}
	getenv := func(name string) string { return env[name] }
	if _, err := build(cfg, getenv, log); err == nil {
		t.Error("built without its environment")
	}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("X-Amz-Target"))
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		io.WriteString(w, `{"Count":0,"Items":[]}`)
	}))
	defer server.Close()
	cfg.BaseEndpoint = &server.URL
	env["CHAT_TABLE"], env["CHAT_CONNECTIONS"] = "chat", server.URL+"/prod"
	if _, err := build(cfg, getenv, log); err == nil {
		t.Error("built without an issuer")
	}
	env["GATEHOUSE_ISSUER"] = "https://auth.example.com"
	run, err := build(cfg, getenv, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second) // as in AWS
	defer cancel()
	if err := run(ctx); err != nil {
		t.Error(err)
	}
	if len(asked) != 16 || !strings.HasSuffix(asked[0], ".Query") {
		t.Errorf("asked %q", asked)
	}
}
