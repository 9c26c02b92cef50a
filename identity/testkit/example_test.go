package testkit_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/testkit"
)

// handle is a protected function.
func handle(_ context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	who, err := identity.FromEvent(event)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{StatusCode: 401}, nil
	}
	if !who.HasRole("admin") {
		return events.APIGatewayV2HTTPResponse{StatusCode: 403}, nil
	}
	return events.APIGatewayV2HTTPResponse{StatusCode: 200}, nil
}

func Example() {
	for _, who := range []identity.Identity{
		testkit.As("ada", testkit.Roles("user", "admin")),
		testkit.As("lin"),
		{}, // nobody
	} {
		answer, _ := handle(context.Background(), testkit.HTTP(who, "DELETE", "/notes/7", ""))
		fmt.Println(answer.StatusCode, who)
	}
	// Output:
	// 200 u_ada [user admin]
	// 403 u_lin [user]
	// 401 nobody
}
