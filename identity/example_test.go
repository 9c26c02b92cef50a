package identity_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatehouse-auth/gatehouse/identity"
)

func ExampleFromEvent() {
	handle := func(_ context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		who, err := identity.FromEvent(event)
		if err != nil {
			return events.APIGatewayV2HTTPResponse{StatusCode: 401}, nil
		}
		if !who.HasRole("admin") {
			return events.APIGatewayV2HTTPResponse{StatusCode: 403}, nil
		}
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "Hello " + who.Name}, nil
	}

	var event events.APIGatewayV2HTTPRequest // as API Gateway sends it
	event.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		Lambda: map[string]any{"sub": "u_ada", "name": "Ada", "roles": "user admin"},
	}
	answer, _ := handle(context.Background(), event)
	fmt.Println(answer.StatusCode, answer.Body)
	// Output: 200 Hello Ada
}

func ExampleFromContext() {
	hello := func(w http.ResponseWriter, r *http.Request) {
		who, ok := identity.FromContext(r.Context())
		if !ok {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, "Hello %s", who.Name)
	}

	ctx := identity.NewContext(context.Background(), identity.Identity{Subject: "u_lin", Name: "Lin"})
	answer := httptest.NewRecorder()
	hello(answer, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
	fmt.Println(answer.Body)
	// Output: Hello Lin
}
