// Package connection ends WebSockets when the token ends that they were opened
// with. API Gateway asks an authorizer about $connect alone and keeps a
// connection for up to two hours, while a token is good for ten minutes; what
// comes on an open connection, nobody judges any more. So the function does:
//
//   - [Guard] stands before the function. A message on a connection whose token
//     has ended never reaches it, and ends the connection.
//   - [Sweep] runs every minute, and ends the connections that say nothing: those
//     are the ones that listen.
//
// Both need to know which connections are open, which a [Store] remembers, and to
// end one, which a [Closer] does. Packages dynamostore and apigateway are these in
// AWS; package connectiontest has them in memory, for tests.
//
// A client that wants to stay opens another connection with a new token before
// its old one ends.
//
// Part of Gatehouse's promised API.
package connection

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// MaxAge is how long API Gateway keeps any connection.
const MaxAge = 2 * time.Hour

// Connection is a connection of one stage of a WebSocket API.
type Connection struct {
	ID        string    // as API Gateway calls it
	ExpiresAt time.Time // when the token it was opened with ends, in whole seconds
	Subject   string    // whose it is: the Subject of an identity.Identity
	SessionID string    // the sign-in that the token comes from; may be ""
	OpenedAt  time.Time // in whole seconds; the token was issued before
}

// Store remembers which connections of one stage of one API are open. It may
// know some that are open no more, and knows every one that is. Its methods are
// safe for concurrent use, also from several processes.
type Store interface {
	// Remember adds c. Doing it twice is doing it once. When it has returned
	// nil, every call of EndingBy that begins later finds c, in any process.
	Remember(ctx context.Context, c Connection) error

	// Forget takes out the connection that has both the ID and the ExpiresAt of
	// c; what else is in c does not matter. It is no error if there is none.
	Forget(ctx context.Context, c Connection) error

	// EndingBy finds the connections whose ExpiresAt is not after t, each once,
	// in no particular order. The caller may forget them meanwhile; one that is
	// remembered or forgotten meanwhile is found or not. After an error there may
	// be more connections, and some may be missing. Its cost is that of what it
	// finds, however many there are that end later.
	EndingBy(ctx context.Context, t time.Time) iter.Seq2[Connection, error]
}

// Closer ends connections. It is safe for concurrent use.
type Closer interface {
	// Close ends the connection with the id. It returns [ErrGone] if there is
	// none, which callers of this package's take for success. After any other
	// error the connection may be open or not.
	Close(ctx context.Context, id string) error
}

// ErrGone says that a connection is not open any more.
var ErrGone = errors.New("the connection is gone")

// ended tells whether the token has ended at now: exp is the time "on or after
// which" it is no good (RFC 7519, Section 4.1.4). One without an end is none that
// the authorizer has let pass.
func (c Connection) ended(now time.Time) bool {
	return c.ExpiresAt.IsZero() || !now.Before(c.ExpiresAt)
}

// end closes c, and forgets it once it is closed.
func end(ctx context.Context, store Store, closer Closer, c Connection) error {
	if err := closer.Close(ctx, c.ID); err != nil && !errors.Is(err, ErrGone) {
		return fmt.Errorf("closing a connection: %w", err)
	}
	if c.ExpiresAt.IsZero() { // it never was remembered
		return nil
	}
	if err := store.Forget(ctx, c); err != nil {
		return fmt.Errorf("forgetting a connection: %w", err)
	}
	return nil
}
