package client

import (
	"context"
	"slices"
)

// List is a registry of clients that are known from the start.
type List []Client

// Lookup returns the client with the id, or [ErrUnknown].
func (l List) Lookup(_ context.Context, id string) (Client, error) {
	for _, c := range l {
		if c.ID == id && id != "" {
			return c, nil
		}
	}
	return Client{}, ErrUnknown
}

// AllowsOrigin tells whether a public client registered the origin, so that its
// scripts may read answers in a browser. A confidential client has no business
// there: its secret would be in the page.
func (l List) AllowsOrigin(_ context.Context, origin string) (bool, error) {
	return slices.ContainsFunc(l, func(c Client) bool {
		return c.Public() && slices.Contains(c.Origins, origin)
	}), nil
}
