package server_test

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

const socketTemplate = `
service: chat
provider: {name: aws, stage: prod, runtime: provided.al2023}
functions:
  orders:
    handler: bootstrap
    environment: {CONNECTIONS: {'Fn::Join': ['', ['https://', {Ref: WebsocketsApi}, '.execute-api.', {Ref: 'AWS::Region'}, '.', {Ref: 'AWS::URLSuffix'}, '/prod']]}}
    events:
      - websocket: {route: $connect, authorizer: {name: gatehouse, arn: {Ref: Authorizer}, identitySource: [route.request.header.Sec-WebSocket-Protocol]}}
      - websocket: $default
`

// TestWebSocket opens connections of a template's WebSocket API.
func TestWebSocket(t *testing.T) {
	t.Parallel()
	dir, o, _ := teamFolder(t, socketTemplate, "routes: [{route: $connect, roles: [user]}]\n")
	put(t, dir, "go.mod", "module example.com/chat\n\ngo 1.26\n")
	put(t, dir, "orders/main.go", echo)
	s := running(t, o)
	if s.WebSocket != "ws"+strings.TrimPrefix(s.Issuer, "http")+"/prod" {
		t.Fatal(s.WebSocket)
	}
	lin := tokens(t, s, "lin").AccessToken
	for protocols, want := range map[string]int{"": 401, "bearer, nonsense": 401, "bearer, " + lin: 101} {
		if got := handshake(t, s, protocols); got != want {
			t.Errorf("%.20q: %d, want %d", protocols, got, want)
		}
	}
	if got := ask(t, "GET", s.Issuer+"/prod/@connections/none", ""); got.status != 410 {
		t.Errorf("%d", got.status)
	}
}

func handshake(t *testing.T, s *server.Server, protocols string) int {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.Issuer, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.Issuer+"/prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	if protocols != "" {
		r.Header.Set("Sec-WebSocket-Protocol", protocols)
	}
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}
