package connection_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/connectiontest"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/testkit"
)

// A function and its guard, as a test of yours would have them: with a store and
// a closer in memory, and a clock of its own.
func ExampleGuard() {
	hello := func(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		who, _ := identity.FromContext(ctx)
		fmt.Println(event.RequestContext.RouteKey, who.Name)
		return events.APIGatewayProxyResponse{StatusCode: 200}, nil
	}
	now := time.Now()
	var closer connectiontest.Closer
	guard := connection.Guard{
		Store: &connectiontest.Memory{}, Closer: &closer, // in AWS: dynamostore.New(…), apigateway.New(…)
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}
	handle := guard.Protect(hello) // what lambda.Start is given

	ada := testkit.As("ada")
	for _, route := range []string{"$connect", "hello"} {
		handle(context.Background(), testkit.WebSocket(ada, route, ""))
	}
	now = ada.ExpiresAt
	answer, _ := handle(context.Background(), testkit.WebSocket(ada, "hello", ""))
	fmt.Println(answer.StatusCode, len(closer.Closed()), "closed")
	// Output:
	// $connect Ada
	// hello Ada
	// 401 1 closed
}
