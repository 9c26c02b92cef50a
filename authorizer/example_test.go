package authorizer_test

import (
	"fmt"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
)

// A service in a container guards its routes as the gateway would.
func ExampleAuthorizer_Guard() {
	keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: "https://auth.example.com/.well-known/jwks.json"})
	if err != nil {
		panic(err)
	}
	rules, err := policy.Compile([]policy.Rule{{Route: "GET /reports/{id}", Roles: []string{"auditor"}}})
	if err != nil {
		panic(err)
	}
	a, err := authorizer.New(authorizer.Config{
		Issuer: "https://auth.example.com", Audience: "https://api.example.com", Keys: keys.Key, Policy: rules,
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	for _, pattern := range []string{"GET /reports/{id}", "GET /{$}", "/static/"} {
		mux.Handle(pattern, a.Guard(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			who, _ := identity.FromContext(r.Context())
			fmt.Fprintf(w, "hello %s", who.Name)
		})))
	}
}
