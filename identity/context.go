package identity

import "context"

type contextKey struct{}

// NewContext returns a context that carries who called. Code that turns events
// into net/http requests calls it; handlers call [FromContext].
func NewContext(ctx context.Context, who Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, who)
}

// FromContext returns who called, and false if nobody is known.
func FromContext(ctx context.Context) (Identity, bool) {
	who, ok := ctx.Value(contextKey{}).(Identity)
	return who, ok && who.Subject != ""
}
