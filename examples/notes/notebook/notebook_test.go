package notebook

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/testkit"
)

func TestNotes(t *testing.T) {
	n := &Notebook{}
	ada, lin := testkit.As("ada"), testkit.As("lin")
	request := func(who identity.Identity, method, body string) events.APIGatewayV2HTTPRequest {
		return testkit.HTTP(who, method, "/notes", body)
	}

	want := func(t *testing.T, event events.APIGatewayV2HTTPRequest, status int, body string) {
		t.Helper()
		got, err := n.Handle(t.Context(), event)
		if err != nil || got.StatusCode != status || got.Body != body {
			t.Errorf("%d %s %v, want %d %s", got.StatusCode, got.Body, err, status, body)
		}
	}

	t.Run("a user begins with none", func(t *testing.T) {
		want(t, request(ada, "GET", ""), 200, `[]`)
	})
	t.Run("adds some", func(t *testing.T) {
		want(t, request(ada, "POST", `{"text":"buy milk"}`), 201, `{"text":"buy milk"}`)
		encoded := request(ada, "POST", base64.StdEncoding.EncodeToString([]byte(`{"text":"call Lin"}`)))
		encoded.IsBase64Encoded = true
		want(t, encoded, 201, `{"text":"call Lin"}`)
		want(t, request(ada, "GET", ""), 200, `[{"text":"buy milk"},{"text":"call Lin"}]`)
	})
	t.Run("and sees nobody else's", func(t *testing.T) {
		want(t, request(lin, "GET", ""), 200, `[]`)
	})
	t.Run("what is no note", func(t *testing.T) {
		for _, body := range []string{"", "{}", "null", `{"text":" "}`, `{"text":1}`, `{"text":"` + strings.Repeat("a", 1001) + `"}`} {
			want(t, request(ada, "POST", body), 400, `{"message":"want {\"text\": \"…\"}"}`)
		}
	})
	t.Run("too many", func(t *testing.T) {
		for range maxNotes {
			n.add("u_kim", note{"again"})
		}
		want(t, request(testkit.As("kim"), "POST", `{"text":"one more"}`), 409, `{"message":"too many notes"}`)
	})
	t.Run("nobody", func(t *testing.T) {
		want(t, events.APIGatewayV2HTTPRequest{}, 401, `{"message":"Unauthorized"}`)
		want(t, request(identity.Identity{Roles: []string{"admin"}}, "GET", ""), 401, `{"message":"Unauthorized"}`)
	})
	t.Run("another method", func(t *testing.T) {
		want(t, request(ada, "DELETE", ""), 405, `{"message":"Method Not Allowed"}`)
	})
}
