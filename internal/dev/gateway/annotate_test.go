package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// A developer is told why, in the log and, if asked for, in a header.
func TestReasons(t *testing.T) {
	var last gateway.Exchange
	asked := 0
	g, err := gateway.New(gateway.Config{
		Template: &gateway.Template{
			Routes: []gateway.Route{{Key: "GET /guarded", Function: "app", Authorizer: "guard"}, {Key: "GET /open", Function: "app"}},
			Authorizers: []gateway.Authorizer{{
				Name: "guard", Function: "guard", IdentitySources: []string{"$request.header.Authorization"}, TTL: 60e9, Simple: true,
			}},
		},
		Functions: map[string]gateway.Function{
			"guard": func(ctx context.Context, _ []byte) ([]byte, error) {
				asked++
				gateway.Annotate(ctx, "expired")
				return []byte(`{"isAuthorized":false}`), nil
			},
			"app": func(ctx context.Context, _ []byte) ([]byte, error) {
				gateway.Annotate(ctx, "invalid_grant")
				return []byte(`{"statusCode":400}`), nil
			},
		},
		Observe: func(x gateway.Exchange) { last = x }, ReasonHeader: "X-Reason",
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, token string) string {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w.Header().Get("X-Reason")
	}
	if got := ask("/guarded", ""); got != "gateway: no Authorization header" {
		t.Errorf("without a token: %q", got)
	}
	for range 2 { // the second time from the cache
		if got := ask("/guarded", "Bearer x"); got != "authorizer: deny reason=expired" {
			t.Errorf("refused: %q", got)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	if ask("/open", ""); last.By != "app" || last.Reason != "invalid_grant" {
		t.Errorf("a function's own reason: %+v", last)
	}
}
