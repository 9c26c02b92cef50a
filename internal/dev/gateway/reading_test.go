package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// A path that another server can read as that of a guarded route is let pass by
// that route's authorizer, or not at all.
func TestEveryReadingIsGuarded(t *testing.T) {
	handedOn := 0
	g, err := gateway.New(gateway.Config{
		Template: &gateway.Template{
			Authorizers: []gateway.Authorizer{{Name: "a", Function: "auth", Simple: true}},
			Routes: []gateway.Route{
				{Key: "ANY /boss/{proxy+}", Function: "f", Authorizer: "a"}, {Key: "GET /payroll", Function: "f", Authorizer: "a"},
				{Key: "GET /open", Function: "f"}, {Key: "$default", Function: "f", Authorizer: "a"},
			},
		},
		Functions: map[string]gateway.Function{
			"auth": func(_ context.Context, event []byte) ([]byte, error) {
				if strings.Contains(string(event), `"routeKey":"$default"`) {
					return []byte(`{"isAuthorized":true}`), nil
				}
				return []byte(`{"isAuthorized":false}`), nil
			},
			"f": func(context.Context, []byte) ([]byte, error) {
				handedOn++
				return []byte(`{"statusCode":200}`), nil
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) int {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code
	}
	for _, path := range []string{
		"/boss/x", "/boss%2fx", "/boss%2Fx", "/boss%252fx", "/boss%5cx", "/%62oss/x", "/%62oss%2fx", "/x/../boss/x", "/x/%2e%2e/boss/x", "/x%2f..%2fboss%2fx",
		"/./boss/x", "//boss/x", "/boss//x", "/payroll", "/payroll/", "/payroll/.", "/open/../payroll", "/%70ayroll", "/open/%2e%2e/payroll", "/payroll%2f",
	} {
		if status := get(path); status != http.StatusForbidden {
			t.Errorf("%s: %d", path, status)
		}
	}
	if handedOn != 0 {
		t.Errorf("%d requests were handed on", handedOn)
	}
	for _, path := range []string{"/open", "/other", "/bossy/x", "/a%2fb", "/boss", "/payroll/x", "/a%20b", "/100%25"} {
		if status := get(path); status != http.StatusOK {
			t.Errorf("%s: %d, want 200", path, status)
		}
	}
}
