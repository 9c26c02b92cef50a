package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/connectiontest"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/testkit"
)

func TestChat(t *testing.T) {
	now := time.Now()
	told := map[string][]string{} // by connection
	gone := errors.New("out of reach")
	room := &chat{
		store: &connectiontest.Memory{}, now: func() time.Time { return now }, log: slog.New(slog.DiscardHandler),
		send: func(_ context.Context, id string, data []byte) error {
			switch id {
			case "left":
				return connection.ErrGone
			case "lost":
				return gone
			}
			told[id] = append(told[id], string(data))
			return nil
		},
	}
	for id, ends := range map[string]time.Duration{"ada": 10 * time.Minute, "lin": time.Minute, "left": time.Minute, "lost": time.Minute} {
		if err := room.store.Remember(t.Context(), connection.Connection{ID: id, ExpiresAt: now.Add(ends)}); err != nil {
			t.Fatal(err)
		}
	}
	says := func(who identity.Identity, route, body string, want int) {
		t.Helper()
		clear(told)
		out, err := room.handle(identity.NewContext(t.Context(), who), testkit.WebSocket(who, route, body))
		if err != nil || out.StatusCode != want {
			t.Errorf("%d, %v, want %d", out.StatusCode, err, want)
		}
	}
	heard := func(want map[string][]string) {
		t.Helper()
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
	}
	ada := testkit.As("ada")

	t.Run("everybody hears it, and who said it", func(t *testing.T) {
		says(ada, "$default", `{"from":"Lin","text":"hello"}`, 200)
		heard(map[string][]string{"ada": {`{"from":"Ada","text":"hello"}`}, "lin": {`{"from":"Ada","text":"hello"}`}})
	})
	t.Run("S127 but not those whose token has ended", func(t *testing.T) {
		now = now.Add(time.Minute)
		says(ada, "$default", `{"text":"Lin?"}`, 200)
		heard(map[string][]string{"ada": {`{"from":"Ada","text":"Lin?"}`}})
	})
	t.Run("what is no message", func(t *testing.T) {
		for _, body := range []string{"", "{}", `{"text":" "}`, "hello", `{"text":"` + strings.Repeat("a", maxText+1) + `"}`} {
			says(ada, "$default", body, 400)
		}
		says(identity.Identity{}, "$default", `{"text":"hello"}`, 401)
		heard(map[string][]string{})
	})
	t.Run("coming and going", func(t *testing.T) {
		says(ada, "$connect", "", 200)
		says(ada, "$disconnect", "", 200)
		heard(map[string][]string{})
	})
	t.Run("nobody can be found", func(t *testing.T) {
		room.store.(*connectiontest.Memory).Err = gone
		if _, err := room.handle(identity.NewContext(t.Context(), ada), testkit.WebSocket(ada, "$default", `{"text":"hello"}`)); !errors.Is(err, gone) {
			t.Error(err)
		}
	})
}

func TestBuild(t *testing.T) {
	cfg := aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
	if _, err := build(cfg, func(string) string { return "" }, nil); err == nil {
		t.Error("built without its environment")
	}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Amz-Target"))
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Write([]byte("{}"))
	}))
	defer server.Close()
	cfg.BaseEndpoint = &server.URL
	handle, err := build(cfg, func(name string) string {
		return map[string]string{"CHAT_TABLE": "chat", "CHAT_CONNECTIONS": server.URL + "/prod"}[name]
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("S127 a message after the end of its token", func(t *testing.T) {
		late := testkit.As("lin", testkit.Expired())
		out, err := handle(t.Context(), testkit.WebSocket(late, "$default", `{"text":"hello"}`))
		if err != nil || out.StatusCode != 401 {
			t.Errorf("%d, %v", out.StatusCode, err)
		}
		want := []string{"DELETE /prod/@connections/testkit ", "POST / DynamoDB_20120810.DeleteItem"}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a handshake", func(t *testing.T) {
		asked = nil
		out, err := handle(t.Context(), testkit.WebSocket(testkit.As("lin"), "$connect", ""))
		if err != nil || out.StatusCode != 200 {
			t.Errorf("%d, %v", out.StatusCode, err)
		}
		if diff := cmp.Diff([]string{"POST / DynamoDB_20120810.PutItem"}, asked); diff != "" {
			t.Error(diff)
		}
	})
}
