package identity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/identity"
)

func TestFromEvent(t *testing.T) {
	const flat = `{"sub":"u_ada","email":"ada@example.com","name":"Ada Löwe","roles":"user admin","scope":"openid notes:write",
		"client_id":"shop-spa","sid":"s_1","auth_time":1700000000,"exp":1700000600`
	// REST and WebSocket APIs turn numbers into strings and add keys of their own.
	numbersAsStrings := strings.NewReplacer("1700000000", `"1700000000"`, "1700000600", `"1700000600"`).Replace(flat)
	rest := numbersAsStrings + `,"principalId":"u_ada","integrationLatency":3}`

	t.Run("HTTP API", func(t *testing.T) {
		e := decode[events.APIGatewayV2HTTPRequest](t, `{"version":"2.0","requestContext":{"authorizer":{"lambda":`+flat+`}}}}`)
		wantAda(t)(identity.FromEvent(e))
	})
	t.Run("REST API", func(t *testing.T) {
		e := decode[events.APIGatewayProxyRequest](t, `{"requestContext":{"authorizer":`+rest+`}}`)
		wantAda(t)(identity.FromEvent(e))
	})
	t.Run("WebSocket API", func(t *testing.T) {
		e := decode[events.APIGatewayWebsocketProxyRequest](t, `{"requestContext":{"authorizer":`+rest+`}}`)
		wantAda(t)(identity.FromEvent(e))
	})
	t.Run("no authorizer ran", func(t *testing.T) {
		_, v2 := identity.FromEvent(events.APIGatewayV2HTTPRequest{})
		_, iam := identity.FromEvent(decode[events.APIGatewayV2HTTPRequest](t,
			`{"requestContext":{"authorizer":{"iam":{"userId":"u_ada"}}}}`))
		_, v1 := identity.FromEvent(events.APIGatewayProxyRequest{})
		_, ws := identity.FromEvent(events.APIGatewayWebsocketProxyRequest{})
		for _, err := range []error{v2, iam, v1, ws} {
			if !errors.Is(err, identity.ErrNone) {
				t.Errorf("err = %v, want ErrNone", err)
			}
		}
	})
	t.Run("S123 nothing in the event but the context decides", func(t *testing.T) {
		e := decode[events.APIGatewayProxyRequest](t, `{"headers":{"sub":"u_eve","x-gatehouse-sub":"u_eve"},
			"queryStringParameters":{"sub":"u_eve"},"requestContext":{"authorizer":{"principalId":"u_eve","sub":"u_ada"}}}`)
		who, err := identity.FromEvent(e)
		if err != nil || who.Subject != "u_ada" {
			t.Errorf("%v, %v", who, err)
		}
	})
}

func TestContext(t *testing.T) {
	if who, ok := identity.FromContext(t.Context()); ok {
		t.Errorf("an empty context carries %v", who)
	}
	if _, ok := identity.FromContext(identity.NewContext(t.Context(), identity.Identity{Roles: []string{"admin"}})); ok {
		t.Error("an identity without a subject is somebody")
	}
	who, ok := identity.FromContext(identity.NewContext(t.Context(), ada()))
	if diff := cmp.Diff(ada(), who); diff != "" || !ok {
		t.Error(diff, ok)
	}
}

func TestHas(t *testing.T) {
	who := ada()
	if !who.HasRole("admin") || who.HasRole("adm") || who.HasRole("") || who.HasRole("Admin") {
		t.Error("HasRole")
	}
	if !who.HasScope("openid") || who.HasScope("notes") || who.HasScope("") {
		t.Error("HasScope")
	}
}

func TestPrintsNoPersonalData(t *testing.T) {
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).LogAttrs(context.Background(), slog.LevelInfo, "x", slog.Any("who", ada()))
	}
	fmt.Fprintf(&log, "%v %+v %#v %s %q", ada(), ada(), ada(), ada(), ada())
	for _, secret := range []string{"example.com", "Löwe"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("printed %q: %s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "u_ada") {
		t.Errorf("not printed: %s", log.String())
	}
}

func decode[E any](t *testing.T, text string) (e E) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func wantAda(t *testing.T) func(identity.Identity, error) {
	return func(who identity.Identity, err error) {
		t.Helper()
		if diff := cmp.Diff(ada(), who); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
}
