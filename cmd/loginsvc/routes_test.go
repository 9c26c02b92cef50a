package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// TestRoutes asks the service for every route that serverless.yml sends to it.
func TestRoutes(t *testing.T) {
	template, err := gateway.ReadTemplate("../../serverless.yml")
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := newFunction(t, "{}", environment(map[string]string{"GATEHOUSE_ISSUER": "https://example.com/auth"}))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range template.Routes {
		if r.Function != "loginsvc" {
			continue
		}
		n++
		if r.Authorizer != "" {
			t.Errorf("%s asks for a token: who signs in has none", r.Key)
		}
		_, path, _ := strings.Cut(r.Key, " ")
		path = strings.NewReplacer("{provider}", "google", "{issuer+}", "auth", "{resource+}", "mcp", "{id}", "u_1").Replace(path)
		ask := func(method string) (answer struct {
			StatusCode int
			Headers    map[string]string
			Body       string
		}) {
			event := `{"version":"2.0","routeKey":"` + r.Key + `","rawPath":"` + path + `","pathParameters":{"provider":"google","issuer":"auth","resource":"mcp","id":"u_1"},` +
				`"headers":{"content-type":"application/x-www-form-urlencoded"},"requestContext":{"http":{"method":"` + method + `"}}}`
			out, err := f.Invoke(t.Context(), []byte(event))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(out, &answer); err != nil {
				t.Fatal(err)
			}
			return answer
		}
		refused := ask("DELETE")
		if refused.StatusCode != 405 || refused.Headers["Allow"] == "" {
			t.Errorf("DELETE %s: %d %v %s", path, refused.StatusCode, refused.Headers, refused.Body)
		}
		for method := range strings.SplitSeq(refused.Headers["Allow"], ", ") {
			if answer := ask(method); answer.StatusCode == 405 || answer.StatusCode == 404 && strings.Contains(answer.Body, "404 page not found") {
				t.Errorf("%s %s: %d %s", method, path, answer.StatusCode, answer.Body)
			}
		}
	}
	if n == 0 {
		t.Error("no route leads here")
	}
}
