package lambdahttp_test

import (
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
)

// A net/http application becomes a function behind the gateway.
func ExampleHandler() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		who, ok := identity.FromContext(r.Context())
		if !ok { // the route has no authorizer
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, "order %s of %s", r.PathValue("id"), who.Subject)
	})
	lambda.Start(lambdahttp.Handler(mux))
}
