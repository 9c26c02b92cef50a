package lambdatest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/issuertest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/lambdatest"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// TestAuthorizer puts the built authorizer, as a process, behind the gateway.
func TestAuthorizer(t *testing.T) {
	issuer := issuertest.Serve(t)
	root := lambdatest.Build(t, "github.com/gatehouse-auth/gatehouse/cmd/authorizer")
	rules := `{"rules":[{"route":"GET /admin","roles":["admin"]}]}`
	if err := os.WriteFile(filepath.Join(root, "policy.json"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	authorizer := lambdatest.Start(t, lambdatest.Config{
		Name: "authorizer", Root: root, Freeze: true, Timeout: 3 * time.Second, Log: &log,
		Env: map[string]string{"GATEHOUSE_ISSUER": issuer.URL, "GATEHOUSE_AUDIENCE": "api", "GOMAXPROCS": "1"},
	})
	g, err := gateway.New(gateway.Config{
		Template: &gateway.Template{
			Authorizers: []gateway.Authorizer{{Name: "gatehouse", Function: "authorizer", Simple: true, TTL: time.Minute,
				IdentitySources: []string{"$request.header.Authorization", "$context.routeKey"}}},
			Routes: []gateway.Route{{Key: "GET /who", Function: "who", Authorizer: "gatehouse"}, {Key: "GET /admin", Function: "who", Authorizer: "gatehouse"}},
		},
		Functions: map[string]gateway.Function{
			"authorizer": authorizer.Invoke,
			"who": lambdahttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				who, _ := identity.FromContext(r.Context())
				json.NewEncoder(w).Encode(who.Map())
			})),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	access := token.Access{Issuer: issuer.URL, Subject: "u_lin", Audience: "api", ClientID: "spa", ID: "j", SessionID: "s",
		Scopes: []string{"openid"}, Roles: []string{"user"}, IssuedAt: now, ExpiresAt: now.Add(time.Minute), AuthTime: now}
	rawToken, err := access.Sign(t.Context(), issuer.Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, target, rawToken string
		status                 int
		body                   string
	}{
		{"no token", "/who", "", 401, `{"message":"Unauthorized"}`},
		{"a token", "/who", rawToken, 200, `"sub":"u_lin"`},
		{"the token again, from the cache", "/who", rawToken, 200, `"roles":"user"`},
		{"a route for others", "/admin", rawToken, 403, `{"message":"Forbidden"}`},
		{"a token with another signature", "/who", rawToken[:len(rawToken)-4] + "AAAA", 403, `{"message":"Forbidden"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", tc.target, nil)
			if tc.rawToken != "" {
				r.Header.Set("Authorization", "Bearer "+tc.rawToken)
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.body) {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
	if inits := authorizer.Inits(); len(inits) != 1 {
		t.Errorf("%d processes", len(inits))
	} else {
		t.Logf("init took %v", inits[0])
	}
	authorizer.Close()
	if strings.Contains(log.String(), rawToken[strings.LastIndex(rawToken, ".")+1:]) {
		t.Error("S124 a signature stands in the log")
	}
}
