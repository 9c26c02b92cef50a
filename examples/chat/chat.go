package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/identity"
)

// chat is one room, in which everybody hears everybody. It asks the store of
// connections who is there, which reads all of them for each message: right for
// a room of hundreds. With many rooms, yours would keep who is in which.
type chat struct {
	store connection.Store
	send  func(ctx context.Context, id string, data []byte) error
	now   func() time.Time
	log   *slog.Logger
}

// message is what goes through the room.
type message struct {
	From string `json:"from,omitempty"` // a name for people; the function says it, not the client
	Text string `json:"text"`
}

const maxText = 1000 // bytes

// handle stands behind a [connection.Guard]: every sender of a message holds a
// valid token.
func (c *chat) handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	if event.RequestContext.EventType != "MESSAGE" {
		return events.APIGatewayProxyResponse{StatusCode: 200}, nil
	}
	who, ok := identity.FromContext(ctx)
	if !ok { // there is no guard before it
		return events.APIGatewayProxyResponse{StatusCode: 401}, nil
	}
	var in message
	if err := json.Unmarshal([]byte(event.Body), &in); err != nil || strings.TrimSpace(in.Text) == "" || len(in.Text) > maxText {
		return events.APIGatewayProxyResponse{StatusCode: 400}, nil
	}
	said, err := json.Marshal(message{From: who.Name, Text: in.Text})
	if err != nil {
		return events.APIGatewayProxyResponse{}, err
	}
	return events.APIGatewayProxyResponse{StatusCode: 200}, c.tell(ctx, said)
}

// tell sends data to everybody whose token lives. A listener whose token has ended
// hears nothing more, also in the minute before the sweep ends the connection.
func (c *chat) tell(ctx context.Context, data []byte) error {
	now := c.now()
	for open, err := range c.store.EndingBy(ctx, now.Add(24*time.Hour)) {
		if err != nil {
			return err
		}
		if !now.Before(open.ExpiresAt) {
			continue
		}
		if err := c.send(ctx, open.ID, data); err != nil && !errors.Is(err, connection.ErrGone) {
			c.log.WarnContext(ctx, "telling", "err", err) // the others get the message
		}
	}
	return nil
}
